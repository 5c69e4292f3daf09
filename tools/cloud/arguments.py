# SPDX-License-Identifier: Apache-2.0

"""The command line's arguments and their help."""

import argparse
import collections.abc
import pathlib
from typing import Any

from tools.cloud import kinds
from tools.cloud.model import settings
from tools.command_line import numbers

Command = collections.abc.Callable[..., int]


def parser(
    commands: dict[str, Command], variable: str
) -> argparse.ArgumentParser:
    """Make the parser.

    :param commands: what to call for each command.
    :param variable: environment variable that names the state folder.
    :returns: the parser; the result has the function as ``command``.
    """
    top = argparse.ArgumentParser(
        prog='python -m tools.cloud',
        description='Stock OpenStack services with nova_cyborg, for labs and '
        'tests: no root, no broker, no database server, fake hypervisors '
        '(unless "up" is told otherwise).',
    )
    top.add_argument(
        '--state',
        metavar='FOLDER',
        type=pathlib.Path,
        help="folder of all of the cloud's files; several clouds run side by "
        f'side in folders of their own (default: ${variable}, else .cloud in '
        'the repository)',
    )
    group = top.add_subparsers(
        title='commands', metavar='COMMAND', required=True
    )
    for name, add in _COMMANDS.items():
        sub = add(group, name)
        sub.set_defaults(command=commands[name])
    return top


def parse(
    top: argparse.ArgumentParser, argv: collections.abc.Sequence[str] | None
) -> argparse.Namespace:
    """Read a command line.

    :param top: the parser.
    :param argv: the arguments; by default those of the process.
    :returns: the result; ``further`` has what is another program's.
    """
    # argparse.REMAINDER would not take an option that comes first.
    args, further = top.parse_known_args(argv)
    if further and 'takes_further' not in args:
        top.error(f'unrecognized arguments: {" ".join(further)}')
    args.further = further
    return args


def _up(group: Any, name: str) -> Any:
    up = _command(group, name, 'Bring a new cloud up.')
    up.add_argument(
        '--computes',
        type=numbers.positive,
        metavar='N',
        help='how many compute hosts with a fake hypervisor: compute1, '
        'compute2, ... (default: 1; 4 with --production)',
    )
    up.add_argument(
        '--devices',
        type=pathlib.Path,
        action='append',
        default=[],
        metavar='FILE',
        help='list of accelerators of a host; give it again for each further '
        'host, real ones last (default: the ones in tools/cloud/devices; with '
        "--no-plugin, what Cyborg's fake driver has)",
    )
    up.add_argument(
        '--no-plugin',
        action='store_false',
        dest='plugin',
        help='leave nova_cyborg out: stock services with the fake driver of '
        "Cyborg; with --devices, nova_cyborg's driver alone",
    )
    up.add_argument(
        '--timeout',
        type=numbers.seconds,
        metavar='SECONDS',
        help='give up after this long (default: 180; 900 with --production '
        'or --passthrough)',
    )
    _production(up)
    return up


def _production(up: Any) -> None:
    kind = up.add_mutually_exclusive_group()
    kind.add_argument(
        '--passthrough',
        type=numbers.positive,
        nargs='?',
        const=1,
        metavar='N',
        help='compute hosts (1 if not told, or 2) with real libvirt, QEMU, '
        'VFIO and IOMMU, in virtual machines; needs root, and makes what they '
        'run of Debian packages, once',
    )
    kind.add_argument(
        '--production',
        action='store_const',
        dest='kind',
        const=kinds.PRODUCTION,
        default=kinds.EMBEDDED,
        help='like where operators live: a broker, a database server, each '
        'service in processes of its own; needs root, and installs what is '
        'missing with apt',
    )
    up.add_argument(
        '--database',
        metavar='NAME',
        help='database server of --production: mariadb (default) or '
        'postgresql',
    )
    up.add_argument(
        '--real-hosts',
        type=numbers.whole,
        metavar='N',
        help='how many compute hosts of --production with libvirt and QEMU '
        '(in software): real1, real2, ... (default: 1)',
    )


def _down(group: Any, name: str) -> Any:
    down = _command(group, name, 'Stop the cloud and remove it.')
    down.add_argument(
        '--keep', action='store_true', help='leave its files for a look'
    )
    return down


def _status(group: Any, name: str) -> Any:
    return _command(
        group, name, 'Show the services; exit with 1 unless all run.'
    )


def _env(group: Any, name: str) -> Any:
    env = _command(group, name, 'Print the variables for OpenStack clients.')
    env.add_argument(
        '--user',
        choices=tuple(settings.PEOPLE),
        default='admin',
        help='who logs in (default: admin)',
    )
    return env


def _logs(group: Any, name: str) -> Any:
    logs = _command(group, name, 'Show the ends of logs.')
    logs.add_argument(
        'service',
        nargs='?',
        metavar='SERVICE',
        help='whose log: a service, or a program as "status" names it '
        '(default: all)',
    )
    logs.add_argument(
        '-f', '--follow', action='store_true', help='go on as they grow'
    )
    logs.add_argument(
        '-n',
        '--lines',
        type=numbers.positive,
        default=20,
        metavar='N',
        help='how many lines of each (default: 20)',
    )
    return logs


def _xml(group: Any, name: str) -> Any:
    xml = _command(
        group,
        name,
        "Print a server's guest XML: as Nova gave it to a fake libvirt, or as "
        'a real one made of it.',
    )
    xml.add_argument('server_id', help='UUID of the server')
    return xml


def _tempest(group: Any, name: str) -> Any:
    tempest = _command(
        group,
        name,
        'Run tempest, with the tests of device contexts unless arguments say '
        'which; exit with its status. Arguments are those of "tempest run", '
        'such as --regex, --smoke, --concurrency or --list-tests.',
    )
    tempest.set_defaults(takes_further=True)
    return tempest


_COMMANDS = {
    'up': _up,
    'down': _down,
    'status': _status,
    'env': _env,
    'logs': _logs,
    'xml': _xml,
    'tempest': _tempest,
}


def _command(group: Any, name: str, text: str) -> Any:
    return group.add_parser(name, help=text, description=text)

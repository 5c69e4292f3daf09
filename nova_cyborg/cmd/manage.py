# SPDX-License-Identifier: Apache-2.0

"""``nova-cyborg-manage``: the operator's commands, beside Cyborg's."""

import argparse
import collections.abc
import sys

from nova_cyborg.cmd import audit, configured
from nova_cyborg.db import session
from nova_cyborg.db.migrations import migration


def main(argv: collections.abc.Sequence[str] | None = None) -> int:
    """Run the command.

    :param argv: the arguments; the process's own if None.
    :returns: the exit status.
    """
    arguments = _parser().parse_args(argv)
    return configured.run(
        'nova-cyborg-manage',
        arguments.config_file or [],
        lambda: int(arguments.run(arguments)),
        'Its name is given before the command: '
        'nova-cyborg-manage --config-file PATH COMMAND.',
    )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog='nova-cyborg-manage',
        description='Manage device contexts in the database of Cyborg.',
        epilog='Example: nova-cyborg-manage --config-file '
        '/etc/cyborg/cyborg.conf db upgrade',
    )
    parser.add_argument(
        '--config-file',
        action='append',
        metavar='PATH',
        help='a configuration file of cyborg-api; may be repeated '
        "(default: Cyborg's usual places)",
    )
    commands = parser.add_subparsers(required=True, metavar='COMMAND')
    database = commands.add_parser('db', help='look after the tables')
    actions = database.add_subparsers(required=True, metavar='ACTION')
    upgrade = actions.add_parser(
        'upgrade',
        help='make the tables, or bring them to this release; safe to '
        "repeat. Run it after Cyborg's own schema is made.",
    )
    upgrade.set_defaults(run=_upgrade)
    version = actions.add_parser(
        'version', help='print the revision the tables are at'
    )
    version.set_defaults(run=_version)
    audit.add_command(commands)
    return parser


def _upgrade(_arguments: argparse.Namespace) -> int:
    migration.upgrade(session.engine())
    return _version(_arguments)


def _version(_arguments: argparse.Namespace) -> int:
    print(migration.version(session.engine()) or 'none')
    return 0


if __name__ == '__main__':
    sys.exit(main())

# SPDX-License-Identifier: Apache-2.0

"""``python -m tools.seldom.chaos``: boots, moves, and kills meanwhile.

On a production-like cloud of its own, or on one that is up: --state. What is
damaged is repaired by nobody but the cloud.
"""

import argparse
import collections.abc
import pathlib
import random
import sys
import tempfile

from tools.cloud import cloud as cloud_module
from tools.cloud import exception, kinds, wanted
from tools.command_line import numbers, progress, signals
from tools.seldom.chaos import printing, run
from tools.seldom.chaos.actors import api, audit, offer, saboteur

_DEVICES = pathlib.Path(__file__).with_name('devices.yaml')
# Nothing is under way when the audit runs, but what has just ended.
_GRACE = 10
_NOVA_OPTIONS = {
    # Nothing takes so long in this cloud that is not interrupted.
    'nova_cyborg': {'build_interrupted_after': '90'},
    # The guest of a server that is deleted while its host is forced down is
    # removed by nova-compute when it is back; by default a minute later.
    # A server that is deleted when that is back, and still forced down, keeps
    # its guest until Nova looks for such, by default half an hour later; until
    # then libvirt gives its device to no other guest.
    'DEFAULT': {
        'periodic_fuzzy_delay': '0',
        'running_deleted_instance_poll_interval': '10',
    },
}


def main(argv: collections.abc.Sequence[str] | None = None) -> int:
    """Run it all.

    :param argv: its arguments; by default those of the process.
    :returns: the exit status: 0 if the cloud has healed itself, and nothing
        is lost, leaked or doubled.
    """
    parser = _parser()
    arguments = parser.parse_args(argv)
    if arguments.state and arguments.conductors:
        parser.error('--conductors: it is for a cloud of its own')
    signals.heed()
    report = progress.Progress()
    try:
        if arguments.state:
            cloud = cloud_module.Cloud(arguments.state)
            return _on(cloud, arguments, report)
        with tempfile.TemporaryDirectory(prefix='nova-cyborg-') as parent:
            cloud = cloud_module.Cloud(pathlib.Path(parent, 'cloud'))
            try:
                _up(cloud, arguments.conductors or 1, report)
                return _on(cloud, arguments, report)
            finally:
                cloud.down()
    except exception.CloudError as error:
        print(error, file=sys.stderr)
        return 2


def _up(
    cloud: cloud_module.Cloud, conductors: int, report: progress.Progress
) -> None:
    hosts = kinds.of(kinds.PRODUCTION).default_computes
    cloud.up(
        wanted.Wanted(
            kinds.PRODUCTION,
            devices=[_DEVICES] * hosts,
            real=0,
            conductors=conductors,
            nova_options=_NOVA_OPTIONS,
        ),
        report,
    )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog='python -m tools.seldom.chaos', description=__doc__
    )
    parser.add_argument(
        '--boots',
        type=numbers.positive,
        default=300,
        metavar='N',
        help='how many boots in all (default: %(default)s)',
    )
    parser.add_argument(
        '--clients',
        type=numbers.positive,
        default=8,
        metavar='N',
        help='how many boot at once (default: %(default)s)',
    )
    parser.add_argument(
        '--seed',
        type=numbers.whole,
        default=random.SystemRandom().randrange(10**6),
        metavar='N',
        help='have the same choices made again (default: a random one)',
    )
    parser.add_argument(
        '--stock',
        choices=('beside', 'no', 'only'),
        default='beside',
        help='whether to do the same with stock device profiles, whose '
        'damage is printed and does not count (default: %(default)s)',
    )
    parser.add_argument(
        '--victims',
        nargs='+',
        choices=saboteur.VICTIMS,
        default=list(saboteur.VICTIMS),
        metavar='NAME',
        help='whom to kill, of: %(choices)s (default: all of them)',
    )
    parser.add_argument(
        '--conductors',
        type=numbers.positive,
        metavar='N',
        help='how many cyborg-conductors there are; of several, one is killed '
        'each ten seconds (default: 1)',
    )
    parser.add_argument(
        '--state',
        metavar='FOLDER',
        help='folder of a production-like cloud that is up and unused, and '
        'stays',
    )
    return parser


def _on(
    cloud: cloud_module.Cloud,
    arguments: argparse.Namespace,
    report: progress.Progress,
) -> int:
    size = run.Size(
        arguments.boots,
        arguments.clients,
        arguments.seed,
        tuple(arguments.victims),
    )
    print(f'{size}', flush=True)
    admin = api.User(cloud, 'admin')
    lines: list[str] = []
    status = 0
    if arguments.stock != 'only':
        outcome = run.run(cloud, offer.contexts(admin), size, report)
        done = audit.look(cloud, _GRACE)
        print(done.stdout, flush=True)
        status = done.returncode or int(not outcome.healing)
        lines += printing.lines('Device contexts', outcome)
        lines += [f'  the audit, which repairs nothing: {done.returncode}']
        if arguments.stock != 'no':
            # Once more at the end: the other half may not be waited for.
            print('\n'.join(lines), flush=True)
    if arguments.stock != 'no':
        outcome = run.run(cloud, offer.profiles(admin), size, report)
        lines += printing.lines('Stock device profiles', outcome)
    print('\n'.join(lines), flush=True)
    return status


if __name__ == '__main__':
    sys.exit(main())

# SPDX-License-Identifier: Apache-2.0

"""``python -m tools.seldom.chaos``: boots, moves, and kills meanwhile.

On a production-like cloud of its own, or on one that is up: --state.
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
from tools.seldom.chaos import run
from tools.seldom.chaos.actors import api, audit, offer
from tools.seldom.chaos.damage import count

_DEVICES = pathlib.Path(__file__).with_name('devices.yaml')
# Nothing is under way when the audit runs, but what has just ended.
_GRACE = 10


def main(argv: collections.abc.Sequence[str] | None = None) -> int:
    """Run it all.

    :param argv: its arguments; by default those of the process.
    :returns: the exit status: 0 if nothing was lost, leaked or doubled.
    """
    arguments = _parser().parse_args(argv)
    signals.heed()
    report = progress.Progress()
    try:
        if arguments.state:
            cloud = cloud_module.Cloud(arguments.state)
            return _on(cloud, arguments, report)
        with tempfile.TemporaryDirectory(prefix='nova-cyborg-') as parent:
            cloud = cloud_module.Cloud(pathlib.Path(parent, 'cloud'))
            try:
                _up(cloud, report)
                return _on(cloud, arguments, report)
            finally:
                cloud.down()
    except exception.CloudError as error:
        print(error, file=sys.stderr)
        return 2


def _up(cloud: cloud_module.Cloud, report: progress.Progress) -> None:
    hosts = kinds.of(kinds.PRODUCTION).default_computes
    cloud.up(
        wanted.Wanted(kinds.PRODUCTION, devices=[_DEVICES] * hosts, real=0),
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
    size = run.Size(arguments.boots, arguments.clients, arguments.seed)
    print(f'{size}', flush=True)
    admin = api.User(cloud, 'admin')
    lines: list[str] = []
    status = 0
    if arguments.stock != 'only':
        goods = offer.contexts(admin)
        outcome = run.run(cloud, goods, size, report)
        counter = count.Count(cloud, outcome.notes)
        before = counter.damage()
        status = _audit(cloud)
        after = counter.damage()
        status = status or int(bool(after))
        lines += _lines('Device contexts', outcome)
        lines += [f'  before the audit: {before.numbers()}']
        lines += [f'  after the audit:  {after.numbers()}', *after.lines()]
        if arguments.stock != 'no':
            # Once more at the end: the other half may not be waited for.
            print('\n'.join(lines), flush=True)
    if arguments.stock != 'no':
        outcome = run.run(cloud, offer.profiles(admin), size, report)
        damage = count.Count(cloud, outcome.notes).damage()
        lines += _lines('Stock device profiles', outcome)
        lines += [f'  {damage.numbers()}', *damage.lines()]
    print('\n'.join(lines), flush=True)
    return status


def _lines(title: str, outcome: run.Outcome) -> list[str]:
    boots = outcome.notes.outcomes
    ends = ', '.join(f'{name} {number}' for name, number in boots.items())
    done = outcome.notes.actions
    actions = ', '.join(f'{name} {done[name]}' for name in sorted(done))
    return [
        f'{title}:',
        f'  boots: {boots.total()} ({ends})',
        f'  done with servers: {done.total()} ({actions})',
        f'  services killed: {outcome.faults}',
        '  servers that Nova lists and cannot delete: '
        f'{len(outcome.undeletable)}',
    ]


def _audit(cloud: cloud_module.Cloud) -> int:
    done = audit.repair(cloud, _GRACE)
    print(done.stdout, flush=True)
    return done.returncode


if __name__ == '__main__':
    sys.exit(main())

# SPDX-License-Identifier: Apache-2.0

"""``python -m tools.bench.candidates``: what groups cost Placement.

A table of requests for hosts with several cards of one kind, to a real
Placement in this process, with its default options and with those that
``[nova_cyborg] placement_prunes`` relies on.
"""

from __future__ import annotations

import argparse
import collections.abc
import contextlib
import functools
import pathlib
import sys
import tempfile

from oslo_config import cfg

from nova_cyborg import combinations, model
from tools.bench.candidates import measuring, placement
from tools.bench.results import table
from tools.command_line import numbers, progress

_GROUPS = (1, 2, 4, 8)
# The default of [nova_cyborg] max_device_combinations.
_MOST_COMBINATIONS = 30_000
_HEAD = (
    'groups',
    'cards',
    'hosts',
    'combinations',
    'options',
    'CPU, s',
    'candidates',
    'answer, KiB',
    'memory, MiB',
)


def main(argv: collections.abc.Sequence[str] | None = None) -> int:
    """Measure, and print the table.

    :param argv: its arguments; by default those of the process.
    :returns: the exit status.
    """
    args = _parser().parse_args(argv)
    report = progress.Progress()
    rows: list[tuple[str, ...]] = [_HEAD]
    with tempfile.TemporaryDirectory(prefix='nova-cyborg-') as folder:
        conf = placement.configuration(pathlib.Path(folder))
        one = placement.Placement(conf)
        there = 0
        for cards in args.cards:
            hosts = -(-cards // placement.CARDS_PER_HOST)
            with report.step(f'{cards} cards in {hosts} hosts'):
                one.add_hosts(there, hosts)
            there = hosts
            for groups in _GROUPS:
                with report.step(f'{groups} groups, {cards} cards'):
                    rows += _both(conf, one, groups, cards, args.seconds)
    print('\n'.join(table.lines(rows)))
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog='python -m tools.bench.candidates', description=__doc__
    )
    parser.add_argument(
        '--cards',
        type=lambda text: sorted(map(numbers.positive, text.split(','))),
        default=[10, 100, 1000],
        metavar='N,N',
        help='how many cards there are, ten in a host and each with one slot '
        '(default: 10,100,1000)',
    )
    parser.add_argument(
        '--seconds',
        type=numbers.seconds,
        default=60.0,
        help='how long a request may take (default: %(default)s)',
    )
    return parser


def _both(
    conf: cfg.ConfigOpts,
    one: placement.Placement,
    groups: int,
    cards: int,
    most: float,
) -> collections.abc.Iterator[tuple[str, ...]]:
    """Measure a request with either options."""
    ask = functools.partial(one.find, groups)
    counted = _combinations(groups, cards)
    hosts = -(-cards // placement.CARDS_PER_HOST)
    about = str(groups), f'{cards:,}', str(hosts), f'{counted.plain:,}'
    either: list[tuple[str, int, contextlib.AbstractContextManager[None]]] = [
        ('default', counted.plain, contextlib.nullcontext()),
        ('the three', counted.pruned, placement.pruning(conf)),
    ]
    for options, tried, configured in either:
        if tried > _MOST_COMBINATIONS:
            # nova-api refuses the server, and does not ask Placement.
            yield (*about, options, 'refused', '-', '-', '-')
            continue
        with configured:
            cost = measuring.measure(ask, most)
        yield (*about, options, *_words(cost, most))


def _combinations(groups: int, cards: int) -> combinations.Combinations:
    """Count as cyborg-api does."""
    group = model.Group((('FPGA', 1),), (), (), ())
    return combinations.count(
        [group] * groups,
        [
            combinations.Provider(
                f'host{n // placement.CARDS_PER_HOST}', 'FPGA', frozenset(), 1
            )
            for n in range(cards)
        ],
    )


def _words(cost: measuring.Cost | None, most: float) -> tuple[str, ...]:
    if cost is None:
        return f'> {most:.0f}', '-', '-', '-'
    return (
        f'{cost.seconds:.2f}',
        f'{cost.candidates:,}',
        f'{cost.size / 2**10:,.0f}',
        f'{cost.memory / 2**20:,.0f}',
    )


if __name__ == '__main__':
    sys.exit(main())

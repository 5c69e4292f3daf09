# SPDX-License-Identifier: Apache-2.0

"""The command line: how much is measured."""

from __future__ import annotations

import argparse
import collections.abc
import dataclasses
import pathlib

from tools.bench.model import systems
from tools.bench.population import names
from tools.cloud.machine import installation
from tools.cloud.model import addresses
from tools.cloud.production.servers import database
from tools.command_line import numbers

#: Where the documentation takes it from.
DOCUMENTED = installation.ROOT / 'doc' / 'source' / 'benchmark'


@dataclasses.dataclass(frozen=True)
class Size:
    """How much is measured.

    :ivar database: the kind of database.
    :ivar bounds: how many accelerators are bound already, the fewest first.
    :ivar repeat: how often each operation is done.
    :ivar budget: seconds after which a system is not measured once more, for
        each number of bound accelerators.
    :ivar clients: how many clients are at it at once.
    :ivar seconds: for how long these begin.
    :ivar crowds: numbers of bound accelerators with several clients.
    :ivar systems: what is compared.
    :ivar audited: up to how many bound accelerators the audit looks.
    """

    database: str
    bounds: tuple[int, ...]
    repeat: int
    budget: float
    clients: tuple[int, ...]
    seconds: float
    crowds: tuple[int, ...]
    systems: tuple[str, ...]
    audited: int


_WHOLE = Size(
    database='mariadb',
    bounds=(10, 100, 1000, 10000),
    repeat=20,
    budget=900,
    clients=(1, 8, 32),
    seconds=60,
    crowds=(10, 1000),
    systems=(systems.STOCK, systems.CONTEXTS),
    audited=1000,
)
_SMOKE = dataclasses.replace(
    _WHOLE,
    database=addresses.SQLITE,
    bounds=(10, 100),
    repeat=2,
    clients=(1, 4),
    seconds=10,
    crowds=(10,),
)


def parse(
    argv: collections.abc.Sequence[str] | None,
) -> tuple[Size, pathlib.Path]:
    """Read a command line.

    :param argv: the arguments; by default those of the process.
    :returns: how much is measured, and the folder for what is found.
    """
    args = _parser().parse_args(argv)
    size = _SMOKE if args.smoke else _WHOLE
    given = {
        field.name: getattr(args, field.name)
        for field in dataclasses.fields(Size)
        if getattr(args, field.name, None) is not None
    }
    if args.profiles:
        given['systems'] = systems.ALL
    return dataclasses.replace(size, **given), args.output


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog='python -m tools.bench',
        description='Measure servers with accelerators: device contexts '
        "beside stock Nova's device profiles, in turn, on two clouds that are "
        'alike in all but the plugin. Exits with 1 if a figure is not what it '
        'may be.',
    )
    parser.add_argument(
        '--smoke',
        action='store_true',
        help='measure a little, in some minutes, without root: to see that '
        'all of it works. Other options change that, too',
    )
    parser.add_argument(
        '--database',
        choices=(addresses.SQLITE, *database.KINDS),
        help='kind of database; with sqlite, on embedded clouds, which need '
        f'no root (default: {_WHOLE.database})',
    )
    parser.add_argument(
        '--bound',
        dest='bounds',
        type=_bounds,
        metavar='N,N',
        help='how many accelerators are bound already, in tens (default: '
        f'{_said(_WHOLE.bounds)})',
    )
    _how_often(parser)
    parser.add_argument(
        '--profiles',
        action='store_true',
        help='measure device profiles on services with the plugin, too',
    )
    parser.add_argument(
        '--output',
        type=pathlib.Path,
        default=installation.ROOT / '.bench',
        metavar='FOLDER',
        help='folder for what is found: results.json, the tables, the plots. '
        f'{DOCUMENTED.relative_to(installation.ROOT)} is where the '
        'documentation takes them from (default: .bench in the repository)',
    )
    return parser


def _how_often(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        '--repeat',
        type=numbers.positive,
        metavar='N',
        help=f'how often each operation is done (default: {_WHOLE.repeat})',
    )
    parser.add_argument(
        '--budget',
        type=numbers.seconds,
        metavar='SECONDS',
        help='do nothing once more with a system that has taken so long, for '
        f'each number of accelerators (default: {_WHOLE.budget:.0f})',
    )
    parser.add_argument(
        '--clients',
        type=_numbers,
        metavar='N,N',
        help='how many clients boot and delete at once (default: '
        f'{_said(_WHOLE.clients)})',
    )
    parser.add_argument(
        '--seconds',
        type=numbers.seconds,
        metavar='SECONDS',
        help='for how long they begin to; each does at least once (default: '
        f'{_WHOLE.seconds:.0f})',
    )
    parser.add_argument(
        '--clients-at',
        dest='crowds',
        type=_bounds,
        metavar='N,N',
        help='with how many accelerators bound they do (default: '
        f'{_said(_WHOLE.crowds)})',
    )
    parser.add_argument(
        '--audit',
        dest='audited',
        type=numbers.whole,
        metavar='N',
        help='up to how many accelerators the audit looks whether all '
        f'databases agree (default: {_WHOLE.audited})',
    )


def _numbers(text: str) -> tuple[int, ...]:
    return tuple(sorted(map(numbers.positive, text.split(','))))


def _bounds(text: str) -> tuple[int, ...]:
    found = _numbers(text)
    for each in found:
        if each % names.SLOTS_PER_CARD:
            raise argparse.ArgumentTypeError(
                f'{each} is no multiple of {names.SLOTS_PER_CARD}, as many as '
                'a card has'
            )
    return found


def _said(values: tuple[int, ...]) -> str:
    return ','.join(map(str, values))

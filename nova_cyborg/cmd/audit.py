# SPDX-License-Identifier: Apache-2.0

"""``nova-cyborg-manage audit``: what disagrees, and putting it right."""

import argparse
import collections.abc
import json
import sys
import typing as ty

import prettytable

from nova_cyborg import exception
from nova_cyborg.audit import auditor

# Two looks that are further apart show no more.
_LONGEST_GRACE = 24 * 60 * 60
_COLUMNS = ('kind', 'subject', 'detail', 'repaired')


def add_command(commands: ty.Any) -> None:
    """Add the command.

    :param commands: argparse's commands of nova-cyborg-manage.
    """
    parser = commands.add_parser(
        'audit',
        help='compare Cyborg with Nova and Placement, and repair',
        description='Compare device contexts, accelerator requests, attach '
        "handles and hidden profiles with Nova's servers and Placement's "
        'allocations. The exit status is 1 if something disagrees and is '
        'not repaired. Safe to run at any time, and again.',
    )
    parser.add_argument(
        '--repair', action='store_true', help='put right what can be'
    )
    parser.add_argument(
        '--format',
        choices=('table', 'json'),
        default='table',
        help='how to print what disagrees (default: table)',
    )
    parser.add_argument(
        '--grace',
        type=_seconds,
        default=auditor.GRACE,
        metavar='SECONDS',
        help='how long something must disagree to count, at most '
        f'{_LONGEST_GRACE} (default: %(default)s); less only while nothing is '
        'booted or deleted',
    )
    parser.set_defaults(run=run)


def _seconds(text: str) -> int:
    # int() refuses thousands of digits.
    if text.isascii() and text.isdecimal() and len(text) < 9:
        seconds = int(text)
        if seconds <= _LONGEST_GRACE:
            return seconds
    raise argparse.ArgumentTypeError(
        f'"{text}" is not a whole number from 0 to {_LONGEST_GRACE}'
    )


def run(arguments: argparse.Namespace) -> int:
    """Audit, and print what was found.

    :param arguments: the command's arguments.
    :returns: the exit status: 0 if all is well, or was put right; 1 if
        something disagrees; 2 if it could not look.
    """
    try:
        outcomes = auditor.run(arguments.grace, arguments.repair, _tell)
    except exception.PlacementFailed as exc:
        print(exc.in_full(), file=sys.stderr)
        return 2
    except exception.DeviceContextError as exc:
        print(exc, file=sys.stderr)
        return 2
    _show([as_row(outcome) for outcome in outcomes], arguments.format)
    return 0 if all(outcome.repaired for outcome in outcomes) else 1


def _tell(line: str) -> None:
    # Not among what is printed for programs.
    print(line, file=sys.stderr)


def as_row(outcome: auditor.Outcome) -> dict[str, ty.Any]:
    """Turn what was found into what is printed.

    :param outcome: what was found, and what became of it.
    :returns: the columns by name.
    """
    return {
        'kind': outcome.finding.kind,
        'subject': outcome.finding.subject,
        'detail': outcome.finding.detail,
        'repaired': outcome.repaired,
    }


def _show(
    rows: collections.abc.Sequence[dict[str, ty.Any]], form: str
) -> None:
    if form == 'json':
        print(json.dumps(rows, indent=2))
    elif rows:
        table = prettytable.PrettyTable(_COLUMNS, align='l', max_width=72)
        table.add_rows([[row[name] for name in _COLUMNS] for row in rows])
        print(table)
    else:
        print('Nothing disagrees.')

# SPDX-License-Identifier: Apache-2.0

"""``nova-cyborg-manage audit``: what disagrees, and putting it right.

All that is compared changes while the audit runs, so it looks twice, and
only what it sees both times counts.
"""

import argparse
import collections.abc
import json
import logging
import sys
import time
import typing as ty

import prettytable

from nova_cyborg import exception
from nova_cyborg.audit import findings

LOG = logging.getLogger(__name__)

#: Seconds between the two looks. Cyborg marks an attach handle as used before
#: an ARQ names it, and makes a mediated device in between, by an RPC call
#: that may take 60 s.
GRACE = 90

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
        type=int,
        default=GRACE,
        metavar='SECONDS',
        help='how long something must disagree to count (default: '
        '%(default)s); less only while nothing is booted or deleted',
    )
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Look, look again, repair if asked to, and print.

    :param arguments: the command's arguments.
    :returns: the exit status: 0 if all is well, or was put right; 1 if
        something disagrees; 2 if it could not look.
    """
    try:
        rows = _audit(arguments)
    except exception.DeviceContextError as exc:
        print(exc, file=sys.stderr)
        return 2
    _show(rows, arguments.format)
    return 0 if all(row['repaired'] for row in rows) else 1


def _audit(arguments: argparse.Namespace) -> list[dict[str, ty.Any]]:
    found = findings.look()
    if found and arguments.grace:
        print(
            f'{len(found)} found; looking again in {arguments.grace} s',
            file=sys.stderr,
        )
        time.sleep(arguments.grace)
        found = [each for each in findings.look() if each in found]
    return [
        {
            'kind': each.kind,
            'subject': each.subject,
            'detail': each.detail,
            'repaired': arguments.repair and _repair(each),
        }
        for each in found
    ]


def _repair(finding: findings.Finding) -> bool:
    if finding.repair is None:
        return False
    try:
        finding.repair()
    except Exception as exc:  # noqa: BLE001 - the others are repaired all the same
        LOG.error('%s %s: %s', finding.kind, finding.subject, exc)
        return False
    return True


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

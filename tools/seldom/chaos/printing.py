# SPDX-License-Identifier: Apache-2.0

"""What is printed of a run."""

import collections

from tools.seldom.chaos import healing, run


def lines(title: str, outcome: run.Outcome) -> list[str]:
    """Say what happened.

    :param title: what was booted.
    :param outcome: what happened.
    :returns: a line for each figure, and for each damage that is left.
    """
    notes, healed = outcome.notes, outcome.healing
    return [
        f'{title}:',
        f'  boots: {_counts(notes.outcomes)}',
        f'  not ended in time, and then: {_counts(notes.late)}',
        f'  done with servers: {_counts(notes.actions)}',
        f'  services killed: {_counts(outcome.faults)}',
        f'  time to zero: {_seconds(healed)}',
        f'  at the end: {healed.damage.numbers()}',
        *_servers('never ended', healed.never_ended),
        *_servers('cannot be deleted', healed.undeletable),
        *healed.damage.lines(),
    ]


def _counts(counter: collections.Counter[str]) -> str:
    each = ', '.join(f'{name} {counter[name]}' for name in sorted(counter))
    return f'{counter.total()} ({each})' if each else '0'


def _seconds(healed: healing.Healing) -> str:
    if healed.seconds is None:
        return 'there was damage until the end'
    late = '' if healed.in_time else ', which is too long'
    return f'{healed.seconds:.0f} s{late}'


def _servers(what: str, server_ids: list[str]) -> list[str]:
    names = f' ({", ".join(server_ids)})' if server_ids else ''
    return [f'  servers that {what}: {len(server_ids)}{names}']

# SPDX-License-Identifier: Apache-2.0

"""Tests of what is printed of a run."""

import collections

from tools.seldom.chaos import healing, printing, run
from tools.seldom.chaos.damage import count, ledger

_NONE = count.Damage([], [], [])


def _lines(healed):
    notes = ledger.Ledger()
    notes.note('ACTIVE')
    faults = collections.Counter({'placement': 2, 'cyborg-api': 1})
    return printing.lines('Title', run.Outcome(notes, faults, healed))


def test_all_is_well():
    assert _lines(healing.Healing(31.4, True, _NONE, [], [])) == [
        'Title:',
        '  boots: 1 (ACTIVE 1)',
        '  not ended in time, and then: 0',
        '  done with servers: 0',
        '  services killed: 3 (cyborg-api 1, placement 2)',
        '  time to zero: 31 s',
        '  at the end: lost 0, leaked 0, doubled 0',
        '  servers that never ended: 0',
        '  servers that cannot be deleted: 0',
    ]


def test_nothing_is_well():
    damage = count.Damage(['a context'], [], [])
    lines = _lines(healing.Healing(None, False, damage, ['a'], ['b', 'c']))

    assert '  time to zero: there was damage until the end' in lines
    assert '  servers that never ended: 1 (a)' in lines
    assert '  servers that cannot be deleted: 2 (b, c)' in lines
    assert lines[-1] == 'lost: a context'


def test_it_took_too_long():
    healed = healing.Healing(70.0, False, _NONE, [], [])

    assert '  time to zero: 70 s, which is too long' in _lines(healed)

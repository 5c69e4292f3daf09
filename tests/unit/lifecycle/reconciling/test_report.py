# SPDX-License-Identifier: Apache-2.0

"""How often what cannot be repaired is tried, and what the log says."""

import pytest

from nova_cyborg.lifecycle.reconciling import report


class Clock:
    now = 1000.0

    def monotonic(self):
        return self.now


@pytest.fixture
def clock(monkeypatch):
    clock = Clock()
    monkeypatch.setattr(report, 'time', clock)
    return clock


@pytest.fixture
def failing(clock):
    """Has one repair fail, found each 30 s, for some time."""
    found = report.Report()
    tries = []

    def fail():
        tries.append(clock.now)
        raise OSError('the disk is full')

    def _failing(seconds):
        for _n in range(seconds // 30):
            assert not found.carry_out('kind', 'subject', fail)
            clock.now += 30
        return found

    _failing.tries = tries
    return _failing


def test_each_time_it_is_waited_for_longer(failing):
    failing(7200)

    pauses = [
        later - sooner
        for sooner, later in zip(
            failing.tries, failing.tries[1:], strict=False
        )
    ]
    assert pauses[:2] == [30, 30]
    assert pauses == sorted(pauses)
    assert pauses[-1] == 600
    # As often as it was found, it would be 240 times.
    assert len(failing.tries) < 20


def test_a_person_is_told_once(failing, caplog):
    caplog.set_level('INFO')
    failing(7200)

    levels = [record.levelname for record in caplog.records]
    assert levels == ['INFO', 'INFO', 'WARNING']


def test_it_is_repaired_at_last(failing, clock):
    found = failing(7200)
    clock.now += 600

    assert found.carry_out('kind', 'subject', lambda: True)
    assert found.as_dict()['repaired'] == {'kind': 1}
    assert found.as_dict()['found'] == {'kind': 1}


def test_another_one_does_not_wait(failing):
    found = failing(120)

    assert found.carry_out('kind', 'another', lambda: True)


def test_what_is_not_found_any_more_is_forgotten(clock):
    found = report.Report()

    def fail():
        raise OSError

    for number in range(100):
        found.carry_out('kind', str(number), fail)
        clock.now += 100

    assert len(found._failures) < 10


def test_servers_that_are_too_many_have_their_turn(monkeypatch):
    monkeypatch.setattr(report, '_MOST_TOUCHED', 2)
    found = report.Report(['a', 'b', 'c'])
    assert found.touched == ['a', 'b']

    found.forget_touched('a')
    found.touch('d')
    found.touch('d')

    assert found.touched == ['b', 'd']

# SPDX-License-Identifier: Apache-2.0

"""How often Nova is asked where hosts are, and who waits for it."""

import concurrent.futures
import threading

import pytest

from nova_cyborg.lifecycle import nova
from nova_cyborg.lifecycle.explaining import zones

SAID = {'compute1': 'north'}
# Seconds after which what is awaited will not happen any more.
PATIENCE = 20


class Nova:
    """Says where hosts are, when it may."""

    def __init__(self):
        self.said = SAID
        self.asked = 0
        self.is_asked = threading.Event()
        self.may_answer = threading.Event()
        self.may_answer.set()

    def zones(self):
        self.asked += 1
        self.is_asked.set()
        assert self.may_answer.wait(PATIENCE)
        return self.said

    def hang(self):
        self.is_asked.clear()
        self.may_answer.clear()


@pytest.fixture
def stand_in(monkeypatch):
    stand_in = Nova()
    monkeypatch.setattr(nova, 'availability_zones', stand_in.zones)
    zones.forget()
    yield stand_in
    zones.forget()


def expire():
    """Have what was said be older than a minute."""
    zones._said.invalidate(hard=False)


@pytest.mark.parametrize('said', [SAID, {}, None])
def test_it_is_asked_once_a_minute(stand_in, said):
    stand_in.said = said

    assert [zones.of_hosts() for _n in range(3)] == [said] * 3
    assert stand_in.asked == 1

    expire()
    assert zones.of_hosts() == said
    assert stand_in.asked == 2


def test_nobody_waits_while_one_asks(stand_in):
    zones.of_hosts()
    expire()
    stand_in.hang()
    stand_in.said = None
    with concurrent.futures.ThreadPoolExecutor(1) as executor:
        asking = executor.submit(zones.of_hosts)
        assert stand_in.is_asked.wait(PATIENCE)

        # It would hang here.
        found = [zones.of_hosts() for _n in range(3)]

        stand_in.may_answer.set()
        assert asking.result(PATIENCE) is None
    assert found == [SAID] * 3
    assert stand_in.asked == 2
    assert zones.of_hosts() is None

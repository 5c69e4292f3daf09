# SPDX-License-Identifier: Apache-2.0

"""What a process that reconciles leaves to the one that goes on."""

import dataclasses
import datetime
import json
import subprocess
import sys
import time

import pytest

from nova_cyborg.lifecycle import servers
from nova_cyborg.lifecycle.reconciling.suspects import memory

SERVER = servers.Server(
    'a',
    servers.State.GONE,
    launched_at=datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC),
)


def test_the_age_goes_on_between_two_processes():
    left = memory.leave([('a', time.monotonic() - 40)])

    since = memory.Memory(json.loads(json.dumps(left)), 10).recall('a')

    assert time.monotonic() - since == pytest.approx(50, abs=2)


def test_what_was_not_left():
    assert memory.Memory().recall('a') is None
    assert memory.Memory(memory.leave([('a', 0)])).recall('b') is None


def test_each_is_told_once():
    """It may be well in between, and look the same when it comes again."""
    found = memory.Memory(memory.leave([('a', 0)]))

    assert found.recall('a') is not None
    assert found.recall('a') is None


def test_it_is_of_no_use_for_long(monkeypatch):
    found = memory.Memory(memory.leave([('a', 0)]))
    later = time.monotonic() + 61
    monkeypatch.setattr(memory.time, 'monotonic', lambda: later)

    assert found.recall('a') is None


def test_the_oldest_ones_are_left():
    seen = [(str(n), -n) for n in range(2 * memory.MOST)]

    left = memory.leave(seen)

    found = memory.Memory(left)
    assert len(left) == memory.MOST
    assert found.recall(str(2 * memory.MOST - 1)) is not None
    assert found.recall('0') is None
    # Beside what the report has, into a row of 64 KiB.
    assert len(json.dumps(left)) < 32 * 1024


def test_what_does_not_make_two_differ_is_not_remembered():
    same = dataclasses.replace(SERVER, flavor_resources={'VGPU': 1})
    other = dataclasses.replace(SERVER, state=servers.State.RESTING)
    assert same == SERVER

    left = memory.leave([(('kind', SERVER), 0)])

    assert memory.Memory(left).recall(('kind', other)) is None
    assert memory.Memory(left).recall(('kind', same)) is not None


def test_another_process_has_the_same_digest():
    program = (
        'from tests.unit.lifecycle.reconciling import test_memory as it;'
        'print(*it.memory.leave([(it.SERVER, 0)]))'
    )
    other = subprocess.run(
        [sys.executable, '-c', program],
        capture_output=True,
        check=True,
        text=True,
    )

    assert other.stdout.split() == list(memory.leave([(SERVER, 0)]))

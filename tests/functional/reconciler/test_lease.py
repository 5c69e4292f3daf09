# SPDX-License-Identifier: Apache-2.0

"""The lease: one process at a time, whatever its clock says."""

import concurrent.futures
import datetime
import json
import time

import pytest
import sqlalchemy as sa
from cyborg import context as cyborg_context
from oslo_utils import timeutils

from nova_cyborg.db import tables
from nova_cyborg.db.reconciler import leases
from tests.functional.reconciler.conftest import Reconciler

A, B = (f'{letter * 8}-0000-4000-8000-000000000000' for letter in 'ab')


def take(holder, seconds=30, name='it'):
    context = cyborg_context.get_admin_context()
    return leases.take(context, name, holder, f'host-{holder[0]}', seconds)


def expire(cloud):
    with cloud.engine.begin() as connection:
        connection.execute(
            sa.update(tables.Lease).values(
                expires_at=tables.Lease.expires_at - 1000
            )
        )


@pytest.fixture(autouse=True)
def _cloud(cloud):
    """Have a database."""


def read():
    return leases.read(cyborg_context.get_admin_context(), 'it')


def test_one_has_it():
    assert read() is None

    lease = take(A)

    assert lease.in_use
    assert (lease.holder, lease.host) == (A, 'host-a')
    other = take(B)
    assert other.holder == A
    assert 0 < other.seconds_left <= 30
    assert take(A).expires_at >= lease.expires_at
    assert read().holder == A


def test_it_expires(cloud):
    take(A)
    expire(cloud)
    assert not read().in_use

    assert take(B).holder == B
    assert take(A).holder == B


def test_leases_do_not_know_of_each_other():
    take(A)

    assert take(B, name='another').holder == B


def test_who_has_lost_it_records_nothing(cloud):
    context = cyborg_context.get_admin_context()
    take(A)
    leases.record(context, 'it', A, {'found': 1}, 7)
    expire(cloud)
    lease = take(B)
    # What was known is known to who goes on.
    assert (lease.report, lease.good_at) == ({'found': 1}, 7)

    leases.record(context, 'it', A, {'found': 2}, 8)

    assert (read().report, read().good_at) == ({'found': 1}, 7)


def test_of_many_at_once_one_has_it():
    holders = [f'{n:08}-0000-4000-8000-000000000000' for n in range(8)]
    with concurrent.futures.ThreadPoolExecutor(len(holders)) as executor:
        found = list(executor.map(take, holders))

    (holder,) = {each.holder for each in found}
    assert holder in holders


@pytest.mark.parametrize('hours', [-1, 1])
def test_clocks_that_are_an_hour_apart(cloud, placement, monkeypatch, hours):
    """Those of the processes do not matter."""
    first, second = Reconciler('controller1'), Reconciler('controller2')
    now = read_clocks()
    first.tick()
    shift_clocks(monkeypatch, hours * 3600)
    apart = read_clocks() - now
    assert apart.total_seconds() == pytest.approx(hours * 3600, abs=60)

    second.tick()

    context = cyborg_context.get_admin_context()
    assert leases.read(context, 'cyborg-conductor').host == 'controller1'
    expire(cloud)
    second.tick()
    monkeypatch.undo()
    first.tick()
    assert leases.read(context, 'cyborg-conductor').host == 'controller2'


def read_clocks():
    """Return the time that a process has, by whatever it may read."""
    by_time = datetime.datetime.fromtimestamp(time.time(), datetime.UTC)
    by_datetime = datetime.datetime.now(datetime.UTC)
    by_utils = timeutils.utcnow(with_timezone=True)
    assert max(by_time, by_datetime, by_utils) - min(
        by_time, by_datetime, by_utils
    ) < datetime.timedelta(seconds=60)
    return by_time


def shift_clocks(monkeypatch, seconds):
    """Shift whatever tells a process the time of day."""
    shift = datetime.timedelta(seconds=seconds)
    real, time_of_day = datetime.datetime, time.time

    class Shifted(real):
        @classmethod
        def now(cls, tz=None):
            return real.now(tz) + shift

        @classmethod
        def utcnow(cls):
            return real.now(datetime.UTC).replace(tzinfo=None) + shift

    monkeypatch.setattr(time, 'time', lambda: time_of_day() + seconds)
    monkeypatch.setattr(datetime, 'datetime', Shifted)


class TestWhoeverGoesOn:
    """One that is killed leaves what it has seen."""

    @pytest.fixture
    def killed(self, cloud, placement):
        """Has a process see what disagrees once, and die some time ago."""

        def _killed(seconds):
            one = Reconciler('controller1', grace=15)
            one.tick()
            assert one.report['repaired'] == {}
            report = one.report
            assert report['suspects']
            report['suspects_at'] -= seconds
            with cloud.engine.begin() as connection:
                connection.execute(
                    sa.update(tables.Lease).values(report=json.dumps(report))
                )
            expire(cloud)

        return _killed

    @pytest.fixture
    def other(self):
        return Reconciler('controller2', grace=15)

    def test_it_has_seen_it_long_enough(self, cloud, running, killed, other):
        cloud.nova.delete(running[1], listed=False)
        killed(20)

        other.tick()

        assert other.report['repaired'] == {'held-by-no-server': 1}
        assert cloud.used_slots() == 0

    @pytest.mark.parametrize('seconds', [5, 1000])
    def test_it_has_not(self, cloud, running, killed, other, seconds):
        cloud.nova.delete(running[1], listed=False)
        killed(seconds)

        other.tick()

        assert other.report['repaired'] == {}

    def test_something_has_changed_since(
        self, cloud, running, killed, other, nova
    ):
        cloud.nova.delete(running[1], listed=False)
        killed(20)
        nova.begin(running[1])

        other.tick()

        assert other.report['repaired'] == {}

    def test_it_is_not_shown(self, cloud, running, killed, admin):
        cloud.nova.delete(running[1], listed=False)
        killed(0)

        shown = admin.call('get', '/v2/reconciler').json['reconciler']

        assert not any('suspects' in name for name in shown)


def test_who_waits_reaches_for_it_when_it_expires(cloud, placement):
    Reconciler('controller1', interval=40).tick()
    lease = leases.read(cyborg_context.get_admin_context(), leases.RECONCILER)

    pause = Reconciler('controller2', interval=400).tick()

    # 40 s between two ticks, as much as two may take, and 5 s.
    assert pause == pytest.approx(lease.seconds_left + 1, abs=2)
    assert lease.seconds_left > 40

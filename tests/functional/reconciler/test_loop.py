# SPDX-License-Identifier: Apache-2.0

"""cyborg-conductor as Cyborg runs it, with its own timer."""

import json
import types

import pytest
import sqlalchemy as sa
from cyborg.common import constants, service
from cyborg.conf import CONF
from keystoneauth1 import exceptions as ks_exc

from nova_cyborg import conf as our_conf
from nova_cyborg.cyborg.conductor.reconciler import loop, rounds
from nova_cyborg.db import tables
from nova_cyborg.lifecycle.reconciling import changes
from tests.functional.api.cyborg import wait_for
from tests.functional.audit import rows
from tests.functional.reconciler.conftest import Reconciler


@pytest.fixture
def start(cloud, placement):
    """Starts a cyborg-conductor."""
    our_conf.register_conductor_opts(CONF)
    started = []

    def _start(**options):
        cloud.config.config(group='nova_cyborg', **options)
        conductor = service.RPCService(
            'nova_cyborg.cyborg.conductor.manager',
            'ConductorManager',
            constants.CONDUCTOR_TOPIC,
            host='controller1',
        )
        conductor.start()
        started.append(conductor)
        return conductor

    yield _start
    for conductor in started:
        conductor.tg.stop()
        conductor.rpcserver.stop()


def test_it_reconciles_by_itself(cloud, start, running, member):
    cloud.nova.delete(running[1], listed=False)

    start(reconcile_interval=0.1, reconcile_grace=0)

    path = f'/v2/device_contexts/{running[2]}'
    wait_for(lambda: member.call('get', path, status='*').status_int == 404)
    assert cloud.used_slots() == 0


def test_it_is_off(cloud, start, running):
    conductor = start(reconcile_interval=0)

    assert conductor.manager.periodic_tasks(None) is None
    assert cloud.count(tables.Lease) == 0


def test_one_of_two_does_it(cloud, placement):
    first, second = Reconciler('controller1'), Reconciler('controller2')

    first.tick()

    assert second.tick() == second.settings.interval
    assert cloud.count(tables.Lease, tables.Lease.host == 'controller1')


def test_what_fails_stops_nothing(
    cloud, reconciler, running, member, monkeypatch, caplog
):
    """Neither the other steps, nor the timer."""
    cloud.nova.delete(running[1])

    def fail(*args):
        raise OSError('the database is on fire')

    monkeypatch.setattr(rounds.leftovers.Leftovers, 'look', fail)
    reconciler.tick(2)

    assert 'A step of reconciling failed' in caplog.text
    member.show(running[2], status=404)

    monkeypatch.setattr(rounds.Rounds, 'tick', fail)
    assert reconciler.tick() == reconciler.settings.interval
    assert 'Reconciling failed' in caplog.text


def test_one_step_that_fails_for_ever(
    cloud, reconciler, running, monkeypatch, admin
):
    """The list of changes does not grow for that, and it is shown."""

    def fail(*args):
        raise OSError('the database is on fire')

    monkeypatch.setattr(changes, '_EVERY', 0)
    monkeypatch.setattr(rounds.leftovers.Leftovers, 'look', fail)
    reconciler.tick()
    long_ago = 1000
    report = {**reconciler.report, 'well_at': long_ago}
    set_lease(cloud, good_at=long_ago, report=json.dumps(report))

    reconciler.tick()

    assert lease(cloud).good_at > long_ago
    shown = admin.call('get', '/v2/reconciler').json['reconciler']
    assert shown['last_good_round'] > 1000


class TestNovaHangs:
    """Two cyborg-conductors, and no answer of Nova's."""

    @pytest.fixture
    def clock(self, cloud, placement, monkeypatch):
        """A clock by which Nova is waited for, and no longer than asked."""
        clock = types.SimpleNamespace(now=1000.0, waited=[])
        clock.monotonic = lambda: clock.now
        for module in (loop, rounds, rounds.report):
            monkeypatch.setattr(module, 'time', clock)

        def hang(url, timeout):
            clock.now += timeout
            clock.waited.append(timeout)
            set_lease(cloud, expires_at=tables.Lease.expires_at - int(timeout))
            raise ks_exc.ConnectTimeout

        monkeypatch.setattr(cloud.nova, 'get', hang)
        return clock

    def test_no_answer_is_waited_for_as_long_as_the_lease_lasts(
        self, cloud, clock
    ):
        one = Reconciler('controller1', budget=5)
        one.tick()
        set_lease(cloud, good_at=1)

        one.tick(10)

        assert clock.waited
        assert lease(cloud).holder == one.loop._holder
        assert max(clock.waited) < one.loop._seconds

    def test_what_is_cyborgs_own_is_put_right(self, cloud, clock):
        """Whoever has the lease, and however often that changes."""
        cloud.add_device(slots=1)
        rows.use_all_handles(cloud)
        both = [Reconciler(f'controller{n}', budget=5) for n in (1, 2)]
        both[0].tick()
        set_lease(cloud, good_at=1)

        for _n in range(20):
            for one in both:
                one.tick()

        assert cloud.used_slots() == 0


def test_who_goes_on_begins_with_another_step(cloud, placement, monkeypatch):
    """The one before may have hung in the first one, and recorded nothing."""
    begun = []

    class Hangs(Exception):
        """It is killed there."""

    def hang(self, now, good_at, goes_on):
        begun.append(self.first)
        raise Hangs

    monkeypatch.setattr(rounds.Rounds, 'tick', hang)
    for number in range(10):
        Reconciler(f'controller{number % 2}').tick()
        set_lease(cloud, expires_at=0)

    assert set(begun) == set(range(9))


def test_the_lease_is_lost_between_two_steps(
    cloud, placement, reconciler, monkeypatch
):
    """It stops there."""
    reconciler.tick()
    steps = []

    def lose(self, budget, *args):
        steps.append(self)
        monkeypatch.setattr(loop, '_RENEWED', 0)
        set_lease(cloud, holder='another', expires_at=99_999_999_999)

    monkeypatch.setattr(rounds.subjects.Subjects, 'look', lose)
    reconciler.tick()

    assert len(steps) == 1
    assert lease(cloud).holder == 'another'


def test_rounds_that_take_too_long(cloud, placement, monkeypatch, caplog):
    caplog.set_level('INFO')
    one = Reconciler(budget=0)
    clock = types.SimpleNamespace(now=1000.0)
    clock.monotonic = lambda: clock.now
    monkeypatch.setattr(rounds, 'time', clock)
    for _n in range(50):
        one.tick()
        clock.now += 10
    (line,) = [r for r in caplog.records if 'takes too long' in r.getMessage()]
    assert line.levelname == 'WARNING'

    monkeypatch.setattr(
        rounds.report.Budget, 'left', property(lambda self: True)
    )
    one.tick(2)
    (line,) = [
        r for r in caplog.records if 'gets through again' in r.getMessage()
    ]


def set_lease(cloud, **values):
    with cloud.engine.begin() as connection:
        connection.execute(sa.update(tables.Lease).values(**values))


def lease(cloud):
    with cloud.engine.connect() as connection:
        return connection.execute(sa.select(tables.Lease)).one()

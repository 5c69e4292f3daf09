# SPDX-License-Identifier: Apache-2.0

"""cyborg-conductor as Cyborg runs it, with its own timer."""

import pytest
from cyborg.common import constants, service
from cyborg.conf import CONF

from nova_cyborg import conf as our_conf
from nova_cyborg.cyborg.conductor.reconciler import rounds
from nova_cyborg.db import tables
from tests.functional.api.cyborg import wait_for
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

# SPDX-License-Identifier: Apache-2.0

"""Servers with ARQs of device profiles alone."""

import pytest
import sqlalchemy as sa
from cyborg.db.sqlalchemy import models

from nova_cyborg.db import tables
from tests.functional.audit import rows
from tests.functional.reconciler.conftest import Reconciler
from tests.functional.reconciler.test_holders import put


@pytest.fixture
def stock(cloud, profile_arq):
    """A server that has a device by its flavor."""
    server_id = cloud.nova.boot('ACTIVE', None)
    put(cloud, server_id)
    profile_arq(server_id, cloud.add_device())
    return server_id


def test_it_is_asked_about_once(cloud, reconciler, stock):
    reconciler.tick()

    assert cloud.count(tables.SettledArq) == 1
    assert cloud.used_slots() == 1


def test_the_server_is_gone(cloud, reconciler, stock):
    cloud.nova.delete(stock, listed=False)

    reconciler.tick()
    assert cloud.used_slots() == 1
    reconciler.tick()

    assert cloud.used_slots() == 0
    assert cloud.count(models.ExtArq) == 0
    assert reconciler.report['repaired'] == {'arqs-of-no-server': 1}


@pytest.mark.parametrize('listed', [True, False])
def test_it_was_settled(cloud, reconciler, stock, listed):
    reconciler.tick()
    cloud.nova.delete(stock, listed=listed)

    reconciler.tick(8)

    assert cloud.used_slots() == 0
    assert cloud.count(tables.SettledArq) == 0


def test_what_it_is_given_later(cloud, reconciler, stock, profile_arq, nova):
    reconciler.tick()
    nova.delete_arqs(f'instance={stock}')
    profile_arq(stock, cloud.add_device())
    cloud.nova.delete(stock, listed=False)

    reconciler.tick(2)

    assert cloud.used_slots() == 0


def test_beside_device_contexts(cloud, reconciler, running, profile_arq):
    """They are unbound with these."""
    server_id = running[1]
    profile_arq(server_id, cloud.add_device())
    cloud.nova.delete(server_id, listed=False)

    reconciler.tick(2)

    assert cloud.used_slots() == 0
    assert reconciler.report['repaired'] == {'held-by-no-server': 1}


def test_nova_does_not_say(cloud, reconciler, stock):
    cloud.nova.delete(stock)
    cloud.nova.status_code = 403

    reconciler.tick(4)

    assert cloud.used_slots() == 1


def test_a_cell_is_down(cloud, reconciler, stock):
    cloud.nova.delete(stock, listed=False)
    cloud.nova.cell_is_down = True

    reconciler.tick(4)

    assert cloud.used_slots() == 1


def test_servers_with_several_come_in_turn(cloud, placement, profile_arq):
    """Two pages of ARQs are a page of servers."""
    stock = []
    for _n in range(3):
        server_id = cloud.nova.boot('ACTIVE', None)
        put(cloud, server_id)
        other_id = cloud.nova.boot('ACTIVE', None)
        for each in (server_id, other_id):
            profile_arq(each, cloud.add_device())
        # As if the profile had two groups.
        rows.execute(
            cloud,
            sa.update(models.ExtArq)
            .where(models.ExtArq.instance_uuid == other_id)
            .values(instance_uuid=server_id),
        )
        stock.append(server_id)
    one = Reconciler(resync=2)
    one.tick()
    assert cloud.count(tables.SettledArq) == 6
    cloud.nova.delete(stock[-1], listed=False)

    one.tick(12)

    assert cloud.used_slots() == 4
    assert one.report['repaired'] == {'arqs-of-no-server': 1}


def test_it_is_soft_deleted(cloud, reconciler, stock):
    cloud.nova.change(stock, 'SOFT_DELETED')

    reconciler.tick()

    assert cloud.count(tables.SettledArq) == 1

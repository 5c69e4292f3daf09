# SPDX-License-Identifier: Apache-2.0

"""A round costs the same however many servers there are.

``NOVA_CYBORG_HOLDERS`` says how many are deleted at once.
"""

import os
import sys
import time

import pytest
import sqlalchemy as sa
from cyborg.db.sqlalchemy import models

from nova_cyborg import model
from nova_cyborg.db import tables
from nova_cyborg.db.bindings import moves
from nova_cyborg.fixture import nova_api
from nova_cyborg.lifecycle import heal, nova
from nova_cyborg.lifecycle import placement as placement_module
from nova_cyborg.lifecycle.reconciling import allocations
from tests.functional import crowds
from tests.functional.reconciler.conftest import Reconciler

MOST_STATEMENTS = 10
MOST_REQUESTS = 21
# Of servers that have more than devices.
STATEMENTS_WITH_MORE = 3 * allocations._MOST_WITH_MORE
SECONDS = 1
# Of one that is gone.
MOST_STATEMENTS_EACH = 40
MOST_REQUESTS_EACH = 2
DELETED = int(os.environ.get('NOVA_CYBORG_HOLDERS', '100'))
LONG_AGO = '2026-01-01T00:00:00Z'


def crowd(cloud, holders, hosts, settled=True):
    """Store servers that have what they should, on some hosts."""
    servers = crowds.servers(cloud.engine, holders, hosts, settled)
    for number, server_id in enumerate(servers):
        cloud.nova.change(server_id, 'ACTIVE')
        cloud.nova.servers[server_id] |= {
            nova_api.NODE: crowds.node(number % hosts),
            'updated': LONG_AGO,
        }
    return servers


def give_more(cloud, placement, servers):
    """Have servers of one host have more than devices, by their flavors."""
    with cloud.engine.begin() as db:
        provider = db.scalar(sa.select(models.Deployable.rp_uuid))
        db.execute(sa.update(models.ExtArq).values(device_rp_uuid=provider))
    placement.nodes[provider] = crowds.node(0)
    for server_id in servers:
        placement.allocate(provider, server_id, 2)
        cloud.nova.servers[server_id]['flavor'] = {
            'extra_specs': {'resources:FPGA': '1'}
        }


def cost(cloud, reconciler):
    """Return what each of some rounds takes, by its number."""
    found = []
    for _n in range(4):
        before = cloud.nova.requests
        with cloud.statements() as sent:
            begun = time.monotonic()
            reconciler.tick()
            seconds = time.monotonic() - begun
        found.append((len(sent), cloud.nova.requests - before, seconds))
    return found


@pytest.mark.parametrize(('holders', 'hosts'), [(100, 10), (10_000, 1_000)])
def test_of_servers_that_are_well(cloud, reconciler, holders, hosts):
    crowd(cloud, holders, hosts)
    # It takes the lease, and lists changes from then on.
    reconciler.tick()

    found = cost(cloud, reconciler)
    for statements, requests, _seconds in found:
        assert statements <= MOST_STATEMENTS
        assert requests <= MOST_REQUESTS
    # On average: the machine may do something else for a moment.
    assert sum(seconds for *_counts, seconds in found) < SECONDS * len(found)

    assert reconciler.report['found'] == {}
    row = tables.DeviceAllocation
    assert cloud.count(row, row.settled_at.is_(None)) == 0


@pytest.mark.parametrize('holders', [40, 400])
def test_of_servers_that_have_more_than_devices(
    cloud, reconciler, placement, holders
):
    """Some of them are asked about in each round, and nothing is wrong."""
    give_more(cloud, placement, crowd(cloud, holders, 1))
    reconciler.tick()

    for statements, requests, _seconds in cost(cloud, reconciler):
        assert statements <= MOST_STATEMENTS + STATEMENTS_WITH_MORE
        assert requests <= MOST_REQUESTS + allocations._MOST_WITH_MORE

    assert reconciler.report['found'] == {}


def move(cloud, holders):
    """Store a binding on another host for each of the first servers."""
    held = tables.DeviceAllocation
    with cloud.engine.begin() as db:
        ids = db.scalars(sa.select(held.id).order_by(held.id).limit(holders))
        db.execute(
            sa.insert(tables.DeviceBinding),
            [
                {
                    'allocation_id': row_id,
                    'node': 'elsewhere',
                    'generation': 1,
                    'state': model.BindingState.INACTIVE,
                }
                for row_id in ids
            ],
        )


@pytest.mark.usefixtures('placement')
@pytest.mark.parametrize('moving', [10, 1_000])
def test_of_one_among_others_that_move(cloud, monkeypatch, moving):
    """Whether it moves is one statement, which reads its own rows."""
    servers = crowd(cloud, moving + 1, 10)
    move(cloud, moving)
    rows, read = moves.session.rows, []

    def note(*arguments):
        found = rows(*arguments)
        read.append(len(found))
        return found

    monkeypatch.setattr(moves.session, 'rows', note)

    with cloud.statements() as sent:
        found = [
            heal.is_moving(
                placement_module.Placement(), nova.Nova(), server_id
            )
            for server_id in (servers[0], servers[-1])
        ]

    assert found == [True, False]
    assert read == [1, 0]
    assert len(sent) == 2


def test_a_lot_that_is_gone(cloud, placement):
    """A round ends when its time is over, and the next one begins at once."""
    one = Reconciler(budget=0.2)
    servers = crowd(cloud, 60, 10)
    one.tick()
    for server_id in servers:
        cloud.nova.delete(server_id)
    left = [len(servers)]

    while left[-1]:
        pause = one.tick()
        left.append(cloud.count(tables.DeviceAllocation))
        # A round may begin with what comes after them.
        assert len(left) < 200, 'it does not go on'
        assert pause == 1 or not left[-1]

    assert len(left) > 2
    assert cloud.used_slots() == 0
    assert one.report['repaired'] == {'held-by-no-server': len(servers)}


@pytest.mark.timeout(3600)
def test_time_until_nothing_is_left(cloud, placement, capsys):
    """Of servers that were deleted while Cyborg was off, as it is set up."""
    one = Reconciler(interval=10, grace=15, budget=5, resync=20)
    servers = crowd(cloud, DELETED, max(DELETED // 10, 1))
    one.tick()
    for server_id in servers:
        cloud.nova.delete(server_id)
    left, rounds, waited = len(servers), 0, 0.0
    requests, begun = cloud.nova.requests, time.monotonic()

    with cloud.statements() as sent:
        while left:
            waited += one.tick()
            rounds += 1
            before, left = left, cloud.count(tables.DeviceAllocation)
            assert left < before, 'it does not go on'

    seconds = time.monotonic() - begun
    requests = cloud.nova.requests - requests
    with capsys.disabled():
        sys.stdout.write(
            f'\n{DELETED} servers: {seconds:.0f} s in {rounds} rounds, and '
            f'{waited:.0f} s between them; of each {len(sent) / DELETED:.1f} '
            f'statements and {requests / DELETED:.2f} requests to Nova\n'
        )
    assert len(sent) <= MOST_STATEMENTS_EACH * DELETED
    assert requests <= MOST_REQUESTS_EACH * DELETED + MOST_REQUESTS * rounds
    assert cloud.used_slots() == 0
    assert one.report['repaired'] == {'held-by-no-server': DELETED}

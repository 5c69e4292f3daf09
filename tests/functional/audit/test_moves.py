# SPDX-License-Identifier: Apache-2.0

"""Servers that were moved, or could not be."""

import uuid

import pytest

from nova_cyborg.fixture import nova_api
from tests.functional.api.conftest import providers, wait_for_status


def test_a_server_that_could_not_be_evacuated(
    cloud, run, running, member, placement
):
    """It is in error on its old host, its devices are on another one."""
    _provider, server_id, context_id = running
    cloud.nova.change(server_id, 'ERROR')
    cloud.nova.servers[server_id][nova_api.NODE] = 'the-old-host'
    placement.allocations.clear()
    # What it may still use there.
    placement.allocate(cloud.add_device(), server_id)

    assert run(repair=True) == (0, ['devices-on-another-host'])
    assert run() == (0, [])
    assert member.status_of(context_id) == 'reserved'
    assert cloud.used_slots() == 0


def test_a_guest_that_may_run_where_it_could_not_be_evacuated_to(
    cloud, run, running, member, placement
):
    """What came after the start of the guest has failed."""
    _provider, server_id, context_id = running
    cloud.nova.change(server_id, 'ERROR')
    cloud.nova.servers[server_id] |= {
        nova_api.NODE: 'the-old-host',
        'OS-SRV-USG:launched_at': '2026-11-26T12:00:09.000000',
    }
    cloud.nova.migrations[server_id] = [
        {'status': 'failed', 'created_at': f'2026-11-{day}T12:00:07.000000'}
        for day in (26, 25)
    ]
    placement.allocations.clear()

    assert run(repair=True) == (1, ['devices-on-another-host'])
    assert member.status_of(context_id) == 'bound'

    cloud.nova.migrations[server_id][1]['created_at'] = '2026-11-27T12:00:00'
    assert run(repair=True) == (0, ['devices-on-another-host'])
    assert member.status_of(context_id) == 'reserved'


def test_a_server_that_could_not_be_evacuated_twice(
    cloud, run, running, member, nova
):
    """The second attempt began, and bound nothing: it has its own again."""
    _provider, server_id, context_id = running
    before = member.show(context_id).json['devices']
    old = before[0]['host']
    nova.begin(server_id, str(uuid.uuid4()))
    cloud.nova.change(server_id, 'ACTIVE', 'rebuilding')
    nova.bind(
        server_id,
        providers(cloud.add_device(), context_id),
        host='the-new-host',
        migration=str(uuid.uuid4()),
    )
    # The context is bound all the while, where the server was.
    cloud.drain()
    assert cloud.used_slots() == 2
    nova.begin(server_id, str(uuid.uuid4()))
    cloud.nova.change(server_id, 'ERROR')
    cloud.nova.servers[server_id][nova_api.NODE] = old

    assert run(repair=True) == (0, ['devices-on-another-host'])
    assert run() == (0, [])
    assert member.show(context_id).json['devices'] == before
    assert cloud.used_slots() == 1


def test_what_an_evacuated_server_has_left(
    cloud, run, running, member, placement, nova
):
    """Nova came to the end, and could not tell Cyborg so."""
    _provider, server_id, context_id = running
    nova.begin(server_id, str(uuid.uuid4()))
    cloud.nova.change(server_id, 'ACTIVE', 'rebuilding')
    provider = cloud.add_device()
    migration_id = str(uuid.uuid4())
    nova.bind(
        server_id,
        providers(provider, context_id),
        host='the-new-host',
        migration=migration_id,
    )
    nova.of_migration(server_id, 'activate', migration_id)
    wait_for_status(member, context_id, 'bound')
    placement.allocate(provider, server_id)
    assert run(repair=True) == (0, [])
    assert cloud.used_slots() == 2

    cloud.nova.change(server_id, 'ACTIVE')
    cloud.nova.servers[server_id][nova_api.NODE] = 'the-new-host'
    cloud.nova.migrations[server_id] = [{'status': 'done'}]

    assert run(repair=True) == (0, ['devices-left-behind'])
    assert run() == (0, [])
    assert cloud.used_slots() == 1
    assert member.show(context_id).json['host'] == 'the-new-host'


@pytest.mark.parametrize('status', ['ACTIVE', 'ERROR'])
def test_a_guest_that_is_migrated_after_its_state_was_reset(
    cloud, run, running, member, placement, nova, boot, status
):
    """Neither the audit nor who wants a slot unbinds what it may need."""
    source, server_id, context_id = running
    migration_id = str(uuid.uuid4())
    nova.begin(server_id, str(uuid.uuid4()))
    destination = cloud.add_device(slots=1)
    nova.bind(
        server_id,
        providers(destination, context_id),
        host='the-new-host',
        migration=migration_id,
    )
    cloud.drain()
    placement.allocations = {
        source: {migration_id: 1},
        destination: {server_id: 1},
    }
    cloud.nova.migrations[server_id] = [
        {
            'uuid': migration_id,
            'status': 'running',
            'migration_type': 'live-migration',
            'dest_node': 'the-new-host',
        }
    ]
    cloud.nova.change(server_id, status)
    cloud.nova.servers[server_id][nova_api.NODE] = 'compute1'
    before = member.show(context_id).json['bindings']

    run(repair=True)
    other_id, other_context = boot()
    nova.bind(other_id, providers(destination, other_context))
    wait_for_status(member, other_context, 'error')

    assert member.show(context_id).json['bindings'] == before
    assert migration_id in placement.allocations[source]


@pytest.mark.parametrize(
    ('status', 'task', 'moved'),
    [
        ('RESIZE', 'resize_prep', False),
        ('RESIZE', 'resize_migrated', False),
        ('RESIZE', 'resize_finish', True),
        ('VERIFY_RESIZE', None, True),
        ('VERIFY_RESIZE', 'resize_confirming', True),
        ('REVERT_RESIZE', 'resize_reverting', True),
    ],
)
def test_a_server_that_is_moved(
    cloud, run, running, member, placement, nova, boot, status, task, moved
):
    """Neither the audit nor who wants a slot unbinds what it may need."""
    source, server_id, context_id = running
    migration_id = str(uuid.uuid4())
    nova.begin(server_id, str(uuid.uuid4()))
    destination = cloud.add_device(slots=1)
    nova.bind(
        server_id,
        providers(destination, context_id),
        host='the-new-host',
        migration=migration_id,
    )
    cloud.drain()
    if moved:
        nova.of_migration(server_id, 'activate', migration_id)
    # Nova gives what it had to the migration.
    placement.allocate(source, migration_id)
    del placement.allocations[source][server_id]
    placement.allocate(destination, server_id)
    cloud.nova.migrations[server_id] = [
        {'uuid': migration_id, 'status': 'finished'}
    ]
    cloud.nova.change(server_id, status, task)
    cloud.nova.servers[server_id][nova_api.NODE] = 'the-new-host'
    before = member.show(context_id).json['bindings']
    assert len(before) == 2

    assert run(repair=True) == (0, [])
    # The one slot of the destination, and a third one of the source.
    boot(source)
    for provider in (source, destination):
        other_id, other_context = boot()
        nova.bind(other_id, providers(provider, other_context))
        wait_for_status(member, other_context, 'error')

    assert member.show(context_id).json['bindings'] == before

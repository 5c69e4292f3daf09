# SPDX-License-Identifier: Apache-2.0

"""Placement's allocations, and Cyborg's devices."""

import uuid

import pytest
from oslo_utils import timeutils

from nova_cyborg.fixture import nova_api
from nova_cyborg.lifecycle import placement as placement_module
from nova_cyborg.lifecycle import servers

_LONG_AGO = '2026-01-01T00:00:00Z'


def test_an_allocation_of_a_migration_is_left_alone(
    cloud, run, running, placement
):
    provider, server_id, _context_id = running
    migrations = [str(uuid.uuid4()) for _n in range(2)]
    placement.allocate(provider, migrations[-1])
    cloud.nova.change(server_id, 'VERIFY_RESIZE')
    cloud.nova.page_size = 1

    assert run() == (1, ['allocation-of-no-server'])
    # It is on one page or another of the list.
    cloud.nova.migrations[server_id] = [
        {'uuid': each, 'status': 'finished', 'migration_type': 'resize'}
        for each in migrations
    ]
    assert run(repair=True) == (0, [])
    assert migrations[-1] in placement.allocations[provider]


@pytest.fixture
def moved(cloud, running, placement):
    """A server whose migration has an allocation on another host."""
    provider, server_id, _context_id = running
    other = cloud.add_device(host='compute2')
    placement.nodes = {provider: 'compute1', other: 'compute2'}
    migration_id = str(uuid.uuid4())
    placement.allocate(other, migration_id)
    cloud.nova.servers[server_id][nova_api.NODE] = 'compute1'
    cloud.nova.servers[server_id]['updated'] = _LONG_AGO
    cloud.nova.migrations[server_id] = [
        {
            'uuid': migration_id,
            'status': 'confirming',
            'updated_at': _LONG_AGO,
        }
    ]
    return provider, other, server_id, migration_id


def test_a_move_that_has_ended_a_moment_ago(cloud, run, moved, placement):
    """Nova is about to forget what the migration has."""
    _provider, other, server_id, migration_id = moved
    now = timeutils.utcnow().isoformat()
    (migration,) = cloud.nova.migrations[server_id]
    for changed, key in (
        (cloud.nova.servers[server_id], 'updated'),
        (migration, 'updated_at'),
    ):
        changed[key] = now
        assert run(repair=True) == (0, [])
        assert placement.allocations[other] == {migration_id: 1}
        changed[key] = _LONG_AGO


def test_a_move_that_has_ended(run, moved, placement):
    """The server is where it was brought to."""
    provider, other, server_id, _migration_id = moved

    assert run(repair=True) == (0, ['allocation-of-a-move'])
    assert placement.allocations == {provider: {server_id: 1}, other: {}}
    assert run() == (0, [])


@pytest.mark.parametrize('claimed', [True, False])
def test_a_move_that_was_not_to_be(cloud, run, moved, placement, claimed):
    """The server is where it was, and is to have what the migration has."""
    provider, other, server_id, migration_id = moved
    placement.allocations = {provider: {migration_id: 1}}
    if claimed:
        placement.allocate(other, server_id)

    status, kinds = run(repair=True)
    assert status == 0
    assert 'allocation-of-a-move' in kinds
    assert placement.allocations[provider] == {server_id: 1}
    assert not placement.allocations.get(other)
    assert run() == (0, [])


def test_a_server_that_was_deleted_on_its_move(cloud, run, moved, placement):
    _provider, other, server_id, _migration_id = moved
    del cloud.nova.servers[server_id]

    assert 'allocation-of-a-move' in run(repair=True)[1]
    assert placement.allocations[other] == {}
    assert run() == (0, [])


@pytest.mark.parametrize(
    ('status', 'task'),
    [
        ('RESIZE', 'resize_migrating'),
        ('VERIFY_RESIZE', None),
        ('ACTIVE', 'migrating'),
        # Its guest may be on either host.
        ('ERROR', None),
    ],
)
def test_a_move_that_may_go_on(cloud, run, moved, placement, status, task):
    _provider, other, server_id, migration_id = moved
    cloud.nova.change(server_id, status, task)

    assert run(repair=True) == (0, [])
    assert placement.allocations[other] == {migration_id: 1}


def test_a_move_that_begins_again(run, moved, placement, monkeypatch):
    """The server was at rest both times that the audit looked."""
    _provider, other, server_id, migration_id = moved
    end_move = placement_module.Placement.end_move

    def begin_and_end(client, *args):
        monkeypatch.setattr(
            servers.Server, 'from_body', lambda *_args: _moving(server_id)
        )
        end_move(client, *args)

    monkeypatch.setattr(placement_module.Placement, 'end_move', begin_and_end)

    run(repair=True)

    assert placement.allocations[other] == {migration_id: 1}


def _moving(server_id):
    return servers.Server(server_id, servers.State.EXISTS, 'compute1')


@pytest.mark.parametrize('is_refused', [True, False])
def test_migrations_that_nova_does_not_tell(
    cloud, run, running, placement, monkeypatch, is_refused
):
    provider, _server_id, _context_id = running
    consumer = str(uuid.uuid4())
    placement.allocate(provider, consumer)
    if is_refused:
        monkeypatch.setattr(
            cloud.nova,
            '_list_migrations',
            lambda _query: nova_api.Response(403, {}),
        )
    else:
        cloud.nova.cell_is_down = True
    assert run(repair=True) == (0, [])
    assert consumer in placement.allocations[provider]


@pytest.fixture
def claimed_elsewhere(cloud, running, placement):
    """A server that has an allocation on another host, too."""
    provider, server_id, _context_id = running
    other = cloud.add_device(host='compute2')
    placement.allocate(other, server_id)
    placement.nodes = {provider: 'compute1', other: 'compute2'}
    cloud.nova.servers[server_id][nova_api.NODE] = 'compute1'
    return provider, other, server_id


@pytest.mark.parametrize('status', ['ACTIVE', 'ERROR'])
def test_an_allocation_on_another_host(
    cloud, run, claimed_elsewhere, placement, status
):
    """Nova did not get Placement's answer to the first claim."""
    provider, other, server_id = claimed_elsewhere
    cloud.nova.servers[server_id]['status'] = status

    assert run(repair=True) == (0, ['allocation-on-another-host'])
    assert placement.allocations[other] == {}
    assert placement.allocations[provider] == {server_id: 1}
    assert run() == (0, [])


def test_an_allocation_of_a_move_that_was_not_ended(
    cloud, run, claimed_elsewhere, placement
):
    """The guest of a server in error may be where it was to go."""
    provider, other, server_id = claimed_elsewhere
    cloud.nova.servers[server_id]['status'] = 'ERROR'
    migration_id = str(uuid.uuid4())
    placement.allocate(provider, migration_id)
    cloud.nova.migrations[server_id] = [
        {
            'uuid': migration_id,
            'status': 'error',
            'migration_type': 'live-migration',
        }
    ]

    assert run(repair=True) == (0, [])
    assert placement.allocations[other] == {server_id: 1}


def test_what_nova_never_knew(run, running, placement):
    """An operator keeps a device from servers, by hand."""
    provider, _server_id, _context_id = running
    by_hand = str(uuid.uuid4())
    placement.allocate(provider, by_hand)

    assert run(repair=True) == (1, ['allocation-of-no-server'])
    assert by_hand in placement.allocations[provider]


def test_an_allocation_of_a_server_that_is_gone(
    cloud, run, running, placement
):
    provider, _server_id, _context_id = running
    gone = cloud.nova.boot('ACTIVE', None)
    placement.allocate(provider, gone)
    cloud.nova.delete(gone, listed=False)

    assert run(repair=True) == (0, ['allocation-of-no-server'])
    assert gone not in placement.allocations[provider]


def test_an_allocation_where_the_guest_may_run(
    cloud, run, claimed_elsewhere, placement
):
    """It could not be evacuated, as what came after its start failed."""
    _provider, other, server_id = claimed_elsewhere
    cloud.nova.servers[server_id] |= {
        'status': 'ERROR',
        'OS-SRV-USG:launched_at': '2026-11-26T12:00:09.000000',
    }
    cloud.nova.migrations[server_id] = [
        {'status': 'failed', 'created_at': '2026-11-26T12:00:07.000000'}
    ]

    assert run(repair=True) == (1, ['allocation-on-another-host'])
    assert placement.allocations[other] == {server_id: 1}


def test_a_server_that_has_moved_meanwhile(
    cloud, run, claimed_elsewhere, placement, monkeypatch
):
    """It is where the allocation is, when that is to be deleted."""
    _provider, other, server_id = claimed_elsewhere
    allocations_of = placement._of

    def move(consumer):
        cloud.nova.servers[server_id][nova_api.NODE] = 'compute2'
        return allocations_of(consumer)

    monkeypatch.setattr(placement, '_of', move)

    assert run(repair=True)[1] == ['allocation-on-another-host']
    assert placement.allocations[other] == {server_id: 1}


def test_an_allocation_of_a_server_that_was_not_built(
    cloud, run, running, placement
):
    provider, _server_id, _context_id = running
    other = cloud.nova.boot('ERROR', None)
    cloud.nova.servers[other] |= {
        'OS-EXT-SRV-ATTR:host': None,
        'OS-SRV-USG:launched_at': None,
    }
    placement.allocate(provider, other)

    assert run(repair=True) == (0, ['allocation-of-failed-server'])
    assert other not in placement.allocations[provider]


def test_an_allocation_of_an_offloaded_server(run, running, cloud, placement):
    provider, _server_id, _context_id = running
    other = cloud.nova.boot('SHELVED_OFFLOADED', None)
    placement.allocate(provider, other)

    assert run(repair=True) == (0, ['allocation-of-offloaded-server'])
    assert other not in placement.allocations[provider]


def test_too_little_is_allocated_in_placement(cloud, run, boot, placement):
    provider = cloud.add_device()
    server_id, _context_id = boot(provider)
    cloud.nova.change(server_id, 'ACTIVE')
    placement.allocate(provider, server_id, 2)

    assert run(repair=True) == (1, ['no-device'])


def test_an_allocation_without_a_device(run, running, cloud, placement):
    provider, _server_id, _context_id = running
    other = cloud.nova.boot('ACTIVE', None)
    placement.allocate(provider, other)

    assert run(repair=True) == (1, ['no-device'])
    assert other in placement.allocations[provider]


class TestFlavor:
    """A flavor asks for the class of devices itself, beside a context."""

    @pytest.fixture
    def running(self, cloud, running, placement):
        provider, server_id, _context_id = running
        extra_specs = {'resources:FPGA': '1', 'resources:VCPU': '0'}
        cloud.nova.servers[server_id] |= {
            'flavor': {'extra_specs': extra_specs},
            nova_api.NODE: 'compute1',
        }
        placement.nodes = {provider: 'compute1'}
        return provider, server_id, extra_specs

    @pytest.fixture
    def other(self, cloud, placement):
        """Another device on the server's host."""
        provider = cloud.add_device()
        placement.nodes[provider] = 'compute1'
        return provider

    def test_on_the_provider_of_its_device(self, run, running, placement):
        provider, server_id, _extra_specs = running
        placement.allocate(provider, server_id, 2)
        assert run(repair=True) == (0, [])

        placement.allocate(provider, server_id, 3)
        assert run(repair=True) == (0, ['no-device'])
        assert placement.allocations[provider] == {server_id: 2}

    def test_on_another_provider(self, run, running, other, placement):
        _provider, server_id, _extra_specs = running
        placement.allocate(other, server_id)
        assert run(repair=True) == (0, [])

        placement.allocate(other, server_id, 2)
        assert run(repair=True) == (0, ['no-device'])
        assert placement.allocations[other] == {server_id: 1}

    def test_on_both(self, run, running, other, placement):
        """One of the two units is nobody's, and which one is not known."""
        provider, server_id, _extra_specs = running
        placement.allocate(provider, server_id, 2)
        placement.allocate(other, server_id)
        assert run() == (1, ['no-device'] * 2)
        run(repair=True)
        left = [
            placement.allocations[each].get(server_id, 0)
            for each in (provider, other)
        ]
        assert left in ([2, 0], [1, 1])
        assert run() == (0, [])

    def test_on_one_that_is_not_cyborgs(self, run, running, other, placement):
        """It has what its flavor asks for there."""
        _provider, server_id, _extra_specs = running
        placement.allocate('of nova', server_id)
        assert run() == (0, [])

        placement.allocate(other, server_id)
        assert run(repair=True) == (0, ['no-device'])
        assert placement.allocations[other] == {}
        assert placement.allocations['of nova'] == {server_id: 1}

    def test_what_is_attached_just_then(
        self, run, running, other, placement, member, nova
    ):
        """It is not done yet."""
        _provider, server_id, _extra_specs = running
        placement.allocate(other, server_id, 2)
        nova.attach(server_id, member.create_one())
        assert run(repair=True) == (1, ['no-device'])
        assert placement.allocations[other] == {server_id: 2}

    def test_what_is_left_on_another_host(
        self, cloud, run, running, other, placement
    ):
        _provider, server_id, _extra_specs = running
        placement.allocate(other, server_id)
        far = cloud.add_device(host='compute2')
        placement.allocate(far, server_id)
        placement.nodes[far] = 'compute2'

        assert run(repair=True) == (0, ['allocation-on-another-host'])
        assert run() == (0, [])

    def test_groups_of_the_flavor(self, run, running, other, placement):
        _provider, server_id, extra_specs = running
        extra_specs['resources_a:FPGA'] = '2'
        placement.allocate(other, server_id, 3)
        assert run(repair=True) == (0, [])

    @pytest.mark.parametrize('asked', ['resources:GPU', 'hw:FPGA'])
    def test_another_flavor(self, run, running, other, placement, asked):
        provider, server_id, extra_specs = running
        del extra_specs['resources:FPGA']
        extra_specs[asked] = '1'
        placement.allocate(other, server_id)
        assert run(repair=True) == (0, ['no-device'])
        assert placement.allocations == {provider: {server_id: 1}, other: {}}

    def test_a_device_profile(self, run, running, other, placement):
        """What that asks for is not known."""
        _provider, server_id, extra_specs = running
        del extra_specs['resources:FPGA']
        extra_specs['accel:device_profile'] = '1'
        placement.allocate(other, server_id)
        assert run(repair=True) == (1, ['no-device'])

    def test_a_server_without_device_contexts(
        self, cloud, run, running, other, placement
    ):
        """Its flavor alone gives it a unit, and no device."""
        _provider, _server_id, extra_specs = running
        server_id = cloud.nova.boot('ACTIVE', None)
        placement.allocate(other, server_id)
        assert run() == (1, ['no-device'])

        flavor = {'extra_specs': extra_specs}
        cloud.nova.servers[server_id]['flavor'] = flavor
        assert run() == (0, [])

    def test_nova_is_asked_no_more(self, cloud, run, running, placement):
        provider, server_id, _extra_specs = running
        before = cloud.nova.requests
        run()
        healthy = cloud.nova.requests - before

        placement.allocate(provider, server_id, 2)
        before = cloud.nova.requests
        run()
        # Whether it was evacuated.
        assert cloud.nova.requests - before == healthy + 1


@pytest.mark.parametrize('status', ['accepted', 'pre-migrating', 'done'])
def test_an_evacuated_server_keeps_its_allocation_on_the_old_host(
    run, running, cloud, placement, status
):
    _provider, server_id, _context_id = running
    old = cloud.add_device()
    placement.allocate(old, server_id)

    assert run() == (1, ['no-device'])
    cloud.nova.migrations[server_id] = [
        {'status': status, 'migration_type': 'evacuation'}
    ]
    assert run() == (0, [])


@pytest.mark.parametrize('task', ['spawning', 'rebuilding'])
def test_a_server_on_its_way_has_its_allocation_first(
    run, running, cloud, placement, task
):
    provider, _server_id, _context_id = running
    placement.allocate(provider, cloud.nova.boot('ACTIVE', task))

    assert run() == (0, [])


def test_a_server_in_error_keeps_the_devices_of_its_host(
    cloud, run, running, member, placement
):
    _provider, server_id, context_id = running
    cloud.nova.change(server_id, 'ERROR')
    shown = member.show(context_id).json
    cloud.nova.servers[server_id][nova_api.NODE] = shown['host']
    placement.allocations.clear()

    assert run(repair=True) == (1, ['no-placement-allocation'])
    assert member.status_of(context_id) == 'bound'


def test_no_allocations_of_a_server_in_placement(
    run, running, placement, caplog
):
    placement.allocations.clear()

    assert run(repair=True) == (1, ['no-placement-allocation'])
    assert 'nova-manage placement heal_allocations' in caplog.text


@pytest.fixture
def unallocated(running, placement):
    """A server whose device is missing in its allocations."""
    provider, server_id, _context_id = running
    del placement.allocations[provider][server_id]
    placement.allocate('provider-of-the-host', server_id, 4)
    return provider, server_id


def test_no_allocation_in_placement(run, unallocated, placement):
    provider, server_id = unallocated

    assert run() == (1, ['no-placement-allocation'])
    assert run(repair=True) == (0, ['no-placement-allocation'])
    assert placement.allocations == {
        provider: {server_id: 1},
        'provider-of-the-host': {server_id: 4},
    }
    assert run() == (0, [])


def test_no_room_in_placement(run, unallocated, placement, caplog):
    placement.room = 0

    assert run(repair=True) == (1, ['no-placement-allocation'])
    assert 'There is no room.' in caplog.text


@pytest.mark.parametrize('classes', [[], ['FPGA', 'VCPU']])
def test_a_provider_that_is_no_device(run, unallocated, placement, classes):
    provider, _server_id = unallocated
    placement.inventories[provider] = {name: {} for name in classes}

    assert run(repair=True) == (
        1,
        ['no-placement-allocation', 'inventory-differs'],
    )
    # Now it is.
    assert run(repair=True) == (0, ['no-placement-allocation'])

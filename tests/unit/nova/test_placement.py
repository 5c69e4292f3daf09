# SPDX-License-Identifier: Apache-2.0

"""Which of a server's allocations are forgotten, and how many units."""

from unittest import mock

import pytest
from keystoneauth1 import exceptions as ks_exc
from nova import exception as nova_exception
from nova import objects
from nova.compute import manager
from nova.objects import flavor as flavor_objects
from nova.scheduler.client import report

from nova_cyborg import exception, model
from nova_cyborg.nova import placement

SERVER_ID = '3b3f5c3a-7a52-4f51-9d2a-5d6b8d0c1e11'
MEMORY = {'resources': {'MEMORY_MB': 512}}
DEVICE = {'resources': {'FPGA': 1}}
SHARED = {'resources': {'DISK_GB': 1}}


def tree(name, *providers):
    """The providers of a tree, as Nova's client shows them."""
    return [
        {'uuid': uuid, 'name': f'{name}-{uuid}', 'root_provider_uuid': name}
        for uuid in providers
    ] + [{'uuid': name, 'name': name, 'root_provider_uuid': name}]


@pytest.fixture
def client():
    return mock.create_autospec(report.SchedulerReportClient, instance=True)


def forgotten(client, allocations, trees):
    """Returns the roots of what is forgotten, evacuating from "old"."""
    client.get_allocs_for_consumer.return_value = {'allocations': allocations}
    client.get_providers_in_tree.side_effect = lambda _context, uuid: next(
        (
            found
            for found in trees
            if uuid in {provider['uuid'] for provider in found}
        ),
        [],
    )
    placement.forget_earlier_destinations(client, None, SERVER_ID, 'old')
    remove = client.remove_provider_tree_from_instance_allocation
    return [call.args[2] for call in remove.call_args_list]


def test_other_nodes_are_forgotten(client):
    allocations = {'old': MEMORY, 'new': MEMORY, 'card': DEVICE}
    trees = [tree('old'), tree('new', 'card')]

    assert forgotten(client, allocations, trees) == ['new']


def test_what_nodes_share_is_kept(client):
    allocations = {'old': MEMORY, 'pool': SHARED}

    assert forgotten(client, allocations, [tree('old'), tree('pool')]) == []


def test_a_provider_that_is_gone_meanwhile_is_no_obstacle(client):
    allocations = {'old': MEMORY, 'gone': DEVICE, 'new': MEMORY}

    assert forgotten(client, allocations, [tree('old'), tree('new')]) == [
        'new'
    ]


class Manager:
    """Nova's, as far as it asks Placement for devices of its host."""

    _allocate_port_resource_for_instance = (
        manager.ComputeManager._allocate_port_resource_for_instance
    )

    def __init__(self, client):
        self.reportclient = client


class TestAllocate:
    """Devices of its own host are added to what a server has."""

    @pytest.fixture
    def allocate(self, client):
        """Returns what was added, for an answer of Nova's client."""
        objects.register_all()

        def _allocate(answer):
            client.get_allocation_candidates.return_value = answer
            group = objects.RequestGroup(
                requester_id=model.requester_id(SERVER_ID, 0),
                resources={'FPGA': 1},
            )
            with mock.patch.object(
                objects.ComputeNode,
                'get_by_nodename',
                return_value=mock.Mock(uuid=SERVER_ID),
            ):
                return placement.allocate(
                    Manager(client),
                    None,
                    mock.Mock(uuid=SERVER_ID),
                    [group],
                )

        return _allocate

    @pytest.mark.parametrize('answer', [None, (None, None, None)])
    def test_placement_does_not_answer(self, allocate, answer):
        with pytest.raises(exception.NotAllocated, match='does not answer'):
            allocate(answer)

    def test_there_is_none(self, allocate):
        assert allocate(([], {}, '1.36')) is None

    def test_there_is_one(self, allocate, client):
        requester = model.requester_id(SERVER_ID, 0)
        candidate = {
            'allocations': {'card': DEVICE},
            'mappings': {requester: ['card']},
        }

        added = allocate(([candidate], {}, '1.36'))

        assert added.providers == {requester: 'card'}
        assert added.resources == {'card': DEVICE}
        client.add_resources_to_instance_allocation.assert_called_once_with(
            None, SERVER_ID, {'card': DEVICE}
        )


ALLOCATIONS = {
    'node': {'resources': {'VCPU': 1, 'MEMORY_MB': 512}},
    'card': {'resources': {'FPGA': 3, 'CUSTOM_CHANNEL': 2}},
    'region': {'resources': {'FPGA': 1}},
}


class TestLower:
    """A device context is detached, and its devices are forgotten."""

    @staticmethod
    def payload(allocations=ALLOCATIONS, generation=1):
        return {'allocations': allocations, 'consumer_generation': generation}

    def lower(self, client, left, **extra_specs):
        """Returns what the allocations are then, by what was sent last."""
        instance = mock.Mock(uuid=SERVER_ID)
        instance.flavor = flavor_objects.Flavor(
            extra_specs={
                key.replace('_', ':', 1): value
                for key, value in extra_specs.items()
            }
        )
        placement.lower(
            client,
            None,
            instance,
            SERVER_ID,
            placement.Allocated(self.payload()),
            left,
        )
        if not client.put_allocations.called:
            return None
        _context, server_id, sent = client.put_allocations.call_args.args
        assert server_id == SERVER_ID
        return {
            provider: each['resources']
            for provider, each in sent['allocations'].items()
        }

    def test_what_is_left_stays(self, client):
        left = {'card': {'FPGA': 1}, 'region': {}}

        assert self.lower(client, left) == {
            'node': {'VCPU': 1, 'MEMORY_MB': 512},
            'card': {'FPGA': 1},
        }

    def test_nothing_is_sent_if_nothing_goes(self, client):
        left = {'card': {'FPGA': 3, 'CUSTOM_CHANNEL': 2}}

        assert self.lower(client, left) is None

    def test_nothing_is_added(self, client):
        assert self.lower(client, {'region': {'FPGA': 2, 'PGPU': 1}}) is None

    def test_so_much_stays_as_the_flavor_asks_for(self, client):
        left = {
            'card': {'FPGA': 1, 'CUSTOM_CHANNEL': 2},
            'region': {'FPGA': 1},
        }

        found = self.lower(client, left, resources_FPGA='1')

        assert found['card'] == {'FPGA': 2, 'CUSTOM_CHANNEL': 2}

    def test_the_flavor_has_it_of_another_provider(self, client):
        left = {'card': {'CUSTOM_CHANNEL': 2}}

        found = self.lower(client, left, resources_FPGA='1')

        assert found['card'] == {'CUSTOM_CHANNEL': 2}
        assert found['region'] == {'FPGA': 1}

    def test_it_is_read_again_if_it_was_changed(self, client):
        client.put_allocations.side_effect = [
            nova_exception.AllocationUpdateFailed(
                consumer_uuid=SERVER_ID, error='conflict'
            ),
            False,
            True,
        ]
        now = {**ALLOCATIONS, 'other': {'resources': {'PGPU': 1}}}
        client.get_allocs_for_consumer.side_effect = [
            self.payload(now, 2),
            self.payload(now, 3),
        ]

        found = self.lower(client, {'region': {}})

        assert found['other'] == {'PGPU': 1}
        assert 'region' not in found
        sent = client.put_allocations.call_args.args[2]
        assert sent['consumer_generation'] == 3

    def test_it_ends_if_it_is_changed_all_the_time(self, client):
        client.put_allocations.return_value = False
        client.get_allocs_for_consumer.return_value = self.payload()

        with pytest.raises(exception.NotAllocated, match='all the time'):
            self.lower(client, {'region': {}})

    @pytest.mark.parametrize(
        'error',
        [
            ks_exc.ConnectFailure('down'),
            nova_exception.PlacementAPIConnectFailure(),
        ],
    )
    def test_placement_does_not_answer(self, client, error):
        client.put_allocations.side_effect = error

        with pytest.raises(exception.NotAllocated):
            self.lower(client, {'region': {}})

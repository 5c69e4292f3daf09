# SPDX-License-Identifier: Apache-2.0

"""Which of a server's allocations are forgotten."""

from unittest import mock

import pytest
from nova.scheduler.client import report

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

# SPDX-License-Identifier: Apache-2.0

"""Forgetting what Placement has allocated to a server for a host.

Stock Nova keeps in Placement what a host was chosen for when it cannot go on
with it. That would keep the devices from the next attempt, or from another
server with the same device contexts.
"""

from __future__ import annotations

import collections.abc
import contextlib
import logging
import typing as ty

from keystoneauth1 import exceptions as ks_exc
from nova import context as nova_context
from nova import exception as nova_exception

LOG = logging.getLogger(__name__)

_ERRORS = (
    nova_exception.AllocationDeleteFailed,
    nova_exception.ConsumerAllocationRetrievalFailed,
    nova_exception.ResourceProviderRetrievalFailed,
    ks_exc.ClientException,
)
# What a server always has of its compute node.
_OF_NODES = {'VCPU', 'PCPU', 'MEMORY_MB'}


def forget_allocations(
    report_client: ty.Any,
    context: nova_context.RequestContext,
    server_id: str,
) -> None:
    """Forget all allocations of a server that is on no host.

    :param report_client: Nova's client of Placement.
    :param server_id: UUID of the server.
    """
    with _warning(server_id):
        report_client.delete_allocation_for_instance(
            context, server_id, force=True
        )


def forget_destination(
    report_client: ty.Any,
    context: nova_context.RequestContext,
    server_id: str,
    node_id: str,
) -> None:
    """Forget the allocations of a server on a host that it did not get to.

    :param report_client: Nova's client of Placement.
    :param server_id: UUID of the server.
    :param node_id: UUID of the compute node.
    """
    with _warning(server_id):
        report_client.remove_provider_tree_from_instance_allocation(
            context, server_id, node_id
        )


def forget_earlier_destinations(
    report_client: ty.Any,
    context: nova_context.RequestContext,
    server_id: str,
    node: str,
) -> None:
    """Forget the allocations of evacuations that were never ended.

    A nova-conductor that dies leaves what it has claimed on another host,
    and with it the devices of that host, which the next evacuation needs.

    :param report_client: Nova's client of Placement.
    :param server_id: UUID of the server.
    :param node: name of the compute node that it is evacuated from.
    """
    with _warning(server_id):
        found = report_client.get_allocs_for_consumer(context, server_id)
        allocations = found['allocations']
        unseen = set(allocations)
        while unseen:
            provider = min(unseen)
            tree = report_client.get_providers_in_tree(context, provider)
            unseen -= {provider, *(each['uuid'] for each in tree)}
            root = _root(tree)
            if root and _is_another_node(root, allocations, node):
                report_client.remove_provider_tree_from_instance_allocation(
                    context, server_id, root['uuid']
                )


def _root(
    tree: collections.abc.Iterable[dict[str, ty.Any]],
) -> dict[str, ty.Any] | None:
    """Return the root of a tree; None if there is no such tree any more."""
    return next(
        (
            provider
            for provider in tree
            if provider['uuid'] == provider['root_provider_uuid']
        ),
        None,
    )


def _is_another_node(
    root: dict[str, ty.Any],
    allocations: collections.abc.Mapping[str, dict[str, ty.Any]],
    node: str,
) -> bool:
    # What several nodes share is in a tree of its own.
    of_root = allocations.get(root['uuid'], {'resources': {}})
    is_node = not _OF_NODES.isdisjoint(of_root['resources'])
    return is_node and bool(root['name'] != node)


@contextlib.contextmanager
def _warning(server_id: str) -> collections.abc.Iterator[None]:
    """Log what Placement, or the way to it, fails with."""
    try:
        yield
    except _ERRORS as exc:
        LOG.warning(
            'Server %s did not get to the host that was chosen, and its '
            'allocations there in Placement could not be forgotten: %s',
            server_id,
            exc,
        )

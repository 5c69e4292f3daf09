# SPDX-License-Identifier: Apache-2.0

"""Undoing in Nova what has failed half-way, and Nova leaves as it is.

Stock Nova keeps in Placement what a host was chosen for when it cannot go on
with it, and leaves a server that cannot be rebuilt or evacuated
in a task state in which nothing more can be done with it.
"""

from __future__ import annotations

import collections.abc
import logging
import typing as ty

from keystoneauth1 import exceptions as ks_exc
from nova import context as nova_context
from nova import exception as nova_exception
from nova import objects
from nova.compute import vm_states
from nova.objects import fields

LOG = logging.getLogger(__name__)

_PLACEMENT_ERRORS = (
    nova_exception.ConsumerAllocationRetrievalFailed,
    nova_exception.ResourceProviderRetrievalFailed,
    ks_exc.ClientException,
)
_BEGUN = ['accepted', 'pre-migrating']
# What a server always has of its compute node.
_OF_NODES = {'VCPU', 'PCPU', 'MEMORY_MB'}


def forget_allocations(
    report_client: ty.Any,
    context: nova_context.RequestContext,
    server_id: str,
) -> None:
    """Delete what Placement keeps for a server that is on no host.

    It would keep the devices from another server with the same device
    contexts, or from this one when it is tried again.

    :param report_client: Nova's client of Placement.
    :param server_id: UUID of the server.
    """
    try:
        report_client.delete_allocation_for_instance(
            context, server_id, force=True
        )
    except (
        nova_exception.AllocationDeleteFailed,
        ks_exc.ClientException,
    ) as exc:
        _warn_of_allocations(server_id, exc)


def forget_destination(
    report_client: ty.Any,
    context: nova_context.RequestContext,
    server_id: str,
    node_id: str,
) -> None:
    """Delete what Placement keeps for a server on a host it did not get to.

    :param report_client: Nova's client of Placement.
    :param server_id: UUID of the server.
    :param node_id: UUID of the compute node.
    """
    try:
        report_client.remove_provider_tree_from_instance_allocation(
            context, server_id, node_id
        )
    except _PLACEMENT_ERRORS as exc:
        _warn_of_allocations(server_id, exc)


def forget_earlier_destinations(
    report_client: ty.Any,
    context: nova_context.RequestContext,
    server_id: str,
    node: str,
) -> None:
    """Delete what Placement keeps of evacuations that were never ended.

    A nova-conductor that dies leaves what it has claimed on another host,
    and with it the devices of that host, which the next evacuation needs.

    :param report_client: Nova's client of Placement.
    :param server_id: UUID of the server.
    :param node: name of the compute node that it is evacuated from.
    """
    try:
        found = report_client.get_allocs_for_consumer(context, server_id)
        allocations = found['allocations']
        unseen = set(allocations)
        while unseen:
            tree = report_client.get_providers_in_tree(context, min(unseen))
            unseen -= {provider['uuid'] for provider in tree}
            root = _root(tree)
            of_root = allocations.get(root['uuid'], {'resources': {}})
            # What several nodes share is in a tree of its own.
            is_node = not _OF_NODES.isdisjoint(of_root['resources'])
            if is_node and root['name'] != node:
                report_client.remove_provider_tree_from_instance_allocation(
                    context, server_id, root['uuid']
                )
    except _PLACEMENT_ERRORS as exc:
        _warn_of_allocations(server_id, exc)


def fail_earlier_evacuations(
    context: nova_context.RequestContext, server_id: str
) -> None:
    """Say of evacuations that were never ended that they have failed.

    Nova would take the record of one that a dying nova-conductor has left for
    that of the next, and nova-compute that comes back would see only one.

    :param context: the request's context; it is of the server's cell after
        this, as Nova makes it too.
    :param server_id: UUID of the server; its last evacuation begins now.
    """
    mapping = objects.InstanceMapping.get_by_instance_uuid(context, server_id)
    filters = {
        'instance_uuid': server_id,
        'migration_type': fields.MigrationType.EVACUATION,
        'status': _BEGUN,
    }
    # Not for a while only: what fails is undone there.
    nova_context.set_target_cell(context, mapping.cell_mapping)
    begun = objects.MigrationList.get_by_filters(context, filters)
    for migration in sorted(begun, key=lambda each: each.id)[:-1]:
        migration.status = 'error'
        migration.save()


def fail_migration(
    context: nova_context.RequestContext, server_id: str
) -> None:
    """Say of an evacuation that has not begun that it has failed.

    :param server_id: UUID of the server.
    """
    try:
        migration = objects.Migration.get_by_instance_and_status(
            context, server_id, 'accepted'
        )
    except nova_exception.MigrationNotFoundByStatus:
        return
    migration.status = 'error'
    migration.save()


def fail_rebuild(
    manager: ty.Any,
    context: nova_context.RequestContext,
    server_id: str,
    orig_image_ref: str | None,
    request_spec: objects.RequestSpec,
    error: Exception,
) -> None:
    """Let a server that could not be rebuilt be in error, to try again.

    :param manager: Nova's compute task manager.
    :param server_id: UUID of the server.
    :param orig_image_ref: the image that it has.
    :param request_spec: the server's request.
    :param error: why; it becomes the server's fault.
    """
    try:
        instance = objects.Instance.get_by_uuid(context, server_id)
    except nova_exception.InstanceNotFound:
        return
    if instance.task_state is None:
        # Nova itself has dealt with the error.
        return
    if orig_image_ref and instance.image_ref != orig_image_ref:
        instance.image_ref = orig_image_ref
        instance.save()
    manager._set_vm_state_and_notify(
        context,
        server_id,
        'rebuild_server',
        {'vm_state': vm_states.ERROR, 'task_state': None},
        error,
        request_spec,
    )


def _root(
    tree: collections.abc.Iterable[dict[str, ty.Any]],
) -> dict[str, ty.Any]:
    return next(
        provider
        for provider in tree
        if provider['uuid'] == provider['root_provider_uuid']
    )


def _warn_of_allocations(server_id: str, error: Exception) -> None:
    LOG.warning(
        'Server %s did not get to the host that was chosen, and keeps its '
        'allocations there in Placement: %s',
        server_id,
        error,
    )

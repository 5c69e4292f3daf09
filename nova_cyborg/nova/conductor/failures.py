# SPDX-License-Identifier: Apache-2.0

"""Failing what Nova leaves half-way, so that it can be tried again.

Stock Nova leaves a server that cannot be rebuilt or evacuated in a task state
in which nothing more can be done with it, and the record of an evacuation
that was never ended as it was.
"""

from __future__ import annotations

import typing as ty

from nova import context as nova_context
from nova import exception as nova_exception
from nova import objects
from nova.compute import vm_states
from nova.objects import fields

_BEGUN = ['accepted', 'pre-migrating']
_COLD = (fields.MigrationType.MIGRATION, fields.MigrationType.RESIZE)


def fail_earlier_evacuations(
    context: nova_context.RequestContext, server_id: str
) -> None:
    """Say of evacuations that were never ended that they have failed.

    Nova would take the record of one that a dying nova-conductor has left for
    that of the next, and nova-compute that comes back would see only one.

    :param context: is of the server's cell after this, as Nova makes it
        too.
    :param server_id: UUID of the server; its last evacuation begins now.
    """
    mapping = objects.InstanceMapping.get_by_instance_uuid(context, server_id)
    filters = {
        'instance_uuid': server_id,
        'migration_type': fields.MigrationType.EVACUATION,
        'status': _BEGUN,
    }
    # Not for a while only: a rebuild that fails is dealt with there.
    nova_context.set_target_cell(context, mapping.cell_mapping)
    begun = objects.MigrationList.get_by_filters(context, filters)
    for migration in sorted(begun, key=lambda each: each.id)[:-1]:
        migration.status = 'error'
        migration.save()


def fail_earlier_moves(
    report_client: ty.Any,
    context: nova_context.RequestContext,
    instance: objects.Instance,
) -> None:
    """Say of migrations and resizes that were never ended that they failed.

    Nova would take the record of one for that of the next, and its source for
    the host that the server is on.

    :param report_client: Nova's client of Placement.
    :param context: is of the server's cell.
    :param instance: the server, of which a move is about to begin.
    """
    moves = objects.MigrationList.get_by_filters(
        context, {'instance_uuid': instance.uuid}
    )
    last = max((each.id for each in moves), default=None)
    for migration in moves:
        if (
            migration.migration_type not in _COLD
            or migration.status != 'pre-migrating'
        ):
            continue
        migration.status = 'error'
        migration.save()
        if migration.id == last and migration.source_compute == instance.host:
            # What the server has in Placement is that of the other host.
            report_client.move_allocations(
                context, migration.uuid, instance.uuid
            )


def evacuation(
    context: nova_context.RequestContext, server_id: str
) -> objects.Migration | None:
    """Find an evacuation that is to begin, as Nova does.

    :param context: is of the server's cell.
    :param server_id: UUID of the server.
    :returns: its migration; None if Nova has no record of it.
    """
    try:
        return objects.Migration.get_by_instance_and_status(
            context, server_id, 'accepted'
        )
    except nova_exception.MigrationNotFoundByStatus:
        return None


def fail_evacuation(
    context: nova_context.RequestContext, server_id: str
) -> None:
    """Say of an evacuation that has not begun that it has failed.

    The host that comes back would take the server for evacuated, and delete
    the guest.

    :param server_id: UUID of the server.
    """
    migration = evacuation(context, server_id)
    if migration is not None:
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

# SPDX-License-Identifier: Apache-2.0

"""What nova-compute asks of the devices of a server that is on two hosts."""

from __future__ import annotations

import collections.abc
import logging
import time
import typing as ty

from nova import conf, objects
from nova import context as nova_context
from nova.objects import fields

from nova_cyborg import cyborg_client, exception
from nova_cyborg.nova import client, marks
from nova_cyborg.nova.compute import arqs as server_arqs
from nova_cyborg.nova.compute.recovery import unfinished

CONF = conf.CONF
LOG = logging.getLogger(__name__)

# States of an accelerator request that is being bound.
_BINDING = ('Initial', 'BindStarted')
_POLL_SECONDS = 1
_MOVES = (
    fields.MigrationType.MIGRATION,
    fields.MigrationType.RESIZE,
    fields.MigrationType.LIVE_MIGRATION,
)
# States of a migration that failed before it could be confirmed, or was
# interrupted.
_FAILED = ('error', 'post-migrating')
#: States of a migration that libvirt was told of. In the second one, the guest
#: goes on at the destination, and cannot come back.
RUNNING, SWITCHED = TOLD = ('running', 'running (post-copy)')
#: States of a migration that nobody goes on with. Not "reverted": Nova says so
#: before the guest is started again.
OVER = ('cancelled', 'completed', 'confirmed', 'done', 'error', 'failed')
# Those of a live migration that the nova-compute of the source has begun.
_UNDER_WAY = ('queued', 'preparing', *TOLD)


def wait_until_bound(
    context: nova_context.RequestContext,
    instance: objects.Instance,
    migration_id: str,
) -> None:
    """Wait until all is bound that a server is to have after a move.

    :param instance: the server.
    :param migration_id: UUID of Nova's migration.
    :raises BindingFailed: if something could not be bound.
    :raises BindingTimeout: if it takes longer than nova.conf's
        ``arq_binding_timeout``.
    :raises DeviceMissing: if a device is missing by now.
    :raises DeviceContextError: if Cyborg does not answer, or refuses.
    """
    allocations = client.allocation_client(context)
    # One call if all is bound already, and the answer says of what.
    arqs = _when_over(
        instance, lambda: allocations.arqs(instance.uuid, migration_id)
    )
    if arqs and server_arqs.all_bound(arqs, ()):
        cyborg_client.refuse_missing(instance.uuid, arqs)
        return
    reason = server_arqs.fault(context, instance)
    # Its device contexts may have been released since it was booted.
    if arqs or reason is not None:
        raise exception.BindingFailed(
            server_id=instance.uuid,
            reason=reason or 'an accelerator request is not bound.',
        )


def wait_for(
    context: nova_context.RequestContext,
    instance: objects.Instance,
    arq_ids: collections.abc.Collection[str],
) -> list[dict[str, ty.Any]]:
    """Wait until some of what a server uses is bound.

    :param instance: the server.
    :param arq_ids: UUIDs of the accelerator requests.
    :returns: all requests of what it uses, these among them.
    :raises BindingFailed: if one could not be bound.
    :raises BindingTimeout: if it takes longer than nova.conf's
        ``arq_binding_timeout``.
    :raises DeviceMissing: if a device is missing by now.
    :raises DeviceContextError: if Cyborg does not answer, or refuses.
    """
    allocations = client.allocation_client(context)
    held: list[dict[str, ty.Any]] = []

    def read() -> list[dict[str, ty.Any]]:
        held[:] = allocations.arqs(instance.uuid)
        return [arq for arq in held if arq['uuid'] in arq_ids]

    arqs = _when_over(instance, read)
    if not server_arqs.all_bound(arqs, arq_ids):
        reason = server_arqs.fault(context, instance)
        raise exception.BindingFailed(
            server_id=instance.uuid,
            reason=reason or 'an accelerator request is not bound.',
        )
    cyborg_client.refuse_missing(instance.uuid, arqs)
    return held


def activate(
    context: nova_context.RequestContext,
    instance: objects.Instance,
    migration_id: str,
) -> list[dict[str, ty.Any]]:
    """Make the devices at the destination of a move the server's own.

    :param instance: the server.
    :param migration_id: UUID of Nova's migration.
    :returns: its accelerator requests there.
    :raises DeviceContextError: if Cyborg does not answer, or refuses.
    """
    allocations = client.allocation_client(context)
    try:
        return client.repeating(
            lambda: allocations.activate(instance.uuid, migration_id)
        )
    except exception.AllocationNotFound:
        # Its device contexts have been released since it was told of.
        marks.drop(instance)
        return []


def drop_stale_marks(
    context: nova_context.RequestContext, instance: objects.Instance
) -> None:
    """Have a server bear no marks if it has no device contexts any more.

    Nova stores flavors with extra specs, and all metadata, whenever it stores
    anything of them, and so may have stored the marks again that were taken
    from the server.

    :param instance: the server, of which Cyborg has bound nothing; changed in
        place, to be saved with what else is.
    :raises DeviceContextError: if Cyborg does not answer, or refuses.
    """
    try:
        client.allocation_client(context).get(instance.uuid)
    except exception.AllocationNotFound:
        marks.drop(instance)


def unbind(
    context: nova_context.RequestContext,
    instance: objects.Instance,
    migration_id: str,
    node: str | None,
) -> None:
    """Unbind the devices at the destination of a move.

    Those at the source are the server's own again.

    :param instance: the server.
    :param migration_id: UUID of Nova's migration.
    :param node: the node of the destination; None if it is not known.
    :raises DeviceContextError: if Cyborg does not answer, or refuses.
    """
    allocations = client.allocation_client(context)
    client.repeating(
        lambda: allocations.unbind_migration(instance.uuid, migration_id, node)
    )


def unbind_sometime(
    context: nova_context.RequestContext,
    instance: objects.Instance,
    migration_id: str,
    node: str | None = None,
) -> None:
    """Unbind the devices at the destination of a move that is over.

    It may be said late, when Nova has tried another host with the same
    migration.

    :param instance: the server, which has stayed where it was.
    :param migration_id: UUID of Nova's migration.
    :param node: the node of the destination; None if Nova tries no other
        host with the migration.
    """
    unfinished.UNFINISHED.tell(
        context,
        instance.uuid,
        f'unbind what it was to have by migration {migration_id}'
        f'{(node and f" on {node}") or ""}',
        lambda allocations: allocations.unbind_migration(
            instance.uuid, migration_id, node
        ),
    )


def live_migration(
    context: nova_context.RequestContext, instance: objects.Instance
) -> objects.Migration | None:
    """Find the live migration of a server that nova-compute is at.

    :param instance: the server.
    :returns: the migration, if it is the last move of the server; None if
        there is none. An older one that was never ended is none.
    """
    last = last_live_migration(context, instance)
    return last if last is not None and last.status in _UNDER_WAY else None


def comes_live(
    context: nova_context.RequestContext,
    instance: objects.Instance,
    host: str,
) -> bool:
    """Tell whether libvirt has been told to migrate a server to a host.

    And its source has not ended that.

    :param instance: the server.
    :param host: the host.
    :returns: whether it is so, whatever else was begun since.
    """
    return any(
        each.migration_type == fields.MigrationType.LIVE_MIGRATION
        and each.dest_compute == host
        and each.status in TOLD
        for each in _moves(context, instance)
    )


def is_followed(
    context: nova_context.RequestContext,
    instance: objects.Instance,
    migration: objects.Migration,
) -> bool:
    """Tell whether another move of a server has been begun since.

    :param instance: the server.
    :param migration: Nova's migration by which it was moved before.
    :returns: whether there is a newer one. One in error may be that of a
        message that was dropped, and is over.
    """
    return any(
        each.id > migration.id and each.status != 'error'
        for each in _moves(context, instance)
    )


def comes_anew(
    context: nova_context.RequestContext,
    instance: objects.Instance,
    migration: objects.Migration,
    host: str,
) -> bool:
    """Tell whether a server comes to a host by a newer move.

    :param instance: the server.
    :param migration: Nova's migration by which it was to come before.
    :param host: the host.
    :returns: whether there is a newer one, which is not over.
    """
    return any(
        each.id > migration.id
        and each.dest_compute == host
        and each.status not in OVER
        for each in _moves(context, instance)
    )


def last_move(
    context: nova_context.RequestContext, instance: objects.Instance
) -> objects.Migration | None:
    """Find the last move of a server from a host on which it ran.

    :param instance: the server.
    :returns: Nova's migration, whether it is over or not; None if there was
        none.
    """
    return _last(_moves(context, instance))


def last_live_migration(
    context: nova_context.RequestContext, instance: objects.Instance
) -> objects.Migration | None:
    """Find the live migration that was the last move of a server.

    Not one that has got to no host: Nova makes the record of a message that
    is dropped, too.

    :param instance: the server.
    :returns: Nova's migration, whether it is over or not; None if its last
        move was another, or there was none.
    """
    last = _last(each for each in _moves(context, instance) if each.dest_node)
    is_live = (
        last is not None
        and last.migration_type == fields.MigrationType.LIVE_MIGRATION
    )
    return last if is_live else None


def _moves(
    context: nova_context.RequestContext, instance: objects.Instance
) -> list[objects.Migration]:
    found = objects.MigrationList.get_by_filters(
        context, {'instance_uuid': instance.uuid}
    )
    return [each for each in found if each.migration_type in _MOVES]


def _last(
    found: collections.abc.Iterable[objects.Migration],
) -> objects.Migration | None:
    return max(found, key=lambda each: each.id, default=None)


def own(
    context: nova_context.RequestContext, instance: objects.Instance
) -> list[dict[str, ty.Any]]:
    """Read the accelerator requests with which a server's guest is started.

    If they are of another host, or of the other one of two bindings on this
    host, Cyborg was not told how the last move has ended: it is told now.

    :param instance: the server, on its host.
    :returns: its accelerator requests, those of profiles too.
    :raises BoundElsewhere: if it has devices on another node.
    :raises DeviceContextError: if Cyborg does not answer, or refuses.
    """
    allocations = client.allocation_client(context)
    arqs = allocations.arqs(instance.uuid)
    last = last_move(context, instance)
    if last is not None and (
        _nodes(arqs) - {instance.node}
        or (_is_open_here(last, instance) and _has_two(allocations, instance))
    ):
        _end_move(allocations, instance, last)
        arqs = allocations.arqs(instance.uuid)
    others = _nodes(arqs) - {instance.node}
    if others:
        raise exception.BoundElsewhere(
            server_id=instance.uuid,
            node=instance.node,
            other=', '.join(sorted(others)),
        )
    return arqs


def _when_over(
    instance: objects.Instance,
    read: collections.abc.Callable[[], list[dict[str, ty.Any]]],
) -> list[dict[str, ty.Any]]:
    """Read accelerator requests until the binding of all is over.

    :param instance: the server.
    :param read: reads them.
    :returns: the requests.
    :raises BindingTimeout: if it takes longer than nova.conf's
        ``arq_binding_timeout``.
    """
    end = time.monotonic() + CONF.arq_binding_timeout
    arqs = read()
    while any(arq['state'] in _BINDING for arq in arqs):
        if time.monotonic() > end:
            raise exception.BindingTimeout(
                server_id=instance.uuid, seconds=CONF.arq_binding_timeout
            )
        time.sleep(_POLL_SECONDS)
        arqs = read()
    return arqs


def _nodes(arqs: collections.abc.Iterable[dict[str, ty.Any]]) -> set[str]:
    return {arq['hostname'] for arq in arqs if marks.is_of_device_context(arq)}


def _is_open_here(last: objects.Migration, instance: objects.Instance) -> bool:
    """Tell whether a server was resized on its node, and has failed to be.

    While it waits to be confirmed, it uses the right devices, and keeps the
    others.
    """
    return bool(
        last.source_node == last.dest_node == instance.node
        and last.status in _FAILED
    )


def _has_two(
    allocations: cyborg_client.AllocationClient, instance: objects.Instance
) -> bool:
    """Tell whether a server has more than one binding."""
    try:
        held = allocations.get(instance.uuid)
    except exception.AllocationNotFound:
        return False
    return any(len(each.bindings) > 1 for each in held.contexts)


def _has_arrived(last: objects.Migration, instance: objects.Instance) -> bool:
    """Tell whether a server is where its last move was to bring it.

    On one node, the guest was shut down for it: Nova keeps the flavor that it
    had from then on, until the move is confirmed or reverted.
    """
    if _is_open_here(last, instance):
        return instance.old_flavor is not None
    return bool(last.dest_node == instance.node)


def _end_move(
    allocations: cyborg_client.AllocationClient,
    instance: objects.Instance,
    last: objects.Migration,
) -> None:
    if _has_arrived(last, instance):
        allocations.activate(instance.uuid, last.uuid)
        allocations.settle(instance.uuid, last.uuid)
    else:
        allocations.unbind_migration(instance.uuid, last.uuid, last.dest_node)

# SPDX-License-Identifier: Apache-2.0

"""The conductor hook that gives servers their device contexts."""

from __future__ import annotations

import collections.abc
import logging
import typing as ty

import os_traits
from nova import context as nova_context
from nova import objects

from nova_cyborg import cyborg_client, exception, model
from nova_cyborg.contract import spec
from nova_cyborg.nova import client, request

LOG = logging.getLogger(__name__)

# Nova's scheduler hint for a rebuild on the server's own host, which asks
# Placement for nothing.
_CHECK_TYPE_HINT = '_nova_check_type'
# After these it is not known whether Cyborg has done what it was asked for.
_UNCERTAIN = (exception.CyborgUnreachable, exception.CyborgFailed)
_NOTHING = cyborg_client.Held(0, None, ())


class DeviceContextHook(spec.ConductorHook):
    """Reserves, schedules, binds and releases device contexts.

    A new server gets the contexts that its scheduler hint names. A server
    that exists keeps those of its allocation in Cyborg, whatever its hint
    says.
    """

    def concerns(self, request_spec: objects.RequestSpec) -> bool:
        """See :meth:`.spec.ConductorHook.concerns`."""
        return bool(_hint(request_spec))

    def before_scheduling(
        self,
        context: nova_context.RequestContext,
        request_spec: objects.RequestSpec,
        server_ids: list[str],
        operation: spec.Operation,
    ) -> None:
        """See :meth:`.spec.ConductorHook.before_scheduling`."""
        if operation.booting:
            context_ids = request.checked_ids(
                _hint(request_spec), len(server_ids)
            )
            held = _reserve(
                client.allocation_client(context),
                server_ids[0],
                context_ids,
                operation.caller,
            )
            _remember(operation, server_ids[0], held)
        elif _is_rebuild(request_spec):
            return
        else:
            held = _begun(context, server_ids[0], operation)
        _set_groups(request_spec, held)

    def pre_bind(
        self,
        context: nova_context.RequestContext,
        instance: objects.Instance,
        node: str,
        request_spec: objects.RequestSpec,
        operation: spec.Operation,
    ) -> list[str]:
        """See :meth:`.spec.ConductorHook.pre_bind`."""
        held = _begun(context, instance.uuid, operation)
        if not held.contexts:
            return []
        providers = {
            requester: chosen[0]
            for requester, chosen in (
                request_spec.get_request_group_mapping() or {}
            ).items()
            if model.parse_requester_id(requester)
        }
        try:
            arqs = client.allocation_client(context).bind(
                instance.uuid,
                node,
                providers,
                held.generation,
                operation.evacuated_node or None,
            )
        except _UNCERTAIN:
            # It may have been done, and only the answer got lost.
            if not operation.booting:
                _unbind(context, instance.uuid, held)
            raise
        LOG.info(
            'Binding accelerator requests %s of device contexts on node %s',
            ', '.join(arqs),
            node,
            extra={'instance': instance},
        )
        return arqs

    def unbind(
        self,
        context: nova_context.RequestContext,
        server_id: str,
        operation: spec.Operation,
    ) -> None:
        """See :meth:`.spec.ConductorHook.unbind`."""
        held = operation.memory.get((DeviceContextHook, server_id))
        if held and held.contexts:
            _unbind(context, server_id, held)

    def release(
        self, context: nova_context.RequestContext, server_id: str
    ) -> None:
        """See :meth:`.spec.ConductorHook.release`."""
        client.allocation_client(context).release(server_id)


def _hint(request_spec: objects.RequestSpec) -> list[str]:
    if 'scheduler_hints' not in request_spec:
        return []
    return list((request_spec.scheduler_hints or {}).get(model.HINT) or ())


def _is_rebuild(request_spec: objects.RequestSpec) -> bool:
    return bool(request_spec.get_scheduler_hint(_CHECK_TYPE_HINT) == 'rebuild')


def _reserve(
    allocations: cyborg_client.AllocationClient,
    server_id: str,
    context_ids: collections.abc.Sequence[str],
    caller: str,
) -> cyborg_client.Held:
    try:
        held = allocations.reserve(server_id, context_ids, caller)
    except _UNCERTAIN:
        # It may have been done, and only the answer got lost.
        _undo(allocations, server_id, caller)
        raise
    try:
        request.check_group_count(held.contexts)
    except exception.TooManyGroups:
        _undo(allocations, server_id, caller)
        raise
    return held


def _begun(
    context: nova_context.RequestContext,
    server_id: str,
    operation: spec.Operation,
) -> cyborg_client.Held:
    """Return what a server holds; begin the operation first if need be."""
    known = operation.memory.get((DeviceContextHook, server_id))
    if known is not None:
        return ty.cast(cyborg_client.Held, known)
    try:
        held = client.allocation_client(context).begin(
            server_id, operation.name, operation.caller
        )
    except exception.AllocationNotFound:
        # What it was booted with has been given back since.
        held = _NOTHING
    _remember(operation, server_id, held)
    return held


def _remember(
    operation: spec.Operation, server_id: str, held: cyborg_client.Held
) -> None:
    operation.memory[DeviceContextHook, server_id] = held


def _unbind(
    context: nova_context.RequestContext,
    server_id: str,
    held: cyborg_client.Held,
) -> None:
    allocations = client.allocation_client(context)
    try:
        allocations.unbind(server_id, held.generation)
    except exception.StaleGeneration as exc:
        LOG.debug('There is nothing to undo: %s', exc)
    except exception.DeviceContextError as exc:
        LOG.warning(
            'Devices may still be bound for server %s, which has no use for '
            'them: %s',
            server_id,
            exc,
        )


def _undo(
    allocations: cyborg_client.AllocationClient, server_id: str, caller: str
) -> None:
    """Release what this call has reserved.

    :raises AlreadyBegun: if it is another call that has: this one is of a
        message that was delivered twice.
    """
    try:
        allocations.release(server_id, caller)
    except exception.AlreadyBegun:
        raise
    except exception.DeviceContextError as exc:
        LOG.warning(
            'Device contexts of server %s may still be reserved: %s',
            server_id,
            exc,
        )


def _set_groups(
    request_spec: objects.RequestSpec, held: cyborg_client.Held
) -> None:
    """Ask Placement for the groups, in place of those of an earlier call."""
    others: list[objects.RequestGroup] = []
    if 'requested_resources' in request_spec:
        others = [
            group
            for group in request_spec.requested_resources or ()
            if not model.parse_requester_id(group.requester_id or '')
        ]
    groups = request.request_groups(held.contexts)
    request_spec.requested_resources = others + groups
    if groups:
        request_spec.root_required.add(os_traits.COMPUTE_ACCELERATORS)

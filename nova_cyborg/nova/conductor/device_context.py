# SPDX-License-Identifier: Apache-2.0

"""The conductor hook that gives servers their device contexts."""

from __future__ import annotations

import collections.abc
import itertools
import logging

import os_traits
from nova import context as nova_context
from nova import objects

from nova_cyborg import cyborg_client, exception, model
from nova_cyborg.contract import spec
from nova_cyborg.nova import client, groups, hint
from nova_cyborg.nova.conductor import refusals

LOG = logging.getLogger(__name__)

# Nova's scheduler hint for a rebuild on the server's own host, which asks
# Placement for nothing.
_CHECK_TYPE_HINT = '_nova_check_type'
# After these it is not known whether Cyborg has done what it was asked for.
_UNCERTAIN = (exception.CyborgUnreachable, exception.CyborgFailed)
_NOTHING = cyborg_client.ServerAllocation(0, None, ())
_ALLOCATION = spec.Note[cyborg_client.ServerAllocation](
    'device_context.allocation'
)
# Combinations of alternatives that the scheduler was not asked for yet.
_UNTRIED = spec.Note[tuple[model.Pick, ...]]('device_context.untried')


class DeviceContextHook(spec.ConductorHook):
    """Reserves, schedules, binds and releases device contexts.

    A new server gets the contexts that its scheduler hint names. A server
    that exists keeps those of its allocation in Cyborg, whatever its hint
    says.
    """

    def concerns(self, request_spec: objects.RequestSpec) -> bool:
        """See :meth:`.spec.ConductorHook.concerns`."""
        return bool(hint.of_request(request_spec))

    def before_scheduling(
        self,
        context: nova_context.RequestContext,
        request_spec: objects.RequestSpec,
        server_ids: list[str],
        operation: spec.Operation,
    ) -> None:
        """See :meth:`.spec.ConductorHook.before_scheduling`."""
        if operation.booting:
            context_ids = hint.checked_ids(
                hint.of_request(request_spec), len(server_ids)
            )
            allocation = _reserve(
                client.allocation_client(context),
                server_ids[0],
                context_ids,
                operation.caller,
                groups.asked_by(request_spec.flavor),
            )
            operation.note(_ALLOCATION, server_ids[0], allocation)
        elif _is_rebuild(request_spec):
            return
        else:
            allocation = _begun(
                context,
                server_ids[0],
                operation,
                groups.asked_by(request_spec.flavor),
            )
            groups.check_combinations(allocation.combinations)
            if operation.live:
                # It may have been changed since nova-api has looked.
                groups.check_live(allocation.contexts)
        picks = _picks(allocation.contexts, operation)
        operation.note(_UNTRIED, server_ids[0], picks[1:])
        _set_groups(request_spec, allocation, picks[0])

    def otherwise(
        self,
        context: nova_context.RequestContext,
        request_spec: objects.RequestSpec,
        server_ids: list[str],
        operation: spec.Operation,
    ) -> bool:
        """See :meth:`.spec.ConductorHook.otherwise`."""
        allocation = operation.noted(_ALLOCATION, server_ids[0])
        untried = operation.noted(_UNTRIED, server_ids[0])
        if not allocation or not untried:
            return False
        LOG.info(
            'No host has what server %s asks for; of its alternatives, %d are '
            'left to be tried',
            server_ids[0],
            len(untried),
        )
        operation.note(_UNTRIED, server_ids[0], untried[1:])
        _set_groups(request_spec, allocation, untried[0])
        return True

    def pre_bind(
        self,
        context: nova_context.RequestContext,
        instance: objects.Instance,
        node: str,
        request_spec: objects.RequestSpec,
        operation: spec.Operation,
    ) -> list[str]:
        """See :meth:`.spec.ConductorHook.pre_bind`."""
        allocation = _begun(context, instance.uuid, operation)
        if not allocation.contexts:
            return []
        try:
            arqs = client.repeating(
                lambda: client.allocation_client(context).bind(
                    instance.uuid,
                    node,
                    _chosen_providers(request_spec),
                    allocation.generation,
                    operation.migration_id or None,
                )
            )
        except _UNCERTAIN:
            # It may have been done, and only the answer got lost.
            if not operation.booting:
                _unbind(context, instance.uuid, allocation)
            raise
        LOG.info(
            'Binding accelerator requests %s of device contexts on node %s',
            ', '.join(arqs),
            node,
            extra={'instance': instance},
        )
        return arqs

    def why_no_host(
        self,
        context: nova_context.RequestContext,
        request_spec: objects.RequestSpec,
        server_id: str,
        operation: spec.Operation,
    ) -> str:
        """See :meth:`.spec.ConductorHook.why_no_host`."""
        allocation = operation.noted(_ALLOCATION, server_id)
        no_other = False
        if allocation:
            picks = _picks(allocation.contexts, operation)
            no_other = len(picks) > 1 and not operation.noted(
                _UNTRIED, server_id
            )
            # What was wished for first is explained.
            _set_groups(request_spec, allocation, picks[0])
        # Not repeated: the user would wait for the failure, of which Nova has
        # a sentence of its own.
        return client.allocation_client(context).explain(
            server_id,
            refusals.query(context, request_spec),
            refusals.names_host(request_spec),
            refusals.leaves_host(request_spec),
            no_other,
        )

    def unbind(
        self,
        context: nova_context.RequestContext,
        server_id: str,
        operation: spec.Operation,
    ) -> None:
        """See :meth:`.spec.ConductorHook.unbind`."""
        allocation = operation.noted(_ALLOCATION, server_id)
        if allocation and allocation.contexts:
            _unbind(context, server_id, allocation)

    def release(
        self, context: nova_context.RequestContext, server_id: str
    ) -> None:
        """See :meth:`.spec.ConductorHook.release`."""
        allocations = client.allocation_client(context)
        # The server has failed, and shows it some seconds later: until they
        # are released, nobody can try again with them.
        client.repeating(lambda: allocations.release(server_id))


def _is_rebuild(request_spec: objects.RequestSpec) -> bool:
    return bool(request_spec.get_scheduler_hint(_CHECK_TYPE_HINT) == 'rebuild')


def _chosen_providers(request_spec: objects.RequestSpec) -> dict[str, str]:
    """Return the resource provider that was chosen for each of our groups.

    :returns: UUID of the provider by the requester id of the group.
    """
    mapping = request_spec.get_request_group_mapping() or {}
    return {
        requester: chosen[0]
        for requester, chosen in mapping.items()
        if model.parse_requester_id(requester)
    }


def _reserve(
    allocations: cyborg_client.AllocationClient,
    server_id: str,
    context_ids: collections.abc.Sequence[str],
    caller: str,
    flavor: cyborg_client.FlavorRequest,
) -> cyborg_client.ServerAllocation:
    try:
        allocation = client.repeating(
            lambda: allocations.reserve(server_id, context_ids, caller, flavor)
        )
    except _UNCERTAIN:
        # It may have been done, and only the answer got lost.
        _release_own(allocations, server_id, caller)
        raise
    try:
        groups.check_count(allocation.contexts)
        groups.check_combinations(allocation.combinations)
    except (
        exception.TooManyGroups,
        exception.TooManyAccelerators,
        exception.TooManyCombinations,
    ):
        _release_own(allocations, server_id, caller)
        raise
    return allocation


def _begun(
    context: nova_context.RequestContext,
    server_id: str,
    operation: spec.Operation,
    flavor: cyborg_client.FlavorRequest | None = None,
) -> cyborg_client.ServerAllocation:
    """Return a server's allocation; begin the operation first if need be."""
    known = operation.noted(_ALLOCATION, server_id)
    if known is not None:
        return known
    try:
        allocation = client.repeating(
            lambda: client.allocation_client(context).begin(
                server_id, operation.name, operation.caller, flavor
            )
        )
    except exception.AllocationNotFound:
        # The contexts that it was booted with have been released since.
        allocation = _NOTHING
    operation.note(_ALLOCATION, server_id, allocation)
    return allocation


def _unbind(
    context: nova_context.RequestContext,
    server_id: str,
    allocation: cyborg_client.ServerAllocation,
) -> None:
    allocations = client.allocation_client(context)
    try:
        client.repeating(
            lambda: allocations.unbind(server_id, allocation.generation)
        )
    except exception.StaleGeneration as exc:
        LOG.debug('There is no device to unbind: %s', exc)
    except exception.DeviceContextError as exc:
        LOG.warning(
            'Devices may still be bound for server %s, which has no use for '
            'them: %s',
            server_id,
            exc,
        )


def _release_own(
    allocations: cyborg_client.AllocationClient, server_id: str, caller: str
) -> None:
    """Release the device contexts that this call has reserved.

    :raises AlreadyBegun: if it is another call that has: this one is of a
        message that was delivered twice.
    """
    try:
        client.repeating(lambda: allocations.release(server_id, caller))
    except exception.AlreadyBegun:
        raise
    except exception.DeviceContextError as exc:
        LOG.warning(
            'Device contexts of server %s may still be reserved: %s',
            server_id,
            exc,
        )


def _picks(
    contexts: collections.abc.Sequence[cyborg_client.AllocatedContext],
    operation: spec.Operation,
) -> tuple[model.Pick, ...]:
    """Combine the alternatives of a server, as far as they may be chosen.

    :returns: the combinations, one at least, in the order in which they are
        to be tried.
    """
    if operation.live:
        # A guest that runs is to find again what it has.
        return (groups.used(contexts),)
    if operation.requesters:
        return (groups.named(contexts, operation.requesters),)
    found = model.picks(group for each in contexts for group in each.groups)
    return tuple(itertools.islice(found, model.MAX_PICKS))


def _set_groups(
    request_spec: objects.RequestSpec,
    allocation: cyborg_client.ServerAllocation,
    pick: model.Pick,
) -> None:
    """Ask Placement for the groups, in place of those of an earlier call."""
    others: list[objects.RequestGroup] = []
    if 'requested_resources' in request_spec:
        others = [
            group
            for group in request_spec.requested_resources or ()
            if not model.parse_requester_id(group.requester_id or '')
        ]
    ours = groups.request_groups(allocation.contexts, allocation.taints, pick)
    request_spec.requested_resources = others + ours
    if ours:
        request_spec.root_required.add(os_traits.COMPUTE_ACCELERATORS)
        groups.allow_same_provider(request_spec.flavor)

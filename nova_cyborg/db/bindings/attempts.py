# SPDX-License-Identifier: Apache-2.0

"""Attempts to bring a server that holds device contexts to a host.

Whoever makes one begins it, and gets a generation, which rises each time.
Binding and unbinding are done for a generation: what arrives late, from an
attempt that another one has followed, is refused.
"""

import collections.abc
import dataclasses

from cyborg import context as cyborg_context
from sqlalchemy import orm

from nova_cyborg import exception, model
from nova_cyborg.db import (
    allocations,
    arqs,
    contexts,
    session,
    tables,
)
from nova_cyborg.db.bindings import links, making, rows, transitions
from nova_cyborg.db.inventory import hosts


@dataclasses.dataclass(frozen=True)
class Binding:
    """ARQs that are bound, or to be bound.

    :ivar generation: the allocation's.
    :ivar project_id: whose device contexts it is for.
    :ivar hostname: the node.
    :ivar arqs: ``uuid`` and ``device_rp_uuid`` of each.
    :ivar begun: whether an earlier call has begun binding them already.
    :ivar bound: whether they are bound.
    :ivar call: that which attaches the device context that they are of; None
        if they are of all that the server holds.
    """

    generation: int
    project_id: str
    hostname: str
    arqs: list[dict[str, str]]
    begun: bool = False
    bound: bool = False
    call: transitions.Call | None = None


@dataclasses.dataclass(frozen=True)
class Wanted:
    """A binding that nova-conductor asks for.

    :ivar server_id: UUID of the server.
    :ivar node: the node that the server is to run on.
    :ivar providers: UUID of the resource provider by the group's name in the
        request to Placement; see :func:`model.requester_id`.
    :ivar generation: that of the attempt.
    :ivar migration_id: UUID of Nova's migration, if the server is moved from
        a node; None if it is not.
    """

    server_id: str
    node: str
    providers: collections.abc.Mapping[str, str]
    generation: int
    migration_id: str | None = None


@session.retry
def begin(
    context: cyborg_context.RequestContext,
    server_id: str,
    operation: str,
    caller: str,
) -> model.Allocation:
    """Begin an attempt to bring a server to a host; safe to repeat.

    What is being attached or detached is released if it is not bound, and
    else stays.

    :param server_id: UUID of the server.
    :param operation: what is done: the same when Nova's message bus
        delivers one message twice.
    :param caller: UUID of the attempt: another one then.
    :returns: the allocation, at a generation of its own.
    :raises AllocationNotFound: if the server holds no device contexts.
    :raises AlreadyBegun: if another caller does the same operation.
    """
    with session.writing(context) as db:
        row, held = allocations.lock_existing(db, server_id)
        if row.caller != caller:
            if row.operation == operation:
                raise exception.AlreadyBegun(server_id=server_id)
            row.operation = operation
            row.caller = caller
            row.generation += 1
        for context_row, _data in held:
            # Why there was no host for it the last time.
            context_row.fault = None
        if transitions.end_all(db, held):
            held = contexts.of_allocation(db, row.id)
        if held:
            return allocations.as_data(row, held)
        allocations.remove(db, row)
    # What has been removed stays so.
    raise exception.AllocationNotFound(server_id=server_id)


@session.retry
def prepare_binding(
    context: cyborg_context.RequestContext,
    wanted: Wanted,
    check: allocations.Check,
) -> Binding:
    """Make the ARQs of a server's device contexts; safe to repeat.

    With their slots, if there is one for each, and nothing is to be done with
    the devices: then they are bound.

    A server that is moved has its active binding meanwhile, and until it is
    said to use the new one: it may not get there, and its guest may still run.

    :param wanted: what is to be bound, and where.
    :param check: raises if the device contexts may not be bound.
    :returns: what is bound, or to be bound.
    :raises AllocationNotFound: if the server holds no device contexts.
    :raises StaleGeneration: if another attempt was begun in between.
    :raises StillBound: if there are ARQs, ``arq_ids``, of an earlier
        binding that failed or was for another node.
    :raises ProviderMissing: if a group has no provider.
    :raises DeviceTainted: if a device was tainted after it was chosen.
    """
    with session.writing(context) as db:
        hosts.lock(db, wanted.node)
        row, bindings = allocations.lock_with_bindings(db, wanted.server_id)
        allocations.check_generation(row, wanted.generation)
        # Of what is attached meanwhile, nobody has asked Placement for it.
        held = [
            (each, data)
            for each, data in contexts.without_devices(db, row.id)
            if data.transition != model.Transition.ATTACHING
        ]
        targets = making.targets(held, wanted.node, wanted.providers)
        begun = _begun(db, bindings, held, targets, wanted)
        if begun:
            return Binding(
                row.generation, row.project_id, wanted.node, begun, begun=True
            )
        useless = [each.id for each in bindings if not _is_kept(each, wanted)]
        if useless:
            raise exception.StillBound(
                server_id=wanted.server_id,
                arq_ids=links.arq_ids(db, useless),
            )
        check(making.chosen(held, targets))
        taken = making.take_slots(context, db, wanted.node, held, targets)
        row.fault = None
        binding = rows.make(
            db,
            row,
            wanted.node,
            wanted.migration_id,
            is_active=rows.active(bindings) is None,
        )
        made = making.make(db, binding, held, targets, taken)
        return Binding(
            row.generation,
            row.project_id,
            wanted.node,
            made,
            bound=taken is not None,
        )


@session.retry
def binding_failed(
    context: cyborg_context.RequestContext,
    server_id: str,
    binding: Binding,
    reason: str,
) -> bool:
    """Record that a binding failed, unless a later attempt has begun.

    :param server_id: UUID of the server.
    :param binding: the binding that failed.
    :param reason: why, for the project to read.
    :returns: whether it was recorded.
    """
    with session.writing(context) as db:
        row = allocations.lock(db, server_id)
        if row is None or row.generation != binding.generation:
            return False
        row.fault = reason
        arqs.fail_pending(db, [arq['uuid'] for arq in binding.arqs], reason)
        return True


@session.retry
def end(
    context: cyborg_context.RequestContext,
    server_id: str,
    generation: int | None = None,
    arq_ids: collections.abc.Collection[str] | None = None,
) -> list[str]:
    """End the attempt to bring a server to a host; its ARQs are to be unbound.

    :param server_id: UUID of the server.
    :param generation: the attempt's; None for whichever is the last.
    :param arq_ids: UUIDs of ARQs that the attempt has made, with others or
        not; None for any.
    :returns: UUIDs of the ARQs; none if the server holds no device contexts.
    :raises StaleGeneration: if another attempt was begun in between.
    :raises OtherAttempt: if another attempt has bound other ARQs.
    """
    with session.writing(context) as db:
        row = allocations.lock(db, server_id)
        if row is None:
            return []
        if generation is not None:
            allocations.check_generation(row, generation)
        found = rows.of_allocation(db, row.id)
        if generation is not None:
            # What an earlier attempt has bound is in the guest.
            found = [each for each in found if each.generation == generation]
        made = {each.id: links.arq_ids(db, [each.id]) for each in found}
        if arq_ids is not None:
            wanted = set(arq_ids)
            of_it = {
                binding_id: ids
                for binding_id, ids in made.items()
                if not wanted.isdisjoint(ids)
            }
            if not of_it:
                if any(made.values()):
                    raise exception.OtherAttempt(server_id=server_id)
                # Perhaps another attempt was begun, and has bound nothing
                # yet.
                return []
            made = of_it
        # Whatever of the attempt is still on its way comes too late.
        row.generation += 1
        row.fault = None
        return [arq_id for ids in made.values() for arq_id in ids]


def _is_kept(binding: tables.DeviceBinding, wanted: Wanted) -> bool:
    """Tell whether a binding stays while a server is brought to a node.

    What a server has that is moved, and what it has not given back since it
    was moved before; not what an earlier attempt has bound in vain.
    """
    return bool(
        wanted.migration_id
        and binding.state != model.BindingState.INACTIVE
        and binding.generation != wanted.generation
    )


def _begun(
    db: orm.Session,
    bindings: collections.abc.Iterable[tables.DeviceBinding],
    held: allocations.ContextRows,
    targets: collections.abc.Mapping[str, links.Target],
    wanted: Wanted,
) -> list[dict[str, str]]:
    """Return the ARQs that the same call has made before; none if it has not.

    Nor if they are not all there, or one has failed.
    """
    made = [
        each
        for each in bindings
        if (each.generation, each.node, each.migration_id)
        == (wanted.generation, wanted.node, wanted.migration_id)
    ]
    if not made:
        return []
    uuids = {row.id: data.uuid for row, data in held}
    devices = [
        (context_id, device)
        for context_id, device in links.of_binding(db, made[-1].id)
        # Without what is attached meanwhile.
        if context_id in uuids
    ]
    asked = model.accelerator_count(
        group
        for _row, data in held
        for group in model.picked(data.groups, targets[data.uuid].pick)
    )
    if len(devices) != asked or not all(
        targets[uuids[context_id]].has(device)
        for context_id, device in devices
    ):
        return []
    return [{'uuid': device.arq_id} for _id, device in devices]

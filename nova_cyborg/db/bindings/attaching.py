# SPDX-License-Identifier: Apache-2.0

"""Attaching: a server that exists gets a device context.

It is reserved, and bound beside what the server has: its ARQs join the active
binding, at whatever generation that is.
"""

import collections.abc
import dataclasses

from cyborg import context as cyborg_context
from sqlalchemy import orm

from nova_cyborg import exception, model
from nova_cyborg.db import allocations, arqs, contexts, session, tables
from nova_cyborg.db.bindings import (
    attempts,
    links,
    making,
    rows,
    transitions,
)
from nova_cyborg.db.inventory import hosts
from nova_cyborg.db.limits import limits as limits_lib


@dataclasses.dataclass(frozen=True)
class Begun:
    """What a server is getting.

    :ivar allocation: all that it holds then.
    :ivar context: the device context.
    :ivar resumed: whether another call had begun to attach it.
    """

    allocation: model.Allocation
    context: model.DeviceContext
    resumed: bool


@session.retry
def begin(
    context: cyborg_context.RequestContext,
    call: transitions.Call,
    project_id: str,
    tag: str | None,
    check: allocations.Check,
    limits: limits_lib.Limits,
) -> Begun:
    """Begin to attach a device context to a server; safe to repeat.

    :param call: the call that attaches it.
    :param project_id: the server's project, which owns the device context.
    :param tag: the tag that it is to have; None for the one that it has.
    :param check: raises if the server may not have its device contexts.
    :param limits: what the project may have.
    :returns: what the server holds.
    :raises DeviceContextNotFound: if it is not in the project.
    :raises DeviceContextInUse: if another server holds it.
    :raises DeviceContextAttached: if this server has it.
    :raises DeviceContextDetaching: if this server is losing it.
    :raises ServerMoving: if the server has devices on two hosts.
    :raises TagInUse: if another device context of the server has its tag.
    :raises TooManyGroups: if the server would hold too many.
    :raises LimitReached: if the project would have too much.
    """
    if tag is not None:
        session.check_storable(context, tables.DeviceContext, {'tag': tag})
    with session.writing(context) as db:
        limits.lock(db)
        allocation, bindings = _lock(db, call, project_id)
        is_new = allocations.hold(db, allocation, [call.context_id])
        row = transitions.find(db, allocation, call.context_id)
        if row is None:
            raise exception.DeviceContextNotFound(id=call.context_id)
        locked = transitions.Locked(allocation, bindings, row)
        _check(locked, call, is_new)
        if row.transition is None:
            # A cyborg-api of an earlier release may have left one.
            row.tag_before = None
        transitions.begin(db, row, transitions.ATTACHING, call)
        if tag is not None and tag != row.tag:
            if row.tag_before is None:
                row.tag_before = row.tag or ''
            row.tag = tag
        db.flush()
        held = contexts.of_allocation(db, allocation.id)
        found = [data for _row, data in held]
        contexts.check_tags(found)
        if len(found) > model.MAX_CONTEXTS:
            raise exception.TooManyGroups(
                count=len(found), limit=model.MAX_CONTEXTS
            )
        check(found)
        (made,) = [each for each in found if each.uuid == call.context_id]
        if is_new:
            limits.check_held(db, [made])
        return Begun(allocations.as_data(allocation, held), made, not is_new)


@session.retry
def prepare(
    context: cyborg_context.RequestContext,
    call: transitions.Call,
    node: str,
    providers: collections.abc.Mapping[str, str],
    check: allocations.Check,
) -> attempts.Binding:
    """Make the ARQs of a device context that is attached; safe to repeat.

    With their slots, if there is one for each, and nothing is to be done with
    the devices: then they are bound.

    :param call: the call that attaches it.
    :param node: the node that the server is on.
    :param providers: UUID of the resource provider by the group's name in the
        request to Placement; see :func:`model.requester_id`.
    :param check: raises if the device context may not be bound.
    :returns: what is bound, or to be bound.
    :raises OtherAttempt: if another call or attempt has taken over.
    :raises ServerMoving: if what the server uses is on another node.
    :raises StillBound: if there are ARQs, ``arq_ids``, of an earlier binding
        that failed or was for other devices.
    :raises ProviderMissing: if a group has no provider.
    :raises DeviceTainted: if a device was tainted after it was chosen.
    """
    with session.writing(context) as db:
        hosts.lock(db, node)
        locked = transitions.lock_own(db, call)
        if locked.row.transition != transitions.ATTACHING:
            raise exception.OtherAttempt(server_id=call.server_id)
        active = rows.active(locked.bindings)
        if locked.moves or (active and active.node != node):
            raise exception.ServerMoving(server_id=call.server_id)
        data = transitions.data_of(db, locked)
        mine = [(locked.row, data)]
        targets = making.targets(mine, node, providers)
        binding = attempts.Binding(
            locked.allocation.generation,
            locked.allocation.project_id,
            node,
            [],
            call=call,
        )
        if data.devices:
            made = _begun(data, targets[data.uuid])
            return dataclasses.replace(binding, arqs=made, begun=True)
        check(making.chosen(mine, targets))
        taken = making.take_slots(context, db, node, mine, targets)
        if active is None:
            active = rows.make(
                db, locked.allocation, node, None, is_active=True
            )
        made = making.make(db, active, mine, targets, taken)
        return dataclasses.replace(binding, arqs=made, bound=taken is not None)


@session.retry
def failed(
    context: cyborg_context.RequestContext,
    call: transitions.Call,
    binding: attempts.Binding,
    reason: str,
) -> bool:
    """Record that a binding failed, unless another call has taken over.

    :param call: the call that attaches the device context.
    :param binding: the binding that failed.
    :param reason: why, for the project to read.
    :returns: whether it was recorded.
    """
    with session.writing(context) as db:
        try:
            locked = transitions.lock_own(db, call)
        except exception.OtherAttempt:
            return False
        locked.row.fault = reason
        arqs.fail_pending(db, [arq['uuid'] for arq in binding.arqs], reason)
        return True


@session.retry
def end(
    context: cyborg_context.RequestContext,
    server_id: str,
    context_id: str,
    caller: str | None,
    fault: str | None,
) -> None:
    """Say that a server has a device context now; safe to repeat.

    :param server_id: UUID of the server.
    :param context_id: UUID of the device context.
    :param caller: UUID of the call that attaches or detaches it; None for
        whichever detaches it.
    :param fault: why it could not be detached, if it is so. One of which
        nothing is bound is on its way still: the server does not have it.
    :raises OtherAttempt: if another call or attempt has taken over.
    """
    call = transitions.Call(server_id, context_id, caller or '')
    with session.writing(context) as db:
        if caller:
            locked = transitions.lock_own(db, call)
        else:
            found = transitions.lock(db, call)
            if found is None or (
                found.row.transition == transitions.ATTACHING
            ):
                raise exception.OtherAttempt(server_id=server_id)
            locked = found
        row = locked.row
        if row.transition == transitions.DETACHING and not links.have_arqs(
            db, [row.id]
        ):
            # It was not bound yet, or is not any more.
            transitions.keep(db, row, server_id, fault)
        else:
            transitions.end(db, row, server_id, fault)


def _lock(
    db: orm.Session, call: transitions.Call, project_id: str
) -> tuple[tables.DeviceAllocation, list[tables.DeviceBinding]]:
    """Lock the allocation of a server; make it if there is none."""
    try:
        return allocations.lock_with_bindings(db, call.server_id)
    except exception.AllocationNotFound:
        row = tables.DeviceAllocation(
            server_id=call.server_id,
            project_id=project_id,
            caller=call.caller,
        )
        db.add(row)
        db.flush()
        return row, []


def _check(
    locked: transitions.Locked, call: transitions.Call, is_new: bool
) -> None:
    """Check that a device context which a server holds can be attached."""
    named = {'id': call.context_id, 'server_id': call.server_id}
    if locked.row.transition == transitions.DETACHING:
        raise exception.DeviceContextDetaching(**named)
    if not is_new and locked.row.transition is None:
        raise exception.DeviceContextAttached(**named)
    if locked.moves:
        raise exception.ServerMoving(server_id=call.server_id)


def _begun(
    data: model.DeviceContext, target: links.Target
) -> list[dict[str, str]]:
    """Return the ARQs that the same call has made before.

    :raises StillBound: if they are not all there, one has failed, or they are
        of other devices.
    """
    asked = model.accelerator_count(model.picked(data.groups, target.pick))
    if len(data.devices) != asked or not all(
        target.has(device) for device in data.devices
    ):
        raise exception.StillBound(
            server_id=str(data.server_id),
            arq_ids=[device.arq_id for device in data.devices],
        )
    return [
        {
            'uuid': device.arq_id,
            'device_rp_uuid': str(device.resource_provider_id),
        }
        for device in data.devices
    ]

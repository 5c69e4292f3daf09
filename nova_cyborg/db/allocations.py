# Licensed under the Apache License, Version 2.0 (the "License"); you may
# not use this file except in compliance with the License. You may obtain
# a copy of the License at
#
#      http://www.apache.org/licenses/LICENSE-2.0
#
# Unless required by applicable law or agreed to in writing, software
# distributed under the License is distributed on an "AS IS" BASIS, WITHOUT
# WARRANTIES OR CONDITIONS OF ANY KIND, either express or implied. See the
# License for the specific language governing permissions and limitations
# under the License.

"""Allocations: which server holds which device contexts, and their binding.

Each change begins by locking the allocation's row with a write, which works
alike on all databases: what happens to one server happens in order.
"""

import collections.abc
import dataclasses
import typing as ty

import sqlalchemy as sa
from cyborg import context as cyborg_context
from oslo_utils import timeutils
from sqlalchemy import orm

from nova_cyborg import exception, model
from nova_cyborg.db import contexts, devices, session, tables

_Held = list[tuple[tables.DeviceContext, model.DeviceContext]]


@dataclasses.dataclass(frozen=True)
class Binding:
    """ARQs to be bound.

    :ivar hostname: the node.
    :ivar arqs: ``uuid`` and ``device_rp_uuid`` of each.
    :ivar begun: whether an earlier call has begun binding them already.
    """

    generation: int
    hostname: str
    arqs: list[dict[str, str]]
    begun: bool = False


def get(
    context: cyborg_context.RequestContext, server_id: str
) -> model.Allocation:
    """Read a server's allocation.

    :param context: the request's context.
    :param server_id: UUID of the server.
    :returns: the allocation.
    :raises AllocationNotFound: if the server holds no device contexts.
    """
    with session.reading(context) as db:
        row = db.scalar(
            sa.select(tables.DeviceAllocation).where(
                tables.DeviceAllocation.server_id == server_id
            )
        )
        if row is None:
            raise exception.AllocationNotFound(server_id=server_id)
        return _allocation(row, contexts.of_allocation(db, row.id))


@session.retry
def reserve(
    context: cyborg_context.RequestContext,
    server_id: str,
    context_ids: collections.abc.Sequence[str],
) -> model.Allocation:
    """Give device contexts to a server, all or none; safe to repeat.

    :param context: the request's context; the device contexts must belong
        to its project.
    :param server_id: UUID of the server.
    :param context_ids: UUIDs of the device contexts, each once.
    :returns: the allocation.
    :raises DeviceContextNotFound: if one is not in the project.
    :raises DeviceContextInUse: if another server holds one.
    :raises AllocationMismatch: if the server holds other ones.
    """
    with session.writing(context) as db:
        row = _lock(db, server_id)
        if row is None:
            row = tables.DeviceAllocation(
                server_id=server_id, project_id=context.project_id
            )
            db.add(row)
            db.flush()
            _take(db, row, context_ids)
        held = contexts.of_allocation(db, row.id)
        if {data.uuid for _row, data in held} != set(context_ids):
            raise exception.AllocationMismatch(server_id=server_id)
        return _allocation(row, held)


@session.retry
def prepare_binding(
    context: cyborg_context.RequestContext,
    server_id: str,
    hostname: str,
    providers: collections.abc.Mapping[str, str],
    generation: int | None,
) -> Binding:
    """Make the ARQs of a server's device contexts; safe to repeat.

    :param context: the request's context.
    :param server_id: UUID of the server.
    :param hostname: the node the server is to run on.
    :param providers: UUID of the resource provider by the group's name in
        the request to Placement; see :func:`model.requester_id`.
    :param generation: the allocation's generation the caller knows; None if
        it knows none.
    :returns: what is to be bound.
    :raises AllocationNotFound: if the server holds no device contexts.
    :raises StaleGeneration: if another binding came in between.
    :raises StillBound: if there are ARQs of an earlier binding that failed
        or was for another node.
    :raises ProviderMissing: if a group has no provider.
    """
    with session.writing(context) as db:
        row, held = _locked(db, server_id)
        targets = {
            data.uuid: _target(data, hostname, providers) for _, data in held
        }
        begun = [device for _, data in held for device in data.devices]
        if begun and _is_begun(held, targets):
            arqs = [{'uuid': device.arq_id} for device in begun]
            return Binding(row.generation, hostname, arqs, begun=True)
        if generation is not None and generation != row.generation:
            raise exception.StaleGeneration(
                server_id=server_id, current=row.generation, given=generation
            )
        if begun:
            raise exception.StillBound(server_id=server_id)
        row.generation += 1
        row.fault = None
        arqs = [
            arq
            for context_row, data in held
            for arq in devices.add(
                db,
                context_row.id,
                data,
                row.generation,
                targets[data.uuid],
            )
        ]
        return Binding(row.generation, hostname, arqs)


@session.retry
def binding_failed(
    context: cyborg_context.RequestContext,
    server_id: str,
    binding: Binding,
    reason: str,
) -> bool:
    """Record that a binding failed, unless a later one has begun.

    :param context: the request's context.
    :param server_id: UUID of the server.
    :param binding: the binding that failed.
    :param reason: why, for the project to read.
    :returns: whether it was recorded.
    """
    with session.writing(context) as db:
        row = _lock(db, server_id)
        if row is None or row.generation != binding.generation:
            return False
        row.fault = reason
        devices.fail_pending(db, [arq['uuid'] for arq in binding.arqs])
        return True


@session.retry
def unbound(context: cyborg_context.RequestContext, server_id: str) -> None:
    """Record that a server's ARQs are gone; it keeps its device contexts.

    :param context: the request's context.
    :param server_id: UUID of the server.
    """
    with session.writing(context) as db:
        row = _lock(db, server_id)
        if row is None:
            return
        held = contexts.of_allocation(db, row.id)
        row.fault = None
        _clean(db, held)


@session.retry
def release(
    context: cyborg_context.RequestContext, server_id: str, terminated: bool
) -> None:
    """Take a server's device contexts back; safe to repeat.

    :param context: the request's context.
    :param server_id: UUID of the server.
    :param terminated: whether the server is gone: then the device contexts
        that live as long as their server are deleted. The others, and all
        of them if the server is not gone, are available again.
    """
    with session.writing(context) as db:
        row = _lock(db, server_id)
        if row is None:
            return
        held = contexts.of_allocation(db, row.id)
        _clean(db, held)
        for context_row, data in held:
            context_row.allocation_id = None
            if terminated and data.delete_on_termination:
                db.delete(context_row)
        db.flush()
        db.delete(row)


def _lock(db: orm.Session, server_id: str) -> tables.DeviceAllocation | None:
    allocation = tables.DeviceAllocation
    db.execute(
        sa.update(allocation)
        .where(allocation.server_id == server_id)
        .values(updated_at=timeutils.utcnow())
    )
    return db.scalar(
        sa.select(allocation).where(allocation.server_id == server_id)
    )


def _locked(
    db: orm.Session, server_id: str
) -> tuple[tables.DeviceAllocation, _Held]:
    row = _lock(db, server_id)
    if row is None:
        raise exception.AllocationNotFound(server_id=server_id)
    return row, contexts.of_allocation(db, row.id)


def _allocation(row: tables.DeviceAllocation, held: _Held) -> model.Allocation:
    return model.Allocation(
        server_id=row.server_id,
        project_id=row.project_id,
        generation=row.generation,
        fault=row.fault,
        device_contexts=tuple(data for _row, data in held),
    )


def _take(
    db: orm.Session,
    row: tables.DeviceAllocation,
    context_ids: collections.abc.Sequence[str],
) -> None:
    table = tables.DeviceContext
    mine = (
        table.uuid.in_(context_ids),
        table.project_id == row.project_id,
    )
    # The condition is in the UPDATE: of two servers that reach for one
    # context at the same time, one changes the row and one does not.
    taken: ty.Any = db.execute(
        sa.update(table)
        .where(table.allocation_id.is_(None), *mine)
        .values(allocation_id=row.id)
    )
    if taken.rowcount == len(context_ids):
        return
    rows = db.execute(
        sa.select(table.uuid, tables.DeviceAllocation.server_id)
        .outerjoin(
            tables.DeviceAllocation,
            tables.DeviceAllocation.id == table.allocation_id,
        )
        .where(*mine)
    ).all()
    holders = dict(row._tuple() for row in rows)
    for uuid in context_ids:
        if uuid not in holders:
            raise exception.DeviceContextNotFound(id=uuid)
    for uuid in context_ids:
        if holders[uuid] != row.server_id:
            raise exception.DeviceContextInUse(
                id=uuid, server_id=holders[uuid]
            )


def _target(
    data: model.DeviceContext,
    hostname: str,
    providers: collections.abc.Mapping[str, str],
) -> dict[str, str]:
    target = {'hostname': hostname}
    for number in range(len(data.groups)):
        provider = providers.get(model.requester_id(data.uuid, number))
        if not provider:
            raise exception.ProviderMissing(id=data.uuid, group=number)
        target[str(number)] = provider
    return target


def _is_begun(
    held: _Held,
    targets: collections.abc.Mapping[str, collections.abc.Mapping[str, str]],
) -> bool:
    return all(
        device.host == targets[data.uuid]['hostname']
        and device.resource_provider_id
        == targets[data.uuid][str(device.group)]
        and not device.failed
        for _row, data in held
        for device in data.devices
    )


def _clean(db: orm.Session, held: _Held) -> None:
    devices.forget(db, [row.id for row, _data in held])
    devices.remove_unused_profiles(db, [data for _row, data in held])

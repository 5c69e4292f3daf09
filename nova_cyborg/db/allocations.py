# SPDX-License-Identifier: Apache-2.0

"""Allocations: which server holds which device contexts.

Each change begins by locking the allocation's row with a write, which works
alike on all databases: what happens to one server happens in order.
"""

import collections.abc
import dataclasses
import typing as ty

import sqlalchemy as sa
from cyborg import context as cyborg_context
from cyborg.db.sqlalchemy import models
from sqlalchemy import orm

from nova_cyborg import exception, model
from nova_cyborg.db import contexts, profiles, session, tables
from nova_cyborg.db.bindings import links, rows
from nova_cyborg.db.events import actions, recording
from nova_cyborg.db.limits import limits as limits_lib

#: Device contexts that a server holds: the row of each, and what it says.
ContextRows = list[tuple[tables.DeviceContext, model.DeviceContext]]
#: Looks at the device contexts of a server; raises if it may not have them.
Check = collections.abc.Callable[
    [collections.abc.Sequence[model.DeviceContext]], None
]


_CONTEXT = tables.DeviceContext
# Whether it has a tag to be attached with, and is not attached.
_HAS_TAG_OF_ATTEMPT = sa.and_(
    _CONTEXT.transition == model.Transition.ATTACHING,
    _CONTEXT.tag_before.is_not(None),
)
#: What a device context has of its server, when no server holds it. The tag
#: comes first: MariaDB's next values are of what it has set by then.
RELEASED: dict[str, ty.Any] = {
    'tag': sa.case(
        (_HAS_TAG_OF_ATTEMPT, sa.func.nullif(_CONTEXT.tag_before, '')),
        else_=_CONTEXT.tag,
    ),
    'tag_before': None,
    'allocation_id': None,
    'transition': None,
    'transition_caller': None,
    'transition_since': None,
}


@dataclasses.dataclass(frozen=True)
class Holder:
    """A server that holds device contexts.

    :ivar server_id: its UUID.
    :ivar generation: its allocation's.
    :ivar has_arqs: whether it has accelerator requests.
    :ivar is_changing: whether one of its device contexts is being attached or
        detached.
    """

    server_id: str
    generation: int
    has_arqs: bool
    is_changing: bool


def get(
    context: cyborg_context.RequestContext, server_id: str
) -> model.Allocation:
    """Read a server's allocation.

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
        return as_data(row, contexts.of_allocation(db, row.id))


def exists(context: cyborg_context.RequestContext, server_id: str) -> bool:
    """Tell whether a server holds device contexts.

    :param server_id: UUID of the server.
    :returns: whether it does.
    """
    row = tables.DeviceAllocation
    with session.reading(context) as db:
        found = db.scalar(sa.select(row.id).where(row.server_id == server_id))
        return found is not None


def holders(context: cyborg_context.RequestContext) -> list[Holder]:
    """Find the servers that hold device contexts.

    :returns: the servers.
    """
    allocation, arq = tables.DeviceAllocation, models.ExtArq
    held = tables.DeviceContext
    arqs = sa.select(arq.id).where(arq.instance_uuid == allocation.server_id)
    changing = sa.select(held.id).where(
        held.allocation_id == allocation.id, held.transition.is_not(None)
    )
    query = sa.select(
        allocation.server_id,
        allocation.generation,
        arqs.exists(),
        changing.exists(),
    )
    return [Holder(*row) for row in session.rows(context, query)]


@session.retry
def reserve(
    context: cyborg_context.RequestContext,
    server_id: str,
    context_ids: collections.abc.Sequence[str],
    caller: str,
    check: Check,
    limits: limits_lib.Limits,
) -> model.Allocation:
    """Give device contexts to a new server, all or none; safe to repeat.

    :param context: its project owns the device contexts.
    :param server_id: UUID of the server.
    :param context_ids: UUIDs of the device contexts, each once.
    :param caller: UUID of the attempt to build the server.
    :param check: raises if the server may not have the device contexts.
    :param limits: what the project may have.
    :returns: the allocation.
    :raises AlreadyBegun: if another caller builds the server.
    :raises DeviceContextNotFound: if one is not in the project.
    :raises DeviceContextInUse: if another server holds one.
    :raises AllocationMismatch: if the server holds other ones.
    :raises TagInUse: if two of them have one tag.
    :raises LimitReached: if the project would have too much.
    """
    with session.writing(context) as db:
        limits.lock(db)
        row = lock(db, server_id)
        is_new = row is None
        if row is None:
            row = tables.DeviceAllocation(
                server_id=server_id,
                project_id=context.project_id,
                caller=caller,
            )
            db.add(row)
            db.flush()
            hold(db, row, context_ids)
        check_caller(row, caller)
        held = contexts.of_allocation(db, row.id)
        if {data.uuid for _row, data in held} != set(context_ids):
            raise exception.AllocationMismatch(server_id=server_id)
        contexts.check_tags(data for _row, data in held)
        found = [data for _row, data in held]
        check(found)
        if is_new:
            limits.check_held(db, found)
            what = recording.What(actions.Action.RESERVE, server_id=server_id)
            recording.record(db, found, what)
        return as_data(row, held)


@session.retry
def record_unbound(
    context: cyborg_context.RequestContext, server_id: str
) -> None:
    """Record that a server's ARQs are gone; it keeps its device contexts.

    If they were of its active binding, it uses the one again that it was
    leaving.

    :param server_id: UUID of the server.
    """
    with session.writing(context) as db:
        row = lock(db, server_id)
        if row is None:
            return
        row.fault = None
        _tidy(db, row)


@session.retry
def tidy(context: cyborg_context.RequestContext, server_id: str) -> None:
    """Remove what is left of ARQs of a server that are gone.

    :param server_id: UUID of the server.
    """
    with session.writing(context) as db:
        row = lock(db, server_id)
        if row is not None:
            _tidy(db, row)


def release_one(
    db: orm.Session,
    one: tuple[tables.DeviceContext, model.DeviceContext],
    fault: str | None = None,
) -> None:
    """Release a device context of a server, which has no ARQs.

    :param db: the transaction's session, in which the server's allocation is
        locked.
    :param one: the device context.
    :param fault: why it was not attached, if that has failed.
    """
    _remove_remains(db, [one])
    is_new = one[1].transition == model.Transition.ATTACHING
    what = recording.What(
        actions.Action.ATTACH if is_new else actions.Action.DETACH,
        actions.Outcome.SUCCESS if fault is None else actions.Outcome.ERROR,
        server_id=one[1].server_id,
        message=fault,
    )
    recording.record(db, [one[1]], what)
    table = tables.DeviceContext
    db.execute(
        sa.update(table)
        .where(table.id == one[0].id)
        .values(fault=fault, **RELEASED)
    )


def remove(db: orm.Session, row: tables.DeviceAllocation) -> None:
    """Remove the allocation of a server that holds no device contexts.

    :param db: the transaction's session.
    :param row: the allocation's row.
    """
    rows.remove_empty(db, row.id)
    db.delete(row)


def remove_if_empty(db: orm.Session, allocation_id: int) -> bool:
    """Remove an allocation, unless its server holds device contexts.

    :param db: the transaction's session.
    :param allocation_id: its row id.
    :returns: whether it was removed.
    """
    row, held = tables.DeviceAllocation, tables.DeviceContext
    binding = tables.DeviceBinding
    rows.remove_empty(db, allocation_id)
    contexts_left = sa.select(held.id).where(held.allocation_id == row.id)
    bindings_left = sa.select(binding.id).where(
        binding.allocation_id == row.id
    )
    removed: ty.Any = db.execute(
        sa.delete(row).where(
            row.id == allocation_id,
            ~contexts_left.exists(),
            ~bindings_left.exists(),
        ),
        execution_options={'synchronize_session': False},
    )
    return bool(removed.rowcount)


def lock(db: orm.Session, server_id: str) -> tables.DeviceAllocation | None:
    """Lock a server's allocation until the transaction ends.

    :param db: the transaction's session.
    :param server_id: UUID of the server.
    :returns: the allocation's row; None if it holds no device contexts.
    """
    allocation = tables.DeviceAllocation
    rows.lock_allocation(db, server_id)
    return db.scalar(
        sa.select(allocation).where(allocation.server_id == server_id)
    )


def lock_with_bindings(
    db: orm.Session, server_id: str
) -> tuple[tables.DeviceAllocation, list[tables.DeviceBinding]]:
    """Lock a server's allocation that there must be, and read its bindings.

    :param db: the transaction's session.
    :param server_id: UUID of the server.
    :returns: the allocation's row, and those of its bindings in order of
        their making.
    :raises AllocationNotFound: if the server holds no device contexts.
    """
    allocation, binding = tables.DeviceAllocation, tables.DeviceBinding
    rows.lock_allocation(db, server_id)
    found = db.execute(
        sa.select(allocation, binding)
        .outerjoin(binding, binding.allocation_id == allocation.id)
        .where(allocation.server_id == server_id)
        .order_by(binding.id)
    ).all()
    if not found:
        raise exception.AllocationNotFound(server_id=server_id)
    return found[0][0], [row for _allocation, row in found if row]


def check_caller(row: tables.DeviceAllocation, caller: str | None) -> None:
    """Check that nobody else has begun what is done with a server.

    :param row: the allocation's row.
    :param caller: UUID of the attempt; None for any.
    :raises AlreadyBegun: if another caller has.
    """
    if caller is not None and row.caller != caller:
        raise exception.AlreadyBegun(server_id=row.server_id)


def check_generation(row: tables.DeviceAllocation, generation: int) -> None:
    """Check that no attempt was begun since.

    :param row: the allocation's row.
    :param generation: what it was.
    :raises StaleGeneration: if another attempt was begun in between.
    """
    if generation != row.generation:
        raise exception.StaleGeneration(
            server_id=row.server_id, current=row.generation, given=generation
        )


def lock_existing(
    db: orm.Session, server_id: str
) -> tuple[tables.DeviceAllocation, ContextRows]:
    """Lock a server's allocation that there must be.

    :param db: the transaction's session.
    :param server_id: UUID of the server.
    :returns: the allocation's row, and its device contexts.
    :raises AllocationNotFound: if the server holds no device contexts.
    """
    row = lock(db, server_id)
    if row is None:
        raise exception.AllocationNotFound(server_id=server_id)
    return row, contexts.of_allocation(db, row.id)


def as_data(
    row: tables.DeviceAllocation, held: ContextRows
) -> model.Allocation:
    """Turn an allocation into data.

    :param row: the allocation's row.
    :param held: its device contexts.
    :returns: the allocation.
    """
    devices = [device for _row, data in held for device in data.devices]
    return model.Allocation(
        server_id=row.server_id,
        project_id=row.project_id,
        generation=row.generation,
        fault=row.fault or model.missing_fault(devices),
        device_contexts=tuple(data for _row, data in held),
    )


def hold(
    db: orm.Session,
    row: tables.DeviceAllocation,
    context_ids: collections.abc.Sequence[str],
) -> bool:
    """Have a server hold device contexts, all or none.

    :param db: the transaction's session.
    :param row: the row of its allocation, which is locked.
    :param context_ids: their UUIDs.
    :returns: whether it has held none of them so far; if not, it holds all.
    :raises DeviceContextNotFound: if one is not in its project.
    :raises DeviceContextInUse: if another server holds one.
    """
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
        .values(allocation_id=row.id, fault=None)
    )
    if taken.rowcount == len(context_ids):
        return True
    found = db.execute(
        sa.select(table.uuid, tables.DeviceAllocation.server_id)
        .outerjoin(
            tables.DeviceAllocation,
            tables.DeviceAllocation.id == table.allocation_id,
        )
        .where(*mine)
    ).all()
    holders = dict(each._tuple() for each in found)
    for uuid in context_ids:
        if uuid not in holders:
            raise exception.DeviceContextNotFound(id=uuid)
    for uuid in context_ids:
        if holders[uuid] != row.server_id:
            error = exception.DeviceContextInUse(
                id=uuid, server_id=holders[uuid]
            )
            if holders[uuid] is None:
                # The UPDATE has seen a holder that came just now, and which
                # the snapshot of this transaction does not show.
                raise session.Retry(error)
            raise error
    return False


def _tidy(db: orm.Session, row: tables.DeviceAllocation) -> None:
    _remove_remains(db, contexts.without_devices(db, row.id))
    rows.tidy(db, row.id)


def _remove_remains(db: orm.Session, held: ContextRows) -> None:
    links.remove_dangling(db, [row.id for row, _data in held])
    profiles.remove_unused(db, [data for _row, data in held])

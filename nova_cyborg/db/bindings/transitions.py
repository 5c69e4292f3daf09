# SPDX-License-Identifier: Apache-2.0

"""Transitions: a server gets or loses a device context while it exists.

One call does all of it, in steps; each says which call it is of. What comes
from a call that another one has followed, or that an attempt to bring the
server to a host has ended, is refused.
"""

import dataclasses
import datetime
import typing as ty

import sqlalchemy as sa
from cyborg import context as cyborg_context
from oslo_utils import timeutils
from sqlalchemy import orm

from nova_cyborg import exception, model
from nova_cyborg.db import allocations, contexts, session, tables
from nova_cyborg.db.events import actions, recording

ATTACHING = model.Transition.ATTACHING
DETACHING = model.Transition.DETACHING


@dataclasses.dataclass(frozen=True)
class Call:
    """A call that attaches or detaches a device context.

    :ivar server_id: UUID of the server.
    :ivar context_id: UUID of the device context.
    :ivar caller: the call's own UUID.
    """

    server_id: str
    context_id: str
    caller: str


@dataclasses.dataclass(frozen=True)
class Locked:
    """A server whose allocation is locked, and a device context that it has.

    :ivar allocation: the row of its allocation.
    :ivar bindings: the rows of its bindings.
    :ivar row: the row of the device context.
    """

    allocation: tables.DeviceAllocation
    bindings: list[tables.DeviceBinding]
    row: tables.DeviceContext

    @property
    def moves(self) -> bool:
        """Whether the server has bindings besides the active one."""
        return any(each.active_of is None for each in self.bindings)


@dataclasses.dataclass(frozen=True)
class Begun:
    """A transition that has not ended.

    :ivar context_id: UUID of the device context.
    :ivar server_id: UUID of the server.
    :ivar transition: one of :class:`model.Transition`.
    """

    context_id: str
    server_id: str
    transition: str


def begun_before(
    context: cyborg_context.RequestContext, age: datetime.timedelta
) -> list[Begun]:
    """Find transitions that were begun some time ago, and have not ended.

    :param age: how long ago at least.
    :returns: the transitions.
    """
    held, allocation = tables.DeviceContext, tables.DeviceAllocation
    query = (
        sa.select(held.uuid, allocation.server_id, held.transition)
        .join(allocation, allocation.id == held.allocation_id)
        .where(
            held.transition.is_not(None),
            held.transition_since < timeutils.utcnow() - age,
        )
        .order_by(held.id)
    )
    return [Begun(*row) for row in session.rows(context, query)]


def are_any(context: cyborg_context.RequestContext, server_id: str) -> bool:
    """Tell whether a server is getting or losing a device context.

    :param server_id: UUID of the server.
    :returns: whether it is, or was when that was left as it is.
    """
    held, allocation = tables.DeviceContext, tables.DeviceAllocation
    query = (
        sa.select(held.id)
        .join(allocation, allocation.id == held.allocation_id)
        .where(allocation.server_id == server_id, held.transition.is_not(None))
        .limit(1)
    )
    return bool(session.rows(context, query))


def lock(db: orm.Session, call: Call) -> Locked | None:
    """Lock the allocation of a server, if it holds a device context.

    :param db: the transaction's session.
    :param call: says which ones.
    :returns: what is locked; None if the server does not hold it.
    """
    try:
        allocation, bindings = allocations.lock_with_bindings(
            db, call.server_id
        )
    except exception.AllocationNotFound:
        return None
    row = find(db, allocation, call.context_id)
    return None if row is None else Locked(allocation, bindings, row)


def find(
    db: orm.Session, allocation: tables.DeviceAllocation, context_id: str
) -> tables.DeviceContext | None:
    """Find a device context among those that a server holds.

    :param db: the transaction's session.
    :param allocation: the row of the server's allocation.
    :param context_id: UUID of the device context.
    :returns: its row; None if the server does not hold it.
    """
    table = tables.DeviceContext
    return db.scalar(
        sa.select(table).where(
            table.uuid == context_id, table.allocation_id == allocation.id
        )
    )


def lock_own(db: orm.Session, call: Call) -> Locked:
    """Lock what a call has begun to attach or to detach.

    :param db: the transaction's session.
    :param call: the call.
    :returns: what is locked.
    :raises OtherAttempt: if another call or attempt has taken over.
    """
    locked = lock(db, call)
    if locked is None or locked.row.transition_caller != call.caller:
        raise exception.OtherAttempt(server_id=call.server_id)
    return locked


def data_of(db: orm.Session, locked: Locked) -> model.DeviceContext:
    """Read a device context, with one statement.

    :param db: the transaction's session.
    :param locked: what is locked.
    :returns: the device context.
    """
    db.flush()
    allocation = locked.allocation
    found = (locked.row, allocation.server_id, allocation.fault)
    return contexts.load(db, [found])[0]


def begin(
    db: orm.Session, row: tables.DeviceContext, transition: str, call: Call
) -> None:
    """Have a call begin to attach or to detach a device context.

    :param db: the transaction's session.
    :param row: its row.
    :param transition: one of :class:`model.Transition`.
    :param call: the call.
    """
    caller = call.caller
    if (row.transition, row.transition_caller) != (transition, caller):
        row.transition_since = timeutils.utcnow()
        _record(
            db, row, transition, call.server_id, actions.Outcome.STARTED, None
        )
    row.transition = transition
    row.transition_caller = caller
    row.fault = None


def end(
    db: orm.Session,
    row: tables.DeviceContext,
    server_id: str,
    fault: str | None,
) -> None:
    """Say that a server has a device context; by the same call as before.

    :param db: the transaction's session.
    :param row: its row.
    :param server_id: UUID of the server.
    :param fault: why it could not be detached, if it is so.
    """
    if row.transition is not None:
        _record_kept(db, row, server_id, fault)
    _end(row)
    row.fault = fault


def keep(
    db: orm.Session,
    row: tables.DeviceContext,
    server_id: str,
    fault: str | None,
) -> None:
    """Have a server go on to lose a device context, when it is told to again.

    :param db: the transaction's session.
    :param row: its row; nothing of it is bound.
    :param server_id: UUID of the server.
    :param fault: why it could not be detached.
    """
    # The call may be repeated.
    if row.fault != fault:
        _record_kept(db, row, server_id, fault)
    row.fault = fault


def end_all(db: orm.Session, held: allocations.ContextRows) -> bool:
    """End all transitions of a server, which is brought to a host.

    What is bound of what it was getting or losing stays: its guest may have
    it. The rest is released. What it was getting could not be taken from the
    host that it goes to if it has to come back: it has nothing of it there.

    :param db: the transaction's session, in which its allocation is locked.
    :param held: all that it holds.
    :returns: whether there were any.
    """
    found = [one for one in held if one[1].transition is not None]
    for row, data in found:
        if not data.bindings:
            error = exception.OtherAttempt(server_id=data.server_id)
            is_new = data.transition == ATTACHING
            allocations.release_one(
                db, (row, data), str(error) if is_new else None
            )
        else:
            error = exception.OtherAttempt(server_id=data.server_id)
            _record_kept(db, row, str(data.server_id), str(error))
            _end(row)
            # What its call still says comes too late.
            row.transition_caller = None
    db.flush()
    return bool(found)


def _end(row: tables.DeviceContext) -> None:
    """Say that a server has a device context, with the tag that it has."""
    row.transition = row.transition_since = None
    if row.tag_before is not None:
        row.tag_before = None
        # In SQL: its project may change it at this moment, too.
        ty.cast(ty.Any, row).revision = tables.DeviceContext.revision + 1


def _record_kept(
    db: orm.Session,
    row: tables.DeviceContext,
    server_id: str,
    fault: str | None,
) -> None:
    """Record that a server has what it was getting, or was losing."""
    is_new = row.transition == ATTACHING
    _record(
        db,
        row,
        str(row.transition),
        server_id,
        actions.Outcome.SUCCESS if is_new else actions.Outcome.ERROR,
        None if is_new else fault,
    )


def _record(
    db: orm.Session,
    row: tables.DeviceContext,
    transition: str,
    server_id: str,
    outcome: str,
    message: str | None,
) -> None:
    is_new = transition == ATTACHING
    what = recording.What(
        actions.Action.ATTACH if is_new else actions.Action.DETACH,
        outcome,
        server_id=server_id,
        message=message,
    )
    recording.record(db, [row], what)

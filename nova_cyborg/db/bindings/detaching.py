# SPDX-License-Identifier: Apache-2.0

"""Detaching: a server that exists loses a device context.

Its ARQs go when no guest has their devices any more. Then it is released: it
is available again, however long it was to live.
"""

import sqlalchemy as sa
from cyborg import context as cyborg_context
from sqlalchemy import orm

from nova_cyborg import exception, model
from nova_cyborg.db import allocations, session, tables
from nova_cyborg.db.bindings import links, transitions
from nova_cyborg.db.inventory import handles
from nova_cyborg.db.requests import removing


@session.retry
def begin(
    context: cyborg_context.RequestContext, call: transitions.Call
) -> model.DeviceContext:
    """Begin to detach a device context from a server; safe to repeat.

    :param call: the call that detaches it.
    :returns: the device context, which the server still holds.
    :raises DeviceContextNotAttached: if the server does not hold it.
    :raises ServerMoving: if the server has devices on two hosts.
    """
    with session.writing(context) as db:
        locked = transitions.lock(db, call)
        if locked is None:
            raise exception.DeviceContextNotAttached(
                id=call.context_id, server_id=call.server_id
            )
        if locked.moves:
            raise exception.ServerMoving(server_id=call.server_id)
        transitions.begin(db, locked.row, transitions.DETACHING, call)
        return transitions.data_of(db, locked)


@session.retry
def unplug(
    context: cyborg_context.RequestContext, call: transitions.Call
) -> list[handles.Handle]:
    """Remove the ARQs of a device context that no guest has any more.

    Safe to repeat. In one transaction: what is begun with the server in
    between would find the device context bound, and have it stay.

    :param call: the call that attaches or detaches it.
    :returns: the attach handles that they had; see
        :attr:`removing.Removed.handles`.
    :raises OtherAttempt: if another call or attempt has taken over.
    """
    with session.writing(context) as db:
        locked = transitions.lock_own(db, call)
        if locked.row.transition is None:
            raise exception.OtherAttempt(server_id=call.server_id)
        data = transitions.data_of(db, locked)
        return removing.remove_in(
            db,
            [
                device.arq_id
                for binding in data.bindings
                for device in binding.devices
            ],
        )


@session.retry
def end(
    context: cyborg_context.RequestContext,
    call: transitions.Call,
    fault: str | None,
) -> int:
    """Release a device context of a server; safe to repeat.

    :param call: the call that attaches or detaches it.
    :param fault: why it could not be attached, if it is so.
    :returns: how many device contexts the server still holds.
    :raises OtherAttempt: if another call or attempt has taken over.
    :raises StillBound: if it has ARQs, which are to be unbound before.
    """
    with session.writing(context) as db:
        locked = transitions.lock(db, call)
        if locked is None:
            return _count(db, call.server_id)
        row = locked.row
        if row.transition is None or row.transition_caller != call.caller:
            raise exception.OtherAttempt(server_id=call.server_id)
        if links.have_arqs(db, [row.id]):
            raise exception.StillBound(server_id=call.server_id)
        data = transitions.data_of(db, locked)
        allocations.release_one(db, (row, data), fault)
        left = _count(db, call.server_id)
        if not left:
            allocations.remove(db, locked.allocation)
        return left


def _count(db: orm.Session, server_id: str) -> int:
    allocation, held = tables.DeviceAllocation, tables.DeviceContext
    query = (
        sa.select(sa.func.count(held.id))
        .join(allocation, allocation.id == held.allocation_id)
        .where(allocation.server_id == server_id)
    )
    return db.scalar(query) or 0

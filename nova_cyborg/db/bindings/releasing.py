# SPDX-License-Identifier: Apache-2.0

"""Releasing: a server loses all its device contexts, or all their devices.

What it holds is read first, and Nova is asked about the server then: no
transaction waits for Nova. Another one does all the rest, if the server still
holds just that.
"""

import collections.abc
import dataclasses
import typing as ty

import sqlalchemy as sa
from cyborg import context as cyborg_context
from cyborg.db.sqlalchemy import models
from oslo_utils import timeutils
from sqlalchemy import orm

from nova_cyborg import exception, model
from nova_cyborg.db import allocations, contexts, session, tables
from nova_cyborg.db.bindings import links, rows
from nova_cyborg.db.events import actions, recording
from nova_cyborg.db.inventory import handles
from nova_cyborg.db.requests import removing


@dataclasses.dataclass(frozen=True)
class Held:
    """What a server holds.

    :ivar row_id: the row id of its allocation.
    :ivar server_id: UUID of the server.
    :ivar generation: its allocation's.
    :ivar caller: UUID of the attempt that its allocation is of.
    :ivar contexts: its device contexts, without devices, by row id.
    :ivar arq_ids: UUIDs of its ARQs, those of profiles too.
    """

    row_id: int
    server_id: str
    generation: int
    caller: str
    contexts: collections.abc.Mapping[int, model.DeviceContext]
    arq_ids: list[str]


def read(
    context: cyborg_context.RequestContext, server_id: str
) -> Held | None:
    """Read what a server holds, with one statement.

    :param server_id: UUID of the server.
    :returns: what it holds; None if it holds no device contexts.
    """
    allocation, table = tables.DeviceAllocation, tables.DeviceContext
    arq, other = models.ExtArq, orm.aliased(table)
    # The ARQs stand beside the first device context only, so that there are no
    # more rows than of both. An aggregate of MySQL's would be cut off.
    first = (
        sa.select(sa.func.min(other.id))
        .where(other.allocation_id == allocation.id)
        .correlate(allocation)
        .scalar_subquery()
    )
    query = (
        sa.select(allocation, table, arq.uuid)
        .outerjoin(table, table.allocation_id == allocation.id)
        .outerjoin(
            arq,
            (arq.instance_uuid == server_id)
            & (table.id.is_(None) | (table.id == first)),
        )
        .where(allocation.server_id == server_id)
        .order_by(table.id, arq.id)
    )
    found = session.rows(context, query)
    if not found:
        return None
    row = found[0][0]
    held = {
        each.id: contexts.as_data(each, server_id, row.fault)
        for _row, each, _arq_id in found
        if each
    }
    return Held(
        row.id,
        server_id,
        row.generation,
        row.caller,
        held,
        [arq_id for _row, _context, arq_id in found if arq_id],
    )


@session.retry
def release(
    context: cyborg_context.RequestContext, held: Held, terminated: bool
) -> list[handles.Handle]:
    """Release a server's device contexts, and remove all its ARQs.

    :param held: what it holds, as it was read.
    :param terminated: whether the server is gone: then the device contexts
        that live as long as their server are deleted. The others, and all
        of them if the server is not gone, are available again.
    :returns: see :attr:`removing.Removed.handles`.
    :raises StillBound: if something has been done with the server since it
        was read: nothing is changed then.
    """
    with session.writing(context) as db:
        if not _lock(db, held):
            raise exception.StillBound(server_id=held.server_id)
        removed = removing.of_server(db, held.server_id, held.contexts)
        links.remove(db, held.contexts)
        ends = {
            row_id
            for row_id, data in held.contexts.items()
            if terminated and data.delete_on_termination
        }
        recording.record_each(
            db, [*_unbound(held, removed), *_released(held, ends)]
        )
        kept = held.contexts.keys() - ends
        if not (
            _delete(db, held, ends)
            and _set_free(db, held, kept, terminated)
            and allocations.remove_if_empty(db, held.row_id)
        ):
            # It has got or lost one since it was read; or one is to live
            # longer, or not as long.
            raise exception.StillBound(server_id=held.server_id)
        return removed.handles


@session.retry
def unbind(
    context: cyborg_context.RequestContext, held: Held
) -> list[handles.Handle]:
    """Remove the ARQs of a server; it keeps its device contexts.

    If it was leaving a node, it uses again what it has there.

    :param held: what it holds, as it was read; ARQs that were made since
        stay.
    :returns: see :attr:`removing.Removed.handles`.
    """
    with session.writing(context) as db:
        rows.lock_allocation(db, held.server_id, fault=None)
        removed = removing.of_ids(db, held.arq_ids)
        recording.record_each(db, [*_unbound(held, removed)])
        links.remove_dangling(db, held.contexts)
        rows.tidy(db, held.row_id)
        return removed.handles


def _lock(db: orm.Session, held: Held) -> bool:
    """Lock an allocation, if no attempt was begun since it was read."""
    row = tables.DeviceAllocation
    locked: ty.Any = db.execute(
        sa.update(row)
        .where(
            row.id == held.row_id,
            row.server_id == held.server_id,
            row.generation == held.generation,
            row.caller == held.caller,
        )
        .values(updated_at=timeutils.utcnow()),
        execution_options={'synchronize_session': False},
    )
    return bool(locked.rowcount)


_Events = collections.abc.Iterator[tuple[recording.Context, recording.What]]


def _unbound(held: Held, removed: removing.Removed) -> _Events:
    for place in removed.places:
        what = recording.What(
            actions.Action.UNBIND, server_id=held.server_id, host=place.node
        )
        if place.context_row_id in held.contexts:
            yield held.contexts[place.context_row_id], what


def _released(held: Held, ends: collections.abc.Collection[int]) -> _Events:
    for row_id, data in held.contexts.items():
        action = (
            actions.Action.DELETE if row_id in ends else actions.Action.RELEASE
        )
        yield data, recording.What(action, server_id=held.server_id)


def _delete(
    db: orm.Session, held: Held, row_ids: collections.abc.Collection[int]
) -> bool:
    """Delete device contexts of a server; tell whether all of them were."""
    if not row_ids:
        return True
    deleted: ty.Any = db.execute(
        sa.delete(tables.DeviceContext).where(
            *_is_of(held, row_ids),
            tables.DeviceContext.delete_on_termination.is_(True),
        ),
        execution_options={'synchronize_session': False},
    )
    return bool(deleted.rowcount == len(row_ids))


def _set_free(
    db: orm.Session,
    held: Held,
    row_ids: collections.abc.Collection[int],
    terminated: bool,
) -> bool:
    """Have a server not hold device contexts; tell whether it held them."""
    if not row_ids:
        return True
    query = sa.update(tables.DeviceContext).where(*_is_of(held, row_ids))
    if terminated:
        query = query.where(
            tables.DeviceContext.delete_on_termination.is_(False)
        )
    freed: ty.Any = db.execute(
        query.values(**allocations.RELEASED),
        execution_options={'synchronize_session': False},
    )
    return bool(freed.rowcount == len(row_ids))


def _is_of(
    held: Held, row_ids: collections.abc.Collection[int]
) -> collections.abc.Iterator[sa.ColumnElement[bool]]:
    yield tables.DeviceContext.id.in_(row_ids)
    yield tables.DeviceContext.allocation_id == held.row_id

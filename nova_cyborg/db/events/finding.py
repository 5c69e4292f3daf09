# SPDX-License-Identifier: Apache-2.0

"""Events of device contexts that are found by what is bound to them."""

import collections.abc
import dataclasses

import sqlalchemy as sa
from cyborg import context as cyborg_context
from cyborg.common import constants
from cyborg.db.sqlalchemy import models
from sqlalchemy import orm

from nova_cyborg.db import session, tables
from nova_cyborg.db.events import actions, recording


def record_of_handles(
    db: orm.Session,
    handle_ids: collections.abc.Collection[str],
    what: recording.What,
) -> None:
    """Record what happens to device contexts, by what they are bound to.

    With one statement if nothing is bound to that, else with two.

    :param db: the transaction's session.
    :param handle_ids: UUIDs of attach handles.
    :param what: what happens; the server and the node are found.
    """
    arq, handle = models.ExtArq, models.AttachHandle
    bound = (
        sa.select(arq.uuid)
        .join(handle, handle.id == arq.attach_handle_id)
        .where(handle.uuid.in_(handle_ids))
    )
    _record(db, bound, what)


def record_of_arqs(
    db: orm.Session,
    arq_ids: collections.abc.Collection[str],
    what: recording.What,
) -> None:
    """Record what happens to device contexts, by their ARQs.

    With one statement if these are of none, else with two.

    :param db: the transaction's session.
    :param arq_ids: UUIDs of ARQs.
    :param what: what happens; the server and the node are found.
    """
    _record(db, arq_ids, what)


@session.retry
def record_bound(
    context: cyborg_context.RequestContext,
    arq_ids: collections.abc.Collection[str],
    seconds: float,
) -> None:
    """Record that ARQs were bound, of device contexts of which all were.

    In a transaction of its own: it is Cyborg that binds them, each in one.

    :param arq_ids: UUIDs of ARQs.
    :param seconds: how long that took.
    """
    arq, link = models.ExtArq, tables.DeviceContextArq
    # As text, for PostgreSQL.
    unbound = sa.cast(arq.state, sa.String) != constants.ARQ_BOUND
    left = (
        sa.select(link.device_context_id)
        .join(arq, arq.uuid == link.arq_uuid)
        .where(link.arq_uuid.in_(arq_ids), unbound)
    )
    what = recording.What(actions.Action.BIND, seconds=seconds)
    with session.writing(context) as db:
        _record(db, arq_ids, what, tables.DeviceContext.id.not_in(left))


def record_of_server(
    db: orm.Session, allocation_id: int, what: recording.What
) -> None:
    """Record what happens to all device contexts of a server.

    :param db: the transaction's session.
    :param allocation_id: the row id of its allocation.
    :param what: what happens; the server is found.
    """
    held, allocation = tables.DeviceContext, tables.DeviceAllocation
    found = db.execute(
        sa.select(held, allocation.server_id)
        .join(allocation, allocation.id == held.allocation_id)
        .where(allocation.id == allocation_id)
        .order_by(held.id)
        .options(orm.defer(held.groups))
    )
    recording.record_each(
        db,
        [
            (row, dataclasses.replace(what, server_id=server_id))
            for row, server_id in found
        ],
    )


def _record(
    db: orm.Session,
    arq_ids: collections.abc.Collection[str] | sa.Select[tuple[str]],
    what: recording.What,
    *conditions: sa.ColumnElement[bool],
) -> None:
    held, allocation = tables.DeviceContext, tables.DeviceAllocation
    link, binding = tables.DeviceContextArq, tables.DeviceBinding
    of_them = (
        sa.select(link.device_context_id, link.binding_id)
        .where(link.arq_uuid.in_(arq_ids))
        .distinct()
        .subquery()
    )
    found = db.execute(
        sa.select(held, allocation.server_id, binding.node)
        .join(of_them, of_them.c.device_context_id == held.id)
        .join(binding, binding.id == of_them.c.binding_id)
        .join(allocation, allocation.id == binding.allocation_id)
        .where(*conditions)
        .order_by(held.id, binding.id)
        .options(orm.defer(held.groups))
    )
    recording.record_each(
        db,
        [
            (row, dataclasses.replace(what, server_id=server_id, host=node))
            for row, server_id, node in found
        ],
    )

# SPDX-License-Identifier: Apache-2.0

"""Servers that hold device contexts: which ones Nova is to be asked about.

One is *settled* once Nova has said that it is at rest, and all is as it
should be. From each change on it is not; see
:func:`nova_cyborg.db.bindings.rows.lock_allocation`.
"""

import collections.abc
import dataclasses
import datetime

import sqlalchemy as sa
from cyborg import context as cyborg_context
from cyborg.common import constants
from cyborg.db.sqlalchemy import models
from oslo_utils import timeutils

from nova_cyborg.db import expressions, session, tables
from nova_cyborg.db.bindings import rows

# UUIDs of one statement: databases bound its parameters.
_PORTION = 500
# Of the fields of a holder, those that are no conditions: databases give
# these as numbers.
_FACTS = 5


@dataclasses.dataclass(frozen=True)
class Holder:
    """A server that holds device contexts.

    Two that are equal are one that has not changed in between.

    :ivar row_id: the row id of its allocation.
    :ivar server_id: its UUID.
    :ivar generation: its allocation's.
    :ivar changed_at: when something of it was changed.
    :ivar node: the node that it has devices on, and uses them; None if there
        is none.
    :ivar is_moving: whether it has bindings besides that one.
    :ivar has_arqs: whether it has accelerator requests, those of profiles
        too.
    :ivar is_bound: whether these are bound.
    :ivar is_changing: whether one of its device contexts is being attached or
        detached.
    """

    row_id: int
    server_id: str
    generation: int
    changed_at: datetime.datetime
    node: str | None
    is_moving: bool
    has_arqs: bool
    is_bound: bool
    is_changing: bool


def unsettled(context: cyborg_context.RequestContext) -> list[Holder]:
    """Find the holders that Nova is to be asked about.

    :returns: the holders, those that came first at the front.
    """
    allocation = tables.DeviceAllocation
    return _find(context, allocation.settled_at.is_(None))


def settled(
    context: cyborg_context.RequestContext, after: int, limit: int
) -> list[Holder]:
    """Find some holders that are settled, in turn.

    :param after: the row id of the last one of those before; 0 for none.
    :param limit: how many at most.
    :returns: the holders.
    """
    allocation = tables.DeviceAllocation
    return _find(
        context,
        allocation.settled_at.is_not(None) & (allocation.id > after),
        limit,
    )


def overdue(
    context: cyborg_context.RequestContext,
    seconds: int,
    after: int,
    limit: int,
) -> list[Holder]:
    """Find holders that are not settled, and were not changed for long.

    :param seconds: for how long.
    :param after: the row id of the last one of those before; 0 for none.
    :param limit: how many at most.
    :returns: the holders.
    """
    allocation = tables.DeviceAllocation
    before = timeutils.utcnow() - datetime.timedelta(seconds=seconds)
    return _find(
        context,
        allocation.settled_at.is_(None)
        & (_changed_at() < before)
        & (allocation.id > after),
        limit,
    )


@session.retry
def settle(context: cyborg_context.RequestContext, holder: Holder) -> None:
    """Say that a holder is as Nova says, unless it has changed meanwhile.

    :param holder: the holder, as it was when Nova was asked.
    """
    allocation = tables.DeviceAllocation
    with session.writing(context) as db:
        db.execute(
            sa.update(allocation)
            .where(
                allocation.id == holder.row_id,
                allocation.generation == holder.generation,
                _changed_at() == holder.changed_at,
            )
            .values(
                settled_at=timeutils.utcnow(),
                # As it was, and not as of this change.
                updated_at=allocation.updated_at,
            ),
            execution_options={'synchronize_session': False},
        )


@session.retry
def unsettle(
    context: cyborg_context.RequestContext,
    server_ids: collections.abc.Iterable[str],
) -> None:
    """Have Nova asked about servers, of which it has said that they changed.

    :param server_ids: UUIDs of servers; those that hold nothing do not
        matter.
    """
    allocation = tables.DeviceAllocation
    wanted = sorted(set(server_ids))
    for start in range(0, len(wanted), _PORTION):
        with session.writing(context) as db:
            db.execute(
                sa.update(allocation)
                .where(
                    allocation.server_id.in_(wanted[start : start + _PORTION]),
                    allocation.settled_at.is_not(None),
                )
                .values(settled_at=None, updated_at=allocation.updated_at),
                execution_options={'synchronize_session': False},
            )


def _changed_at() -> sa.ColumnElement[datetime.datetime]:
    allocation = tables.DeviceAllocation
    return sa.func.coalesce(allocation.updated_at, allocation.created_at)


def _find(
    context: cyborg_context.RequestContext,
    condition: sa.ColumnElement[bool],
    limit: int | None = None,
) -> list[Holder]:
    """Find holders, with one statement."""
    allocation, binding = tables.DeviceAllocation, tables.DeviceBinding
    held, arq = tables.DeviceContext, models.ExtArq
    arqs = sa.select(arq.id).where(
        arq.instance_uuid == expressions.as_in_cyborg(allocation.server_id)
    )
    unused = sa.select(binding.id).where(
        binding.allocation_id == allocation.id, ~rows.IS_ACTIVE
    )
    changing = sa.select(held.id).where(
        held.allocation_id == allocation.id, held.transition.is_not(None)
    )
    active = sa.select(binding.node).where(binding.active_of == allocation.id)
    query = (
        sa.select(
            allocation.id,
            allocation.server_id,
            allocation.generation,
            _changed_at(),
            active.scalar_subquery(),
            unused.exists(),
            arqs.exists(),
            ~arqs.where(arq.state != constants.ARQ_BOUND).exists(),
            changing.exists(),
        )
        .where(condition)
        .order_by(allocation.id)
        .limit(limit)
    )
    return [
        Holder(*row[:_FACTS], *map(bool, row[_FACTS:]))
        for row in session.rows(context, query)
    ]

# SPDX-License-Identifier: Apache-2.0

"""Bindings: on which node a server has devices, and which of them it uses.

As a port of Neutron's, a server has several while it moves, and at most one is
active. All that changes them locks the server's allocation first.
"""

from __future__ import annotations

import collections.abc

import sqlalchemy as sa
from oslo_utils import timeutils
from sqlalchemy import orm

from nova_cyborg import model
from nova_cyborg.db import tables
from nova_cyborg.db.events import actions, finding, recording

#: Whether a binding is the one that its server uses, as a condition for its
#: row.
IS_ACTIVE = tables.DeviceBinding.active_of.is_not(None)

_State = model.BindingState
_Rows = list[tables.DeviceBinding]


def lock_allocation(db: orm.Session, server_id: str, **values: object) -> None:
    """Lock a server's allocation, if there is one, by a write.

    What is locked is changed: whether it is as Nova says is looked at again.

    :param db: the transaction's session.
    :param server_id: UUID of the server.
    :param values: columns that are changed besides.
    """
    allocation = tables.DeviceAllocation
    db.execute(
        sa.update(allocation)
        .where(allocation.server_id == server_id)
        .values(updated_at=timeutils.utcnow(), settled_at=None, **values)
    )


def of_allocation(db: orm.Session, allocation_id: int) -> _Rows:
    """Read the bindings of a server.

    :param db: the transaction's session.
    :param allocation_id: the row id of its allocation.
    :returns: the rows, in order of their making.
    """
    row = tables.DeviceBinding
    return list(
        db.scalars(
            sa.select(row)
            .where(row.allocation_id == allocation_id)
            .order_by(row.id)
        )
    )


def active(
    bindings: collections.abc.Iterable[tables.DeviceBinding],
) -> tables.DeviceBinding | None:
    """Return the active one of a server's bindings, if there is one."""
    return next((each for each in bindings if each.active_of), None)


def of_migration(
    bindings: collections.abc.Iterable[tables.DeviceBinding],
    migration_id: str,
    node: str | None = None,
) -> tables.DeviceBinding | None:
    """Return that of a server's bindings which a migration has made.

    :param bindings: all that the server has.
    :param migration_id: UUID of the migration.
    :param node: the node that it is on; None for the one that was tried last.
    :returns: the row; None if there is none.
    """
    found = [
        each
        for each in bindings
        if each.migration_id == migration_id and node in (None, each.node)
    ]
    return found[-1] if found else None


def make(
    db: orm.Session,
    allocation: tables.DeviceAllocation,
    node: str,
    migration_id: str | None,
    is_active: bool,
) -> tables.DeviceBinding:
    """Make a binding without devices, for the attempt that was begun.

    :param db: the transaction's session.
    :param allocation: the server's.
    :param node: the node.
    :param migration_id: UUID of Nova's migration; None if there is none.
    :param is_active: whether it is the active one: then there is no other.
    :returns: its row.
    """
    row = tables.DeviceBinding(
        allocation_id=allocation.id,
        node=node,
        generation=allocation.generation,
        migration_id=migration_id,
        state=_State.ACTIVE if is_active else _State.INACTIVE,
        active_of=allocation.id if is_active else None,
    )
    db.add(row)
    db.flush()
    return row


def activate(
    db: orm.Session,
    bindings: collections.abc.Iterable[tables.DeviceBinding],
    chosen: tables.DeviceBinding,
) -> None:
    """Have a server use one of its bindings, and leave the one it used.

    :param db: the transaction's session.
    :param bindings: all that the server has.
    :param chosen: one of them.
    """
    before = active(bindings)
    if before is chosen:
        return
    if before is not None:
        before.state, before.active_of = _State.LEAVING, None
        # First: no two are active, not for a moment.
        db.flush()
    chosen.state, chosen.active_of = _State.ACTIVE, chosen.allocation_id
    db.flush()
    what = recording.What(actions.Action.MOVE, host=chosen.node)
    finding.record_of_server(db, chosen.allocation_id, what)


def tidy(db: orm.Session, allocation_id: int) -> None:
    """Remove the bindings of a server that have no devices any more.

    If the active one is among them, the server uses the one again that it was
    leaving.

    :param db: the transaction's session.
    :param allocation_id: the row id of its allocation.
    """
    remove_empty(db, allocation_id)
    left = of_allocation(db, allocation_id)
    leaving = [each for each in left if each.state == _State.LEAVING]
    if leaving and active(left) is None:
        activate(db, left, leaving[-1])


def remove_empty(db: orm.Session, allocation_id: int) -> None:
    """Remove the bindings of a server that have no devices any more.

    :param db: the transaction's session.
    :param allocation_id: the row id of its allocation.
    """
    row, link = tables.DeviceBinding, tables.DeviceContextArq
    linked = sa.select(link.arq_uuid).where(link.binding_id == row.id)
    db.execute(
        sa.delete(row).where(
            row.allocation_id == allocation_id, ~linked.exists()
        ),
        execution_options={'synchronize_session': False},
    )

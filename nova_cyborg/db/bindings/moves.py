# SPDX-License-Identifier: Apache-2.0

"""Moves of servers: which of their bindings they use, and which are over.

Each is said by Nova of a migration, which may be over by then: what is not so
any more is left alone.
"""

from __future__ import annotations

import collections.abc

import sqlalchemy as sa
from cyborg import context as cyborg_context
from cyborg.db.sqlalchemy import models
from sqlalchemy import orm

from nova_cyborg import exception, model
from nova_cyborg.db import allocations, session, tables
from nova_cyborg.db.bindings import links, rows

_State = model.BindingState


@session.retry
def activate(
    context: cyborg_context.RequestContext, server_id: str, migration_id: str
) -> None:
    """Have a server use the binding of a migration; safe to repeat.

    :param server_id: UUID of the server.
    :param migration_id: UUID of the migration.
    :raises AllocationNotFound: if the server holds no device contexts.
    :raises BindingNotFound: if there is no such binding.
    :raises OtherAttempt: if the server has left it by then.
    """
    with session.writing(context) as db:
        _row, bindings = allocations.lock_with_bindings(db, server_id)
        chosen = rows.of_migration(bindings, migration_id)
        if chosen is None:
            raise exception.BindingNotFound(
                server_id=server_id, migration_id=migration_id
            )
        if chosen.state == _State.LEAVING:
            raise exception.OtherAttempt(server_id=server_id)
        rows.activate(db, bindings, chosen)


@session.retry
def unbind(
    context: cyborg_context.RequestContext,
    server_id: str,
    migration_id: str,
    node: str | None = None,
) -> list[str]:
    """Begin to unbind what a migration has bound; safe to repeat.

    Not what the server uses, if there is nothing that it could go back to.

    :param server_id: UUID of the server.
    :param migration_id: UUID of the migration.
    :param node: the node that it was bound on: Nova tries several with one
        migration. None for the one that was tried last.
    :returns: UUIDs of the ARQs that are to be unbound.
    """
    with session.writing(context) as db:
        found = _locked(db, server_id)
        if found is None:
            return []
        allocation, bindings = found
        binding = rows.of_migration(bindings, migration_id, node)
        leaves = any(each.state == _State.LEAVING for each in bindings)
        if binding is None or (binding.active_of and not leaves):
            # It was settled since: this is what the guest has.
            return []
        if binding.generation == allocation.generation:
            # What of it is still on its way comes too late.
            allocation.generation += 1
        return links.arq_ids(db, [binding.id])


@session.retry
def settle(
    context: cyborg_context.RequestContext, server_id: str, migration_id: str
) -> list[str]:
    """Begin to unbind what a server has left, once it is there to stay.

    Safe to repeat.

    :param server_id: UUID of the server.
    :param migration_id: UUID of the migration.
    :returns: UUIDs of the ARQs that are to be unbound, those of profiles too;
        none if the server does not use what the migration has bound.
    """
    with session.writing(context) as db:
        found = _locked(db, server_id)
        if found is None:
            return []
        _allocation, bindings = found
        used = rows.of_migration(bindings, migration_id)
        if used is None or used.active_of is None:
            return []
        left = [each for each in bindings if each.state == _State.LEAVING]
        nodes = {each.node for each in left} - {used.node}
        return _of_left(db, server_id, left, models.ExtArq.hostname.in_(nodes))


@session.retry
def stay(
    context: cyborg_context.RequestContext,
    server_id: str,
    node: str,
    or_nowhere: bool = False,
    generation: int | None = None,
) -> list[str]:
    """Begin to unbind what a server has on its way, once it is on a node.

    It uses what it has on that node. Safe to repeat.

    :param server_id: UUID of the server, with which nothing is being done.
    :param node: the node.
    :param or_nowhere: whether it is to have no devices at all if it has none
        on that node; nothing is changed otherwise.
    :param generation: that of its allocation; None for any.
    :returns: UUIDs of the ARQs that are to be unbound, those of profiles too.
    :raises StaleGeneration: if another attempt was begun in between.
    """
    with session.writing(context) as db:
        found = _locked(db, server_id)
        if found is None:
            return []
        allocation, bindings = found
        if generation is not None:
            allocations.check_generation(allocation, generation)
        here = [each for each in bindings if each.node == node]
        if not here and not or_nowhere:
            return []
        used = rows.active(here) or next(iter(here), None)
        if used is not None:
            rows.activate(db, bindings, used)
        left = [each for each in bindings if each is not used]
        if left:
            # An attempt that is under way after all comes too late.
            allocation.generation += 1
        # Those of profiles were perhaps bound before a binding was made.
        return _of_left(db, server_id, left, models.ExtArq.hostname != node)


def unused(
    context: cyborg_context.RequestContext, server_id: str | None = None
) -> dict[str, list[str]]:
    """Find servers that have bindings besides the active one.

    :param server_id: UUID of the only server that is looked at; None for all.
    :returns: the nodes of these bindings, by UUID of the server.
    """
    allocation, binding = tables.DeviceAllocation, tables.DeviceBinding
    query = (
        sa.select(allocation.server_id, binding.node)
        .join(binding, binding.allocation_id == allocation.id)
        .where(~rows.IS_ACTIVE)
        .order_by(binding.id)
    )
    if server_id is not None:
        query = query.where(allocation.server_id == server_id)
    found: dict[str, list[str]] = {}
    for server_id, node in session.rows(context, query):
        found.setdefault(server_id, []).append(node)
    return found


def _locked(
    db: orm.Session, server_id: str
) -> tuple[tables.DeviceAllocation, list[tables.DeviceBinding]] | None:
    try:
        return allocations.lock_with_bindings(db, server_id)
    except exception.AllocationNotFound:
        return None


def _of_left(
    db: orm.Session,
    server_id: str,
    left: collections.abc.Iterable[tables.DeviceBinding],
    of_profiles: sa.ColumnElement[bool],
) -> list[str]:
    """Return the ARQs of what a server has left.

    :param left: the bindings that it has left.
    :param of_profiles: which ARQs of profiles it has left, as a condition for
        their rows.
    """
    arq, link = models.ExtArq, tables.DeviceContextArq
    linked = sa.select(link.arq_uuid).where(link.arq_uuid == arq.uuid)
    beside = db.scalars(
        sa.select(arq.uuid)
        .where(arq.instance_uuid == server_id, of_profiles, ~linked.exists())
        .order_by(arq.id)
    )
    return [*links.arq_ids(db, [each.id for each in left]), *beside]

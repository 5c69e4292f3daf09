# SPDX-License-Identifier: Apache-2.0

"""How many device contexts a project has, and units of resource classes."""

import collections
import collections.abc
import typing as ty

import sqlalchemy as sa
from cyborg import context as cyborg_context
from sqlalchemy import orm

from nova_cyborg import model
from nova_cyborg.db import session, tables

# How many device contexts are looked into at once.
_BATCH = 100
# By the UUID of the device context that they are of.
_Groups = collections.abc.Mapping[str, collections.abc.Sequence[model.Choice]]


def lock(db: orm.Session, project_id: str) -> None:
    """Have no other request of a project get anything counted until the end.

    Neither devices for a server, nor device contexts. A transaction is to
    begin with this: on MariaDB, one that has read already does not count what
    others have been given before it.

    :param db: the transaction's session.
    :param project_id: the project.
    """
    row = tables.ProjectLock
    locked: ty.Any = db.execute(
        sa.update(row)
        .where(row.project_id == project_id)
        .values(times=row.times + 1),
        execution_options={'synchronize_session': False},
    )
    if not locked.rowcount:
        # Of two that make the row, one is told so, and begins again.
        db.execute(sa.insert(row).values(project_id=project_id, times=0))


def contexts(context: cyborg_context.RequestContext, project_id: str) -> int:
    """Count the device contexts of a project.

    :param project_id: the project.
    :returns: how many it has, those that no server holds, too.
    """
    with session.reading(context) as db:
        return count_contexts(db, project_id)


def count_contexts(db: orm.Session, project_id: str) -> int:
    """See :func:`contexts`; as seen in a transaction.

    :param db: the transaction's session.
    :param project_id: the project.
    :returns: how many it has.
    """
    table = tables.DeviceContext
    query = sa.select(sa.func.count(table.id)).where(
        table.project_id == project_id
    )
    return int(db.scalar(query) or 0)


def accelerators(
    context: cyborg_context.RequestContext, project_id: str
) -> dict[str, int]:
    """Count what the servers of a project have, or are about to have.

    It only reads: nothing is written down, and nobody waits for it.

    :param project_id: the project.
    :returns: units by resource class.
    """
    found: collections.Counter[str] = collections.Counter()
    with session.reading(context) as db:
        # First: what is written down in between is rather counted twice.
        for batch in _not_counted(db, project_id):
            for asked in batch.values():
                found.update(model.amounts(asked))
        found.update(_written_down(db, project_id))
    return dict(found)


def record(db: orm.Session, groups: _Groups) -> None:
    """Write down what new device contexts ask for, if they list alternatives.

    A cyborg-api of an earlier release, which counts what was not counted yet,
    sees the first ones only.

    :param db: the transaction's session.
    :param groups: the groups of each, by its UUID.
    """
    choosing = {
        uuid: asked
        for uuid, asked in groups.items()
        if model.pick_count(asked) > 1
    }
    if choosing:
        rows = list(_amounts(choosing))
        db.execute(sa.insert(tables.DeviceContextAmount), rows)


def count_accelerators(db: orm.Session, project_id: str) -> dict[str, int]:
    """See :func:`accelerators`; in a transaction, which writes down the rest.

    :param db: the transaction's session, which has the project's lock.
    :param project_id: the project.
    :returns: units by resource class.
    """
    # What one asks for never changes; of alternatives it is the most, as any
    # may be chosen the next time. It is written here and not where device
    # contexts are made: there are some from before there was anything to
    # count, and those of a cyborg-api of an earlier release.
    for batch in _not_counted(db, project_id):
        db.execute(
            sa.insert(tables.DeviceContextAmount), list(_amounts(batch))
        )
    return _written_down(db, project_id)


def _written_down(db: orm.Session, project_id: str) -> dict[str, int]:
    held, asked = tables.DeviceContext, tables.DeviceContextAmount
    query = (
        sa.select(asked.resource_class, sa.func.sum(asked.amount))
        .join(held, held.uuid == asked.device_context_uuid)
        .where(*_is_held(project_id))
        .group_by(asked.resource_class)
    )
    # The sum is a Decimal on MariaDB.
    return {name: int(total) for name, total in db.execute(query)}


def _is_held(project_id: str) -> tuple[sa.ColumnElement[bool], ...]:
    held = tables.DeviceContext
    return held.project_id == project_id, held.allocation_id.is_not(None)


def _not_counted(
    db: orm.Session, project_id: str
) -> collections.abc.Iterator[_Groups]:
    """Find what device contexts ask for that is not written down."""
    held, asked = tables.DeviceContext, tables.DeviceContextAmount
    known = sa.select(asked.device_context_uuid).where(
        asked.device_context_uuid == held.uuid
    )
    query = (
        sa.select(held.id, held.uuid, held.groups)
        .where(*_is_held(project_id), ~known.exists())
        .order_by(held.id)
        .limit(_BATCH)
    )
    found = db.execute(query).all()
    while found:
        yield {uuid: session.load_groups(text) for _id, uuid, text in found}
        if len(found) < _BATCH:
            break
        found = db.execute(query.where(held.id > found[-1].id)).all()


def _amounts(
    groups: _Groups,
) -> collections.abc.Iterator[dict[str, ty.Any]]:
    for uuid, asked in groups.items():
        for name, amount in model.amounts(asked).items():
            yield {
                'device_context_uuid': uuid,
                'resource_class': name,
                'amount': amount,
            }

# SPDX-License-Identifier: Apache-2.0

"""How many events are kept, and for how long.

Old ones are deleted by their row ids, a portion at a time: no lock is held
that a new event would wait for.
"""

import datetime

import sqlalchemy as sa
from cyborg import context as cyborg_context
from oslo_utils import timeutils
from sqlalchemy import orm

from nova_cyborg.db import session, tables

#: How many events of a device context are kept: the newest ones.
MOST = 200
# How many are deleted with one statement; of how many device contexts at a
# time those are that are too many.
_PORTION = 500
_CONTEXTS = 50

_ROW = tables.DeviceContextEvent
# Whether the device context of an event is gone.
_IS_OF_DELETED = ~(
    sa.select(tables.DeviceContext.id)
    .where(tables.DeviceContext.uuid == _ROW.context_uuid)
    .exists()
)


def trim(db: orm.Session, uuid: str) -> None:
    """Delete the events of a device context that are too many.

    With one statement, if there are none.

    :param db: the transaction's session.
    :param uuid: UUID of the device context.
    """
    surplus = db.scalars(
        sa.select(_ROW.id)
        .where(_ROW.context_uuid == uuid)
        .order_by(_ROW.id.desc())
        .offset(MOST)
        .limit(_PORTION)
    ).all()
    if surplus:
        db.execute(sa.delete(_ROW).where(_ROW.id.in_(surplus)))


@session.retry
def forget_old(
    context: cyborg_context.RequestContext, age: datetime.timedelta
) -> int:
    """Delete a portion of the events that are too old.

    :param age: how old they may be.
    :returns: how many were deleted; there may be more.
    """
    before = timeutils.utcnow() - age
    with session.writing(context) as db:
        found = db.scalars(
            sa.select(_ROW.id)
            .where(_ROW.created_at < before)
            .order_by(_ROW.created_at)
            .limit(_PORTION)
        ).all()
        if found:
            db.execute(sa.delete(_ROW).where(_ROW.id.in_(found)))
        return len(found)


def trim_all(context: cyborg_context.RequestContext) -> int:
    """Delete events of device contexts that have too many.

    :returns: of how many device contexts; there may be more.
    """
    query = (
        sa.select(_ROW.context_uuid)
        .group_by(_ROW.context_uuid)
        .having(sa.func.count() > MOST)
        .limit(_CONTEXTS)
    )
    found = [uuid for (uuid,) in session.rows(context, query)]
    for uuid in found:
        _trim_one(context, uuid)
    return len(found)


@session.retry
def _trim_one(context: cyborg_context.RequestContext, uuid: str) -> None:
    with session.writing(context) as db:
        trim(db, uuid)


def crowded(
    context: cyborg_context.RequestContext, most: int
) -> dict[str, int]:
    """Find projects with too many events of deleted device contexts.

    :param most: how many of those each may have.
    :returns: the row id of the newest one that is too many, by project.
    """
    with session.reading(context) as db:
        # Fewer statements than to look into each project, and by index alone.
        candidates = db.scalars(
            sa.select(_ROW.owner_id)
            .group_by(_ROW.owner_id)
            .having(sa.func.count() > most)
        ).all()
        found = {
            owner: db.scalar(
                sa.select(_ROW.id)
                .where(_ROW.owner_id == owner, _IS_OF_DELETED)
                .order_by(_ROW.id.desc())
                .offset(most)
                .limit(1)
            )
            for owner in candidates
        }
    return {owner: last for owner, last in found.items() if last is not None}


@session.retry
def forget_deleted(
    context: cyborg_context.RequestContext, owner: str, last: int
) -> int:
    """Delete a portion of a project's events of deleted device contexts.

    :param owner: the project.
    :param last: the row id of the newest one that may be deleted.
    :returns: how many were deleted; there may be more.
    """
    with session.writing(context) as db:
        found = db.scalars(
            sa.select(_ROW.id)
            .where(_ROW.owner_id == owner, _ROW.id <= last, _IS_OF_DELETED)
            .order_by(_ROW.id)
            .limit(_PORTION)
        ).all()
        if found:
            db.execute(sa.delete(_ROW).where(_ROW.id.in_(found)))
        return len(found)

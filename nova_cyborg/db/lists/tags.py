# SPDX-License-Identifier: Apache-2.0

"""Reading and changing the tags that a device context is found by."""

import collections.abc
import typing as ty

import sqlalchemy as sa
from cyborg import context as cyborg_context
from oslo_utils import timeutils
from sqlalchemy import orm

from nova_cyborg import exception
from nova_cyborg.db import contexts, session, tables
from nova_cyborg.db.events import actions, bounds, recording
from nova_cyborg.db.lists import tag_rows

#: The most tags of a device context, as servers have them.
MOST = 50


def get(
    context: cyborg_context.RequestContext, uuid: str, project_id: str | None
) -> tuple[tuple[str, ...], int]:
    """Read the tags of a device context.

    :param uuid: its UUID.
    :param project_id: the project it must belong to; None for any.
    :returns: the tags, sorted; and the revision that it is at with them, or
        an earlier one if they are changed at this moment.
    :raises DeviceContextNotFound: if there is none in the project.
    """
    with session.reading(context) as db:
        # First: who changes them if it is at that revision is refused then.
        row, _server_id, _fault = contexts.find_row(db, uuid, project_id)
        return _read(db, uuid), int(row.revision)


@session.retry
def replace(
    context: cyborg_context.RequestContext,
    uuid: str,
    project_id: str | None,
    tags: collections.abc.Collection[str],
    revisions: contexts.Revisions = None,
) -> int:
    """Give a device context other tags.

    :param uuid: its UUID.
    :param project_id: the project it must belong to; None for any.
    :param tags: all that it is to have, at most :data:`MOST`.
    :param revisions: what it must be at.
    :returns: the revision that it is at with them.
    :raises DeviceContextNotFound: if there is none in the project.
    :raises DeviceContextChanged: if it is at another revision.
    """
    row = tables.DeviceContextTag
    with session.writing(context) as db:
        _lock(db, uuid, project_id, revisions)
        db.execute(sa.delete(row).where(row.context_uuid == uuid))
        tag_rows.insert(db, {uuid: tags})
        return _record(db, uuid, project_id)


@session.retry
def add(
    context: cyborg_context.RequestContext,
    uuid: str,
    project_id: str | None,
    tag: str,
    revisions: contexts.Revisions = None,
) -> tuple[int, bool]:
    """Give a device context one more tag; safe to repeat.

    :param uuid: its UUID.
    :param project_id: the project it must belong to; None for any.
    :param tag: the tag.
    :param revisions: what it must be at.
    :returns: the revision that it is at with it, and whether it had not the
        tag.
    :raises DeviceContextNotFound: if there is none in the project.
    :raises DeviceContextChanged: if it is at another revision.
    :raises InvalidRequest: if it has as many as it may have.
    """
    with session.writing(context) as db:
        _lock(db, uuid, project_id, revisions)
        known = _read(db, uuid)
        if tag in known:
            row, _server_id, _fault = contexts.find_row(db, uuid, project_id)
            return int(row.revision), False
        if len(known) >= MOST:
            raise exception.InvalidRequest(
                field='tag',
                reason=f'the device context has {MOST} tags, and may not have '
                'more. Remove one first.',
            )
        tag_rows.insert(db, {uuid: [tag]})
        return _record(db, uuid, project_id), True


@session.retry
def remove(
    context: cyborg_context.RequestContext,
    uuid: str,
    project_id: str | None,
    tag: str,
    revisions: contexts.Revisions = None,
) -> int:
    """Take a tag from a device context.

    :param uuid: its UUID.
    :param project_id: the project it must belong to; None for any.
    :param tag: the tag.
    :param revisions: what it must be at.
    :returns: the revision that it is at without it.
    :raises DeviceContextNotFound: if there is none in the project.
    :raises DeviceContextChanged: if it is at another revision.
    :raises ContextTagNotFound: if it has not the tag.
    """
    row = tables.DeviceContextTag
    with session.writing(context) as db:
        _lock(db, uuid, project_id, revisions)
        removed: ty.Any = db.execute(
            sa.delete(row).where(
                row.context_uuid == uuid, row.tag == tag.encode()
            )
        )
        if not removed.rowcount:
            raise exception.ContextTagNotFound(id=uuid, tag=tag)
        return _record(db, uuid, project_id)


def _lock(
    db: orm.Session,
    uuid: str,
    project_id: str | None,
    revisions: contexts.Revisions,
) -> None:
    """Lock a device context by a write: its tags are changed in order.

    The write changes nothing: whether there is a change is seen later.
    """
    row = tables.DeviceContext
    query = sa.update(row).where(row.uuid == uuid, *contexts.is_at(revisions))
    if project_id:
        query = query.where(row.project_id == project_id)
    locked: ty.Any = db.execute(
        query.values(updated_at=row.updated_at, revision=row.revision)
    )
    if not locked.rowcount:
        found, _server_id, _fault = contexts.find_row(db, uuid, project_id)
        raise exception.DeviceContextChanged(id=uuid, revision=found.revision)


def _record(db: orm.Session, uuid: str, project_id: str | None) -> int:
    """Say that other tags are a change of the device context."""
    row = tables.DeviceContext
    db.execute(
        sa.update(row)
        .where(row.uuid == uuid)
        .values(updated_at=timeutils.utcnow(), revision=row.revision + 1)
    )
    changed, server_id, _fault = contexts.find_row(db, uuid, project_id)
    what = recording.What(
        actions.Action.UPDATE, server_id=server_id, message='tags'
    )
    recording.record(db, [changed], what)
    # A member can do it as often as they like.
    bounds.trim(db, uuid)
    return int(changed.revision)


def _read(db: orm.Session, uuid: str) -> tuple[str, ...]:
    return tag_rows.of_contexts(db, [uuid]).get(uuid, ())

# SPDX-License-Identifier: Apache-2.0

"""The timeline of a device context: its events, a page at a time.

They stay for a while after it is deleted. Each says which project it is of,
so that they are shown to that one, and to no other, without it.
"""

import dataclasses
import typing as ty

import sqlalchemy as sa
from cyborg import context as cyborg_context
from sqlalchemy import orm

from nova_cyborg import exception
from nova_cyborg.db import session, tables
from nova_cyborg.db.events import recording


@dataclasses.dataclass(frozen=True)
class Page:
    """Which part of a timeline is wanted.

    :ivar limit: the most events.
    :ivar marker: UUID of the last event of the page before; None for the
        first page.
    :ivar newest_first: whether the newest is the first.
    """

    limit: int
    marker: str | None = None
    newest_first: bool = True


def read(
    context: cyborg_context.RequestContext,
    uuid: str,
    project_id: str | None,
    page: Page,
) -> list[recording.Event]:
    """Read a page of the timeline of a device context, perhaps a former one.

    :param uuid: its UUID.
    :param project_id: the project that it is, or was, in; None for any.
    :param page: which part.
    :returns: the events.
    :raises DeviceContextNotFound: if there is none in the project, and
        nothing is known of one.
    :raises EventNotFound: if the marker is not among its events.
    """
    row = tables.DeviceContextEvent
    mine = [row.context_uuid == uuid]
    if project_id:
        mine.append(row.owner_id == project_id)
    with session.reading(context) as db:
        query = sa.select(row).where(*mine)
        if page.marker:
            query = query.where(_is_after(db, mine, page))
        order = row.id.desc() if page.newest_first else row.id
        found = db.scalars(query.order_by(order).limit(page.limit)).all()
        if not found and not page.marker:
            _check_known(db, uuid, project_id)
        return [_as_data(each) for each in found]


def _is_after(
    db: orm.Session, mine: list[sa.ColumnElement[bool]], page: Page
) -> sa.ColumnElement[bool]:
    row = tables.DeviceContextEvent
    marker = db.scalar(sa.select(row.id).where(row.uuid == page.marker, *mine))
    if marker is None:
        raise exception.EventNotFound(id=page.marker)
    return row.id < marker if page.newest_first else row.id > marker


def _check_known(db: orm.Session, uuid: str, project_id: str | None) -> None:
    # One that was made before there were events, or has had none for long.
    table = tables.DeviceContext
    query = sa.select(table.id).where(table.uuid == uuid)
    if project_id:
        query = query.where(table.project_id == project_id)
    if db.scalar(query) is None:
        raise exception.DeviceContextNotFound(id=uuid)


def _as_data(row: tables.DeviceContextEvent) -> recording.Event:
    values: dict[str, ty.Any] = {
        name: getattr(row, name)
        for name in ('action', 'outcome', 'server_id', 'host', 'message')
    }
    return recording.Event(
        uuid=row.uuid,
        what=recording.What(**values),
        user_id=row.user_id,
        project_id=row.project_id,
        request_id=row.request_id,
        created_at=row.created_at,
    )

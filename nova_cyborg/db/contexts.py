# SPDX-License-Identifier: Apache-2.0

"""Device contexts: create, read, list, update, delete."""

import collections.abc
import dataclasses
import operator
import typing as ty

import sqlalchemy as sa
from cyborg import context as cyborg_context
from cyborg.db.sqlalchemy import models as cyborg_models
from oslo_utils import timeutils, uuidutils
from sqlalchemy import orm

from nova_cyborg import exception, model
from nova_cyborg.db import expressions, session, tables
from nova_cyborg.db.bindings import links, rows
from nova_cyborg.db.inventory import slots

# Bytes in an answer, about: of a device, which is shown with its binding, too,
# and of the rest of a device context.
_DEVICE_SIZE = 1024
_CONTEXT_SIZE = 512
SORT_KEYS = ('created_at', 'updated_at', 'name', 'uuid')


@dataclasses.dataclass(frozen=True)
class Filters:
    """What a list of device contexts is narrowed to; None: not narrowed."""

    project_id: str | None = None
    name: str | None = None
    server_id: str | None = None
    status: str | None = None


@dataclasses.dataclass(frozen=True)
class Page:
    """Which part of a list is wanted.

    :ivar limit: the most device contexts.
    :ivar size: about how many bytes they may take in the database; one may
        take more.
    :ivar with_groups: whether their groups are read, which take most of it.
    :ivar marker: UUID of the last device context of the page before.
    """

    limit: int
    size: int
    with_groups: bool = True
    marker: str | None = None
    sort_key: str = 'created_at'
    sort_dir: str = 'asc'


@dataclasses.dataclass(frozen=True)
class Part:
    """The part of a list that a page is of, before it is read.

    :ivar row_ids: row ids of the device contexts, in order.
    :ivar size: about how many bytes they take.
    :ivar cut: whether there would be more if they took fewer.
    """

    row_ids: list[int]
    size: int
    cut: bool


def create(
    context: cyborg_context.RequestContext,
    groups: collections.abc.Sequence[model.Group],
    device_profile_id: str | None,
    fields: collections.abc.Mapping[str, ty.Any],
    limit: int,
) -> model.DeviceContext:
    """Store a new device context of the request's project.

    Of several that are made at one moment, the last one to be stored sees
    all of them when it counts again, so that no more than the limit are
    left. More may be refused than would need to be.

    :param groups: its groups.
    :param device_profile_id: UUID of the profile they were copied from.
    :param fields: name, description, delete_on_termination; each optional.
    :param limit: how many the project may have; below zero, any number.
    :returns: the device context.
    :raises InvalidRequest: if the database cannot store the fields.
    :raises TooManyDeviceContexts: if it would have more.
    """
    _check_storable(context, fields)
    _check_count(context, limit, more=1)
    made = _insert(context, groups, device_profile_id, fields)
    try:
        _check_count(context, limit)
    except exception.TooManyDeviceContexts:
        _delete_free(context, made.uuid, made.project_id)
        raise
    return made


def _check_storable(
    context: cyborg_context.RequestContext,
    fields: collections.abc.Mapping[str, ty.Any],
) -> None:
    texts = {
        name: value
        for name, value in fields.items()
        if isinstance(value, str) and not value.isascii()
    }
    if not texts:
        return
    last = session.last_character(context, tables.DeviceContext)
    for name, value in texts.items():
        if max(value) > last:
            raise exception.InvalidRequest(
                field=name,
                reason='it has characters that the database of this cloud '
                'cannot store, such as emojis. Use others.',
            )


def _check_count(
    context: cyborg_context.RequestContext, limit: int, more: int = 0
) -> None:
    if limit < 0:
        return
    table = tables.DeviceContext
    query = sa.select(sa.func.count(table.id)).where(
        table.project_id == context.project_id
    )
    ((found,),) = session.rows(context, query)
    if found + more > limit:
        raise exception.TooManyDeviceContexts(count=found + more, limit=limit)


@session.retry
def _insert(
    context: cyborg_context.RequestContext,
    groups: collections.abc.Sequence[model.Group],
    device_profile_id: str | None,
    fields: collections.abc.Mapping[str, ty.Any],
) -> model.DeviceContext:
    text = session.dump_groups(groups)
    row = tables.DeviceContext(
        uuid=uuidutils.generate_uuid(),
        project_id=context.project_id,
        user_id=context.user_id,
        groups=text,
        groups_size=len(text),
        device_profile_id=device_profile_id,
        **fields,
    )
    with session.writing(context) as db:
        db.add(row)
        db.flush()
        return _load(db, [(row, None, None)])[0]


def get(
    context: cyborg_context.RequestContext, uuid: str, project_id: str | None
) -> model.DeviceContext:
    """Read a device context.

    :param uuid: its UUID.
    :param project_id: the project it must belong to; None for any.
    :returns: the device context.
    :raises DeviceContextNotFound: if there is none in the project.
    """
    with session.reading(context) as db:
        return _load(db, [_one(db, uuid, project_id)])[0]


def of_project(
    context: cyborg_context.RequestContext,
    uuids: collections.abc.Sequence[str],
) -> list[model.DeviceContext]:
    """Read some device contexts of the request's project.

    :param context: its project, an administrator's too, owns them.
    :param uuids: their UUIDs.
    :returns: the device contexts, in this order.
    :raises DeviceContextNotFound: if one is not in the project.
    """
    with session.reading(context) as db:
        query = _query().where(
            tables.DeviceContext.uuid.in_(uuids),
            tables.DeviceContext.project_id == context.project_id,
        )
        found = {
            data.uuid: data for data in _load(db, db.execute(query).all())
        }
    for uuid in uuids:
        if uuid not in found:
            raise exception.DeviceContextNotFound(id=uuid)
    return [found[uuid] for uuid in uuids]


def find(
    context: cyborg_context.RequestContext, filters: Filters, page: Page
) -> Part:
    """Find the device contexts of a page, with a fixed number of statements.

    Only their sizes are read, so that no more is read afterwards than a page
    has.

    :param filters: which ones.
    :param page: which part of them, in which order.
    :returns: at most ``page.limit`` device contexts.
    :raises DeviceContextNotFound: if the marker is not among them.
    """
    with session.reading(context) as db:
        sizes = _sizes(db, filters, page)
    row_ids: list[int] = []
    total = 0
    for row_id, size in sizes:
        if row_ids and total + size > page.size:
            break
        row_ids.append(row_id)
        total += size
    total += _CONTEXT_SIZE * len(row_ids)
    return Part(row_ids, total, len(row_ids) < len(sizes))


def read(
    context: cyborg_context.RequestContext, part: Part, page: Page
) -> list[model.DeviceContext]:
    """Read the device contexts of a page, with a fixed number of statements.

    :param part: the page's part of the list.
    :param page: what :func:`find` has found it for.
    :returns: those of them that are still there, in order; without groups if
        these are not wanted.
    """
    query = _query().where(tables.DeviceContext.id.in_(part.row_ids))
    if not page.with_groups:
        query = query.options(orm.defer(tables.DeviceContext.groups))
    with session.reading(context) as db:
        found = db.execute(query.order_by(*_order(page))).all()
        return _load(db, found, page.with_groups)


@session.retry
def update(
    context: cyborg_context.RequestContext,
    uuid: str,
    project_id: str | None,
    fields: collections.abc.Mapping[str, ty.Any],
) -> model.DeviceContext:
    """Change a device context.

    :param uuid: its UUID.
    :param project_id: the project it must belong to; None for any.
    :param fields: name, description, delete_on_termination; each optional.
    :returns: the changed device context.
    :raises InvalidRequest: if the database cannot store the fields.
    :raises DeviceContextNotFound: if there is none in the project.
    """
    _check_storable(context, fields)
    with session.writing(context) as db:
        # First, and with its condition: one that is deleted at this moment
        # is not found then.
        db.execute(
            sa.update(tables.DeviceContext)
            .where(*_is(uuid, project_id))
            .values(updated_at=timeutils.utcnow(), **fields)
        )
        return _load(db, [_one(db, uuid, project_id)])[0]


@session.retry
def delete(
    context: cyborg_context.RequestContext, uuid: str, project_id: str | None
) -> None:
    """Delete a device context that no server holds.

    :param uuid: its UUID.
    :param project_id: the project it must belong to; None for any.
    :raises DeviceContextNotFound: if there is none in the project.
    :raises DeviceContextInUse: if a server holds it.
    """
    with session.writing(context) as db:
        if not _delete_free_in(db, uuid, project_id):
            _row, server_id, _fault = _one(db, uuid, project_id)
            error = exception.DeviceContextInUse(id=uuid, server_id=server_id)
            # Without a server, it was released right after the DELETE.
            raise error if server_id else session.Retry(error)


@session.retry
def _delete_free(
    context: cyborg_context.RequestContext, uuid: str, project_id: str
) -> None:
    with session.writing(context) as db:
        _delete_free_in(db, uuid, project_id)


def _delete_free_in(
    db: orm.Session, uuid: str, project_id: str | None
) -> bool:
    # The condition is in the DELETE, so that a server that takes the context
    # at this moment keeps it.
    deleted: ty.Any = db.execute(
        sa.delete(tables.DeviceContext).where(
            tables.DeviceContext.allocation_id.is_(None),
            *_is(uuid, project_id),
        )
    )
    return bool(deleted.rowcount)


def of_allocation(
    db: orm.Session, allocation_id: int
) -> list[tuple[tables.DeviceContext, model.DeviceContext]]:
    """Read the device contexts of an allocation, in a transaction.

    :param db: the transaction's session.
    :param allocation_id: the allocation's row id.
    :returns: pairs of the row and what it says, in order of making.
    """
    found = db.execute(
        _query()
        .where(tables.DeviceContext.allocation_id == allocation_id)
        .order_by(tables.DeviceContext.id)
    ).all()
    return list(zip([row[0] for row in found], _load(db, found), strict=True))


def without_devices(
    db: orm.Session, allocation_id: int
) -> list[tuple[tables.DeviceContext, model.DeviceContext]]:
    """See :func:`of_allocation`; one statement less, and no devices."""
    query = (
        _query()
        .where(tables.DeviceContext.allocation_id == allocation_id)
        .order_by(tables.DeviceContext.id)
    )
    return [
        (row, _as_data(row, server_id, fault))
        for row, server_id, fault in db.execute(query)
    ]


def _query() -> sa.Select[ty.Any]:
    return sa.select(
        tables.DeviceContext,
        tables.DeviceAllocation.server_id,
        tables.DeviceAllocation.fault,
    ).outerjoin(
        tables.DeviceAllocation,
        tables.DeviceContext.allocation_id == tables.DeviceAllocation.id,
    )


def _sizes(
    db: orm.Session, filters: Filters, page: Page
) -> list[tuple[int, int]]:
    """Return row id and size of all device contexts of a page, in order."""
    link = tables.DeviceContextArq
    devices = (
        sa.select(sa.func.count(link.arq_uuid))
        .where(link.device_context_id == tables.DeviceContext.id)
        .scalar_subquery()
    )
    size = devices * _DEVICE_SIZE
    if page.with_groups:
        size += tables.DeviceContext.groups_size
    query = sa.select(tables.DeviceContext.id, size).outerjoin(
        tables.DeviceAllocation,
        tables.DeviceContext.allocation_id == tables.DeviceAllocation.id,
    )
    query = _narrowed(query, filters)
    if page.marker:
        marker = _one(db, page.marker, filters.project_id)[0]
        query = query.where(_is_after(marker, page))
    query = query.order_by(*_order(page)).limit(page.limit)
    return [row._tuple() for row in db.execute(query)]


def _one(db: orm.Session, uuid: str, project_id: str | None) -> ty.Any:
    query = _query().where(*_is(uuid, project_id))
    row = db.execute(query).one_or_none()
    if row is None:
        raise exception.DeviceContextNotFound(id=uuid)
    return row


def _is(
    uuid: str, project_id: str | None
) -> collections.abc.Iterator[sa.ColumnElement[bool]]:
    yield tables.DeviceContext.uuid == uuid
    if project_id:
        yield tables.DeviceContext.project_id == project_id


def _order(page: Page) -> list[sa.ColumnElement[ty.Any]]:
    key = getattr(tables.DeviceContext, page.sort_key)
    ordered = [key, tables.DeviceContext.id]
    if page.sort_dir == 'desc':
        ordered = [column.desc() for column in ordered]
    # Some keys may be null; these are last, in both directions.
    return [key.is_(None), *ordered]


def _is_after(
    marker: tables.DeviceContext, page: Page
) -> sa.ColumnElement[bool]:
    # Not oslo.db's paginate_query, which loses or repeats rows without a
    # value when some are on both sides of a page's end.
    follows = operator.lt if page.sort_dir == 'desc' else operator.gt
    key = getattr(tables.DeviceContext, page.sort_key)
    value = getattr(marker, page.sort_key)
    tie = sa.and_(
        key.is_(None) if value is None else key == value,
        follows(tables.DeviceContext.id, marker.id),
    )
    if value is None:
        return tie
    return sa.or_(follows(key, value), key.is_(None), tie)


def _narrowed(query: sa.Select[ty.Any], filters: Filters) -> sa.Select[ty.Any]:
    if filters.project_id is not None:
        query = query.where(
            tables.DeviceContext.project_id == filters.project_id
        )
    if filters.name is not None:
        query = query.where(
            expressions.Exactly(tables.DeviceContext.name, filters.name)
        )
    if filters.server_id is not None:
        query = query.where(
            tables.DeviceAllocation.server_id == filters.server_id
        )
    if filters.status is not None:
        query = query.where(_has_status(filters.status))
    return query


def _has_status(status: str) -> sa.ColumnElement[bool]:
    """Say in SQL what ``model.DeviceContext.status`` says."""
    held = tables.DeviceContext.allocation_id.is_not(None)
    # As text: Cyborg's column has not all of its states, and PostgreSQL takes
    # none for a comparison that it has not.
    state = sa.cast(cyborg_models.ExtArq.state, sa.String)
    fault = sa.or_(
        tables.DeviceAllocation.fault.is_not(None),
        _has_arq(state.in_(('BindFailed', 'UnbindFailed'))),
        _has_arq(sa.and_(state == 'Bound', ~slots.IS_THERE)),
    )
    has_arqs = _has_arq(sa.true())
    unbound = _has_arq(state != 'Bound')
    return {
        model.Status.AVAILABLE: sa.not_(held),
        model.Status.ERROR: sa.and_(held, fault),
        model.Status.RESERVED: sa.and_(
            held, sa.not_(fault), sa.not_(has_arqs)
        ),
        model.Status.BINDING: sa.and_(held, sa.not_(fault), unbound),
        model.Status.BOUND: sa.and_(
            held, sa.not_(fault), has_arqs, sa.not_(unbound)
        ),
    }[status]


def _has_arq(condition: sa.ColumnElement[bool]) -> sa.ColumnElement[bool]:
    link, arq = tables.DeviceContextArq, cyborg_models.ExtArq
    return (
        sa.select(link.arq_uuid)
        .join(arq, arq.uuid == link.arq_uuid)
        .join(tables.DeviceBinding, tables.DeviceBinding.id == link.binding_id)
        .where(
            link.device_context_id == tables.DeviceContext.id,
            rows.IS_ACTIVE,
            condition,
        )
        .exists()
    )


def _load(
    db: orm.Session,
    found: collections.abc.Sequence[ty.Any],
    with_groups: bool = True,
) -> list[model.DeviceContext]:
    """Turn rows of :func:`_query` into data, with one more statement."""
    bindings = links.by_context(db, [row[0].id for row in found])
    return [
        _as_data(row, server_id, fault, bindings.get(row.id, ()), with_groups)
        for row, server_id, fault in found
    ]


def _as_data(
    row: tables.DeviceContext,
    server_id: str | None,
    fault: str | None,
    bindings: tuple[model.Binding, ...] = (),
    with_groups: bool = True,
) -> model.DeviceContext:
    devices = model.active_devices(bindings)
    return model.DeviceContext(
        uuid=row.uuid,
        project_id=row.project_id,
        user_id=row.user_id,
        groups=session.load_groups(row.groups) if with_groups else (),
        name=row.name,
        description=row.description,
        delete_on_termination=row.delete_on_termination,
        device_profile_id=row.device_profile_id,
        server_id=server_id,
        fault=fault or model.missing_fault(devices),
        bindings=bindings,
        created_at=row.created_at,
        updated_at=row.updated_at,
    )

# SPDX-License-Identifier: Apache-2.0

"""Lists of device contexts: what is wanted of them, a page at a time."""

import collections.abc
import dataclasses
import typing as ty

import sqlalchemy as sa
from cyborg import context as cyborg_context
from cyborg.db.sqlalchemy import models as cyborg_models
from sqlalchemy import orm

from nova_cyborg import model
from nova_cyborg.db import contexts, expressions, session, tables
from nova_cyborg.db.bindings import rows
from nova_cyborg.db.inventory import slots
from nova_cyborg.db.lists import demands, few, order, tag_rows
from nova_cyborg.db.lists import filters as more_filters

# Bytes in an answer, about: of a device, which is shown with its binding, too,
# of the rest of a device context, and of each of its tags.
_DEVICE_SIZE = 1024
_CONTEXT_SIZE = 512
_TAG_SIZE = 64

# Row ids, each with its size.
_Sizes: ty.TypeAlias = list[tuple[int, int]]


@dataclasses.dataclass(frozen=True)
class Filters:
    """What a list of device contexts is narrowed to; None: not narrowed."""

    project_id: str | None = None
    name: str | None = None
    server_id: str | None = None
    status: str | None = None
    tag: str | None = None
    more: more_filters.Filters = more_filters.NONE


@dataclasses.dataclass(frozen=True)
class Page:
    """Which part of a list is wanted.

    :ivar limit: the most device contexts.
    :ivar size: about how many bytes they may take in the database; one may
        take more.
    :ivar with_groups: whether their groups are read, which take most of it.
    :ivar with_tags: whether their tags are read.
    :ivar marker: UUID of the last device context of the page before.
    :ivar sort: what the list is sorted by.
    """

    limit: int
    size: int
    with_groups: bool = True
    with_tags: bool = True
    marker: str | None = None
    sort: order.Keys = (('created_at', 'asc'),)


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


def find(
    context: cyborg_context.RequestContext, filters: Filters, page: Page
) -> Part:
    """Find the device contexts of a page, with a fixed number of statements.

    But for what a release before makes while an upgrade goes on, if the list
    is narrowed to what is asked for: that takes one more for a hundred.

    Only their sizes are read, so that no more is read afterwards than a page
    has.

    :param filters: which ones.
    :param page: which part of them, in which order.
    :returns: at most ``page.limit`` device contexts.
    :raises DeviceContextNotFound: if the marker is not among them.
    """
    sizes = _find(context, filters, page)
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
    query = contexts.select().where(tables.DeviceContext.id.in_(part.row_ids))
    if not page.with_groups:
        query = query.options(orm.defer(tables.DeviceContext.groups))
    with session.reading(context) as db:
        found = db.execute(query.order_by(*order.columns(page.sort))).all()
        return contexts.load(db, found, page.with_groups, page.with_tags)


def _find(
    context: cyborg_context.RequestContext, filters: Filters, page: Page
) -> _Sizes:
    """Return row id and size of all device contexts of a page, in order."""
    by_demands = bool(filters.more.demands)
    with session.reading(context) as db:
        found = few.find(db, list(_ways(filters, page)), by_demands)
        if not found.complete:
            filters = _with_unrecorded(db, filters)
            found = few.find(db, list(_ways(filters, page)))
        if found.row_ids is not None and not found.row_ids:
            # That the marker is there is still looked at.
            if page.marker:
                contexts.find_row(db, page.marker, filters.project_id)
            return []
        return _sizes(db, filters, page, found.row_ids)


def _with_unrecorded(db: orm.Session, filters: Filters) -> Filters:
    """Look for those that a release before has made, and recorded nothing."""
    row_ids = demands.unrecorded(db, filters.project_id, filters.more.demands)
    more = dataclasses.replace(filters.more, unrecorded=row_ids)
    return dataclasses.replace(filters, more=more)


def _ways(filters: Filters, page: Page) -> collections.abc.Iterator[few.Way]:
    """Return ways in which an index finds what a list is narrowed to."""
    project_id, row = filters.project_id, tables.DeviceContext
    if filters.name is not None:
        yield from few.with_text(project_id, row.name, filters.name)
    if filters.server_id is not None:
        yield few.of_server(filters.server_id)
    if filters.tag is not None:
        yield from few.with_text(project_id, row.tag, filters.tag)
    if filters.status is not None:
        yield from few.with_status(project_id, filters.status)
    key, _direction = page.sort[0]
    yield from few.with_more(project_id, filters.more, key)


def _sizes(
    db: orm.Session,
    filters: Filters,
    page: Page,
    few_ids: collections.abc.Set[int] | None,
) -> _Sizes:
    """Return row id and size of all device contexts of a page, in order.

    :param few_ids: row ids of those among which they are; None for any.
    """
    link = tables.DeviceContextArq
    devices = (
        sa.select(sa.func.count(link.arq_uuid))
        .where(link.device_context_id == tables.DeviceContext.id)
        .scalar_subquery()
    )
    size = devices * _DEVICE_SIZE
    if page.with_groups:
        size += tables.DeviceContext.groups_size
    if page.with_tags:
        size += tag_rows.count() * _TAG_SIZE
    marker = None
    if page.marker:
        marker = contexts.find_row(db, page.marker, filters.project_id)[0]
    chosen = _chosen(filters, page, marker, few_ids)
    # Of those alone: what is sorted need not be counted.
    query = (
        sa.select(tables.DeviceContext.id, size)
        .join(chosen, chosen.c.id == tables.DeviceContext.id)
        .order_by(*order.columns(page.sort))
        .limit(page.limit)
    )
    return [row._tuple() for row in db.execute(query)]


def _chosen(
    filters: Filters,
    page: Page,
    marker: tables.DeviceContext | None,
    few_ids: collections.abc.Set[int] | None,
) -> sa.Subquery:
    """Choose the device contexts of a page, and perhaps some more."""
    base = sa.select(tables.DeviceContext.id).outerjoin(
        tables.DeviceAllocation,
        tables.DeviceContext.allocation_id == tables.DeviceAllocation.id,
    )
    if few_ids is not None:
        base = base.where(tables.DeviceContext.id.in_(sorted(few_ids)))
    narrowed = _narrowed(base, filters, are_many=few_ids is None)
    first, *more = (
        narrowed.where(*part.conditions)
        .order_by(*part.order)
        .limit(page.limit)
        .subquery()
        for part in order.parts(marker, page.sort)
    )
    if not more:
        return first
    return sa.union_all(
        *(sa.select(part.c.id) for part in (first, *more))
    ).subquery()


def _narrowed(
    query: sa.Select[ty.Any], filters: Filters, are_many: bool
) -> sa.Select[ty.Any]:
    if filters.project_id is not None:
        project_id = tables.DeviceContext.project_id
        query = query.where(
            # Few are not looked for among all of the project.
            (project_id if are_many else expressions.unindexed(project_id))
            == filters.project_id
        )
    if filters.name is not None:
        query = query.where(
            *expressions.exactly(tables.DeviceContext.name, filters.name)
        )
    if filters.server_id is not None:
        query = query.where(
            tables.DeviceAllocation.server_id == filters.server_id
        )
    if filters.tag is not None:
        query = query.where(
            *expressions.exactly(tables.DeviceContext.tag, filters.tag)
        )
    if filters.status is not None:
        query = query.where(_has_status(filters.status))
    return query.where(
        *more_filters.conditions(
            filters.more, are_many and filters.project_id is None
        )
    )


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
    transition = tables.DeviceContext.transition
    rests = sa.and_(held, transition.is_(None))
    return {
        model.Status.AVAILABLE: sa.not_(held),
        model.Status.ATTACHING: sa.and_(
            held, transition == model.Transition.ATTACHING
        ),
        model.Status.DETACHING: sa.and_(
            held, transition == model.Transition.DETACHING
        ),
        model.Status.ERROR: sa.and_(rests, fault),
        model.Status.RESERVED: sa.and_(
            rests, sa.not_(fault), sa.not_(has_arqs)
        ),
        model.Status.BINDING: sa.and_(rests, sa.not_(fault), unbound),
        model.Status.BOUND: sa.and_(
            rests, sa.not_(fault), has_arqs, sa.not_(unbound)
        ),
    }[status]


def status() -> sa.ColumnElement[str]:
    """Say in SQL what the status of a device context is.

    :returns: the status, for rows of device contexts that are joined with
        those of their allocations, if they have one.
    """
    return sa.case(*((_has_status(name), name) for name in model.Status.ALL))


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

# SPDX-License-Identifier: Apache-2.0

"""Looking first for what few device contexts have.

A page is read in its order, by an index, until it is full: that is soon if
many have what is wanted, and late if few have. So these are looked for first,
by the indexes of what is wanted, up to a bound: among so few, the order costs
little. No database would know which of the two it is: SQLite knows nothing of
how often a value is there.
"""

import collections.abc
import dataclasses
import typing as ty

import sqlalchemy as sa
from cyborg.common import constants
from cyborg.db.sqlalchemy import models
from sqlalchemy import orm

from nova_cyborg import model
from nova_cyborg.db import tables
from nova_cyborg.db.bindings import rows
from nova_cyborg.db.inventory import outages
from nova_cyborg.db.lists import filters

#: So many are few.
MOST = 1000
# Of tags that must all be there, so many are looked for.
_TAGS = 4

_Ids: ty.TypeAlias = sa.Select[tuple[int]]
#: Queries of row ids, each once in a query; what is wanted is in one of them.
Way: ty.TypeAlias = tuple[_Ids, ...]


@dataclasses.dataclass(frozen=True)
class Found:
    """What was found.

    :ivar row_ids: row ids, all that are wanted among them; None if they are
        not few in any way.
    :ivar complete: whether of all is recorded what they ask for.
    """

    row_ids: frozenset[int] | None = None
    complete: bool = True


def find(
    db: orm.Session,
    ways: collections.abc.Sequence[Way],
    by_demands: bool = False,
) -> Found:
    """Find device contexts in several ways, with one statement at most.

    :param db: the transaction's session.
    :param ways: the ways; what is wanted is found in each.
    :param by_demands: whether it matters that what they ask for is recorded.
    :returns: what was found.
    """
    parts = [
        (number, query.limit(MOST + 1))
        for number, way in enumerate(ways)
        for query in way
    ]
    if by_demands:
        parts.append((len(ways), _unrecorded().limit(1)))
    if not parts:
        return Found()
    found: list[list[int]] = [[] for _way in (*ways, None)]
    for number, row_id in db.execute(
        sa.union_all(*(_labelled(*part) for part in parts))
    ):
        found[number].append(row_id)
    complete = not found.pop()
    few = [frozenset(each) for each in found if len(each) <= MOST]
    row_ids = frozenset.intersection(*few) if few else None
    return Found(row_ids, complete)


def _labelled(number: int, query: _Ids) -> sa.Select[tuple[int, int]]:
    bounded = query.subquery()
    label: sa.ColumnElement[int] = sa.literal_column(str(number), sa.Integer)
    return sa.select(label, bounded.c[0])


def with_text(
    project_id: str | None,
    column: orm.InstrumentedAttribute[ty.Any],
    text: str,
) -> collections.abc.Iterator[Way]:
    """Look for those with a name or a device tag.

    :param project_id: the project that they are in; None for any.
    :param column: the column.
    :param text: what it has.
    :returns: a way to find them, or none.
    """
    # MariaDB does not look others up by an index: see expressions.
    if text.isascii():
        yield (_of_project(project_id).where(column == text),)


def of_server(server_id: str) -> Way:
    """Look for those that a server holds.

    :param server_id: its UUID.
    :returns: a way to find them.
    """
    return (_held_by(tables.DeviceAllocation.server_id == server_id),)


def with_status(
    project_id: str | None, status: str
) -> collections.abc.Iterator[Way]:
    """Look for those that may have a status.

    :param project_id: the project that they are in; None for any.
    :param status: one of :class:`model.Status`.
    :returns: a way to find them, or none.
    """
    row = tables.DeviceContext
    if status == model.Status.AVAILABLE:
        yield (_of_project(project_id).where(row.allocation_id.is_(None)),)
    elif status in (model.Status.ATTACHING, model.Status.DETACHING):
        # The status has the name of the transition.
        yield (sa.select(row.id).where(row.transition == status),)
    elif status == model.Status.BINDING:
        yield (_of_arqs(models.ExtArq.state != constants.ARQ_BOUND),)
    elif status == model.Status.ERROR:
        yield (
            _held_by(tables.DeviceAllocation.fault.is_not(None)),
            # Whatever the others are: there is no index of the state, and it
            # is read once.
            _of_arqs(models.ExtArq.state != constants.ARQ_BOUND),
            # Of a slot that is gone. One that is still referred to can only
            # be removed where references are not checked.
            _of_arqs(models.ExtArq.attach_handle_id.is_(None)),
            _of_arqs(models.ExtArq.attach_handle_id.in_(_missing())),
        )


def with_more(
    project_id: str | None, wanted: filters.Filters, key: str
) -> collections.abc.Iterator[Way]:
    """Look for those that a list is narrowed to besides.

    :param project_id: the project that they are in; None for any.
    :param wanted: what it is narrowed to.
    :param key: what it is sorted by first.
    :returns: ways to find them.
    """
    row = tables.DeviceContext
    besides: Way = ()
    if wanted.unrecorded:
        besides = (
            sa.select(row.id).where(filters.is_one_of(wanted.unrecorded)),
        )
    for demand in sorted(wanted.demands):
        yield (_asking(*demand), *besides)
    if wanted.device_profile_id is not None:
        yield (
            sa.select(row.id).where(
                row.device_profile_id == wanted.device_profile_id
            ),
        )
    if wanted.host is not None:
        yield (_on(wanted.host),)
    for column, times in (
        (row.created_at, wanted.created),
        (row.updated_at, wanted.updated),
    ):
        # In that order, the index is entered where they begin.
        if key != column.key and times != filters.ANY_TIME:
            narrowed = filters.within(column, times)
            yield (_of_project(project_id).where(*narrowed),)
    if wanted.changed_since is not None:
        yield filters.changed(wanted.changed_since)
    for tag in wanted.tags.all_of[:_TAGS]:
        yield (_tagged([tag]),)
    if wanted.tags.any_of:
        yield (_tagged(wanted.tags.any_of),)


def _unrecorded() -> _Ids:
    row = tables.DeviceContext
    return sa.select(row.id).where(row.demands_recorded.is_(False))


def _of_project(project_id: str | None) -> _Ids:
    query = sa.select(tables.DeviceContext.id)
    if project_id is None:
        return query
    return query.where(tables.DeviceContext.project_id == project_id)


def _held_by(condition: sa.ColumnElement[bool]) -> _Ids:
    row, allocation = tables.DeviceContext, tables.DeviceAllocation
    found = sa.select(allocation.id).where(condition)
    return sa.select(row.id).where(row.allocation_id.in_(found))


def _of_arqs(condition: sa.ColumnElement[bool]) -> _Ids:
    link, arq = tables.DeviceContextArq, models.ExtArq
    # Not a join, which a database may begin with all links.
    found = sa.select(arq.uuid).where(condition)
    return (
        sa.select(link.device_context_id)
        .where(link.arq_uuid.in_(found))
        .distinct()
    )


def _missing() -> _Ids:
    handle, outage = models.AttachHandle, tables.HandleOutage
    found = sa.select(outage.handle_uuid).where(
        outage.reason == outages.MISSING
    )
    return sa.select(handle.id).where(handle.uuid.in_(found))


def _asking(kind: str, name: str) -> _Ids:
    row, demand = tables.DeviceContext, tables.DeviceContextDemand
    found = sa.select(demand.context_uuid).where(
        demand.kind == kind, demand.name == name
    )
    return sa.select(row.id).where(row.uuid.in_(found))


def _on(host: str) -> _Ids:
    link, binding = tables.DeviceContextArq, tables.DeviceBinding
    found = sa.select(binding.id).where(rows.IS_ACTIVE, binding.node == host)
    return (
        sa.select(link.device_context_id)
        .where(link.binding_id.in_(found))
        .distinct()
    )


def _tagged(tags: collections.abc.Iterable[str]) -> _Ids:
    row, tag = tables.DeviceContext, tables.DeviceContextTag
    found = sa.select(tag.context_uuid).where(
        tag.tag.in_([each.encode() for each in tags])
    )
    return sa.select(row.id).where(row.uuid.in_(found))

# SPDX-License-Identifier: Apache-2.0

"""What a list of device contexts may be narrowed to besides."""

import collections.abc
import dataclasses
import datetime
import typing as ty

import sqlalchemy as sa
from cyborg.db.sqlalchemy import models
from sqlalchemy import orm

from nova_cyborg.db import expressions, tables
from nova_cyborg.db.bindings import rows
from nova_cyborg.db.lists import demands, tag_rows


@dataclasses.dataclass(frozen=True)
class Times:
    """When something happened: from the first moment on, before the other."""

    after: datetime.datetime | None = None
    before: datetime.datetime | None = None


@dataclasses.dataclass(frozen=True)
class Tags:
    """Which tags device contexts have; each may be none."""

    all_of: tuple[str, ...] = ()
    any_of: tuple[str, ...] = ()
    not_all_of: tuple[str, ...] = ()
    not_any_of: tuple[str, ...] = ()


ANY_TIME = Times()
ANY_TAGS = Tags()


@dataclasses.dataclass(frozen=True)
class Filters:
    """What a list is narrowed to; None: not narrowed.

    :ivar resource_class: what one of its groups asks for.
    :ivar trait: what one of its groups requires.
    :ivar device_profile_id: UUID of the profile its groups were copied from.
    :ivar host: the node of its devices; printable ASCII.
    :ivar changed_since: from when on it has changed; or its server's devices,
        as far as that is recorded.
    :ivar unrecorded: row ids of those that ask for the resource class and the
        trait, and of which that is not recorded.
    """

    resource_class: str | None = None
    trait: str | None = None
    device_profile_id: str | None = None
    host: str | None = None
    created: Times = ANY_TIME
    updated: Times = ANY_TIME
    changed_since: datetime.datetime | None = None
    tags: Tags = ANY_TAGS
    unrecorded: frozenset[int] = frozenset()

    @property
    def demands(self) -> frozenset[demands.Demand]:
        """What it is narrowed to of what is asked for."""
        return frozenset(
            (kind, name)
            for kind, name in (
                (demands.CLASS, self.resource_class),
                (demands.TRAIT, self.trait),
            )
            if name is not None
        )


#: A list is not narrowed.
NONE = Filters()


def conditions(
    filters: Filters, are_many: bool
) -> collections.abc.Iterator[sa.ColumnElement[bool]]:
    """Say of a device context that it is among those that are wanted.

    :param filters: which are.
    :param are_many: whether nothing else narrows the list.
    :returns: conditions for a statement that has its allocation, too.
    """
    row = tables.DeviceContext
    if filters.demands:
        yield _asks(filters)
    if filters.device_profile_id is not None:
        yield row.device_profile_id == filters.device_profile_id
    if filters.host is not None:
        yield _is_on(filters.host)
    yield from within(row.created_at, filters.created)
    yield from within(row.updated_at, filters.updated)
    if filters.changed_since is not None:
        since = filters.changed_since
        if are_many:
            # As a table of its own. MariaDB would look into a union for each
            # row.
            found = sa.union(*changed(since)).subquery('changed')
            yield row.id.in_(sa.select(found.c.id))
        else:
            yield _has_changed(since)
    yield from _tagged(filters.tags)


def within(
    column: orm.InstrumentedAttribute[ty.Any],
    times: Times,
) -> collections.abc.Iterator[sa.ColumnElement[bool]]:
    """Say of a column that it is between two times.

    :param column: the column.
    :param times: the times.
    :returns: the conditions.
    """
    # As they are shown, in seconds, so some databases store them.
    if times.after is not None:
        yield column >= times.after
    if times.before is not None:
        yield column < times.before


def _asks(filters: Filters) -> sa.ColumnElement[bool]:
    recorded = sa.and_(
        *(demands.asked_for(*each) for each in sorted(filters.demands))
    )
    if not filters.unrecorded:
        return recorded
    return sa.or_(recorded, is_one_of(filters.unrecorded))


def is_one_of(
    row_ids: collections.abc.Set[int],
) -> sa.ColumnElement[bool]:
    """Say of a device context that it is one of some.

    :param row_ids: their row ids, however many.
    :returns: the condition.
    """
    # As text: SQLite takes so many parameters, and no more.
    given: sa.BindParameter[int] = sa.bindparam(
        None, sorted(row_ids), expanding=True, literal_execute=True
    )
    return tables.DeviceContext.id.in_(given)


def _tagged(tags: Tags) -> collections.abc.Iterator[sa.ColumnElement[bool]]:
    if tags.all_of:
        yield tag_rows.has_all(tags.all_of)
    if tags.any_of:
        yield tag_rows.has_any(tags.any_of)
    if tags.not_all_of:
        yield sa.not_(tag_rows.has_all(tags.not_all_of))
    if tags.not_any_of:
        yield sa.not_(tag_rows.has_any(tags.not_any_of))


def _is_on(host: str) -> sa.ColumnElement[bool]:
    link, arq = tables.DeviceContextArq, models.ExtArq
    binding = tables.DeviceBinding
    # What is there, and not whether each device context is.
    found = (
        sa.select(link.device_context_id)
        .join(binding, binding.id == link.binding_id)
        .join(arq, arq.uuid == expressions.as_in_cyborg(link.arq_uuid))
        .where(rows.IS_ACTIVE, *expressions.exactly(binding.node, host))
    )
    return tables.DeviceContext.id.in_(found)


def _has_changed(since: datetime.datetime) -> sa.ColumnElement[bool]:
    """Look at each device context: there are few that are looked at."""
    row, allocation = tables.DeviceContext, tables.DeviceAllocation
    return sa.or_(
        row.created_at >= since,
        row.updated_at >= since,
        # What follows from others: its status, its devices and its fault.
        allocation.updated_at >= since,
        _has_arq(_arq_is_changed(since)),
    )


def changed(
    since: datetime.datetime,
) -> tuple[sa.Select[tuple[int]], ...]:
    """Look for what has changed: nothing else is read of the others.

    :param since: from when on.
    :returns: queries of row ids of device contexts, each once in a query.
    """
    row, allocation = tables.DeviceContext, tables.DeviceAllocation
    link, arq = tables.DeviceContextArq, models.ExtArq
    return (
        sa.select(row.id).where(row.created_at >= since),
        sa.select(row.id).where(row.updated_at >= since),
        # Not a join, which a database may begin with all device contexts.
        sa.select(row.id).where(
            row.allocation_id.in_(
                sa.select(allocation.id).where(allocation.updated_at >= since)
            )
        ),
        # Nor here, with all links. There is no index of the times of ARQs:
        # they are read once.
        sa.select(link.device_context_id)
        .where(
            link.arq_uuid.in_(
                sa.select(arq.uuid).where(_arq_is_changed(since))
            )
        )
        .distinct(),
    )


def _arq_is_changed(since: datetime.datetime) -> sa.ColumnElement[bool]:
    arq = models.ExtArq
    return sa.or_(arq.created_at >= since, arq.updated_at >= since)


def _has_arq(
    *wanted: sa.ColumnElement[bool],
) -> sa.ColumnElement[bool]:
    link, arq = tables.DeviceContextArq, models.ExtArq
    return (
        sa.select(link.arq_uuid)
        .join(arq, arq.uuid == expressions.as_in_cyborg(link.arq_uuid))
        .join(tables.DeviceBinding, tables.DeviceBinding.id == link.binding_id)
        .where(link.device_context_id == tables.DeviceContext.id, *wanted)
        .exists()
    )

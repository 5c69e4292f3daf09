# SPDX-License-Identifier: Apache-2.0

"""The order of lists of device contexts, and what follows one of them."""

import collections.abc
import dataclasses
import operator
import typing as ty

import sqlalchemy as sa

from nova_cyborg.db import tables

#: Names of columns, each with ``asc`` or ``desc``, one at least.
Keys: ty.TypeAlias = collections.abc.Sequence[tuple[str, str]]


def columns(keys: Keys) -> list[sa.ColumnElement[ty.Any]]:
    """Say what a list is sorted by.

    :param keys: what it is to be sorted by; those that are equal in all of it
        are in order of their making, or against it as the last key is.
    :returns: the columns of ``ORDER BY``.
    """
    found: list[sa.ColumnElement[ty.Any]] = []
    for name, direction in keys:
        key = getattr(tables.DeviceContext, name)
        if _may_be_null(key):
            # These are last, in both directions.
            found.append(key.is_(None))
        found.append(_directed(key, direction))
    _name, direction = keys[-1]
    return [*found, _directed(tables.DeviceContext.id, direction)]


@dataclasses.dataclass(frozen=True)
class Part:
    """A part of a list, which an index has in its order.

    :ivar conditions: what is so of those that are in it.
    :ivar order: the columns of ``ORDER BY``.
    """

    conditions: tuple[sa.ColumnElement[bool], ...]
    order: list[sa.ColumnElement[ty.Any]]


def parts(marker: tables.DeviceContext | None, keys: Keys) -> list[Part]:
    """Divide what is sorted, or what of it follows a device context.

    Those that have no value of the first key are apart: an index has them
    first or last, as the database will.

    :param marker: that device context; None for the whole.
    :param keys: what the list is sorted by.
    :returns: the parts, one after the other.
    """
    name, direction = keys[0]
    key = getattr(tables.DeviceContext, name)
    after = (is_after(marker, keys),) if marker else ()
    value = getattr(marker, name) if marker else None
    # It follows from the other condition, and an index is entered by it.
    from_it = () if value is None else (_reaches(direction)(key, value),)
    sorted_by = columns(keys)
    if not _may_be_null(key):
        return [Part((*from_it, *after), sorted_by)]
    without = Part((key.is_(None), *after), sorted_by[2:])
    if marker and value is None:
        return [without]
    return [
        Part((key.is_not(None), *from_it, *after), sorted_by[1:]),
        without,
    ]


def is_after(
    marker: tables.DeviceContext, keys: Keys
) -> sa.ColumnElement[bool]:
    """Say of a device context that it follows another one.

    Not by oslo.db's paginate_query, which loses or repeats rows without a
    value when some are on both sides of a page's end.

    :param marker: the other one.
    :param keys: what the list is sorted by.
    :returns: the condition.
    """
    found = []
    equal: list[sa.ColumnElement[bool]] = []
    for name, direction in keys:
        key = getattr(tables.DeviceContext, name)
        value = getattr(marker, name)
        if value is None:
            # None is after those without a value.
            equal.append(key.is_(None))
            continue
        follows = _follows(direction)(key, value)
        if _may_be_null(key):
            follows = sa.or_(follows, key.is_(None))
        found.append(sa.and_(*equal, follows))
        equal.append(key == value)
    _name, direction = keys[-1]
    last = _follows(direction)(tables.DeviceContext.id, marker.id)
    return sa.or_(*found, sa.and_(*equal, last))


def _may_be_null(key: ty.Any) -> bool:
    return bool(key.property.columns[0].nullable)


def _directed(
    column: sa.ColumnElement[ty.Any] | ty.Any, direction: str
) -> sa.ColumnElement[ty.Any]:
    return column.desc() if direction == 'desc' else column.asc()


def _follows(direction: str) -> collections.abc.Callable[..., ty.Any]:
    return operator.lt if direction == 'desc' else operator.gt


def _reaches(direction: str) -> collections.abc.Callable[..., ty.Any]:
    return operator.le if direction == 'desc' else operator.ge

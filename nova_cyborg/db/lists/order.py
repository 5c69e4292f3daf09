# SPDX-License-Identifier: Apache-2.0

"""The order of lists of device contexts, and what follows one of them."""

import collections.abc
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
        # Some keys may be null; these are last, in both directions.
        found += [key.is_(None), _directed(key, direction)]
    _name, direction = keys[-1]
    return [*found, _directed(tables.DeviceContext.id, direction)]


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
        follows = sa.or_(_follows(direction)(key, value), key.is_(None))
        found.append(sa.and_(*equal, follows))
        equal.append(key == value)
    _name, direction = keys[-1]
    last = _follows(direction)(tables.DeviceContext.id, marker.id)
    return sa.or_(*found, sa.and_(*equal, last))


def _directed(
    column: sa.ColumnElement[ty.Any] | ty.Any, direction: str
) -> sa.ColumnElement[ty.Any]:
    return column.desc() if direction == 'desc' else column.asc()


def _follows(direction: str) -> collections.abc.Callable[..., ty.Any]:
    return operator.lt if direction == 'desc' else operator.gt

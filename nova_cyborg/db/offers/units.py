# SPDX-License-Identifier: Apache-2.0

"""How many units of a resource class there are, free or not."""

import collections.abc

import sqlalchemy as sa
from cyborg import context as cyborg_context
from cyborg.db.sqlalchemy import models
from sqlalchemy import orm

from nova_cyborg.db import session
from nova_cyborg.db.inventory import handles, outages, providers
from nova_cyborg.explaining import sentences

_RESOURCE_CLASS = 'rc'
_TRAIT = 'trait%'


def count(
    context: cyborg_context.RequestContext,
    classes: collections.abc.Iterable[str],
    traits: collections.abc.Iterable[str],
) -> sentences.Units:
    """Count units, with one statement.

    :param classes: the resource classes that a device is of: of all of them.
    :param traits: the traits that it has: all of them.
    :returns: how many units there are.
    """
    handle, deployable = models.AttachHandle, models.Deployable
    device = models.Device
    is_maintained = device.status == providers.MAINTAINED
    is_free = sa.and_(~handles.IS_USED, ~outages.IS_OUT, ~is_maintained)
    of_device = (
        sa.select(
            sa.func.count(handle.id).label('total'),
            _number_of(is_maintained).label('maintained'),
            _number_of(handles.IS_USED).label('used'),
            _number_of(is_free).label('free'),
        )
        .join(deployable, deployable.id == handle.deployable_id)
        .join(device, device.id == deployable.device_id)
        .where(*(_has(_RESOURCE_CLASS, name) for name in classes))
        .where(*(_has(_TRAIT, name) for name in traits))
        .group_by(deployable.id)
        .subquery()
    )
    each = of_device.c
    columns = (each.total, each.maintained, each.used, each.free)
    query = sa.select(*map(sa.func.sum, columns), sa.func.max(each.total))
    (found,) = session.rows(context, query)
    # Sums are Decimals on MariaDB, and none of nothing.
    return sentences.Units(*(int(number or 0) for number in found))


def _number_of(condition: sa.ColumnElement[bool]) -> sa.ColumnElement[int]:
    return sa.func.sum(sa.case((condition, 1), else_=0))


def _has(key: str, value: str) -> sa.ColumnElement[bool]:
    attribute = orm.aliased(models.Attribute)
    return (
        sa.select(attribute.id)
        .where(
            attribute.deployable_id == models.Deployable.id,
            attribute.key.like(key),
            attribute.value == value,
        )
        .correlate(models.Deployable)
        .exists()
    )

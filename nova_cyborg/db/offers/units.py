# SPDX-License-Identifier: Apache-2.0

"""How many units of a resource class there are, free or not."""

import collections.abc

import sqlalchemy as sa
from cyborg import context as cyborg_context
from cyborg.db.sqlalchemy import models
from sqlalchemy import orm

from nova_cyborg.db import session
from nova_cyborg.db.inventory import handles, providers
from nova_cyborg.explaining import sentences

_RESOURCE_CLASS = 'rc'
_TRAIT = 'trait%'


def count(
    context: cyborg_context.RequestContext,
    resource_class: str,
    traits: collections.abc.Iterable[str],
) -> sentences.Units:
    """Count units, with one statement.

    :param resource_class: the class that devices are of.
    :param traits: the traits that they have.
    :returns: how many units there are.
    """
    handle, deployable = models.AttachHandle, models.Deployable
    device = models.Device
    is_maintained = device.status == providers.MAINTAINED
    query = (
        sa.select(
            sa.func.count(handle.id),
            sa.func.sum(sa.case((is_maintained, 1), else_=0)),
            sa.func.sum(sa.case((handles.IS_USED, 1), else_=0)),
        )
        .join(deployable, deployable.id == handle.deployable_id)
        .join(device, device.id == deployable.device_id)
        .where(_has(_RESOURCE_CLASS, resource_class))
        .where(*(_has(_TRAIT, name) for name in traits))
    )
    ((total, maintained, used),) = session.rows(context, query)
    return sentences.Units(total, int(maintained or 0), int(used or 0))


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

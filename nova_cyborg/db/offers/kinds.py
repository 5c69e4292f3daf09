# SPDX-License-Identifier: Apache-2.0

"""Which kinds of devices there are, what they have, and where."""

from __future__ import annotations

import collections
import collections.abc
import dataclasses
import typing as ty

import sqlalchemy as sa
from cyborg import context as cyborg_context
from cyborg.db.sqlalchemy import models
from sqlalchemy import orm

from nova_cyborg import model
from nova_cyborg.db import session, tables
from nova_cyborg.db.inventory import handles, outages, providers

# The keys of attributes that Cyborg tells Placement; each trait has its own.
_RESOURCE_CLASS = 'rc'
_TRAITS = 'trait%'


class Kind(ty.NamedTuple):
    """Devices that can be asked for alike.

    :ivar resource_class: the resource class of their units.
    :ivar vendor: whose they are, as Cyborg has it.
    :ivar product: which of that vendor's they are.
    :ivar type: what they are, one of Cyborg's types.
    """

    resource_class: str
    vendor: str
    product: str
    type: str


@dataclasses.dataclass(frozen=True)
class Units:
    """How many units there are.

    :ivar total: all.
    :ivar used: of them, those that servers have.
    :ivar free: of them, those that a server would get.
    """

    total: int = 0
    used: int = 0
    free: int = 0

    def __add__(self, other: Units) -> Units:
        return Units(
            self.total + other.total,
            self.used + other.used,
            self.free + other.free,
        )


def units(
    context: cyborg_context.RequestContext,
) -> dict[Kind, dict[str, Units]]:
    """Count the units of each kind on each host, with one statement.

    :returns: by kind, by name of the host.
    """
    handle, device = models.AttachHandle, models.Device
    is_tainted = (
        sa.select(tables.DeviceTaint.uuid)
        .where(tables.DeviceTaint.device_uuid == device.uuid)
        .correlate(device)
        .exists()
    )
    is_free = sa.and_(
        ~handles.IS_USED,
        ~outages.IS_OUT,
        device.status != providers.MAINTAINED,
        ~is_tainted,
    )
    query = (
        _of_devices(
            device.hostname,
            sa.func.count(handle.id),
            sa.func.sum(sa.case((handles.IS_USED, 1), else_=0)),
            sa.func.sum(sa.case((is_free, 1), else_=0)),
        )
        .join(handle, handle.deployable_id == models.Deployable.id)
        .group_by(*_columns(), device.hostname)
        .order_by(*_columns(), device.hostname)
    )
    found: dict[Kind, dict[str, Units]] = {}
    for *kind, host, total, used, free in session.rows(context, query):
        counted = Units(total, int(used), int(free))
        found.setdefault(Kind(*kind), {})[host] = counted
    return found


def traits(
    context: cyborg_context.RequestContext,
) -> dict[Kind, list[str]]:
    """Find the traits of each kind, with one statement.

    :returns: traits that some device of it has, but taints, by kind.
    """
    trait = orm.aliased(models.Attribute)
    query = (
        _of_devices(trait.value)
        .join(trait, trait.deployable_id == models.Deployable.id)
        .where(trait.key.like(_TRAITS))
        .distinct()
    )
    found: dict[Kind, list[str]] = collections.defaultdict(list)
    for *kind, name in session.rows(context, query):
        if not name.startswith(model.TAINT_PREFIX):
            found[Kind(*kind)].append(name)
    return {kind: sorted(names) for kind, names in found.items()}


def offered(
    context: cyborg_context.RequestContext,
    names: collections.abc.Collection[str],
) -> set[str]:
    """Find out which resource classes and traits some device has.

    With one statement.

    :param names: the classes and traits.
    :returns: those of them that one has.
    """
    attribute = models.Attribute
    query = (
        sa.select(attribute.value)
        .where(
            attribute.value.in_(sorted(names)),
            sa.or_(
                attribute.key == _RESOURCE_CLASS, attribute.key.like(_TRAITS)
            ),
        )
        .distinct()
    )
    return {name for (name,) in session.rows(context, query)}


def _columns() -> tuple[ty.Any, ...]:
    device = models.Device
    return models.Attribute.value, device.vendor, device.model, device.type


def _of_devices(*columns: ty.Any) -> sa.Select[ty.Any]:
    attribute, deployable = models.Attribute, models.Deployable
    return (
        sa.select(*_columns(), *columns)
        .select_from(attribute)
        .join(deployable, deployable.id == attribute.deployable_id)
        .join(models.Device, models.Device.id == deployable.device_id)
        .where(attribute.key == _RESOURCE_CLASS)
    )

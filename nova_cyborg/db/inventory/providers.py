# SPDX-License-Identifier: Apache-2.0

"""Resource providers of devices, as Placement is to know them.

What can be given of a provider is its total without what is reserved and
without what is used, which is allocated in Placement. Its slots that are not
given and that no accelerator request has are the reserved ones.
"""

import collections.abc
import dataclasses
import uuid

import sqlalchemy as sa
from cyborg import context as cyborg_context
from cyborg.db.sqlalchemy import models

from nova_cyborg import combinations, model
from nova_cyborg.db import session, tables
from nova_cyborg.db.inventory import handles, outages, taints

#: The keys of attributes that Cyborg tells Placement; each trait has its own.
RESOURCE_CLASS = 'rc'
_TRAITS = 'trait'

#: The status of a device that an administrator has disabled, and that of one
#: that was not.
MAINTAINED = 'maintaining'
ENABLED = 'enabled'


@dataclasses.dataclass(frozen=True)
class Provider:
    """A resource provider of a device.

    :ivar uuid: its UUID in Placement.
    :ivar resource_class: what its slots are counted as.
    :ivar total: how many slots it has.
    :ivar reserved: how many of them are not given, though none has them.
    :ivar maintained: whether an administrator has disabled its device.
    :ivar taints: keys of the taints of its device.
    """

    uuid: str
    resource_class: str
    total: int
    reserved: int
    maintained: bool
    taints: frozenset[str] = frozenset()


@dataclasses.dataclass(frozen=True)
class Deployable:
    """A deployable of a device, which has a resource provider.

    :ivar name: its name, which is that of the provider.
    :ivar hostname: the name of the node that its device is in.
    :ivar provider: UUID of the provider; None if Placement was never told.
    """

    name: str
    hostname: str
    provider: str | None


def known(context: cyborg_context.RequestContext) -> set[str]:
    """Return UUIDs of all resource providers of devices.

    As Cyborg makes them, of the names of deployables: it records them only
    when Placement has them.
    """
    query = sa.select(models.Deployable.name)
    return {
        str(uuid.uuid3(uuid.NAMESPACE_DNS, name))
        for (name,) in session.rows(context, query)
    }


def deployables(
    context: cyborg_context.RequestContext,
    *conditions: sa.ColumnElement[bool],
) -> list[Deployable]:
    """Read deployables, with one statement.

    :param conditions: what must hold for the rows of them and their devices.
    :returns: the deployables, in order of their making.
    """
    deployable, device = models.Deployable, models.Device
    query = (
        sa.select(deployable.name, device.hostname, deployable.rp_uuid)
        .join(device, device.id == deployable.device_id)
        .where(*conditions)
        .order_by(deployable.id)
    )
    return [Deployable(*row) for row in session.rows(context, query)]


def of_host(
    context: cyborg_context.RequestContext, hostname: str
) -> dict[str, str | None]:
    """Find the deployables of a host, and their resource providers.

    :param hostname: the name of the node.
    :returns: UUIDs of the providers, by the deployables' names; None for one
        of which Placement was not told.
    """
    return {
        each.name: each.provider
        for each in deployables(context, models.Device.hostname == hostname)
    }


def resource_classes(
    context: cyborg_context.RequestContext,
) -> frozenset[str]:
    """Find the resource classes that agents have reported devices of.

    :returns: their names.
    """
    attribute = models.Attribute
    query = (
        sa.select(attribute.value)
        .where(attribute.key == RESOURCE_CLASS)
        .distinct()
    )
    return frozenset(name for (name,) in session.rows(context, query))


def of_deployables(
    context: cyborg_context.RequestContext,
    *conditions: sa.ColumnElement[bool],
) -> list[Provider]:
    """Read the resource providers of deployables, with two statements.

    :param conditions: what must hold for their rows.
    :returns: the providers of those that Placement knows.
    """
    deployable, device = models.Deployable, models.Device
    of_it = models.AttachHandle.deployable_id == deployable.id
    count = sa.select(sa.func.count(models.AttachHandle.id))
    total = count.where(of_it).correlate(deployable).scalar_subquery()
    kept_out = (
        count.where(of_it, outages.IS_OUT, ~handles.IS_USED)
        .correlate(deployable)
        .scalar_subquery()
    )
    query = (
        sa.select(
            deployable.rp_uuid,
            models.Attribute.value,
            total,
            kept_out,
            device.status == MAINTAINED,
        )
        .join(device, device.id == deployable.device_id)
        .join(
            models.Attribute, models.Attribute.deployable_id == deployable.id
        )
        .where(
            models.Attribute.key == RESOURCE_CLASS,
            deployable.rp_uuid.is_not(None),
            *conditions,
        )
        .order_by(deployable.id)
    )
    rows = session.rows(context, query)
    tainted = taints.of_providers(context, [row[0] for row in rows])
    return [
        Provider(
            uuid=rp_uuid,
            resource_class=name,
            # Placement takes no inventory of nothing.
            total=max(slots, 1),
            reserved=max(slots, 1) if maintained or not slots else out,
            maintained=bool(maintained),
            taints=frozenset(each.key for each in tainted.get(rp_uuid, ())),
        )
        for rp_uuid, name, slots, out, maintained in rows
    ]


def of_device(
    context: cyborg_context.RequestContext, device_row_id: int
) -> list[Provider]:
    """Read the resource providers of a device.

    :param device_row_id: its row id.
    :returns: the providers.
    """
    return of_deployables(
        context, models.Deployable.device_id == device_row_id
    )


def of_tainted(context: cyborg_context.RequestContext) -> list[Provider]:
    """Read the resource providers of devices that have taints."""
    tainted = sa.select(tables.DeviceTaint.device_uuid)
    return of_deployables(context, models.Device.uuid.in_(tainted))


def of_uuids(
    context: cyborg_context.RequestContext,
    uuids: collections.abc.Collection[str | None],
) -> list[Provider]:
    """Read some resource providers.

    :param uuids: their UUIDs.
    :returns: the providers.
    """
    return of_deployables(context, models.Deployable.rp_uuid.in_(uuids))


def free_for_groups(
    context: cyborg_context.RequestContext,
    groups: collections.abc.Iterable[model.Group],
    known: collections.abc.Set[str],
) -> list[combinations.Provider]:
    """Find the resource providers of all classes that are asked for.

    With one statement, one more if some are tainted, and no call to Placement.

    :param groups: what is asked for.
    :param known: the keys of all taints.
    :returns: the providers, on all hosts, those without a free slot too; with
        as many of their traits as matter.
    """
    classes: set[str] = set()
    traits: set[str] = set()
    for group in groups:
        classes.update(name for name, _amount in group.resources)
        traits.update(group.required, group.forbidden)
    found: dict[str, tuple[str, int, set[str]]] = {}
    class_of: dict[str, str] = {}
    for provider, host, free, key, value in session.rows(
        context, _free_query(classes | traits)
    ):
        _host, _free, named = found.setdefault(provider, (host, free, set()))
        if key == RESOURCE_CLASS:
            class_of[provider] = value
        elif key.startswith(_TRAITS):
            named.add(value)
    if known:
        for provider, tainted in taints.of_providers(
            context, list(found)
        ).items():
            _host, _free, named = found[provider]
            named.update(model.taint_trait(taint.key) for taint in tainted)
    return [
        combinations.Provider(
            host, class_of[provider], frozenset(named & traits), free
        )
        for provider, (host, free, named) in found.items()
        if class_of.get(provider) in classes
    ]


def _free_query(
    values: collections.abc.Iterable[str],
) -> sa.Select[tuple[str, str, int, str, str]]:
    attribute, deployable = models.Attribute, models.Deployable
    device, handle = models.Device, models.AttachHandle
    free = (
        sa.select(sa.func.count(handle.id))
        .where(
            handle.deployable_id == deployable.id,
            handle.in_use.is_(False),
            ~outages.IS_OUT,
        )
        .correlate(deployable)
        .scalar_subquery()
    )
    return (
        sa.select(
            deployable.rp_uuid,
            device.hostname,
            free,
            attribute.key,
            attribute.value,
        )
        .select_from(attribute)
        .join(deployable, deployable.id == attribute.deployable_id)
        .join(device, device.id == deployable.device_id)
        .where(
            deployable.rp_uuid.is_not(None),
            device.status != MAINTAINED,
            attribute.value.in_(sorted(values)),
        )
    )

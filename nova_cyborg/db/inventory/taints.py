# SPDX-License-Identifier: Apache-2.0

"""Taints: why a device is given only to who tolerates that.

As in Kubernetes' dynamic resource allocation, of which a taint has the effect
``NoSchedule``: who has the device keeps it. Whoever is to have it anyway, as
who looks for its fault, tolerates the taint's key.
"""

from __future__ import annotations

import collections.abc
import dataclasses
import datetime

import sqlalchemy as sa
from cyborg import context as cyborg_context
from cyborg.db.sqlalchemy import models
from oslo_db import exception as db_exc
from oslo_utils import timeutils, uuidutils

from nova_cyborg import exception, model
from nova_cyborg.db import session, tables

#: Who has tainted a device: an operator, or the agent of its host.
OPERATOR = 'operator'
AGENT = 'agent'
#: The key of an agent's taint.
UNHEALTHY = 'unhealthy'
#: The most different keys that operators use at a time: each is a trait that
#: each request to Placement forbids.
MAX_KEYS = 32
# Characters of what an agent says.
_MOST_SAID = 1024

_COLUMNS = (
    tables.DeviceTaint.uuid,
    tables.DeviceTaint.device_uuid,
    tables.DeviceTaint.key,
    tables.DeviceTaint.reason,
    tables.DeviceTaint.source,
    tables.DeviceTaint.created_at,
)
#: Whether an operator has tainted it, as a condition for rows of devices.
IS_TAINTED = (
    sa.select(tables.DeviceTaint.uuid)
    .where(
        tables.DeviceTaint.device_uuid == models.Device.uuid,
        tables.DeviceTaint.source == OPERATOR,
    )
    .correlate(models.Device)
    .exists()
)


@dataclasses.dataclass(frozen=True)
class Taint:
    """A taint of a device.

    :ivar uuid: its UUID.
    :ivar device_id: UUID of the device.
    :ivar key: what kind of taint it is; see :func:`names.taint_key`.
    :ivar reason: why, a sentence.
    :ivar source: :data:`OPERATOR` or :data:`AGENT`.
    :ivar created_at: since when, in UTC.
    """

    uuid: str
    device_id: str
    key: str
    reason: str
    source: str
    created_at: datetime.datetime


def keys(context: cyborg_context.RequestContext) -> frozenset[str]:
    """Find the keys of all taints, with one statement.

    :returns: the keys.
    """
    query = sa.select(tables.DeviceTaint.key).distinct()
    return frozenset(key for (key,) in session.rows(context, query))


def of_providers(
    context: cyborg_context.RequestContext,
    providers: collections.abc.Collection[str],
) -> dict[str, list[Taint]]:
    """Find the taints of resource providers' devices.

    :param providers: UUIDs of the resource providers.
    :returns: the taints by UUID of the provider, of those that have some.
    """
    found: dict[str, list[Taint]] = {}
    query = (
        sa.select(models.Deployable.rp_uuid, *_COLUMNS)
        .join(models.Device, models.Device.id == models.Deployable.device_id)
        .join(
            tables.DeviceTaint,
            tables.DeviceTaint.device_uuid == models.Device.uuid,
        )
        .where(models.Deployable.rp_uuid.in_(providers))
        .order_by(tables.DeviceTaint.key)
    )
    for provider, *columns in session.rows(context, query):
        found.setdefault(provider, []).append(Taint(*columns))
    return found


def check(
    group: model.Group, tainted: collections.abc.Iterable[Taint]
) -> None:
    """Check that a group may be given a device.

    :param group: what is asked for.
    :param tainted: the taints of the device.
    :raises DeviceTainted: if it does not tolerate one of them.
    """
    for taint in tainted:
        trait = model.taint_trait(taint.key)
        if trait in group.refusing([taint.key]).forbidden:
            raise exception.DeviceTainted(key=taint.key)


def of_devices(
    context: cyborg_context.RequestContext,
    device_id: str | None = None,
    after: Taint | None = None,
    limit: int | None = None,
) -> list[Taint]:
    """Read taints in the order in which they were made.

    :param device_id: UUID of the device; None for all.
    :param after: the taint that those which are read follow.
    :param limit: how many at most.
    :returns: the taints.
    """
    taint = tables.DeviceTaint
    query = sa.select(*_COLUMNS).order_by(taint.created_at, taint.uuid)
    if device_id is not None:
        query = query.where(taint.device_uuid == device_id)
    if after is not None:
        query = query.where(
            sa.or_(
                taint.created_at > after.created_at,
                sa.and_(
                    taint.created_at == after.created_at,
                    taint.uuid > after.uuid,
                ),
            )
        )
    rows = session.rows(context, query.limit(limit))
    return [Taint(*row) for row in rows]


def get(context: cyborg_context.RequestContext, uuid: str) -> Taint:
    """Read a taint.

    :param uuid: its UUID.
    :returns: the taint.
    :raises DeviceTaintNotFound: if there is none.
    """
    query = sa.select(*_COLUMNS).where(tables.DeviceTaint.uuid == uuid)
    for row in session.rows(context, query):
        return Taint(*row)
    raise exception.DeviceTaintNotFound(id=uuid)


def check_reason(context: cyborg_context.RequestContext, taint: Taint) -> None:
    """Check that the database can store why a device is to be tainted.

    :param taint: the taint.
    :raises InvalidRequest: if it cannot.
    """
    fields = {'reason': taint.reason}
    session.check_storable(context, tables.DeviceTaint, fields)


def provider_ids(
    context: cyborg_context.RequestContext, device_id: str
) -> list[str]:
    """Find the resource providers of a device.

    :param device_id: UUID of the device.
    :returns: UUIDs of those that Placement knows.
    :raises DeviceNotFound: if there is no such device.
    """
    device, deployable = models.Device, models.Deployable
    query = (
        sa.select(deployable.rp_uuid)
        .select_from(device)
        .outerjoin(deployable, deployable.device_id == device.id)
        .where(device.uuid == device_id)
    )
    found = [uuid for (uuid,) in session.rows(context, query)]
    if not found:
        raise exception.DeviceNotFound(id=device_id)
    return [uuid for uuid in found if uuid]


@session.retry
def add(context: cyborg_context.RequestContext, taint: Taint) -> None:
    """Taint a device.

    :param taint: the taint.
    :raises DeviceTaintExists: if the device has one with this key.
    :raises TooManyTaints: if there are too many different keys.
    """
    row = tables.DeviceTaint
    with session.writing(context) as db:
        known = set(db.scalars(sa.select(row.key).distinct()))
        others = known - {taint.key, UNHEALTHY}
        if taint.source == OPERATOR and len(others) >= MAX_KEYS:
            raise exception.TooManyTaints(limit=MAX_KEYS)
        db.add(
            row(
                uuid=taint.uuid,
                device_uuid=taint.device_id,
                key=taint.key,
                reason=taint.reason,
                source=taint.source,
                created_at=taint.created_at,
            )
        )
        try:
            db.flush()
        except db_exc.DBDuplicateEntry as exc:
            raise exception.DeviceTaintExists(
                device_id=taint.device_id, key=taint.key
            ) from exc


@session.retry
def remove(context: cyborg_context.RequestContext, uuid: str) -> None:
    """Remove a taint; one that is gone is no error.

    :param uuid: its UUID.
    """
    row = tables.DeviceTaint
    with session.writing(context) as db:
        db.execute(sa.delete(row).where(row.uuid == uuid))


def new(device_id: str, key: str, reason: str, source: str) -> Taint:
    """Make a taint, which is to be added.

    :param device_id: UUID of the device.
    :param key: what kind of taint it is.
    :param reason: why, a sentence.
    :param source: :data:`OPERATOR` or :data:`AGENT`.
    :returns: the taint.
    """
    now = timeutils.utcnow()
    return Taint(
        uuidutils.generate_uuid(),
        device_id,
        key,
        reason,
        source,
        # Some databases keep no more of it.
        now.replace(microsecond=0),
    )


@dataclasses.dataclass(frozen=True)
class Change:
    """How the health of a device has changed.

    :ivar identity: its control path, which tells the devices of a host apart.
    :ivar device_id: its UUID.
    :ivar ended: UUID of the taint that it has had; None if it was well.
    :ivar begun: the taint that it is to have; None if it is well.
    """

    identity: str
    device_id: str
    ended: str | None
    begun: Taint | None


def reported(
    context: cyborg_context.RequestContext,
    hostname: str,
    said: collections.abc.Mapping[str, str],
) -> list[Change]:
    """Compare what an agent says of its devices with the taints they have.

    :param hostname: the name of the node.
    :param said: what is wrong with devices, by their control paths; empty for
        those that are well.
    :returns: what has changed.
    """
    device, row = models.Device, tables.DeviceTaint
    path = models.ControlpathID
    query = (
        sa.select(path.cpid_info, device.uuid, row.uuid, row.reason)
        .join(device, device.id == path.device_id)
        .outerjoin(
            row, sa.and_(row.device_uuid == device.uuid, row.source == AGENT)
        )
        .where(device.hostname == hostname)
    )
    changes = []
    for identity, device_id, taint_id, reason in session.rows(context, query):
        before = reason or ''
        # As it is stored, or it would change each time.
        now = tables.storable(said.get(identity, before)[:_MOST_SAID])
        if now == before:
            continue
        begun = new(device_id, UNHEALTHY, now, AGENT) if now else None
        changes.append(Change(identity, device_id, taint_id, begun))
    return changes


@session.retry
def forget_removed(context: cyborg_context.RequestContext) -> None:
    """Remove the taints of devices that are gone."""
    row, device = tables.DeviceTaint, models.Device
    known = sa.select(device.id).where(device.uuid == row.device_uuid)
    with session.writing(context) as db:
        db.execute(
            sa.delete(row).where(~known.exists()),
            execution_options={'synchronize_session': False},
        )

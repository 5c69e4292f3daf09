# SPDX-License-Identifier: Apache-2.0

"""Rows that stand twice for one device.

Two conductors without the plugin that take a host's report at the same time
each make a device of what is new: two devices at one control path, or two
deployables of one name, which have one resource provider.
"""

import collections
import collections.abc
import dataclasses
import logging

import sqlalchemy as sa
from cyborg import context as cyborg_context
from cyborg.db.sqlalchemy import models
from sqlalchemy import orm

from nova_cyborg.db import session
from nova_cyborg.db.inventory import (
    handles,
    outages,
    providers,
    slots,
    taints,
)

LOG = logging.getLogger(__name__)

#: Whether a server has a slot of a deployable, or has left it as it was in its
#: guest, or an ARQ refers to it, as a condition for rows of deployables.
_IS_HELD = sa.or_(
    sa.select(models.AttachHandle.id)
    .where(
        models.AttachHandle.deployable_id == models.Deployable.id,
        slots.IS_HELD,
    )
    .correlate(models.Deployable)
    .exists(),
    sa.select(models.ExtArq.id)
    .where(models.ExtArq.deployable_id == models.Deployable.id)
    .correlate(models.Deployable)
    .exists(),
)


@dataclasses.dataclass(frozen=True)
class _Row:
    """A device, and one of its deployables if it has any."""

    device_id: int
    withdrawn: bool
    path: str | None
    deployable_id: int | None
    name: str | None
    held: bool

    @property
    def rank(self) -> tuple[bool, bool, int, int]:
        """The smallest one stays: that of servers, else of an operator."""
        return (
            not self.held,
            not self.withdrawn,
            self.device_id,
            self.deployable_id or 0,
        )


def remove(
    context: cyborg_context.RequestContext, hostname: str
) -> frozenset[str]:
    """Remove the surplus rows of a host, unless a server has a slot of them.

    With one statement, if there are none.

    :param hostname: the name of the node.
    :returns: the names of the deployables of which one was removed.
    """
    rows = _read(context, hostname)
    names: set[str] = set()
    for row in _surplus(rows):
        if row.deployable_id is None or row.name is None:
            continue
        if not _remove_deployable(context, row.deployable_id):
            continue
        names.add(row.name)
        LOG.warning(
            'Device %s of host %s was recorded twice; what no server has of '
            'it is removed',
            row.name,
            hostname,
        )
    surplus = _surplus_devices(rows)
    for device_id in surplus:
        _remove_device(context, device_id)
    if surplus:
        taints.forget_removed(context)
    return frozenset(names)


def _read(context: cyborg_context.RequestContext, hostname: str) -> list[_Row]:
    device, path = models.Device, models.ControlpathID
    query = (
        sa.select(
            device.id,
            sa.or_(device.status == providers.MAINTAINED, taints.IS_TAINTED),
            sa.select(sa.func.min(path.cpid_info))
            .where(path.device_id == device.id)
            .correlate(device)
            .scalar_subquery(),
            models.Deployable.id,
            models.Deployable.name,
            _IS_HELD,
        )
        .outerjoin(models.Deployable, models.Deployable.device_id == device.id)
        .where(device.hostname == hostname)
    )
    return [
        _Row(device_id, bool(withdrawn), path_info, row_id, name, bool(held))
        for device_id, withdrawn, path_info, row_id, name, held in (
            session.rows(context, query)
        )
    ]


def _surplus(rows: collections.abc.Iterable[_Row]) -> list[_Row]:
    """Find the deployables that are too many, of those that can be removed."""
    homes: dict[str, int] = {}
    names: set[str] = set()
    found = []
    for row in sorted(rows, key=lambda row: row.rank):
        home = row.device_id
        if row.path is not None:
            home = homes.setdefault(row.path, row.device_id)
        known = row.name in names or home != row.device_id
        if row.name is not None:
            names.add(row.name)
        if known and not row.held:
            found.append(row)
    return found


def _surplus_devices(rows: collections.abc.Iterable[_Row]) -> list[int]:
    """Find the devices that are not the first one at their control path."""
    homes: dict[str, int] = {}
    for row in sorted(rows, key=lambda row: row.rank):
        if row.path is not None:
            homes.setdefault(row.path, row.device_id)
    return sorted(
        {
            row.device_id
            for row in rows
            if row.path is not None and homes[row.path] != row.device_id
        }
    )


@session.retry
def _remove_deployable(
    context: cyborg_context.RequestContext, row_id: int
) -> bool:
    """Remove a deployable, unless a server has taken a slot meanwhile.

    Or has given it back, and it is to be cleaned.
    """
    handle, attribute = models.AttachHandle, models.Attribute
    of_it = handle.deployable_id == row_id
    with session.writing(context) as db:
        found = list(db.scalars(sa.select(handle.uuid).where(of_it)))
        free = handle.in_use.is_(False)
        _delete(db, handle, of_it, free, ~handles.IS_USED, ~outages.IS_UNCLEAN)
        if db.scalars(sa.select(handle.id).where(of_it)).first():
            return False
        _delete(db, attribute, attribute.deployable_id == row_id)
        _delete(db, models.Deployable, models.Deployable.id == row_id)
    outages.forget_removed(context, found)
    return True


@session.retry
def _remove_device(
    context: cyborg_context.RequestContext, row_id: int
) -> None:
    """Remove a device, unless it has a deployable."""
    path, deployable = models.ControlpathID, models.Deployable
    has_some = sa.select(deployable.id).where(deployable.device_id == row_id)
    with session.writing(context) as db:
        if db.scalars(has_some).first() is None:
            _delete(db, path, path.device_id == row_id)
            _delete(db, models.Device, models.Device.id == row_id)


def _delete(
    db: orm.Session, table: type, *conditions: sa.ColumnElement[bool]
) -> None:
    db.execute(
        sa.delete(table).where(*conditions),
        execution_options={'synchronize_session': False},
    )


@dataclasses.dataclass(frozen=True)
class Twin:
    """A device that is recorded more than once.

    :ivar name: the name of its deployables.
    :ivar hostnames: the names of the nodes that they are recorded on.
    :ivar server_ids: UUIDs of the servers that have slots of them.
    """

    name: str
    hostnames: tuple[str, ...]
    server_ids: tuple[str, ...]


def find(context: cyborg_context.RequestContext) -> list[Twin]:
    """Find the devices that are recorded more than once.

    :returns: the devices, in order of their names.
    """
    deployable, device = models.Deployable, models.Device
    handle, arq = models.AttachHandle, models.ExtArq
    twice = (
        sa.select(deployable.name)
        .group_by(deployable.name)
        .having(sa.func.count(deployable.id) > 1)
    )
    query = (
        sa.select(deployable.name, device.hostname, arq.instance_uuid)
        .join(device, device.id == deployable.device_id)
        .outerjoin(handle, handle.deployable_id == deployable.id)
        .outerjoin(arq, arq.attach_handle_id == handle.id)
        .where(deployable.name.in_(twice))
        .distinct()
    )
    hosts = collections.defaultdict(set)
    servers = collections.defaultdict(set)
    for name, hostname, server_id in session.rows(context, query):
        hosts[name].add(hostname)
        servers[name].update([server_id] if server_id else [])
    return [
        Twin(name, tuple(sorted(hosts[name])), tuple(sorted(servers[name])))
        for name in sorted(hosts)
    ]

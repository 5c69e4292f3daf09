# SPDX-License-Identifier: Apache-2.0

"""The hosts whose cyborg-agents have reported devices."""

import typing as ty

import sqlalchemy as sa
from cyborg import context as cyborg_context
from cyborg.db.sqlalchemy import models
from sqlalchemy import orm

from nova_cyborg import model
from nova_cyborg.db import session, tables


def names(context: cyborg_context.RequestContext) -> set[str]:
    """Find the hosts that have devices.

    :returns: the names of the nodes.
    """
    query = sa.select(models.Device.hostname).distinct()
    return {name for (name,) in session.rows(context, query)}


def cleaned(context: cyborg_context.RequestContext) -> set[str]:
    """Find the hosts that have devices of which slots are cleaned.

    :returns: the names of the nodes.
    """
    deployable, attribute = models.Deployable, models.Attribute
    query = (
        sa.select(models.Device.hostname)
        .join(deployable, deployable.device_id == models.Device.id)
        .join(attribute, attribute.deployable_id == deployable.id)
        .where(attribute.key == model.CLEANING_ATTRIBUTE)
        .distinct()
    )
    return {name for (name,) in session.rows(context, query)}


def lock(db: orm.Session, hostname: str) -> None:
    """Have nobody else give slots of a host until the transaction ends.

    It is to begin with this: on MariaDB, a transaction that has read already
    does not see what others have given before it.

    :param db: the transaction's session.
    :param hostname: the name of the node.
    """
    _lock(db, sa.select(sa.literal(hostname, sa.String)))


def lock_of_device(db: orm.Session, deployable_id: int) -> None:
    """See :func:`lock`; of the host that a device is in.

    :param db: the transaction's session.
    :param deployable_id: row id of the device's deployable.
    """
    device, deployable = models.Device, models.Deployable
    _lock(
        db,
        sa.select(device.hostname)
        .join(deployable, deployable.device_id == device.id)
        .where(deployable.id == deployable_id),
    )


def _lock(db: orm.Session, hostname: sa.Select[tuple[str]]) -> None:
    row = tables.HostLock
    locked: ty.Any = db.execute(
        sa.update(row)
        .where(row.hostname == hostname.scalar_subquery())
        .values(times=row.times + 1),
        execution_options={'synchronize_session': False},
    )
    if not locked.rowcount:
        # Of two that make the row, one is told so, and begins again.
        db.execute(
            sa.insert(row).from_select(
                ['hostname', 'times'], hostname.add_columns(sa.literal(0))
            )
        )

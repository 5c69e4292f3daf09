# SPDX-License-Identifier: Apache-2.0

"""Rows of Cyborg's and ours that have lost what they belong to.

Each is found with the time of its last change: two that are equal are one
that has not changed in between.
"""

import dataclasses
import datetime

import sqlalchemy as sa
from cyborg import context as cyborg_context
from cyborg.db.sqlalchemy import models

from nova_cyborg.db import expressions, session, tables
from nova_cyborg.db.inventory import handles


@dataclasses.dataclass(frozen=True)
class Slot:
    """An attach handle whose use and whose ARQs disagree.

    :ivar row_id: its row id.
    :ivar uuid: its UUID.
    :ivar attach_type: ``PCI``, ``MDEV`` or another of Cyborg's.
    :ivar in_use: whether it counts as in use, by no ARQ; else, an ARQ has it.
    :ivar changed_at: when it was changed.
    """

    row_id: int
    uuid: str
    attach_type: str
    in_use: bool
    changed_at: datetime.datetime


def slots(context: cyborg_context.RequestContext) -> list[Slot]:
    """Find attach handles whose use and whose ARQs disagree.

    :returns: the handles.
    """
    handle = models.AttachHandle
    query = sa.select(
        handle.id,
        handle.uuid,
        handle.attach_type,
        handle.in_use,
        sa.func.coalesce(handle.updated_at, handle.created_at),
    ).where(
        (handle.in_use.is_(True) & ~handles.IS_USED)
        | (handle.in_use.is_(False) & handles.IS_USED)
    )
    return [Slot(*row) for row in session.rows(context, query)]


def servers_with_links(context: cyborg_context.RequestContext) -> list[str]:
    """Find servers with device contexts that have lost an ARQ.

    :returns: UUIDs of the servers.
    """
    link, held = tables.DeviceContextArq, tables.DeviceContext
    allocation, arq = tables.DeviceAllocation, models.ExtArq
    there = sa.select(arq.id).where(
        arq.uuid == expressions.as_in_cyborg(link.arq_uuid)
    )
    query = (
        sa.select(allocation.server_id)
        .join(held, held.allocation_id == allocation.id)
        .join(link, link.device_context_id == held.id)
        .where(~there.exists())
        .distinct()
    )
    return [server_id for (server_id,) in session.rows(context, query)]

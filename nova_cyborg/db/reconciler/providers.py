# SPDX-License-Identifier: Apache-2.0

"""Resource providers of devices, some at a time, and who uses them."""

import collections.abc
import dataclasses

import sqlalchemy as sa
from cyborg import context as cyborg_context
from cyborg.db.sqlalchemy import models

from nova_cyborg.db import arqs, session


@dataclasses.dataclass
class Provider:
    """A resource provider.

    :ivar row_id: the row id of its deployable.
    :ivar uuid: its UUID.
    :ivar uses: what servers use of it, by their UUIDs.
    """

    row_id: int
    uuid: str
    uses: dict[str, arqs.Use] = dataclasses.field(default_factory=dict)


def following(
    context: cyborg_context.RequestContext, after: int, limit: int
) -> list[Provider]:
    """Find some resource providers, in turn, with one statement.

    :param after: the row id of the last one of those before; 0 for none.
    :param limit: how many at most.
    :returns: the providers.
    """
    return _find(context, models.Deployable.id > after, limit)


def of_uuids(
    context: cyborg_context.RequestContext,
    uuids: collections.abc.Collection[str],
) -> list[Provider]:
    """Find resource providers.

    :param uuids: their UUIDs; those that are of no device do not matter.
    :returns: the providers.
    """
    if not uuids:
        return []
    chosen = sorted(uuids)
    return _find(context, models.Deployable.rp_uuid.in_(chosen), len(chosen))


def _find(
    context: cyborg_context.RequestContext,
    condition: sa.ColumnElement[bool],
    limit: int,
) -> list[Provider]:
    deployable, arq = models.Deployable, models.ExtArq
    some = (
        sa.select(deployable.id, deployable.rp_uuid)
        .where(condition, deployable.rp_uuid.is_not(None))
        .order_by(deployable.id)
        .limit(limit)
        .subquery()
    )
    query = (
        sa.select(
            some.c.id,
            some.c.rp_uuid,
            arq.instance_uuid,
            arq.hostname,
            sa.func.count(arq.id),
        )
        .outerjoin(arq, arq.device_rp_uuid == some.c.rp_uuid)
        .group_by(some.c.id, some.c.rp_uuid, arq.instance_uuid, arq.hostname)
        .order_by(some.c.id)
    )
    found: dict[int, Provider] = {}
    for row_id, uuid, server_id, node, count in session.rows(context, query):
        one = found.setdefault(row_id, Provider(row_id, uuid))
        if server_id:
            one.uses[server_id] = arqs.Use(node, count)
    return list(found.values())

# SPDX-License-Identifier: Apache-2.0

"""Links: which accelerator requests (ARQs) are of which device context.

The ARQs of a device context belong to a hidden device profile, one for each
distinct set of groups. Which of its groups one stands for, and which attempt
to bring its server to a host has made it, is in its link.
"""

import collections
import collections.abc
import dataclasses
import json
import typing as ty

import sqlalchemy as sa
from cyborg import context as cyborg_context
from cyborg.common import constants
from cyborg.db.sqlalchemy import models
from oslo_utils import uuidutils
from sqlalchemy import orm

from nova_cyborg import model
from nova_cyborg.db import profiles, session, tables
from nova_cyborg.db.inventory import outages, slots

#: Whether an ARQ is on the host that its server is being evacuated from, as a
#: condition for rows of links: what replaces it may not come to be.
IS_LEFT_BEHIND = tables.DeviceContextArq.generation < 0


@dataclasses.dataclass(frozen=True)
class Target:
    """Where the ARQs of a device context are to be bound.

    :ivar hostname: the node.
    :ivar providers: UUID of the resource provider of each group, in order.
    """

    hostname: str
    providers: tuple[str, ...]


def by_context(
    db: orm.Session, context_row_ids: collections.abc.Sequence[int]
) -> dict[int, list[model.Device]]:
    """Read the devices of some device contexts, with one statement.

    :param db: the transaction's session.
    :param context_row_ids: row ids of device contexts.
    :returns: devices by row id, in order of group and making.
    """
    link, arq, handle = (
        tables.DeviceContextArq,
        models.ExtArq,
        models.AttachHandle,
    )
    rows = db.execute(
        sa.select(link, arq, handle, outages.IS_MISSING)
        .join(arq, arq.uuid == link.arq_uuid)
        .outerjoin(handle, handle.id == arq.attach_handle_id)
        .where(link.device_context_id.in_(context_row_ids), ~IS_LEFT_BEHIND)
        .order_by(link.device_context_id, link.group_number, arq.id)
    )
    found = collections.defaultdict(list)
    for link_row, arq_row, handle_row, missing in rows:
        found[link_row.device_context_id].append(
            _device(link_row, arq_row, handle_row, missing)
        )
    return found


def servers_left_behind(
    context: cyborg_context.RequestContext,
    providers: collections.abc.Sequence[str] | None = None,
    limit: int | None = None,
) -> dict[str, str]:
    """Find servers that have ARQs on a host that they are evacuated from.

    :param providers: UUIDs of the resource providers that matter; None for
        all.
    :param limit: how many ARQs at most; None for all.
    :returns: the node that is left, by UUID of the server.
    """
    arq, link = models.ExtArq, tables.DeviceContextArq
    query = (
        sa.select(arq.instance_uuid, arq.hostname)
        .join(link, link.arq_uuid == arq.uuid)
        .where(IS_LEFT_BEHIND)
        .order_by(arq.id)
        .limit(limit)
    )
    if providers is not None:
        query = query.where(arq.device_rp_uuid.in_(providers))
    return dict(session.rows(context, query))


def nodes(
    db: orm.Session, context_row_ids: collections.abc.Sequence[int]
) -> dict[str, str]:
    """Find where the ARQs of device contexts are, left behind or not.

    :param db: the transaction's session.
    :param context_row_ids: row ids of device contexts.
    :returns: the node by UUID of the ARQ.
    """
    arq, link = models.ExtArq, tables.DeviceContextArq
    rows = db.execute(
        sa.select(arq.uuid, arq.hostname)
        .join(link, link.arq_uuid == arq.uuid)
        .where(link.device_context_id.in_(context_row_ids))
        .order_by(arq.id)
    )
    return dict(row._tuple() for row in rows)


def of_attempt(
    db: orm.Session,
    context_row_ids: collections.abc.Sequence[int],
    generation: int,
) -> list[str]:
    """Find the ARQs that an attempt to bring a server to a host has made.

    :param db: the transaction's session.
    :param context_row_ids: row ids of the server's device contexts.
    :param generation: the attempt's.
    :returns: UUIDs of the ARQs.
    """
    link = tables.DeviceContextArq
    return list(
        db.scalars(
            sa.select(link.arq_uuid)
            .where(
                link.device_context_id.in_(context_row_ids),
                link.generation == generation,
            )
            .order_by(link.arq_uuid)
        )
    )


def mark_left_behind(
    db: orm.Session, arq_ids: collections.abc.Collection[str]
) -> None:
    """Mark ARQs as on the host that their server is being evacuated from.

    :param db: the transaction's session.
    :param arq_ids: their UUIDs.
    """
    link = tables.DeviceContextArq
    db.execute(
        sa.update(link)
        .where(link.arq_uuid.in_(arq_ids), ~IS_LEFT_BEHIND)
        .values(generation=_other_sign(link.generation))
    )


def unmark_left_behind(
    db: orm.Session, context_row_ids: collections.abc.Sequence[int]
) -> None:
    """Have a server use the ARQs again that it has left behind.

    None of them if it has others, which have replaced them.

    :param db: the transaction's session.
    :param context_row_ids: row ids of the server's device contexts.
    """
    link, arq = tables.DeviceContextArq, models.ExtArq
    mine = link.device_context_id.in_(context_row_ids)
    there = db.scalar(
        sa.select(sa.func.count(arq.id))
        .join(link, link.arq_uuid == arq.uuid)
        .where(mine, ~IS_LEFT_BEHIND)
    )
    if not there:
        db.execute(
            sa.update(link)
            .where(mine, IS_LEFT_BEHIND)
            .values(generation=_other_sign(link.generation))
        )


def make_arqs(
    db: orm.Session,
    context_row_id: int,
    context: model.DeviceContext,
    generation: int,
    target: Target,
    taken: collections.abc.Iterator[slots.Slot] | None = None,
) -> list[dict[str, str]]:
    """Make the ARQs of a device context, bound or ready to be bound.

    :param db: the transaction's session.
    :param context_row_id: row id of the device context.
    :param context: the device context; a server holds it.
    :param generation: the allocation's generation they belong to.
    :param target: where they are to be bound.
    :param taken: the slots that they are bound to, in order; None if they are
        not bound yet.
    :returns: ``uuid`` and ``device_rp_uuid`` of each.
    """
    profile_id = profiles.make(db, context.groups)
    arqs: list[dict[str, ty.Any]] = []
    links: list[dict[str, ty.Any]] = []
    for number, group in enumerate(context.groups):
        for _n in range(group.accelerator_count):
            uuid = uuidutils.generate_uuid()
            arqs.append(
                {
                    'uuid': uuid,
                    'project_id': context.project_id,
                    'substate': constants.ARQ_INITIAL,
                    'device_profile_id': profile_id,
                    'device_profile_group_id': number,
                    'hostname': target.hostname,
                    'device_rp_uuid': target.providers[number],
                    # Set before it is bound, so that what looks ARQs up by
                    # server finds it from the beginning.
                    'instance_uuid': context.server_id,
                    **_binding(taken),
                }
            )
            links.append(
                {
                    'arq_uuid': uuid,
                    'device_context_id': context_row_id,
                    'group_number': number,
                    'generation': generation,
                }
            )
    # As values of one statement: to add objects has SQLAlchemy name the type
    # of each column to PostgreSQL, and that of ``state`` has no name.
    db.execute(sa.insert(models.ExtArq).values(arqs))
    db.execute(sa.insert(tables.DeviceContextArq).values(links))
    return [
        {'uuid': arq['uuid'], 'device_rp_uuid': arq['device_rp_uuid']}
        for arq in arqs
    ]


def _binding(
    taken: collections.abc.Iterator[slots.Slot] | None,
) -> dict[str, ty.Any]:
    if taken is None:
        return {'state': constants.ARQ_INITIAL}
    slot = next(taken)
    return {
        'state': constants.ARQ_BOUND,
        'attach_handle_id': slot.row_id,
        'deployable_id': slot.deployable_id,
    }


def remove_dangling(
    db: orm.Session,
    context_row_ids: collections.abc.Sequence[int],
) -> None:
    """Remove the links to ARQs that are gone.

    :param db: the transaction's session.
    :param context_row_ids: row ids of device contexts.
    """
    link, arq = tables.DeviceContextArq, models.ExtArq
    live = sa.select(arq.id).where(arq.uuid == link.arq_uuid)
    db.execute(
        sa.delete(link).where(
            link.device_context_id.in_(context_row_ids), ~live.exists()
        )
    )


def _other_sign(generation: ty.Any) -> ty.Any:
    # The first generation is 0, which has none. It is its own inverse.
    return -1 - generation


def _device(
    link: ty.Any, arq: ty.Any, handle: ty.Any, missing: bool
) -> model.Device:
    is_bound = arq.state == constants.ARQ_BOUND
    bound = is_bound and handle is not None
    return model.Device(
        arq_id=arq.uuid,
        group=link.group_number,
        state=arq.state,
        host=arq.hostname,
        resource_provider_id=arq.device_rp_uuid,
        attach_handle_type=handle.attach_type if bound else None,
        attach_handle_id=handle.uuid if bound else None,
        attach_handle_info=json.loads(handle.attach_info) if bound else {},
        # Cyborg without the plugin deletes handles that are in use.
        missing=is_bound and (handle is None or bool(missing)),
    )

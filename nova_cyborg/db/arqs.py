# SPDX-License-Identifier: Apache-2.0

"""Accelerator requests (ARQs) of device contexts, in Cyborg's own tables.

An ARQ of a device context is a row like any other ARQ's, so that Cyborg's
conductor, agents and drivers work on it. It belongs to a hidden device
profile, one for each distinct set of groups.
"""

import collections
import collections.abc
import json
import typing as ty

import sqlalchemy as sa
from cyborg import context as cyborg_context
from cyborg.common import constants
from cyborg.db.sqlalchemy import models
from oslo_utils import timeutils, uuidutils
from sqlalchemy import orm

from nova_cyborg import model
from nova_cyborg.db import handles, hidden_profiles, session, tables

_PENDING = (constants.ARQ_INITIAL, constants.ARQ_BIND_STARTED)
#: Whether an ARQ is on the host that its server is being evacuated from, as a
#: condition for rows of links: what replaces it may not come to be.
IS_LEFT_BEHIND = tables.DeviceContextArq.generation < 0


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
        sa.select(link, arq, handle)
        .join(arq, arq.uuid == link.arq_uuid)
        .outerjoin(handle, handle.id == arq.attach_handle_id)
        .where(link.device_context_id.in_(context_row_ids), ~IS_LEFT_BEHIND)
        .order_by(link.device_context_id, link.group_number, arq.id)
    )
    found = collections.defaultdict(list)
    for link_row, arq_row, handle_row in rows:
        found[link_row.device_context_id].append(
            _device(link_row, arq_row, handle_row)
        )
    return found


def of_server(
    context: cyborg_context.RequestContext, server_id: str
) -> list[str]:
    """Find all ARQs of a server by index, those of profiles too.

    :param server_id: UUID of the server.
    :returns: UUIDs of the ARQs.
    """
    with session.reading(context) as db:
        return list(
            db.scalars(
                sa.select(models.ExtArq.uuid)
                .where(models.ExtArq.instance_uuid == server_id)
                .order_by(models.ExtArq.id)
            )
        )


def given_to(
    context: cyborg_context.RequestContext, server_id: str
) -> list[str]:
    """Find the ARQs of a server by index, as Nova is to see them.

    :param server_id: UUID of the server.
    :returns: UUIDs of the ARQs, those of profiles too; without what is on
        the host that the server is being evacuated from.
    """
    arq, link = models.ExtArq, tables.DeviceContextArq
    left = orm.aliased(arq)
    host_is_left = (
        sa.select(link.arq_uuid)
        .join(left, left.uuid == link.arq_uuid)
        .where(
            left.instance_uuid == arq.instance_uuid,
            left.hostname == arq.hostname,
            IS_LEFT_BEHIND,
        )
    )
    with session.reading(context) as db:
        return list(
            db.scalars(
                sa.select(arq.uuid)
                .where(arq.instance_uuid == server_id, ~host_is_left.exists())
                .order_by(arq.id)
            )
        )


def of_profiles(
    context: cyborg_context.RequestContext, server_id: str
) -> dict[str, str]:
    """Find the ARQs of a server by index that are of no device context.

    :param server_id: UUID of the server.
    :returns: the node by UUID of the ARQ.
    """
    arq, link = models.ExtArq, tables.DeviceContextArq
    links = sa.select(link.arq_uuid).where(link.arq_uuid == arq.uuid)
    with session.reading(context) as db:
        rows = db.execute(
            sa.select(arq.uuid, arq.hostname)
            .where(arq.instance_uuid == server_id, ~links.exists())
            .order_by(arq.id)
        )
        return dict(row._tuple() for row in rows)


def elsewhere(db: orm.Session, server_id: str, node: str) -> list[str]:
    """Find the ARQs of a server on other nodes than its own.

    :param db: the transaction's session.
    :param server_id: UUID of the server.
    :param node: the node that it is on.
    :returns: UUIDs of the ARQs, those of profiles too.
    """
    arq = models.ExtArq
    return list(
        db.scalars(
            sa.select(arq.uuid).where(
                arq.instance_uuid == server_id, arq.hostname != node
            )
        )
    )


def states(
    context: cyborg_context.RequestContext,
    arq_ids: collections.abc.Sequence[str],
) -> dict[str, str]:
    """Read the states of ARQs.

    :param arq_ids: UUIDs of ARQs.
    :returns: state by UUID, of those that exist.
    """
    with session.reading(context) as db:
        rows = db.execute(
            sa.select(models.ExtArq.uuid, models.ExtArq.state).where(
                models.ExtArq.uuid.in_(arq_ids)
            )
        )
        return dict(row._tuple() for row in rows)


@session.retry
def remove(
    context: cyborg_context.RequestContext, arq_id: str
) -> handles.Handle | None:
    """Remove an ARQ and free its attach handle; safe to repeat.

    In one transaction, which begins by locking the ARQ: of two calls at one
    moment one frees the handle, which may be another server's right after.

    :param arq_id: UUID of the ARQ.
    :returns: the handle of a mediated device. It counts as used until the
        device is removed: see :func:`handles.free`. None of other kinds, or
        if there is none.
    """
    arq = models.ExtArq
    mine = arq.uuid == arq_id
    with session.writing(context) as db:
        db.execute(
            sa.update(arq).where(mine).values(updated_at=timeutils.utcnow())
        )
        row_id = db.scalar(sa.select(arq.attach_handle_id).where(mine))
        db.execute(sa.delete(arq).where(mine))
        if row_id is None:
            return None
        # Not in use, or of another ARQ: stock Cyborg frees a handle before
        # its ARQ forgets it, and was interrupted in between.
        found = next(
            handles.find(
                db,
                models.AttachHandle.id == row_id,
                models.AttachHandle.in_use.is_(True),
                ~handles.IS_USED,
            ),
            None,
        )
        if found is None or found.attach_type == handles.MDEV:
            return found
        handles.set_free(db, row_id)
        return None


def left_behind(
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
    with session.reading(context) as db:
        return dict(row._tuple() for row in db.execute(query))


def on_nodes(
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


def leave_behind(
    db: orm.Session, arq_ids: collections.abc.Collection[str]
) -> None:
    """Keep ARQs on the host that their server is being evacuated from.

    :param db: the transaction's session.
    :param arq_ids: their UUIDs.
    """
    link = tables.DeviceContextArq
    db.execute(
        sa.update(link)
        .where(link.arq_uuid.in_(arq_ids), ~IS_LEFT_BEHIND)
        .values(generation=_other_sign(link.generation))
    )


def take_up(
    db: orm.Session, context_row_ids: collections.abc.Sequence[int]
) -> None:
    """Undo :func:`leave_behind`, as nothing has replaced what was left.

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


def fail_pending(
    db: orm.Session, arq_ids: collections.abc.Sequence[str]
) -> None:
    """Set ARQs whose binding was not finished to BindFailed.

    :param db: the transaction's session.
    :param arq_ids: UUIDs of ARQs.
    """
    db.execute(
        sa.update(models.ExtArq)
        .where(
            models.ExtArq.uuid.in_(arq_ids),
            models.ExtArq.state.in_(_PENDING),
        )
        .values(state=constants.ARQ_BIND_FAILED)
    )


def add(
    db: orm.Session,
    context_row_id: int,
    context: model.DeviceContext,
    generation: int,
    target: collections.abc.Mapping[str, str],
) -> list[dict[str, str]]:
    """Make the ARQs of a device context, ready to be bound.

    :param db: the transaction's session.
    :param context_row_id: row id of the device context.
    :param context: the device context; a server holds it.
    :param generation: the allocation's generation they belong to.
    :param target: the node as ``hostname``, and the UUID of the resource
        provider of each group by its number, as a string.
    :returns: ``uuid`` and ``device_rp_uuid`` of each.
    """
    profile_id = hidden_profiles.make(db, context.groups)
    arqs: list[dict[str, ty.Any]] = []
    links: list[dict[str, ty.Any]] = []
    for number, group in enumerate(context.groups):
        for _n in range(group.accelerator_count):
            uuid = uuidutils.generate_uuid()
            arqs.append(
                {
                    'uuid': uuid,
                    'project_id': context.project_id,
                    'state': constants.ARQ_INITIAL,
                    'substate': constants.ARQ_INITIAL,
                    'device_profile_id': profile_id,
                    'device_profile_group_id': number,
                    'hostname': target['hostname'],
                    'device_rp_uuid': target[str(number)],
                    # Set before it is bound, so that what looks ARQs up by
                    # server finds it from the beginning.
                    'instance_uuid': context.server_id,
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


def forget(
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


def _device(link: ty.Any, arq: ty.Any, handle: ty.Any) -> model.Device:
    bound = arq.state == constants.ARQ_BOUND and handle is not None
    return model.Device(
        arq_id=arq.uuid,
        group=link.group_number,
        state=arq.state,
        host=arq.hostname,
        resource_provider_id=arq.device_rp_uuid,
        attach_handle_type=handle.attach_type if bound else None,
        attach_handle_id=handle.uuid if bound else None,
        attach_handle_info=json.loads(handle.attach_info) if bound else {},
    )

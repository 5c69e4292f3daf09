# SPDX-License-Identifier: Apache-2.0

"""What may be wrong in Cyborg's database, for the audit.

Each function is one statement. What it finds may be a moment of a request
that is under way: the audit looks twice.
"""

import dataclasses
import typing as ty

import sqlalchemy as sa
from cyborg import context as cyborg_context
from cyborg.db.sqlalchemy import models

from nova_cyborg import model
from nova_cyborg.db import handles, session, tables

_HIDDEN = models.DeviceProfile.name.startswith(
    model.PROFILE_PREFIX, autoescape=True
)


@dataclasses.dataclass(frozen=True)
class Holder:
    """A server that holds device contexts.

    :ivar server_id: its UUID.
    :ivar generation: its allocation's.
    :ivar has_arqs: whether it has accelerator requests.
    """

    server_id: str
    generation: int
    has_arqs: bool


@dataclasses.dataclass(frozen=True)
class Use:
    """What a server uses of a resource provider.

    :ivar node: the node.
    :ivar count: how many accelerator requests it has there.
    """

    node: str
    count: int


def holders(context: cyborg_context.RequestContext) -> list[Holder]:
    """Find the servers that hold device contexts.

    :returns: the servers.
    """
    allocation, arq = tables.DeviceAllocation, models.ExtArq
    arqs = sa.select(arq.id).where(arq.instance_uuid == allocation.server_id)
    query = sa.select(
        allocation.server_id, allocation.generation, arqs.exists()
    )
    return [Holder(*row) for row in _rows(context, query)]


def unlinked_arqs(
    context: cyborg_context.RequestContext,
) -> dict[str, str | None]:
    """Find ARQs of hidden profiles that belong to no device context.

    :returns: UUID of the server, if any, by UUID of the ARQ.
    """
    arq, link = models.ExtArq, tables.DeviceContextArq
    linked = sa.select(link.arq_uuid).where(link.arq_uuid == arq.uuid)
    query = (
        sa.select(arq.uuid, arq.instance_uuid)
        .join(
            models.DeviceProfile,
            models.DeviceProfile.id == arq.device_profile_id,
        )
        .where(_HIDDEN, ~linked.exists())
    )
    return dict(_rows(context, query))


def arqs_of_profiles(
    context: cyborg_context.RequestContext,
) -> dict[str, list[str]]:
    """Find ARQs of device profiles that are for servers.

    :returns: UUIDs of the ARQs, by UUID of the server.
    """
    arq, profile = models.ExtArq, models.DeviceProfile
    query = (
        sa.select(arq.instance_uuid, arq.uuid)
        .join(profile, profile.id == arq.device_profile_id)
        .where(~_HIDDEN, arq.instance_uuid.is_not(None))
        .order_by(arq.id)
    )
    found: dict[str, list[str]] = {}
    for server_id, arq_id in _rows(context, query):
        found.setdefault(server_id, []).append(arq_id)
    return found


def unused_handles(
    context: cyborg_context.RequestContext,
) -> list[handles.Handle]:
    """Find attach handles that are in use, and by no ARQ.

    :returns: the handles.
    """
    in_use = models.AttachHandle.in_use.is_(True)
    with session.reading(context) as db:
        return list(handles.find(db, in_use, ~handles.IS_USED))


def shared_handles(context: cyborg_context.RequestContext) -> dict[str, int]:
    """Find attach handles that more than one ARQ uses.

    :returns: how many ARQs, by UUID of the handle.
    """
    handle, arq = models.AttachHandle, models.ExtArq
    count = sa.func.count(arq.id)
    query = (
        sa.select(handle.uuid, count)
        .join(arq, arq.attach_handle_id == handle.id)
        .group_by(handle.uuid)
        .having(count > 1)
    )
    return dict(_rows(context, query))


def lost_handles(context: cyborg_context.RequestContext) -> dict[str, int]:
    """Find attach handles that an ARQ uses, and that count as free.

    :returns: row id by UUID of the handle.
    """
    handle = models.AttachHandle
    query = sa.select(handle.uuid, handle.id).where(
        handle.in_use.is_(False), handles.IS_USED
    )
    return dict(_rows(context, query))


def unused_profiles(context: cyborg_context.RequestContext) -> dict[str, int]:
    """Find hidden profiles without ARQs.

    :returns: row id by name of the profile.
    """
    profile, arq = models.DeviceProfile, models.ExtArq
    used = sa.select(arq.id).where(arq.device_profile_id == profile.id)
    query = sa.select(profile.name, profile.id).where(_HIDDEN, ~used.exists())
    return dict(_rows(context, query))


def providers(
    context: cyborg_context.RequestContext,
) -> dict[str, dict[str, Use]]:
    """Find which servers Cyborg has on which resource provider.

    :returns: the use by UUID of the server, by UUID of the provider; also of
        those that no server is on.
    """
    deployable, arq = models.Deployable, models.ExtArq
    query = (
        sa.select(
            deployable.rp_uuid,
            arq.instance_uuid,
            arq.hostname,
            sa.func.count(arq.id),
        )
        .outerjoin(arq, arq.device_rp_uuid == deployable.rp_uuid)
        .where(deployable.rp_uuid.is_not(None))
        .group_by(deployable.rp_uuid, arq.instance_uuid, arq.hostname)
    )
    found: dict[str, dict[str, Use]] = {}
    for provider, server_id, node, count in _rows(context, query):
        servers = found.setdefault(provider, {})
        if server_id:
            servers[server_id] = Use(node, count)
    return found


def set_in_use(context: cyborg_context.RequestContext, row_id: int) -> None:
    """Have an attach handle count as used, if still an ARQ uses it.

    :param row_id: its row id.
    """
    handle = models.AttachHandle
    with session.writing(context) as db:
        db.execute(
            sa.update(handle)
            .where(handle.id == row_id, handles.IS_USED)
            .values(in_use=True),
            execution_options={'synchronize_session': False},
        )


def remove_profile(
    context: cyborg_context.RequestContext, row_id: int
) -> None:
    """Remove a hidden profile, if still no ARQ belongs to it.

    :param row_id: its row id.
    """
    profile, arq = models.DeviceProfile, models.ExtArq
    used = sa.select(arq.id).where(arq.device_profile_id == profile.id)
    with session.writing(context) as db:
        db.execute(
            sa.delete(profile).where(profile.id == row_id, ~used.exists()),
            execution_options={'synchronize_session': False},
        )


def _rows(
    context: cyborg_context.RequestContext, query: sa.Select[ty.Any]
) -> list[tuple[ty.Any, ...]]:
    with session.reading(context) as db:
        return [row._tuple() for row in db.execute(query)]

# SPDX-License-Identifier: Apache-2.0

"""Accelerator requests (ARQs), in Cyborg's own tables.

An ARQ of a device context is a row like any other ARQ's, so that Cyborg's
conductor, agents and drivers work on it. Which one is of which device context
is in :mod:`nova_cyborg.db.bindings.links`.
"""

import collections
import collections.abc
import dataclasses
import json
import math

import sqlalchemy as sa
from cyborg import context as cyborg_context
from cyborg.common import constants
from cyborg.db.sqlalchemy import models
from sqlalchemy import orm

from nova_cyborg import model
from nova_cyborg.db import profiles, session, tables
from nova_cyborg.db.events import actions, finding, recording

_PENDING = (constants.ARQ_INITIAL, constants.ARQ_BIND_STARTED)
#: States of ARQs that no guest has got the device of.
NEVER_IN_GUEST = frozenset((*_PENDING, constants.ARQ_BIND_FAILED))


@dataclasses.dataclass(frozen=True)
class Use:
    """What a server uses of a resource provider.

    :ivar node: the node.
    :ivar count: how many accelerator requests it has there.
    """

    node: str
    count: int


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


def amounts(
    context: cyborg_context.RequestContext,
    server_id: str,
    providers: collections.abc.Collection[str],
) -> dict[str, dict[str, int]]:
    """Find what the ARQs of a server have of resource providers of devices.

    As much as Placement has allocated for them: of a group of a device
    profile, some take two ARQs for one unit.

    :param server_id: UUID of the server.
    :param providers: UUIDs of resource providers.
    :returns: amounts by resource class, by UUID of the provider; of each that
        is a device's, and of no other.
    """
    deployable, arq, profile = (
        models.Deployable,
        models.ExtArq,
        models.DeviceProfile,
    )
    known = sa.select(deployable.rp_uuid).where(
        deployable.rp_uuid.in_(providers)
    )
    counted = (
        sa.select(
            arq.device_rp_uuid,
            arq.device_profile_id,
            arq.device_profile_group_id,
            sa.func.count(arq.id).label('count'),
        )
        .where(
            arq.instance_uuid == server_id, arq.device_rp_uuid.in_(providers)
        )
        .group_by(
            arq.device_rp_uuid,
            arq.device_profile_id,
            arq.device_profile_group_id,
        )
        .subquery()
    )
    query = sa.select(
        counted.c.device_rp_uuid,
        profile.profile_json,
        counted.c.device_profile_group_id,
        counted.c.count,
    ).join(profile, profile.id == counted.c.device_profile_id)
    found: dict[str, collections.Counter[str]] = {
        provider: collections.Counter()
        for (provider,) in session.rows(context, known)
    }
    for provider, text, number, count in session.rows(context, query):
        if provider in found:
            group = json.loads(text)['groups'][number]
            found[provider].update(_amounts_of(group, count))
    return {provider: dict(counts) for provider, counts in found.items()}


def _amounts_of(
    group: collections.abc.Mapping[str, str], count: int
) -> dict[str, int]:
    """Return what ARQs of a group of a device profile have, by class."""
    resources = {
        key.partition(':')[2].strip(): int(value)
        for key, value in group.items()
        if key.startswith('resources:')
    }
    required = tuple(
        key.partition(':')[2].strip()
        for key, value in group.items()
        if key.startswith('trait:') and value == 'required'
    )
    whole = model.Group(tuple(resources.items()), required).accelerator_count
    # As many times as the group is there; some of it may be gone.
    return {
        name: math.ceil(amount * count / whole)
        for name, amount in resources.items()
    }


def beside_contexts(
    context: cyborg_context.RequestContext, server_id: str
) -> dict[str, str]:
    """Find the ARQs of a server by index that are of no device context.

    :param server_id: UUID of the server.
    :returns: the node by UUID of the ARQ.
    """
    arq, link = models.ExtArq, tables.DeviceContextArq
    linked = sa.select(link.arq_uuid).where(link.arq_uuid == arq.uuid)
    query = (
        sa.select(arq.uuid, arq.hostname)
        .where(arq.instance_uuid == server_id, ~linked.exists())
        .order_by(arq.id)
    )
    return dict(session.rows(context, query))


def states(
    context: cyborg_context.RequestContext,
    arq_ids: collections.abc.Sequence[str],
) -> dict[str, str]:
    """Read the states of ARQs.

    :param arq_ids: UUIDs of ARQs.
    :returns: state by UUID, of those that exist.
    """
    query = sa.select(models.ExtArq.uuid, models.ExtArq.state).where(
        models.ExtArq.uuid.in_(arq_ids)
    )
    return dict(session.rows(context, query))


def of_no_context(
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
        .where(profiles.IS_HIDDEN, ~linked.exists())
    )
    return dict(session.rows(context, query))


def of_profiles_by_server(
    context: cyborg_context.RequestContext,
) -> dict[str, list[str]]:
    """Find ARQs of device profiles that are for servers.

    :returns: UUIDs of the ARQs, by UUID of the server.
    """
    arq, profile = models.ExtArq, models.DeviceProfile
    query = (
        sa.select(arq.instance_uuid, arq.uuid)
        .join(profile, profile.id == arq.device_profile_id)
        .where(~profiles.IS_HIDDEN, arq.instance_uuid.is_not(None))
        .order_by(arq.id)
    )
    found: dict[str, list[str]] = {}
    for server_id, arq_id in session.rows(context, query):
        found.setdefault(server_id, []).append(arq_id)
    return found


def by_provider(
    context: cyborg_context.RequestContext,
) -> dict[str, dict[str, Use]]:
    """Find which servers have ARQs on which resource provider.

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
    for provider, server_id, node, count in session.rows(context, query):
        by_server = found.setdefault(provider, {})
        if server_id:
            by_server[server_id] = Use(node, count)
    return found


def fail_pending(
    db: orm.Session, arq_ids: collections.abc.Sequence[str], reason: str
) -> None:
    """Set ARQs whose binding was not finished to BindFailed.

    :param db: the transaction's session.
    :param arq_ids: UUIDs of ARQs.
    :param reason: why it was not.
    """
    what = recording.What(
        actions.Action.BIND, actions.Outcome.ERROR, message=reason
    )
    finding.record_of_arqs(db, arq_ids, what)
    db.execute(
        sa.update(models.ExtArq)
        .where(
            models.ExtArq.uuid.in_(arq_ids),
            models.ExtArq.state.in_(_PENDING),
        )
        .values(state=constants.ARQ_BIND_FAILED)
    )

# SPDX-License-Identifier: Apache-2.0

"""A server's hint, checked and translated for Placement."""

from __future__ import annotations

import collections.abc
import typing as ty
import uuid

import os_traits
from nova import conf, objects
from oslo_utils import uuidutils

from nova_cyborg import cyborg_client, exception, model

CONF = conf.CONF

# Characters of what is no UUID that are repeated to the user, and in logs.
_SHOWN = 100
# Devices that Nova itself manages can have the resource class of a group,
# and cannot be bound by Cyborg.
_MANAGED_BY_NOVA = frozenset(
    (os_traits.OWNER_NOVA, os_traits.COMPUTE_MANAGED_PCI_DEVICE)
)


def checked_ids(
    hint: collections.abc.Sequence[ty.Any], servers: int
) -> list[str]:
    """Check a hint by itself.

    :param hint: what the hint names.
    :param servers: how many servers are asked for.
    :returns: the UUIDs, in lower case and with hyphens.
    :raises TooManyGroups: if it names more than can be looked at.
    :raises DeviceContextNotFound: if one cannot be a device context's UUID.
    :raises DeviceContextRepeated: if one is named twice.
    :raises DeviceContextShared: if there is more than one server.
    """
    if len(hint) > model.MAX_CONTEXTS:
        _refuse_groups(len(hint))
    context_ids: list[str] = []
    for given in hint:
        if not uuidutils.is_uuid_like(given):
            # It is anything that a user may send, as long as it may be.
            raise exception.DeviceContextNotFound(id=str(given)[:_SHOWN])
        context_id = str(uuid.UUID(given))
        if context_id in context_ids:
            raise exception.DeviceContextRepeated(id=context_id)
        if servers > 1:
            raise exception.DeviceContextShared(id=context_id, count=servers)
        context_ids.append(context_id)
    return context_ids


def check_group_count(
    contexts: collections.abc.Iterable[cyborg_client.HeldContext],
) -> None:
    """Check how much is asked of Placement for one server.

    :param contexts: the server's device contexts.
    :raises TooManyGroups: if they have too many groups together.
    """
    count = sum(len(context.groups) for context in contexts)
    if count > CONF.nova_cyborg.max_groups_per_server:
        _refuse_groups(count)


def _refuse_groups(count: int) -> ty.NoReturn:
    raise exception.TooManyGroups(
        count=count, limit=CONF.nova_cyborg.max_groups_per_server
    )


def request_groups(
    contexts: collections.abc.Iterable[cyborg_client.HeldContext],
) -> list[objects.RequestGroup]:
    """Translate device contexts for Placement.

    :param contexts: the device contexts.
    :returns: one request group for each of their groups.
    """
    return [
        _request_group(model.requester_id(context.uuid, number), group)
        for context in contexts
        for number, group in enumerate(context.groups)
    ]


def _request_group(
    requester_id: str, group: model.Group
) -> objects.RequestGroup:
    request_group = objects.RequestGroup(requester_id=requester_id)
    for name, amount in group.resources:
        request_group.add_resource(rclass=name, amount=amount)
    for name in group.required:
        request_group.add_trait(trait_name=name, trait_type='required')
    forbidden = _MANAGED_BY_NOVA.union(group.forbidden)
    for name in forbidden.difference(group.required):
        request_group.add_trait(trait_name=name, trait_type='forbidden')
    return request_group

# SPDX-License-Identifier: Apache-2.0

"""The groups of device contexts, as request groups for Placement."""

from __future__ import annotations

import collections
import collections.abc
import itertools
import typing as ty

import os_traits
from nova import conf, objects

from nova_cyborg import combinations, cyborg_client, exception, model

CONF = conf.CONF

# How the extra specs begin that ask for resources; a group's name may follow.
_RESOURCES = 'resources'
# A later release of Cyborg's side may have another word.
_POSSIBLE = (model.LiveMigration.DETACH, model.LiveMigration.NATIVE)
# Devices that Nova itself manages can have the resource class of a group,
# and cannot be bound by Cyborg.
_MANAGED_BY_NOVA = frozenset(
    (os_traits.OWNER_NOVA, os_traits.COMPUTE_MANAGED_PCI_DEVICE)
)


def check_context_count(count: int) -> None:
    """Check how many device contexts are asked for, before they are read.

    :param count: how many a server's hint names; each has a group at least.
    :raises TooManyGroups: if they are more than can be looked at.
    """
    if count > model.MAX_CONTEXTS:
        _refuse(count)


def check_count(
    contexts: collections.abc.Iterable[cyborg_client.AllocatedContext],
) -> None:
    """Check how much is asked of Placement for one server.

    :param contexts: the server's device contexts.
    :raises TooManyGroups: if they have too many groups together.
    :raises TooManyAccelerators: if they ask for too many accelerators.
    """
    found = [group for context in contexts for group in context.groups]
    if len(found) > CONF.nova_cyborg.max_groups_per_server:
        _refuse(len(found))
    count = model.accelerator_count(found)
    limit = CONF.nova_cyborg.max_accelerators_per_server
    if count > limit:
        raise exception.TooManyAccelerators(count=count, limit=limit)


def check_attached(attachment: cyborg_client.Attachment) -> None:
    """Check how much is asked of Placement when a server is moved.

    :param attachment: what the server is to get beside what it has.
    :raises TooManyGroups: if it has too many groups then.
    :raises TooManyCombinations: if Placement has too much to try then.
    """
    if attachment.groups > CONF.nova_cyborg.max_groups_per_server:
        _refuse(attachment.groups)
    check_combinations(attachment.combinations)


def check_live(
    contexts: collections.abc.Iterable[cyborg_client.AllocatedContext],
) -> None:
    """Check that device contexts let their server be migrated as it runs.

    :param contexts: the device contexts.
    :raises LiveMigrationRefused: naming one that does not.
    """
    for context in contexts:
        if context.live_migration not in _POSSIBLE:
            raise exception.LiveMigrationRefused(
                id=context.uuid, word=context.live_migration
            )


def check_combinations(found: combinations.Combinations) -> None:
    """Check how much Placement has to try for one server.

    :param found: how many combinations of devices.
    :raises TooManyCombinations: if they are too many.
    """
    options = CONF.nova_cyborg
    tried = found.pruned if options.placement_prunes else found.plain
    if tried > options.max_device_combinations:
        raise exception.TooManyCombinations(
            limit=options.max_device_combinations
        )


def allow_same_provider(flavor: objects.Flavor) -> None:
    """Have Placement add up rightly what a flavor and a group ask for.

    Nova says for two groups or more that one provider may do for several, and
    nothing for one. Placement takes nothing for the same, but adds the group
    to what it goes on using as the flavor's amount of that class: it allocates
    too much then, or finds no room.

    :param flavor: the flavor of a request with groups; changed in place, if it
        asks for resources of its own.
    """
    extra_specs = _extra_specs(flavor)
    if any(key.startswith(_RESOURCES) for key in extra_specs):
        flavor.extra_specs = {'group_policy': 'none', **extra_specs}


def asked_by(flavor: objects.Flavor) -> cyborg_client.FlavorRequest:
    """Return what a flavor asks Placement for, beside device contexts.

    :param flavor: the flavor of a server that is asked for, or its copy.
    :returns: its device profile, and resources of its own.
    """
    extra_specs = _extra_specs(flavor)
    profile = extra_specs.get(model.PROFILE_EXTRA_SPEC)
    if profile == model.FLAVOR_MARKER:
        profile = None
    # What is in no named group may come from a provider for each class.
    by_group: dict[tuple[str, str], dict[str, int]] = {}
    for key, amount in extra_specs.items():
        kind, _colon, name = key.partition(':')
        if not kind.startswith(_RESOURCES) or not str(amount).isdecimal():
            continue
        group = (kind, name if kind == _RESOURCES else '')
        if int(amount):
            by_group.setdefault(group, {})[name] = int(amount)
    return cyborg_client.FlavorRequest(profile, tuple(by_group.values()))


def amounts_of(flavor: objects.Flavor) -> collections.Counter[str]:
    """Add up what a flavor asks Placement for, beside device contexts.

    :param flavor: a server's copy of its flavor.
    :returns: amounts by resource class.
    """
    amounts: collections.Counter[str] = collections.Counter()
    for each in asked_by(flavor).resources:
        amounts.update(each)
    return amounts


def _extra_specs(flavor: objects.Flavor) -> dict[str, str]:
    # Not all that Nova makes are read with them.
    found = flavor.extra_specs if 'extra_specs' in flavor else None
    return dict(found or {})


def _refuse(count: int) -> ty.NoReturn:
    raise exception.TooManyGroups(
        count=count, limit=CONF.nova_cyborg.max_groups_per_server
    )


def request_groups(
    contexts: collections.abc.Iterable[cyborg_client.AllocatedContext],
    taints: collections.abc.Collection[str],
    pick: model.Pick,
) -> list[objects.RequestGroup]:
    """Translate device contexts for Placement.

    :param contexts: the device contexts.
    :param taints: keys of all taints that devices have.
    :param pick: which alternative is asked for of each of their groups.
    :returns: one request group for each of their groups.
    """
    numbers = iter(pick)
    return [
        request_group
        for context in contexts
        for request_group in of_context(
            context.uuid,
            context.groups,
            taints,
            tuple(itertools.islice(numbers, len(context.groups))),
        )
    ]


def counted(
    contexts: collections.abc.Iterable[cyborg_client.AllocatedContext],
) -> tuple[objects.RequestGroup, ...]:
    """Say what device contexts count for where Nova has limits.

    :param contexts: the device contexts.
    :returns: the most that each of their groups may have of each class.
    """
    return tuple(
        objects.RequestGroup(
            # Nova takes none without a name.
            requester_id=model.requester_id(context.uuid, number),
            resources=dict(group.resources),
        )
        for context in contexts
        for number, group in enumerate(context.groups)
    )


def used(
    contexts: collections.abc.Iterable[cyborg_client.AllocatedContext],
) -> model.Pick:
    """Tell which alternatives a server uses.

    :param contexts: its device contexts.
    :returns: that of each group; the first one of what is not bound.
    """
    found: list[int] = []
    for context in contexts:
        chosen = model.chosen_of(model.active_devices(context.bindings))
        found += (chosen.get(each, 0) for each in range(len(context.groups)))
    return tuple(found)


def named(
    contexts: collections.abc.Iterable[cyborg_client.AllocatedContext],
    requesters: collections.abc.Container[str],
) -> model.Pick:
    """Tell which alternatives are among those that a host was chosen for.

    :param contexts: the device contexts of a server.
    :param requesters: names of request groups.
    :returns: that of each group; the first one if none is.
    """
    return tuple(
        next(
            (
                alternative
                for alternative in range(len(group.alternatives))
                if model.requester_id(context.uuid, number, alternative)
                in requesters
            ),
            0,
        )
        for context in contexts
        for number, group in enumerate(context.groups)
    )


def are_asked(request_spec: objects.RequestSpec) -> bool:
    """Tell whether Placement is asked for groups of device contexts.

    :param request_spec: the request for a server.
    :returns: whether it is.
    """
    if 'requested_resources' not in request_spec:
        return False
    return any(
        model.parse_requester_id(group.requester_id or '')
        for group in request_spec.requested_resources or ()
    )


def of_context(
    context_id: str,
    groups: collections.abc.Iterable[model.Choice],
    taints: collections.abc.Collection[str],
    pick: model.Pick,
) -> list[objects.RequestGroup]:
    """Translate one device context for Placement.

    :param context_id: its UUID.
    :param groups: its groups.
    :param taints: keys of all taints that devices have.
    :param pick: which alternative is asked for of each of its groups.
    :returns: one request group for each of its groups.
    """
    return [
        _request_group(
            model.requester_id(context_id, number, pick[number]),
            group.refusing(taints),
        )
        for number, group in enumerate(model.picked(groups, pick))
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

# SPDX-License-Identifier: Apache-2.0

"""Making the ARQs of device contexts, with their slots where that is all."""

import collections.abc
import dataclasses

from cyborg import context as cyborg_context
from cyborg.common import constants
from sqlalchemy import orm

from nova_cyborg import exception, model
from nova_cyborg.db import allocations, session, tables
from nova_cyborg.db.bindings import links
from nova_cyborg.db.events import actions, recording
from nova_cyborg.db.inventory import slots, taints

# Keys, in a group of a device profile, of an image that Cyborg's conductor
# has written to a device: see its FPGAExtARQ.
_IMAGES = frozenset(
    (constants.ACCEL_BITSTREAM_ID, constants.ACCEL_FUNCTION_ID)
)

#: Where the ARQs of each device context are to be bound, by its UUID.
Targets = collections.abc.Mapping[str, links.Target]


def targets(
    held: allocations.ContextRows,
    node: str,
    providers: collections.abc.Mapping[str, str],
) -> dict[str, links.Target]:
    """Find where the ARQs of device contexts are to be bound.

    :param held: the device contexts.
    :param node: the node.
    :param providers: UUID of the resource provider by the group's name in the
        request to Placement; see :func:`model.requester_id`.
    :returns: the target of each, by its UUID.
    :raises ProviderMissing: if a group has no provider.
    """
    return {data.uuid: _target(data, node, providers) for _row, data in held}


def chosen(
    held: allocations.ContextRows, wanted: Targets
) -> list[model.DeviceContext]:
    """Return device contexts as if they asked for what was chosen.

    :param held: the device contexts.
    :param wanted: where their ARQs are to be bound.
    :returns: the device contexts, without other alternatives.
    """
    return [
        dataclasses.replace(
            data,
            groups=tuple(
                model.Choice((group,))
                for group in model.picked(data.groups, wanted[data.uuid].pick)
            ),
        )
        for _row, data in held
    ]


def take_slots(
    context: cyborg_context.RequestContext,
    db: orm.Session,
    node: str,
    held: allocations.ContextRows,
    wanted: Targets,
) -> list[slots.Slot] | None:
    """Take the slots of device contexts, where nothing is to be programmed.

    :param db: the session of a transaction that has locked the node.
    :param node: the node.
    :param held: the device contexts.
    :param wanted: where their ARQs are to be bound.
    :returns: one for each accelerator; None if Cyborg's conductor is to bind
        them, or to say why they cannot be bound.
    :raises DeviceTainted: if a device was tainted after it was chosen.
    """
    asked = _asked(held, wanted)
    chosen = {provider for _group, provider in asked}
    relevant = slots.of_providers(db, node, chosen)
    known = {slot.provider for slot in relevant if not slot.tainted}
    if not chosen <= known:
        tainted = taints.of_providers(context, chosen)
        for group, provider in asked:
            taints.check(group, tainted.get(provider, ()))
    if any(
        is_programmed(group.as_profile_group()) for group, _provider in asked
    ):
        return None
    return slots.take_all(
        db,
        relevant,
        (
            provider
            for group, provider in asked
            for _n in range(group.accelerator_count)
        ),
    )


def make(
    db: orm.Session,
    binding: tables.DeviceBinding,
    held: allocations.ContextRows,
    wanted: Targets,
    taken: collections.abc.Iterable[slots.Slot] | None,
) -> list[dict[str, str]]:
    """Make the ARQs of device contexts.

    :param db: the transaction's session.
    :param binding: the row of the binding that they are of.
    :param held: the device contexts.
    :param wanted: where they are to be bound.
    :param taken: what :func:`take_slots` has taken.
    :returns: ``uuid`` and ``device_rp_uuid`` of each.
    """
    _record(db, held, binding.node, is_bound=taken is not None)
    return links.make_arqs(
        db,
        binding.id,
        [links.Wanted(row.id, data, wanted[data.uuid]) for row, data in held],
        None if taken is None else iter(taken),
    )


def _record(
    db: orm.Session,
    held: allocations.ContextRows,
    node: str,
    is_bound: bool,
) -> None:
    outcome = actions.Outcome
    recording.record_each(
        db,
        [
            (
                data,
                recording.What(
                    actions.Action.BIND,
                    outcome.SUCCESS if is_bound else outcome.STARTED,
                    server_id=data.server_id,
                    host=node,
                    seconds=session.seconds(db) if is_bound else None,
                ),
            )
            for _row, data in held
        ],
    )


def is_programmed(group: collections.abc.Mapping[str, str]) -> bool:
    """Tell whether something is written to a device before it is given.

    :param group: a group of a device profile, in Cyborg's form.
    """
    return not _IMAGES.isdisjoint(group)


def _target(
    data: model.DeviceContext,
    node: str,
    providers: collections.abc.Mapping[str, str],
) -> links.Target:
    found: list[str] = []
    pick: list[int] = []
    for number, group in enumerate(data.groups):
        # Which alternative was chosen is said by the name of the request.
        names = [
            model.requester_id(data.uuid, number, each)
            for each in range(len(group.alternatives))
        ]
        chosen = next(
            (n for n, name in enumerate(names) if providers.get(name)), None
        )
        if chosen is None:
            raise exception.ProviderMissing(id=data.uuid, group=number)
        pick.append(chosen)
        found.append(providers[names[chosen]])
    return links.Target(node, tuple(found), tuple(pick))


def _asked(
    held: allocations.ContextRows, wanted: Targets
) -> list[tuple[model.Group, str]]:
    """Return what was chosen for a server, with the providers that it is of.

    :returns: for each group, in order, its alternative and UUID of its
        resource provider.
    """
    return [
        asked
        for _row, data in held
        for asked in zip(
            model.picked(data.groups, wanted[data.uuid].pick),
            wanted[data.uuid].providers,
            strict=True,
        )
    ]

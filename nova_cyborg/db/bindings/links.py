# SPDX-License-Identifier: Apache-2.0

"""Links: which accelerator requests (ARQs) are of which device context.

The ARQs of a device context belong to a hidden device profile, one for each
distinct set of groups. Which of its groups one stands for, which alternative
of that was chosen, and of which binding of its server it is, is in its link.
"""

import collections.abc
import dataclasses
import itertools
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
from nova_cyborg.db.bindings import rows
from nova_cyborg.db.inventory import outages, slots


@dataclasses.dataclass(frozen=True)
class Target:
    """Where the ARQs of a device context are to be bound.

    :ivar hostname: the node.
    :ivar providers: UUID of the resource provider of each group, in order.
    :ivar pick: the alternative of each group that was chosen.
    """

    hostname: str
    providers: tuple[str, ...]
    pick: model.Pick

    def has(self, device: model.Device) -> bool:
        """Tell whether a device is one of those that are to be bound.

        :param device: a device of the device context.
        :returns: whether it is, and has not failed.
        """
        return not device.failed and (
            device.alternative == self.pick[device.group]
            and device.resource_provider_id == self.providers[device.group]
        )


@dataclasses.dataclass(frozen=True)
class Wanted:
    """A device context of which ARQs are to be made.

    :ivar context_row_id: its row id.
    :ivar context: the device context; a server holds it.
    :ivar target: where they are to be bound.
    """

    context_row_id: int
    context: model.DeviceContext
    target: Target

    @property
    def groups(self) -> tuple[model.Group, ...]:
        """What was chosen of its groups."""
        return model.picked(self.context.groups, self.target.pick)

    @property
    def numbers(self) -> collections.abc.Iterator[int]:
        """Which group each of its ARQs is of."""
        for number, group in enumerate(self.groups):
            yield from itertools.repeat(number, group.accelerator_count)


def by_context(
    db: orm.Session, context_row_ids: collections.abc.Sequence[int]
) -> dict[int, tuple[model.Binding, ...]]:
    """Read the bindings of some device contexts, with one statement.

    :param db: the transaction's session.
    :param context_row_ids: row ids of device contexts.
    :returns: bindings by row id, in order of their making; the devices of
        each in order of group and making.
    """
    link, binding = tables.DeviceContextArq, tables.DeviceBinding
    query = (
        _devices()
        .add_columns(link.device_context_id, binding)
        .join(binding, binding.id == link.binding_id)
        .where(link.device_context_id.in_(context_row_ids))
        .order_by(
            link.device_context_id,
            binding.id,
            link.group_number,
            models.ExtArq.id,
        )
    )
    bindings: dict[int, dict[int, tables.DeviceBinding]] = {}
    devices: dict[tuple[int, int], list[model.Device]] = {}
    for *device, context_id, row in db.execute(query):
        bindings.setdefault(context_id, {})[row.id] = row
        devices.setdefault((context_id, row.id), []).append(_device(*device))
    return {
        context_id: tuple(
            model.Binding(
                row.node, row.state, tuple(devices[context_id, row.id])
            )
            for row in found.values()
        )
        for context_id, found in bindings.items()
    }


def of_binding(
    db: orm.Session, binding_id: int
) -> list[tuple[int, model.Device]]:
    """Read the devices of a binding.

    :param db: the transaction's session.
    :param binding_id: its row id.
    :returns: the devices, each with the row id of its device context.
    """
    link = tables.DeviceContextArq
    query = (
        _devices()
        .add_columns(link.device_context_id)
        .where(link.binding_id == binding_id)
        .order_by(models.ExtArq.id)
    )
    return [
        (context_id, _device(*device))
        for *device, context_id in db.execute(query)
    ]


def arq_ids(
    db: orm.Session, binding_ids: collections.abc.Iterable[int]
) -> list[str]:
    """Find the ARQs of bindings.

    :param db: the transaction's session.
    :param binding_ids: their row ids.
    :returns: UUIDs of the ARQs.
    """
    link = tables.DeviceContextArq
    wanted = list(binding_ids)
    if not wanted:
        return []
    return list(
        db.scalars(
            sa.select(link.arq_uuid)
            .where(link.binding_id.in_(wanted))
            .order_by(link.arq_uuid)
        )
    )


def servers(
    context: cyborg_context.RequestContext,
    providers: collections.abc.Sequence[str] | None = None,
    limit: int | None = None,
) -> dict[str, int]:
    """Find servers that have ARQs which are not of their active binding.

    :param providers: UUIDs of the resource providers that matter; None for
        all.
    :param limit: how many ARQs at most; None for all.
    :returns: the generation of the allocation, by UUID of the server.
    """
    arq, link = models.ExtArq, tables.DeviceContextArq
    allocation, binding = tables.DeviceAllocation, tables.DeviceBinding
    query = (
        sa.select(allocation.server_id, allocation.generation)
        .join(binding, binding.allocation_id == allocation.id)
        .join(link, link.binding_id == binding.id)
        .join(arq, arq.uuid == link.arq_uuid)
        .where(~rows.IS_ACTIVE)
        .order_by(arq.id)
        .limit(limit)
    )
    if providers is not None:
        query = query.where(arq.device_rp_uuid.in_(providers))
    found: dict[str, int] = {}
    for server_id, generation in session.rows(context, query):
        found[server_id] = generation
    return found


def have_arqs(
    db: orm.Session, context_row_ids: collections.abc.Sequence[int]
) -> bool:
    """Tell whether device contexts have ARQs that are there, on any node.

    :param db: the transaction's session.
    :param context_row_ids: row ids of device contexts.
    :returns: whether one has.
    """
    arq, link = models.ExtArq, tables.DeviceContextArq
    query = (
        sa.select(arq.id)
        .join(link, link.arq_uuid == arq.uuid)
        .where(link.device_context_id.in_(context_row_ids))
        .limit(1)
    )
    return db.scalar(query) is not None


def make_arqs(
    db: orm.Session,
    binding_id: int,
    wanted: collections.abc.Sequence[Wanted],
    taken: collections.abc.Iterator[slots.Slot] | None = None,
) -> list[dict[str, str]]:
    """Make the ARQs of device contexts, bound or ready to be bound.

    With one statement, and with another one for their links.

    :param db: the transaction's session.
    :param binding_id: row id of the binding that they are of.
    :param wanted: what they are for.
    :param taken: the slots that they are bound to, in order; None if they are
        not bound yet.
    :returns: ``uuid`` and ``device_rp_uuid`` of each.
    """
    profile_ids = profiles.make(db, [each.groups for each in wanted])
    arqs: list[dict[str, ty.Any]] = []
    links: list[dict[str, ty.Any]] = []
    for each, profile_id in zip(wanted, profile_ids, strict=True):
        for number in each.numbers:
            uuid = uuidutils.generate_uuid()
            arqs.append(
                {
                    'uuid': uuid,
                    'project_id': each.context.project_id,
                    'substate': constants.ARQ_INITIAL,
                    'device_profile_id': profile_id,
                    'device_profile_group_id': number,
                    'hostname': each.target.hostname,
                    'device_rp_uuid': each.target.providers[number],
                    # Set before it is bound, so that what looks ARQs up by
                    # server finds it from the beginning.
                    'instance_uuid': each.context.server_id,
                    **_binding(taken),
                }
            )
            links.append(
                {
                    'arq_uuid': uuid,
                    'device_context_id': each.context_row_id,
                    'group_number': number,
                    'alternative': each.target.pick[number],
                    'binding_id': binding_id,
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


def remove(
    db: orm.Session, context_row_ids: collections.abc.Collection[int]
) -> None:
    """Remove the links of device contexts to ARQs.

    :param db: the transaction's session.
    :param context_row_ids: row ids of device contexts, whose ARQs are gone.
    """
    link = tables.DeviceContextArq
    db.execute(
        sa.delete(link).where(link.device_context_id.in_(context_row_ids)),
        execution_options={'synchronize_session': False},
    )


def remove_dangling(
    db: orm.Session,
    context_row_ids: collections.abc.Collection[int],
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
        ),
        execution_options={'synchronize_session': False},
    )


def _devices() -> sa.Select[ty.Any]:
    link, arq, handle = (
        tables.DeviceContextArq,
        models.ExtArq,
        models.AttachHandle,
    )
    return (
        sa.select(
            link.group_number,
            link.alternative,
            arq,
            handle,
            outages.IS_MISSING,
        )
        .join(arq, arq.uuid == link.arq_uuid)
        .outerjoin(handle, handle.id == arq.attach_handle_id)
    )


def _device(
    group: int, alternative: int, arq: ty.Any, handle: ty.Any, missing: bool
) -> model.Device:
    is_bound = arq.state == constants.ARQ_BOUND
    bound = is_bound and handle is not None
    return model.Device(
        arq_id=arq.uuid,
        group=group,
        alternative=alternative,
        state=arq.state,
        host=arq.hostname,
        resource_provider_id=arq.device_rp_uuid,
        attach_handle_type=handle.attach_type if bound else None,
        attach_handle_id=handle.uuid if bound else None,
        attach_handle_info=json.loads(handle.attach_info) if bound else {},
        # Cyborg without the plugin deletes handles that are in use.
        missing=is_bound and (handle is None or bool(missing)),
    )

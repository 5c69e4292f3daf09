# SPDX-License-Identifier: Apache-2.0

"""Slots of devices: attach handles, and whether they can be given.

An attach handle is a row of Cyborg's for a slot. Two rows can stand for one
slot: when a card is found at another place, or is reported twice. What must
never be given twice is the slot.
"""

from __future__ import annotations

import collections.abc
import dataclasses
import functools
import json
import typing as ty

import sqlalchemy as sa
from cyborg import context as cyborg_context
from cyborg.common import constants
from cyborg.db.sqlalchemy import models
from oslo_db import exception as db_exc
from sqlalchemy import orm

from nova_cyborg import model
from nova_cyborg.db import session
from nova_cyborg.db.inventory import (
    handles,
    hosts,
    outages,
    providers,
    taints,
)

#: Whether the slot that an ARQ is bound to is there and reported, as a
#: condition for rows of ARQs.
IS_THERE = (
    sa.select(models.AttachHandle.id)
    .where(
        models.AttachHandle.id == models.ExtArq.attach_handle_id,
        ~outages.IS_MISSING,
    )
    .correlate(models.ExtArq)
    .exists()
)
#: Whether a server has a slot, or has left it as it was in its guest, as a
#: condition for rows of attach handles.
IS_HELD = sa.or_(
    models.AttachHandle.in_use.is_(True), handles.IS_USED, outages.IS_UNCLEAN
)
# Types of slots of which a guest needs no more than the address.
_ADDRESSES = frozenset((constants.AH_TYPE_PCI, constants.AH_TYPE_TEST_PCI))


@dataclasses.dataclass(frozen=True)
class Slot:
    """A slot of a device, as an attach handle has it.

    :ivar deployable: the name of the deployable that it is of, which is that
        of its resource provider.
    :ivar attach_type: ``PCI``, ``MDEV`` or another of Cyborg's.
    :ivar attach_info: Cyborg's address of the slot: the text of a JSON object.
    :ivar handle_id: UUID of the handle; None if there is none yet.
    :ivar row_id: its row id; None if there is none yet.
    :ivar deployable_id: row id of the deployable; None if there is none yet.
    :ivar provider: UUID of its resource provider; None if Placement does not
        know it yet.
    :ivar in_use: whether the handle is marked as in use.
    :ivar of_arq: whether an accelerator request has it.
    :ivar out: whether there is an outage.
    :ivar missing: whether the agent's last report did not have it.
    :ivar maintained: whether an administrator has disabled its device.
    :ivar tainted: whether an operator has tainted its device.
    :ivar unclean: whether it was given back, and not cleaned yet.
    """

    deployable: str
    attach_type: str
    attach_info: str
    handle_id: str | None = None
    row_id: int | None = None
    deployable_id: int | None = None
    provider: str | None = None
    in_use: bool = False
    of_arq: bool = False
    out: bool = False
    missing: bool = False
    maintained: bool = False
    tainted: bool = False
    unclean: bool = False

    @property
    def held(self) -> bool:
        """Whether a server has it, or has left it as it was in its guest."""
        return self.in_use or self.of_arq or self.unclean

    @property
    def available(self) -> bool:
        """Whether it may be given, if no other slot excludes it."""
        return not (self.held or self.out or self.maintained)

    @functools.cached_property
    def key(self) -> tuple[str, str, str]:
        """What tells the slots of a host apart, however the text is written.

        The deployable, the type, and where it is; of a mediated device, of
        which a place has many, all that the text says.
        """
        if self.attach_type != constants.AH_TYPE_MDEV:
            return (self.deployable, self.attach_type, self.place)
        return (self.deployable, self.attach_type, self._said)

    @property
    def _said(self) -> str:
        return json.dumps(_parsed(self.attach_info), sort_keys=True)

    @functools.cached_property
    def place(self) -> str:
        """Where the slot is on its host.

        The PCI address of the slot, or of the card it is on; what the text
        says, if it has none.
        """
        return place_of(self.attach_info) or self._said

    def excludes(self, other: Slot) -> bool:
        """Tell whether no two servers may have this slot and another one.

        Both are of one host. A card has many mediated devices at one PCI
        address; but it is not passed to a guest as a whole meanwhile.

        :param other: the other slot.
        :returns: whether that is so.
        """
        mediated = constants.AH_TYPE_MDEV
        if self.attach_type == other.attach_type == mediated:
            # Each is made for its attach handle, as long as there is room.
            return False
        return self.place == other.place


def place_of(text: str) -> str | None:
    """Read the PCI address of a slot or a device.

    :param text: the text that Cyborg has of it.
    :returns: the address; None if the text has none.
    """
    try:
        return model.pci_address(_parsed(text))
    except (KeyError, TypeError):
        return None


def _parsed(text: str) -> ty.Any:
    try:
        return json.loads(text)
    except ValueError:
        return text


def of_host(
    context: cyborg_context.RequestContext, hostname: str
) -> list[Slot]:
    """Read the slots of a host, with one statement.

    :param hostname: the name of the node.
    :returns: the slots, in order of their making.
    """
    with session.reading(context) as db:
        return _read(db, models.Device.hostname == hostname)


@dataclasses.dataclass(frozen=True)
class Use:
    """A slot that a server has, or an ARQ that has lost its slot.

    :ivar arq_id: UUID of the accelerator request.
    :ivar server_id: UUID of the server, if any.
    :ivar hostname: the name of the node.
    :ivar slot: the slot; None if its attach handle is gone.
    """

    arq_id: str
    server_id: str | None
    hostname: str
    slot: Slot | None


def uses(context: cyborg_context.RequestContext) -> list[Use]:
    """Read all slots that ARQs are bound to, of all hosts.

    :returns: the slots; those that are lost, too.
    """
    arq, handle, deployable = (
        models.ExtArq,
        models.AttachHandle,
        models.Deployable,
    )
    query = (
        sa.select(
            arq.uuid,
            arq.instance_uuid,
            arq.hostname,
            deployable.name,
            handle.attach_type,
            handle.attach_info,
            handle.uuid,
            outages.IS_MISSING,
        )
        .outerjoin(handle, handle.id == arq.attach_handle_id)
        .outerjoin(deployable, deployable.id == handle.deployable_id)
        .where(sa.cast(arq.state, sa.String) == constants.ARQ_BOUND)
        .order_by(arq.id)
    )
    return [
        Use(arq_id, server_id, hostname, _used_slot(*said))
        for arq_id, server_id, hostname, *said in session.rows(context, query)
    ]


def _used_slot(
    deployable: str,
    attach_type: str,
    attach_info: str,
    handle_id: str | None,
    missing: int,
) -> Slot | None:
    if handle_id is None:
        return None
    return Slot(
        deployable,
        attach_type,
        attach_info,
        handle_id,
        of_arq=True,
        missing=bool(missing),
    )


@session.retry
def remove(
    context: cyborg_context.RequestContext,
    deployable_id: int,
    attach_infos: collections.abc.Collection[str],
) -> None:
    """Remove slots of a device, unless a server has them.

    :param deployable_id: row id of the deployable.
    :param attach_infos: Cyborg's addresses of the slots, as they are stored.
    """
    if not attach_infos:
        return
    handle = models.AttachHandle
    with session.writing(context) as db:
        db.execute(
            sa.delete(handle).where(
                handle.deployable_id == deployable_id,
                handle.attach_info.in_(attach_infos),
                handle.in_use.is_(False),
                ~handles.IS_USED,
                # What comes back as a new row would be given as it is.
                ~outages.IS_UNCLEAN,
            ),
            execution_options={'synchronize_session': False},
        )


@session.retry
def change_type(
    context: cyborg_context.RequestContext,
    deployable_id: int,
    attach_info: str,
    attach_type: str,
) -> None:
    """Change the type of a slot.

    :param deployable_id: row id of the deployable.
    :param attach_info: Cyborg's address of the slot, as it is stored.
    :param attach_type: the new type.
    """
    handle = models.AttachHandle
    with session.writing(context) as db:
        db.execute(
            sa.update(handle)
            .where(
                handle.deployable_id == deployable_id,
                handle.attach_info == attach_info,
            )
            .values(attach_type=attach_type),
            execution_options={'synchronize_session': False},
        )


@session.retry
def take(
    context: cyborg_context.RequestContext, deployable_id: int
) -> int | None:
    """Take a slot of a device, for an accelerator request.

    One that can be given, and that no server has under another row. Stock
    Cyborg takes any row that is not in use, with two statements; this takes
    three.

    :param deployable_id: row id of the deployable.
    :returns: row id of the attach handle, which is in use now; None if there
        is none to give.
    """
    with session.writing(context) as db:
        hosts.lock_of_device(db, deployable_id)
        relevant = _read_relevant(db, deployable_id)
        mine = [
            each for each in relevant if each.deployable_id == deployable_id
        ]
        free = _free(mine, _Given(relevant))
        slot = next(free, None)
        if slot is None:
            return None
        _mark_in_use(db, [slot])
        return slot.row_id


def of_providers(
    db: orm.Session,
    hostname: str,
    provider_ids: collections.abc.Collection[str],
) -> list[Slot]:
    """Read what is to be known to give slots of a host's devices.

    :param db: the transaction's session; see :func:`hosts.lock`.
    :param hostname: the name of the node.
    :param provider_ids: UUIDs of the resource providers of the devices.
    :returns: the slots of the devices, and those that servers have of others.
    """
    return _read(
        db,
        models.Device.hostname == hostname,
        sa.or_(models.Deployable.rp_uuid.in_(provider_ids), IS_HELD),
    )


def take_all(
    db: orm.Session,
    relevant: collections.abc.Sequence[Slot],
    provider_ids: collections.abc.Iterable[str],
) -> list[Slot] | None:
    """Take slots of a host's devices at once, all or none.

    :param db: the transaction's session, which has read the slots.
    :param relevant: what :func:`of_providers` has read.
    :param provider_ids: UUID of the resource provider of each slot.
    :returns: the slots, in the order of the providers; none if one is not
        there, or is one of those whose guest needs more than its address.
    """
    given = _Given(relevant)
    by_provider: dict[str | None, list[Slot]] = {}
    for slot in relevant:
        by_provider.setdefault(slot.provider, []).append(slot)
    free = {
        provider_id: _free(theirs, given)
        for provider_id, theirs in by_provider.items()
    }
    taken: list[Slot] = []
    for provider_id in provider_ids:
        found = next(free.get(provider_id, iter(())), None)
        if found is None or found.attach_type not in _ADDRESSES:
            return None
        given.add(found)
        taken.append(found)
    _mark_in_use(db, taken)
    return taken


class _Given:
    """The slots that servers have on a host, by place."""

    def __init__(self, known: collections.abc.Iterable[Slot]) -> None:
        self._at: dict[str, list[Slot]] = {}
        for slot in known:
            if slot.held:
                self.add(slot)

    def add(self, slot: Slot) -> None:
        """Count a slot as one of them."""
        self._at.setdefault(slot.place, []).append(slot)

    def exclude(self, slot: Slot) -> bool:
        """Tell whether one of them excludes a slot."""
        return any(map(slot.excludes, self._at.get(slot.place, ())))


def _free(
    known: collections.abc.Iterable[Slot], given: _Given
) -> collections.abc.Iterator[Slot]:
    return (
        slot for slot in known if slot.available and not given.exclude(slot)
    )


def _mark_in_use(
    db: orm.Session, taken: collections.abc.Collection[Slot]
) -> None:
    handle = models.AttachHandle
    marked: ty.Any = db.execute(
        sa.update(handle)
        .where(
            handle.id.in_([slot.row_id for slot in taken]),
            handle.in_use.is_(False),
            ~handles.IS_USED,
        )
        .values(in_use=True),
        execution_options={'synchronize_session': False},
    )
    if marked.rowcount != len(taken):
        # A cyborg-conductor without the plugin has taken one, or a report has
        # removed it: neither locks the host.
        raise session.Retry(db_exc.DBDeadlock())


def _read_relevant(db: orm.Session, deployable_id: int) -> list[Slot]:
    """Read the slots of a device, and those that servers have on its host."""
    of_device = orm.aliased(models.Deployable)
    device = orm.aliased(models.Device)
    host = (
        sa.select(device.hostname)
        .join(of_device, of_device.device_id == device.id)
        .where(of_device.id == deployable_id)
        .scalar_subquery()
    )
    return _read(
        db,
        models.Device.hostname == host,
        sa.or_(models.AttachHandle.deployable_id == deployable_id, IS_HELD),
    )


def _read(db: orm.Session, *conditions: sa.ColumnElement[bool]) -> list[Slot]:
    handle, deployable = models.AttachHandle, models.Deployable
    rows: collections.abc.Iterable[ty.Any] = db.execute(
        sa.select(
            deployable.name,
            handle.attach_type,
            handle.attach_info,
            handle.uuid,
            handle.id,
            deployable.id,
            deployable.rp_uuid,
            handle.in_use,
            handles.IS_USED,
            outages.IS_OUT,
            outages.IS_MISSING,
            models.Device.status == providers.MAINTAINED,
            taints.IS_TAINTED,
            outages.IS_UNCLEAN,
        )
        .join(deployable, deployable.id == handle.deployable_id)
        .join(models.Device, models.Device.id == deployable.device_id)
        .where(*conditions)
        .order_by(handle.id)
    )
    return [
        Slot(*row[:7], *(bool(value) for value in row[7:])) for row in rows
    ]

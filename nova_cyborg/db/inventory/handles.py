# SPDX-License-Identifier: Apache-2.0

"""Attach handles: the slots of devices, in Cyborg's own tables."""

import collections.abc
import dataclasses
import json
import typing as ty

import sqlalchemy as sa
from cyborg import context as cyborg_context
from cyborg.db.sqlalchemy import models
from sqlalchemy import orm

from nova_cyborg import model
from nova_cyborg.db import session
from nova_cyborg.db.inventory import outages

#: The type of the attach handles of mediated devices.
MDEV = 'MDEV'
#: How long it may take to clean a slot, as the text of an attribute of its
#: deployable; NULL if it is not cleaned. For rows of handles.
CLEANING_SECONDS = (
    sa.select(models.Attribute.value)
    .where(
        models.Attribute.deployable_id == models.AttachHandle.deployable_id,
        models.Attribute.key == model.CLEANING_ATTRIBUTE,
    )
    .correlate(models.AttachHandle)
    .limit(1)
    .scalar_subquery()
)
#: Whether an ARQ has a handle, as a condition for rows of handles.
IS_USED = (
    sa.select(models.ExtArq.id)
    .where(models.ExtArq.attach_handle_id == models.AttachHandle.id)
    .correlate(models.AttachHandle)
    .exists()
)


@dataclasses.dataclass(frozen=True)
class Handle:
    """An attach handle.

    :ivar uuid: its UUID.
    :ivar row_id: its row id.
    :ivar attach_type: ``PCI``, ``MDEV`` or another of Cyborg's.
    :ivar hostname: the host that its device is in.
    :ivar info: Cyborg's address of the slot.
    :ivar provider: UUID of the resource provider of its device, if any.
    :ivar out: whether there is an outage.
    :ivar cleaned: whether its slot is cleaned when a server has given it back.
    :ivar unclean: whether it was given back, and not cleaned yet.
    """

    uuid: str
    row_id: int
    attach_type: str
    hostname: str
    info: collections.abc.Mapping[str, str]
    provider: str | None
    out: bool
    cleaned: bool
    unclean: bool

    @property
    def pci_address(self) -> str:
        """The PCI address of the slot, or of the card it is on."""
        return model.pci_address(self.info)


#: What :func:`of_columns` takes, for statements that have the attach handle's
#: deployable and device, too.
COLUMNS: tuple[ty.Any, ...] = (
    models.AttachHandle.uuid,
    models.AttachHandle.id,
    models.AttachHandle.attach_type,
    models.Device.hostname,
    models.AttachHandle.attach_info,
    models.Deployable.rp_uuid,
    outages.IS_OUT,
    CLEANING_SECONDS,
    outages.IS_UNCLEAN,
)


def of_columns(columns: collections.abc.Iterable[ty.Any]) -> Handle:
    """Turn what :data:`COLUMNS` has read into data.

    :param columns: the columns' values.
    :returns: the attach handle.
    """
    uuid, row_id, attach_type, hostname, info, provider, *said = columns
    out, seconds, unclean = said
    return Handle(
        uuid,
        row_id,
        attach_type,
        hostname,
        json.loads(info),
        provider,
        bool(out),
        cleaned=seconds is not None,
        unclean=bool(unclean),
    )


def find(
    db: orm.Session, *conditions: sa.ColumnElement[bool]
) -> collections.abc.Iterator[Handle]:
    """Find attach handles.

    :param db: the transaction's session.
    :param conditions: what must hold for their rows.
    :returns: the handles.
    """
    deployable, device = models.Deployable, models.Device
    rows = db.execute(
        sa.select(*COLUMNS)
        .join(deployable, deployable.id == models.AttachHandle.deployable_id)
        .join(device, device.id == deployable.device_id)
        .where(*conditions)
    )
    return (of_columns(row) for row in rows)


def without_room(
    context: cyborg_context.RequestContext,
    wanted: collections.abc.Mapping[str, int],
) -> list[str]:
    """Find devices with fewer free attach handles than are wanted.

    :param wanted: how many are wanted, by UUID of the resource provider.
    :returns: UUIDs of the resource providers.
    """
    deployable, handle = models.Deployable, models.AttachHandle
    query = (
        sa.select(deployable.rp_uuid, sa.func.count(handle.id))
        .outerjoin(
            handle,
            sa.and_(
                handle.deployable_id == deployable.id,
                handle.in_use.is_(False),
                ~outages.IS_OUT,
            ),
        )
        .where(deployable.rp_uuid.in_(wanted))
        .group_by(deployable.rp_uuid)
    )
    with session.reading(context) as db:
        found = [row._tuple() for row in db.execute(query)]
    return [provider for provider, free in found if free < wanted[provider]]


def users(
    context: cyborg_context.RequestContext,
    providers: collections.abc.Sequence[str],
    limit: int,
) -> list[str]:
    """Find servers whose ARQs use devices.

    :param providers: UUIDs of the devices' resource providers.
    :param limit: how many servers at most.
    :returns: UUIDs of the servers, those that came first at the front.
    """
    deployable, handle, arq = (
        models.Deployable,
        models.AttachHandle,
        models.ExtArq,
    )
    query = (
        sa.select(arq.instance_uuid)
        .join(handle, handle.id == arq.attach_handle_id)
        .join(deployable, deployable.id == handle.deployable_id)
        .where(
            deployable.rp_uuid.in_(providers), arq.instance_uuid.is_not(None)
        )
        .group_by(arq.instance_uuid)
        .order_by(sa.func.min(arq.id))
        .limit(limit)
    )
    with session.reading(context) as db:
        return list(db.scalars(query))


def of_no_arq(
    context: cyborg_context.RequestContext,
) -> list[Handle]:
    """Find attach handles that are in use, and by no ARQ.

    :returns: the handles.
    """
    in_use = models.AttachHandle.in_use.is_(True)
    with session.reading(context) as db:
        return list(find(db, in_use, ~IS_USED))


def free_but_of_arq(context: cyborg_context.RequestContext) -> dict[str, int]:
    """Find attach handles that an ARQ uses, and that count as free.

    :returns: row id by UUID of the handle.
    """
    handle = models.AttachHandle
    query = sa.select(handle.uuid, handle.id).where(
        handle.in_use.is_(False), IS_USED
    )
    return dict(session.rows(context, query))


def of_several_arqs(
    context: cyborg_context.RequestContext,
) -> dict[str, int]:
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
    return dict(session.rows(context, query))


def of_row(
    context: cyborg_context.RequestContext, row_id: int
) -> Handle | None:
    """Read an attach handle.

    :param row_id: its row id.
    :returns: the handle; None if there is none.
    """
    with session.reading(context) as db:
        return next(find(db, models.AttachHandle.id == row_id), None)


@session.retry
def end_use(context: cyborg_context.RequestContext, row_id: int) -> None:
    """Mark an attach handle as not in use, unless an ARQ has it.

    :param row_id: its row id.
    """
    with session.writing(context) as db:
        end_use_in(db, [row_id])


def end_use_in(
    db: orm.Session, row_ids: collections.abc.Sequence[int]
) -> None:
    """Mark attach handles as not in use, unless an ARQ has them.

    :param db: the transaction's session.
    :param row_ids: their row ids.
    """
    handle = models.AttachHandle
    db.execute(
        sa.update(handle)
        .where(handle.id.in_(row_ids), ~IS_USED)
        .values(in_use=False),
        execution_options={'synchronize_session': False},
    )


def mark_in_use(context: cyborg_context.RequestContext, row_id: int) -> None:
    """Mark an attach handle as in use, if still an ARQ has it.

    :param row_id: its row id.
    """
    handle = models.AttachHandle
    with session.writing(context) as db:
        db.execute(
            sa.update(handle)
            .where(handle.id == row_id, IS_USED)
            .values(in_use=True),
            execution_options={'synchronize_session': False},
        )

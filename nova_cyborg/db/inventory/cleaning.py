# SPDX-License-Identifier: Apache-2.0

"""Cleaning: a slot that was given back is not given before it was cleaned.

That is an outage of its attach handle. Its reason says whether the slot is
being cleaned, and then its detail is an id; or whether that failed, and then
its detail is why. The id is another one each time: a word of the agent that
comes late does not end what was begun after that.
"""

from __future__ import annotations

import collections.abc
import dataclasses
import datetime
import typing as ty

import sqlalchemy as sa
from cyborg import context as cyborg_context
from cyborg.db.sqlalchemy import models
from oslo_utils import timeutils, uuidutils
from sqlalchemy import orm

from nova_cyborg.db import session, tables
from nova_cyborg.db.inventory import handles, outages

# Of an attribute that is no number.
_SECONDS = 60
_IS_UNCLEAN = tables.HandleOutage.reason.in_(outages.UNCLEAN)


@dataclasses.dataclass(frozen=True)
class Uncleaned:
    """A slot that was given back and not cleaned yet.

    :ivar handle_id: UUID of the attach handle.
    :ivar hostname: the name of the node.
    :ivar deployable: the name of the deployable, and its resource provider.
    :ivar provider: UUID of the resource provider, if any.
    :ivar attach_type: ``PCI``, ``MDEV`` or another of Cyborg's.
    :ivar attach_info: Cyborg's address of the slot: the text of a JSON object.
    :ivar reason: whether it is being cleaned, or could not be.
    :ivar detail: why it could not be; else the id of the cleaning.
    :ivar since: when that began.
    :ivar in_use: whether it still counts as in use, as of a mediated device
        that could not be removed.
    :ivar missing: whether the agent's last report did not have it.
    :ivar attribute: how long cleaning may take, as the agent's driver says;
        None if slots of the device are not cleaned any more.
    """

    handle_id: str
    hostname: str
    deployable: str
    provider: str | None
    attach_type: str
    attach_info: str
    reason: str
    detail: str
    since: datetime.datetime
    in_use: bool
    missing: bool
    attribute: str | None

    @property
    def failed(self) -> bool:
        """Whether it could not be cleaned."""
        return self.reason == outages.CLEANING_FAILED

    @property
    def seconds(self) -> int | None:
        """How long cleaning may take; None as with the attribute."""
        if self.attribute is None:
            return None
        # It may be of a driver of another project.
        known = self.attribute.isdecimal()
        return int(self.attribute) if known else _SECONDS


def begin_in(
    db: orm.Session, given_back: collections.abc.Iterable[handles.Handle]
) -> list[handles.Handle]:
    """Have slots not given until they are cleaned, if they are to be.

    :param db: the transaction's session.
    :param given_back: their attach handles.
    :returns: the handles, as they are then.
    """
    found = list(given_back)
    new = [each.uuid for each in found if each.cleaned and not each.unclean]
    if new:
        now = timeutils.utcnow()
        db.execute(
            sa.insert(tables.HandleOutage),
            [
                {
                    'handle_uuid': uuid,
                    'reason': outages.CLEANING,
                    'created_at': now,
                    # Each slot has one of its own: the agent tells by it what
                    # it has cleaned.
                    'detail': uuidutils.generate_uuid(),
                }
                for uuid in new
            ],
        )
    return [
        dataclasses.replace(each, out=True, unclean=True)
        if each.uuid in new
        else each
        for each in found
    ]


@session.retry
def begin(
    context: cyborg_context.RequestContext,
    given_back: collections.abc.Iterable[handles.Handle],
) -> None:
    """Have slots not given until they are cleaned; safe to repeat.

    :param given_back: their attach handles.
    """
    ids = [each.uuid for each in given_back if each.cleaned]
    if not ids:
        return
    with session.writing(context) as db:
        begin_in(db, handles.find(db, models.AttachHandle.uuid.in_(ids)))


@session.retry
def begin_again(
    context: cyborg_context.RequestContext, handle_id: str
) -> None:
    """Have a slot cleaned that could not be, or that nobody has cleaned.

    :param handle_id: UUID of the attach handle.
    """
    _change(
        context,
        [tables.HandleOutage.handle_uuid == handle_id, _IS_UNCLEAN],
        reason=outages.CLEANING,
        created_at=timeutils.utcnow(),
        detail=uuidutils.generate_uuid(),
    )


def of_host(
    context: cyborg_context.RequestContext, hostname: str
) -> list[Uncleaned]:
    """Find the slots of a host that are not cleaned.

    :param hostname: the name of the node.
    :returns: the slots.
    """
    return _find(context, models.Device.hostname == hostname)


def of_handles(
    context: cyborg_context.RequestContext,
    handle_ids: collections.abc.Collection[str],
) -> list[Uncleaned]:
    """Find those of some slots that are not cleaned.

    :param handle_ids: UUIDs of their attach handles.
    :returns: the slots.
    """
    return _find(context, models.AttachHandle.uuid.in_(handle_ids))


def every(context: cyborg_context.RequestContext) -> list[Uncleaned]:
    """Find the slots of all hosts that are not cleaned."""
    return _find(context)


@session.retry
def end(
    context: cyborg_context.RequestContext,
    handle_id: str,
    cleaning_id: str,
) -> bool:
    """Have a slot given again, as it is clean.

    :param handle_id: UUID of the attach handle.
    :param cleaning_id: the id of the cleaning.
    :returns: whether that was under way.
    """
    outage = tables.HandleOutage
    with session.writing(context) as db:
        ended: ty.Any = db.execute(
            sa.delete(outage).where(*_under_way(handle_id, cleaning_id))
        )
        return bool(ended.rowcount)


@session.retry
def fail(
    context: cyborg_context.RequestContext,
    handle_id: str,
    cleaning_id: str,
    reason: str,
) -> bool:
    """Record that a slot could not be cleaned.

    :param handle_id: UUID of the attach handle.
    :param cleaning_id: the id of the cleaning.
    :param reason: why.
    :returns: whether that was under way.
    """
    return _change(
        context,
        _under_way(handle_id, cleaning_id),
        reason=outages.CLEANING_FAILED,
        detail=reason,
    )


@session.retry
def end_failed(
    context: cyborg_context.RequestContext,
    handle_ids: collections.abc.Collection[str],
) -> None:
    """Have slots given again though they could not be cleaned.

    :param handle_ids: UUIDs of their attach handles.
    """
    outage = tables.HandleOutage
    with session.writing(context) as db:
        db.execute(
            sa.delete(outage).where(
                outage.handle_uuid.in_(handle_ids),
                outage.reason == outages.CLEANING_FAILED,
            )
        )


def _under_way(
    handle_id: str, cleaning_id: str
) -> list[sa.ColumnElement[bool]]:
    outage = tables.HandleOutage
    return [
        outage.handle_uuid == handle_id,
        outage.reason == outages.CLEANING,
        outage.detail == cleaning_id,
    ]


def _change(
    context: cyborg_context.RequestContext,
    conditions: collections.abc.Iterable[sa.ColumnElement[bool]],
    **values: object,
) -> bool:
    with session.writing(context) as db:
        changed: ty.Any = db.execute(
            sa.update(tables.HandleOutage).where(*conditions).values(**values),
            execution_options={'synchronize_session': False},
        )
        return bool(changed.rowcount)


def _find(
    context: cyborg_context.RequestContext,
    *conditions: sa.ColumnElement[bool],
) -> list[Uncleaned]:
    handle, outage = models.AttachHandle, tables.HandleOutage
    deployable, device = models.Deployable, models.Device
    query = (
        sa.select(
            handle.uuid,
            device.hostname,
            deployable.name,
            deployable.rp_uuid,
            handle.attach_type,
            handle.attach_info,
            outage.reason,
            outage.detail,
            outage.created_at,
            sa.or_(handle.in_use.is_(True), handles.IS_USED),
            outages.IS_MISSING,
            handles.CLEANING_SECONDS,
        )
        .select_from(outage)
        .join(handle, handle.uuid == outage.handle_uuid)
        .join(deployable, deployable.id == handle.deployable_id)
        .join(device, device.id == deployable.device_id)
        .where(_IS_UNCLEAN, *conditions)
        .order_by(handle.id)
    )
    return [Uncleaned(*row) for row in session.rows(context, query)]

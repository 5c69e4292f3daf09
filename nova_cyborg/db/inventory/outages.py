# SPDX-License-Identifier: Apache-2.0

"""Outages: why an attach handle is not given to a server.

A handle that an accelerator request (ARQ) has keeps it meanwhile.
"""

import collections.abc

import sqlalchemy as sa
from cyborg import context as cyborg_context
from cyborg.db.sqlalchemy import models
from oslo_utils import timeutils

from nova_cyborg.db import session, tables
from nova_cyborg.db.events import actions, finding, recording

#: The agent's last report had no such slot.
MISSING = 'missing'
#: A server has given the slot back, and it is not cleaned yet.
CLEANING = 'cleaning'
#: It could not be cleaned.
CLEANING_FAILED = 'cleaning-failed'
#: Both.
UNCLEAN = (CLEANING, CLEANING_FAILED)

_LOST = recording.What(
    actions.Action.LOSE,
    actions.Outcome.ERROR,
    message='The agent of its host does not report a device of it any more.',
)
_FOUND = recording.What(actions.Action.FIND)

#: Whether there is an outage, as a condition for rows of attach handles.
IS_OUT = (
    sa.select(tables.HandleOutage.handle_uuid)
    .where(tables.HandleOutage.handle_uuid == models.AttachHandle.uuid)
    .correlate(models.AttachHandle)
    .exists()
)
#: The same for outages of slots that are missing.
IS_MISSING = (
    sa.select(tables.HandleOutage.handle_uuid)
    .where(
        tables.HandleOutage.handle_uuid == models.AttachHandle.uuid,
        tables.HandleOutage.reason == MISSING,
    )
    .correlate(models.AttachHandle)
    .exists()
)
#: The same for outages of slots that are to be cleaned.
IS_UNCLEAN = (
    sa.select(tables.HandleOutage.handle_uuid)
    .where(
        tables.HandleOutage.handle_uuid == models.AttachHandle.uuid,
        tables.HandleOutage.reason.in_(UNCLEAN),
    )
    .correlate(models.AttachHandle)
    .exists()
)


@session.retry
def begin(
    context: cyborg_context.RequestContext,
    handle_ids: collections.abc.Collection[str],
    reason: str,
) -> None:
    """Have attach handles not given, for a reason; safe to repeat.

    :param handle_ids: UUIDs of the handles.
    :param reason: such as :data:`MISSING`.
    """
    if not handle_ids:
        return
    outage = tables.HandleOutage
    known = sa.select(outage.handle_uuid).where(
        outage.handle_uuid.in_(handle_ids), outage.reason == reason
    )
    with session.writing(context) as db:
        new = sorted(set(handle_ids).difference(db.scalars(known)))
        if new:
            now = timeutils.utcnow()
            db.execute(
                sa.insert(outage),
                [
                    {'handle_uuid': uuid, 'reason': reason, 'created_at': now}
                    for uuid in new
                ],
            )
            if reason == MISSING:
                finding.record_of_handles(db, new, _LOST)


@session.retry
def end(
    context: cyborg_context.RequestContext,
    handle_ids: collections.abc.Collection[str],
    reason: str,
) -> None:
    """Have attach handles given again, unless there is another reason.

    :param handle_ids: UUIDs of the handles; those without such an outage
        do not matter.
    :param reason: the reason that is none any more.
    """
    if not handle_ids:
        return
    outage = tables.HandleOutage
    ended = (outage.handle_uuid.in_(handle_ids), outage.reason == reason)
    with session.writing(context) as db:
        known = db.scalars(sa.select(outage.handle_uuid).where(*ended)).all()
        if not known:
            return
        db.execute(sa.delete(outage).where(*ended))
        if reason == MISSING:
            finding.record_of_handles(db, known, _FOUND)


@session.retry
def forget_removed(
    context: cyborg_context.RequestContext,
    handle_ids: collections.abc.Collection[str],
) -> None:
    """Remove the outages of attach handles that are gone.

    :param handle_ids: UUIDs of handles, some of which may be.
    """
    if not handle_ids:
        return
    outage, handle = tables.HandleOutage, models.AttachHandle
    known = sa.select(handle.id).where(handle.uuid == outage.handle_uuid)
    with session.writing(context) as db:
        db.execute(
            sa.delete(outage).where(
                outage.handle_uuid.in_(handle_ids), ~known.exists()
            ),
            execution_options={'synchronize_session': False},
        )

# SPDX-License-Identifier: Apache-2.0

"""Which cyborg-conductor records the report of a host.

Two that record reports of one host at once would each make rows of what is
new. So who records one has a lease first. Who is killed meanwhile keeps it
until it expires; the agent reports again in its period. The lease is of one
report, not of a process: two reports that one process gets at once exclude
each other as well.
"""

import dataclasses
import datetime
import typing as ty
import uuid

import sqlalchemy as sa
from cyborg import context as cyborg_context
from oslo_db import exception as db_exc
from oslo_utils import timeutils

from nova_cyborg.db import session, tables

#: Seconds for which one that does not go on is waited for. By far longer than
#: the clocks of controllers differ.
LEASE = 120


@dataclasses.dataclass(frozen=True)
class Claim:
    """The right to record a report of a host.

    :ivar hostname: the name of the node.
    :ivar recorder: a UUID of the recording.
    :ivar resumed: whether an earlier report was not recorded to its end: what
        is recorded may be what Placement was never told.
    """

    hostname: str
    recorder: str
    resumed: bool


def claim(
    context: cyborg_context.RequestContext, hostname: str
) -> Claim | None:
    """Claim the recording of a report.

    :param hostname: the name of the node.
    :returns: the claim; None if another report of the host is being recorded.
    """
    recorder = str(uuid.uuid4())
    if _take_over(context, hostname, recorder):
        return Claim(hostname, recorder, resumed=True)
    row = tables.HostReport(
        hostname=hostname, recorder=recorder, expires_at=_expiry()
    )
    try:
        # Not in the transaction of the other statement: on MariaDB, two that
        # have found no row would lock each other out of making one.
        with session.writing(context) as db:
            db.add(row)
    except db_exc.DBDuplicateEntry:
        return None
    return Claim(hostname, recorder, resumed=False)


@session.retry
def _take_over(
    context: cyborg_context.RequestContext, hostname: str, recorder: str
) -> bool:
    """Take the place of a recording that has not come to its end."""
    report = tables.HostReport
    return _update(
        context,
        recorder,
        _expiry(),
        report.hostname == hostname,
        report.expires_at < timeutils.utcnow(),
    )


@session.retry
def renew(context: cyborg_context.RequestContext, claimed: Claim) -> bool:
    """Have a lease last as long as a new one.

    :param claimed: the claim.
    :returns: whether it is still one: if it has expired, another one may
        have it.
    """
    recorder = claimed.recorder
    return _update(context, recorder, _expiry(), *_is_of(claimed))


@session.retry
def end(context: cyborg_context.RequestContext, claimed: Claim) -> None:
    """End a claim: the report is recorded, and Placement told of it.

    :param claimed: the claim, which may have expired.
    """
    with session.writing(context) as db:
        db.execute(sa.delete(tables.HostReport).where(*_is_of(claimed)))


@session.retry
def leave(context: cyborg_context.RequestContext, claimed: Claim) -> None:
    """Leave a report to the next one of its host, whoever records that.

    :param claimed: the claim, which may have expired.
    """
    now = timeutils.utcnow()
    # Whose clock is behind may claim it at once, too.
    long_ago = now - datetime.timedelta(seconds=LEASE)
    _update(context, claimed.recorder, long_ago, *_is_of(claimed))


def ask_for_all(context: cyborg_context.RequestContext, hostname: str) -> None:
    """Have the next report of a host look after all its devices.

    Unless one is being recorded, which may not see what has changed: more is
    reserved then than need be, until the audit finds that.

    :param hostname: the name of the node.
    """
    claimed = claim(context, hostname)
    if claimed is not None:
        leave(context, claimed)


def _is_of(claimed: Claim) -> tuple[sa.ColumnElement[bool], ...]:
    return (
        tables.HostReport.hostname == claimed.hostname,
        tables.HostReport.recorder == claimed.recorder,
    )


def _expiry() -> datetime.datetime:
    return timeutils.utcnow() + datetime.timedelta(seconds=LEASE)


def _update(
    context: cyborg_context.RequestContext,
    recorder: str,
    expires_at: datetime.datetime,
    *conditions: sa.ColumnElement[bool],
) -> bool:
    with session.writing(context) as db:
        found: ty.Any = db.execute(
            sa.update(tables.HostReport)
            .where(*conditions)
            .values(recorder=recorder, expires_at=expires_at),
            execution_options={'synchronize_session': False},
        )
        return bool(found.rowcount)

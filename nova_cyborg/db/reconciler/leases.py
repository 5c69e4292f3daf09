# SPDX-License-Identifier: Apache-2.0

"""Leases: which process does something that one does at a time.

A lease saves work; nothing relies on it to be safe. Its times are those of
the database's clock, so that those of the processes may differ. It has a
name, for there may be several.
"""

import contextlib
import dataclasses
import json
import typing as ty

import sqlalchemy as sa
from cyborg import context as cyborg_context
from oslo_db import exception as db_exc

from nova_cyborg.db import expressions, session, tables

#: The name of that of the cyborg-conductor which reconciles.
RECONCILER = 'cyborg-conductor'
#: The name of that of the nova-conductor which ends interrupted builds.
CONDUCTOR = 'nova-conductor'
#: The key of when the last round began in which no step has failed, in what
#: is recorded.
WELL_AT = 'well_at'

_NOW = expressions.EpochSeconds()
# Seconds by which a process may be late to take it.
_LATE = 5


@dataclasses.dataclass(frozen=True)
class Lease:
    """A lease, as it was at a moment.

    :ivar now: that moment, in seconds since 1970 by the database's clock.
    :ivar holder: a UUID of the process that has it, or had it last.
    :ivar host: the host of that process.
    :ivar expires_at: until when it has it.
    :ivar good_at: when the last list of Nova's changes began that had all of
        them; None if there was none yet.
    :ivar report: what it has found.
    """

    now: int
    holder: str
    host: str
    expires_at: int
    good_at: int | None
    report: dict[str, ty.Any]

    @property
    def in_use(self) -> bool:
        """Whether a process has it, or one that waits for it is due to.

        Another one reaches for it once in each of its intervals: until that
        is over, a lease of a process that was restarted is not given up.
        """
        due = self.report.get('interval', 0) + _LATE
        return self.now <= self.expires_at + due

    @property
    def seconds_left(self) -> int:
        """For how many seconds nobody else can take it."""
        return max(0, self.expires_at - self.now)

    @property
    def good_age(self) -> int | None:
        """Seconds since the last round began that looked at everything."""
        if self.good_at is None:
            return None
        well_at = self.report.get(WELL_AT) or self.good_at
        return self.now - min(well_at, self.good_at)


def read(context: cyborg_context.RequestContext, name: str) -> Lease | None:
    """Read a lease.

    :param name: its name.
    :returns: the lease; None if nobody has ever had it.
    """
    row = tables.Lease
    query = sa.select(
        _NOW, row.holder, row.host, row.expires_at, row.good_at, row.report
    ).where(row.name == name)
    for now, holder, host, expires_at, good_at, report in session.rows(
        context, query
    ):
        found = json.loads(report or '{}')
        return Lease(now, holder, host, expires_at, good_at, found)
    return None


def who_ends_builds(context: cyborg_context.RequestContext) -> str:
    """Say which nova-conductor ends interrupted builds.

    :returns: a sentence.
    """
    lease = read(context, CONDUCTOR)
    if lease is None or not lease.in_use:
        return 'No nova-conductor ends interrupted builds.'
    return f'nova-conductor on {lease.host} ends interrupted builds.'


def take(
    context: cyborg_context.RequestContext,
    name: str,
    holder: str,
    host: str,
    seconds: int,
) -> Lease:
    """Take a lease, or have it last longer; safe to repeat.

    :param name: its name.
    :param holder: a UUID of the process.
    :param host: the host of the process.
    :param seconds: how long it is to last from now on.
    :returns: the lease, which another process has if its holder is another.
    """
    if not _take_over(context, name, holder, host, seconds):
        found = read(context, name)
        if found is not None:
            return found
        # Of two that make it, the database lets one.
        _make(context, name, holder, host, seconds)
    return ty.cast(Lease, read(context, name))


@session.retry
def record(
    context: cyborg_context.RequestContext,
    name: str,
    holder: str,
    report: dict[str, ty.Any],
    good_at: int | None,
) -> None:
    """Record what was found, unless another process has the lease by now.

    :param name: the name of the lease.
    :param holder: a UUID of the process.
    :param report: what it has found.
    :param good_at: when a list of Nova's changes began that had all of them;
        None if there was none since the last call.
    """
    row = tables.Lease
    values: dict[str, ty.Any] = {'report': json.dumps(report)}
    if good_at is not None:
        values['good_at'] = good_at
    with session.writing(context) as db:
        db.execute(
            sa.update(row)
            .where(row.name == name, row.holder == holder)
            .values(**values),
            execution_options={'synchronize_session': False},
        )


@session.retry
def _take_over(
    context: cyborg_context.RequestContext,
    name: str,
    holder: str,
    host: str,
    seconds: int,
) -> bool:
    row = tables.Lease
    # The condition is in the UPDATE: of two that reach for it, one has it.
    with session.writing(context) as db:
        found: ty.Any = db.execute(
            sa.update(row)
            .where(
                row.name == name,
                (row.holder == holder) | (row.expires_at < _NOW),
            )
            .values(holder=holder, host=host, expires_at=_NOW + seconds),
            execution_options={'synchronize_session': False},
        )
        return bool(found.rowcount)


def _make(
    context: cyborg_context.RequestContext,
    name: str,
    holder: str,
    host: str,
    seconds: int,
) -> None:
    with (
        contextlib.suppress(db_exc.DBDuplicateEntry),
        session.writing(context) as db,
    ):
        db.execute(
            sa.insert(tables.Lease).values(
                name=name,
                holder=holder,
                host=host,
                expires_at=_NOW + seconds,
            )
        )

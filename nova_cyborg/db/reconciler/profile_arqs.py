# SPDX-License-Identifier: Apache-2.0

"""Servers with ARQs of device profiles alone, and what is settled of them.

Cyborg's tables are not ours to add a column to: an ARQ is settled if there
is a row that says so. Those of servers that hold device contexts are unbound
with these, and left out.
"""

import collections.abc
import dataclasses

import sqlalchemy as sa
from cyborg import context as cyborg_context
from cyborg.common import constants
from cyborg.db.sqlalchemy import models
from oslo_utils import timeutils

from nova_cyborg.db import expressions, profiles, session, tables

# UUIDs of one statement: databases bound its parameters.
_PORTION = 500

_ARQ = models.ExtArq
_HIDDEN = (
    sa.select(models.DeviceProfile.id)
    .where(
        models.DeviceProfile.id == _ARQ.device_profile_id, profiles.IS_HIDDEN
    )
    .correlate(_ARQ)
    .exists()
)
_HELD = (
    sa.select(tables.DeviceAllocation.id)
    .where(tables.DeviceAllocation.server_id == _ARQ.instance_uuid)
    .correlate(_ARQ)
    .exists()
)
_SETTLED = (
    sa.select(tables.SettledArq.arq_uuid)
    .where(tables.SettledArq.arq_uuid == _ARQ.uuid)
    .correlate(_ARQ)
    .exists()
)


@dataclasses.dataclass(frozen=True)
class User:
    """A server that has ARQs of device profiles, and no device contexts.

    Two that are equal are one that has not changed in between.

    :ivar row_id: the row id of the last of its ARQs that matter.
    :ivar server_id: its UUID.
    :ivar arq_ids: UUIDs of its ARQs that matter.
    :ivar is_bound: whether these are bound.
    """

    row_id: int
    server_id: str
    arq_ids: tuple[str, ...]
    is_bound: bool


def unsettled(context: cyborg_context.RequestContext) -> list[User]:
    """Find the servers that Nova is to be asked about.

    :returns: the servers, those that came first at the front.
    """
    query = (
        sa.select(_ARQ.id, _ARQ.instance_uuid, _ARQ.uuid, _ARQ.state)
        .where(_ARQ.instance_uuid.is_not(None), ~_SETTLED, ~_HIDDEN, ~_HELD)
        .order_by(_ARQ.id)
    )
    return _by_server(session.rows(context, query))


def settled(
    context: cyborg_context.RequestContext, after: int, limit: int
) -> tuple[list[User], bool]:
    """Find some servers whose ARQs are settled, in turn.

    :param after: the row id of the last ARQ of those before; 0 for none.
    :param limit: how many ARQs at most.
    :returns: the servers, and whether these are the last ones.
    """
    query = (
        sa.select(_ARQ.id, _ARQ.instance_uuid, _ARQ.uuid, _ARQ.state)
        .where(_SETTLED, _ARQ.id > after, _ARQ.instance_uuid.is_not(None))
        .order_by(_ARQ.id)
        .limit(limit)
    )
    # A server may have several: as many servers do not tell.
    found = list(session.rows(context, query))
    return _by_server(found), len(found) < limit


@session.retry
def settle(context: cyborg_context.RequestContext, user: User) -> None:
    """Say that ARQs are as Nova says.

    :param user: their server, as it was when Nova was asked.
    """
    new = sa.select(_ARQ.uuid, sa.literal(timeutils.utcnow())).where(
        _ARQ.uuid.in_(user.arq_ids), ~_SETTLED
    )
    with session.writing(context) as db:
        db.execute(
            sa.insert(tables.SettledArq).from_select(
                ['arq_uuid', 'settled_at'], new
            )
        )


@session.retry
def unsettle(
    context: cyborg_context.RequestContext,
    server_ids: collections.abc.Iterable[str],
) -> None:
    """Have Nova asked about servers, of which it has said that they changed.

    :param server_ids: UUIDs of servers; those without such ARQs do not
        matter.
    """
    wanted = sorted(set(server_ids))
    for start in range(0, len(wanted), _PORTION):
        mine = sa.select(_ARQ.uuid).where(
            _ARQ.instance_uuid.in_(wanted[start : start + _PORTION])
        )
        # Not as a part of the other statement, which MariaDB would do for
        # each row that is settled.
        found = [arq_id for (arq_id,) in session.rows(context, mine)]
        if found:
            _remove(context, tables.SettledArq.arq_uuid.in_(found))


@session.retry
def tidy(context: cyborg_context.RequestContext) -> None:
    """Remove what is said of ARQs that are gone."""
    there = sa.select(_ARQ.id).where(
        _ARQ.uuid == expressions.as_in_cyborg(tables.SettledArq.arq_uuid)
    )
    _remove(context, ~there.exists())


def _by_server(
    rows: collections.abc.Iterable[tuple[int, str, str, str]],
) -> list[User]:
    found: dict[str, list[tuple[int, str, str]]] = {}
    for row_id, server_id, arq_id, state in rows:
        found.setdefault(server_id, []).append((row_id, arq_id, state))
    return [
        User(
            max(row_id for row_id, _arq_id, _state in arqs),
            server_id,
            tuple(arq_id for _row_id, arq_id, _state in arqs),
            all(state == constants.ARQ_BOUND for *_ids, state in arqs),
        )
        for server_id, arqs in found.items()
    ]


def _remove(
    context: cyborg_context.RequestContext, condition: sa.ColumnElement[bool]
) -> None:
    with session.writing(context) as db:
        db.execute(
            sa.delete(tables.SettledArq).where(condition),
            execution_options={'synchronize_session': False},
        )

# SPDX-License-Identifier: Apache-2.0

"""Removing ARQs, and the use of their attach handles.

What they were is read with one statement. It may change until they are
removed: then the transaction begins again.
"""

import collections
import collections.abc
import dataclasses
import typing as ty

import sqlalchemy as sa
from cyborg import context as cyborg_context
from cyborg.db.sqlalchemy import models
from oslo_db import exception as db_exc
from oslo_utils import timeutils
from sqlalchemy import orm

from nova_cyborg.db import arqs, expressions, session, tables
from nova_cyborg.db.events import actions, finding, recording
from nova_cyborg.db.inventory import cleaning, handles

# ARQs of one statement: databases bound its parameters.
_PORTION = 500
_Item = ty.TypeVar('_Item')


@dataclasses.dataclass(frozen=True, order=True)
class Place:
    """Where a device context had ARQs.

    :ivar context_row_id: row id of the device context.
    :ivar binding_id: row id of the binding that they were of.
    :ivar node: its node.
    """

    context_row_id: int
    binding_id: int
    node: str


@dataclasses.dataclass(frozen=True)
class Removed:
    """What was removed.

    :ivar places: where device contexts had some of it; each once, in order.
    :ivar handles: the attach handles that it had, without use now, and to be
        cleaned where a guest may have had them. Those of mediated devices
        count as in use until the devices are removed: see
        :func:`handles.end_use`.
    """

    places: list[Place]
    handles: list[handles.Handle]


@dataclasses.dataclass(frozen=True)
class _Arq:
    """An ARQ that is to be removed.

    :ivar handle_row_id: row id of its attach handle, if it has one.
    :ivar place: where a device context has it; None if none has.
    :ivar handle: the handle, if it is there.
    :ivar in_use: whether the handle is marked as in use.
    :ivar users: how many ARQs have the handle.
    """

    uuid: str
    state: str
    handle_row_id: int | None
    place: Place | None
    handle: handles.Handle | None
    in_use: bool
    users: int


@session.retry
def remove(
    context: cyborg_context.RequestContext,
    arq_ids: collections.abc.Iterable[str],
) -> list[handles.Handle]:
    """Remove ARQs, and the use of their attach handles; safe to repeat.

    In one transaction, which begins by locking the ARQs: of two calls at one
    moment one ends the use of a handle, which may be another server's right
    after.

    :param arq_ids: UUIDs of the ARQs.
    :returns: see :attr:`Removed.handles`.
    """
    with session.writing(context) as db:
        return remove_in(db, arq_ids)


def remove_in(
    db: orm.Session, arq_ids: collections.abc.Iterable[str]
) -> list[handles.Handle]:
    """Do as :func:`remove` does, in a transaction that goes on.

    :param db: the transaction's session.
    :param arq_ids: UUIDs of the ARQs.
    :returns: see :attr:`Removed.handles`.
    """
    arq = models.ExtArq
    # In one order, so that calls with some of the same wait for each other.
    ordered = sorted(set(arq_ids))
    found: list[handles.Handle] = []
    of_contexts = False
    for some in _portions(ordered):
        mine = arq.uuid.in_(some)
        db.execute(
            sa.update(arq).where(mine).values(updated_at=timeutils.utcnow()),
            execution_options={'synchronize_session': False},
        )
        removed = of_ids(db, some)
        of_contexts |= bool(removed.places)
        found += removed.handles
    if of_contexts:
        what = recording.What(actions.Action.UNBIND)
        finding.record_of_arqs(db, ordered, what)
    return found


def of_server(
    db: orm.Session,
    server_id: str,
    context_row_ids: collections.abc.Collection[int],
) -> Removed:
    """Remove all ARQs of a server, those of profiles too.

    :param db: the transaction's session.
    :param server_id: UUID of the server.
    :param context_row_ids: row ids of the device contexts that it holds, of
        which ARQs may have lost their server.
    :returns: what was removed.
    """
    arq, link = models.ExtArq, tables.DeviceContextArq
    # As a table of its own, not as alternatives: each is found by its index.
    mine = sa.union(
        sa.select(arq.uuid).where(arq.instance_uuid == server_id),
        sa.select(link.arq_uuid).where(
            link.device_context_id.in_(context_row_ids)
        ),
    ).subquery('mine')
    return _remove(
        db,
        _select().join(
            mine, arq.uuid == expressions.as_in_cyborg(mine.c.uuid)
        ),
    )


def of_ids(
    db: orm.Session, arq_ids: collections.abc.Collection[str]
) -> Removed:
    """Remove some ARQs; those that are gone are no error.

    :param db: the transaction's session.
    :param arq_ids: their UUIDs.
    :returns: what was removed.
    """
    return _remove(db, _select().where(models.ExtArq.uuid.in_(arq_ids)))


def _select() -> sa.Select[ty.Any]:
    """Begin the query of ARQs that are to be removed."""
    arq, handle = models.ExtArq, models.AttachHandle
    link, binding = tables.DeviceContextArq, tables.DeviceBinding
    deployable, device = models.Deployable, models.Device
    other = orm.aliased(arq)
    users = (
        sa.select(sa.func.count(other.id))
        .where(other.attach_handle_id == handle.id)
        .correlate(handle)
        .scalar_subquery()
    )
    return (
        sa.select(
            arq.uuid,
            # As text, for PostgreSQL: Cyborg's column has not all states.
            sa.cast(arq.state, sa.String),
            arq.attach_handle_id,
            link.device_context_id,
            link.binding_id,
            binding.node,
            handle.in_use,
            users,
            *handles.COLUMNS,
        )
        .select_from(arq)
        .outerjoin(link, link.arq_uuid == arq.uuid)
        .outerjoin(binding, binding.id == link.binding_id)
        .outerjoin(handle, handle.id == arq.attach_handle_id)
        .outerjoin(deployable, deployable.id == handle.deployable_id)
        .outerjoin(device, device.id == deployable.device_id)
        .order_by(arq.uuid)
    )


def _remove(db: orm.Session, query: sa.Select[ty.Any]) -> Removed:
    found = [_as_data(row) for row in db.execute(query)]
    for some in _portions(found):
        _delete(db, some)
    places = sorted({each.place for each in found if each.place})
    return Removed(places, _end_use(db, found))


def _as_data(columns: collections.abc.Iterable[ty.Any]) -> _Arq:
    uuid, state, handle_row_id, context_id, binding_id, node, *more = columns
    in_use, users, *handle = more
    return _Arq(
        uuid,
        state,
        handle_row_id,
        Place(context_id, binding_id, node) if binding_id else None,
        handles.of_columns(handle) if handle[0] else None,
        bool(in_use),
        users,
    )


def _portions(
    found: collections.abc.Sequence[_Item],
) -> collections.abc.Iterator[collections.abc.Sequence[_Item]]:
    return (
        found[start : start + _PORTION]
        for start in range(0, len(found), _PORTION)
    )


def _delete(db: orm.Session, found: collections.abc.Collection[_Arq]) -> None:
    """Delete ARQs, if they still are as they were read."""
    arq = models.ExtArq
    alike: dict[tuple[str, bool], list[_Arq]] = collections.defaultdict(list)
    for each in found:
        alike[each.state, each.handle_row_id is None].append(each)
    conditions = [
        sa.and_(
            arq.uuid.in_([each.uuid for each in some]),
            sa.cast(arq.state, sa.String) == state,
            arq.attach_handle_id.is_(None)
            if has_none
            else arq.attach_handle_id.in_(
                [each.handle_row_id for each in some]
            ),
        )
        for (state, has_none), some in alike.items()
    ]
    deleted: ty.Any = db.execute(
        sa.delete(arq).where(sa.or_(*conditions)),
        execution_options={'synchronize_session': False},
    )
    if deleted.rowcount != len(found):
        # Another one has removed some, or Cyborg's conductor has bound some.
        raise session.Retry(db_exc.DBDeadlock())


def _end_use(
    db: orm.Session, removed: collections.abc.Sequence[_Arq]
) -> list[handles.Handle]:
    """End the use of the attach handles that ARQs had.

    Without those that are not in use, or are of another ARQ: stock Cyborg
    ends the use of a handle before its ARQ loses it, and was interrupted in
    between.
    """
    mine = collections.Counter(each.handle_row_id for each in removed)
    in_guest = {
        each.handle_row_id
        for each in removed
        if each.state not in arqs.NEVER_IN_GUEST
    }
    found = {
        each.handle.row_id: each.handle
        for each in removed
        if each.handle
        and each.in_use
        and each.users == mine[each.handle_row_id]
    }
    ended = [
        row_id
        for row_id, each in found.items()
        if each.attach_type != handles.MDEV
    ]
    for some in _portions(ended):
        handles.end_use_in(db, some)
    given_back = [found[row_id] for row_id in found if row_id in in_guest]
    never_given = [found[row_id] for row_id in found if row_id not in in_guest]
    return [*never_given, *cleaning.begin_in(db, given_back)]

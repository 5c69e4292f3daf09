# SPDX-License-Identifier: Apache-2.0

"""Device contexts: create, read, update, delete."""

import collections.abc
import dataclasses
import typing as ty

import sqlalchemy as sa
from cyborg import context as cyborg_context
from oslo_utils import timeutils, uuidutils
from sqlalchemy import orm

from nova_cyborg import exception, model
from nova_cyborg.db import session, tables
from nova_cyborg.db.bindings import links, rows
from nova_cyborg.db.events import actions, bounds, recording
from nova_cyborg.db.limits import limits as limits_lib
from nova_cyborg.db.limits import usage
from nova_cyborg.db.lists import demands, tag_rows
from nova_cyborg.db.repeated import keys


@dataclasses.dataclass(frozen=True)
class New:
    """A device context that is to be made.

    :ivar groups: its groups.
    :ivar device_profile_id: UUID of the profile they were copied from.
    :ivar fields: name, description, delete_on_termination, live_migration,
        tag; each optional.
    :ivar tags: what it is found by in lists.
    """

    groups: collections.abc.Sequence[model.Choice]
    device_profile_id: str | None
    fields: collections.abc.Mapping[str, ty.Any]
    tags: collections.abc.Collection[str] = ()


@dataclasses.dataclass(frozen=True)
class _Most:
    """How many device contexts a project may have.

    :ivar limit: how many any project may have; below zero, any number.
    :ivar limits: what the project may have besides.
    """

    limit: int
    limits: limits_lib.Limits

    @property
    def is_any(self) -> bool:
        """Whether there is a limit at all."""
        own = self.limits.of(limits_lib.CONTEXTS)
        return self.limit >= 0 or own != limits_lib.UNLIMITED

    def check(self, used: int, new: int) -> None:
        """Check that there is room for new ones.

        :param used: how many the project has.
        :param new: how many more it is to have.
        :raises TooManyDeviceContexts: if any project would have too many.
        :raises LimitReached: if this one would.
        """
        if 0 <= self.limit < used + new:
            raise exception.TooManyDeviceContexts(
                count=used + new, limit=self.limit
            )
        self.limits.check(limits_lib.CONTEXTS, used, new)


#: Of a device context, one of which it must be at; None for any.
Revisions: ty.TypeAlias = collections.abc.Set[int] | None


def create(
    context: cyborg_context.RequestContext,
    wanted: collections.abc.Sequence[New],
    limit: int,
    limits: limits_lib.Limits,
    key: keys.Key | None = None,
) -> list[model.DeviceContext]:
    """Store new device contexts of the request's project, all or none.

    Those of a project are made one request after the other, if they are
    counted: each sees what was made before it, and what is stored stays. A
    request that is repeated meanwhile waits, and finds what was made.

    :param wanted: the device contexts.
    :param limit: how many any project may have; below zero, any number.
    :param limits: what the project may have besides.
    :param key: what the request is known by when it is repeated.
    :returns: the device contexts, in this order; those of the first request
        with the key.
    :raises InvalidRequest: if the database cannot store the fields.
    :raises TooManyDeviceContexts: if it would have more than any may have.
    :raises LimitReached: if it would have more than the project may have.
    :raises TooManyIdempotencyKeys: if it has too many keys.
    :raises IdempotencyKeyReused: if something else is made with the key.
    :raises IdempotencyKeySpent: if what was made with the key is gone.
    """
    texts = (each.fields for each in wanted)
    session.check_storable(context, tables.DeviceContext, *texts)
    if key:
        keys.make_room(context, key)
    new = {uuidutils.generate_uuid(): each for each in wanted}
    most = _Most(limit, limits)
    return _insert(context, new, most, key)


def made_with(
    context: cyborg_context.RequestContext, key: keys.Key
) -> list[model.DeviceContext] | None:
    """Read the device contexts that were made with a key.

    :param key: what a request is known by.
    :returns: the device contexts; None if there was no such request.
    :raises IdempotencyKeyReused: if something else was asked for with it.
    :raises IdempotencyKeySpent: if one that was made with the key is gone.
    """
    with session.reading(context) as db:
        return _made_with(db, key)


def _made_with(
    db: orm.Session, key: keys.Key
) -> list[model.DeviceContext] | None:
    uuids = keys.find(db, key)
    if uuids is None:
        return None
    query = select().where(
        tables.DeviceContext.uuid.in_(uuids),
        tables.DeviceContext.project_id == key.project_id,
    )
    read = load(db, db.execute(query).all(), with_tags=True)
    found = {data.uuid: data for data in read}
    for uuid in uuids:
        if uuid not in found:
            raise exception.IdempotencyKeySpent(key=key.text, id=uuid)
    return [found[uuid] for uuid in uuids]


@session.retry
def _insert(
    context: cyborg_context.RequestContext,
    new: collections.abc.Mapping[str, New],
    most: _Most,
    key: keys.Key | None,
) -> list[model.DeviceContext]:
    row = tables.DeviceContext
    with session.writing(context) as db:
        if most.is_any:
            # First of all, as it has to be. Not after the insertion: what was
            # stored by then, others would be told of before it is refused.
            usage.lock(db, context.project_id)
        # Of two requests with one key that come at once, the second has waited
        # or failed with a duplicate, and finds what the first one has made.
        repeated = _made_with(db, key) if key else None
        if repeated:
            return repeated
        if most.is_any:
            used = usage.count_contexts(db, context.project_id)
            most.check(used, len(new))
        if key:
            keys.store(db, key, list(new))
        # With one statement, however many they are.
        db.execute(
            sa.insert(row),
            [_values(context, uuid, each) for uuid, each in new.items()],
        )
        groups = {uuid: each.groups for uuid, each in new.items()}
        demands.record(db, groups)
        usage.record(db, groups)
        tag_rows.insert(db, {uuid: each.tags for uuid, each in new.items()})
        found = {
            each.uuid: each
            for each in db.scalars(sa.select(row).where(row.uuid.in_(new)))
        }
        recording.record(
            db, list(found.values()), recording.What(actions.Action.CREATE)
        )
        return [
            as_data(
                found[uuid], None, None, tags=tuple(sorted(set(each.tags)))
            )
            for uuid, each in new.items()
        ]


def _values(
    context: cyborg_context.RequestContext, uuid: str, new: New
) -> dict[str, ty.Any]:
    text = session.dump_groups(new.groups)
    # All have the same columns.
    optional = dict.fromkeys(('name', 'description', 'tag')) | {
        'delete_on_termination': True,
        'live_migration': model.LiveMigration.REFUSE,
    }
    return {
        **optional,
        **new.fields,
        'uuid': uuid,
        'project_id': context.project_id,
        'user_id': context.user_id,
        'groups': text,
        'groups_size': len(text),
        'demands_recorded': True,
        'device_profile_id': new.device_profile_id,
    }


def get(
    context: cyborg_context.RequestContext, uuid: str, project_id: str | None
) -> model.DeviceContext:
    """Read a device context.

    :param uuid: its UUID.
    :param project_id: the project it must belong to; None for any.
    :returns: the device context.
    :raises DeviceContextNotFound: if there is none in the project.
    """
    with session.reading(context) as db:
        found = [find_row(db, uuid, project_id)]
        return load(db, found, with_tags=True)[0]


def of_project(
    context: cyborg_context.RequestContext,
    uuids: collections.abc.Sequence[str],
) -> list[model.DeviceContext]:
    """Read some device contexts of the request's project.

    :param context: its project, an administrator's too, owns them.
    :param uuids: their UUIDs.
    :returns: the device contexts, in this order.
    :raises DeviceContextNotFound: if one is not in the project.
    """
    with session.reading(context) as db:
        query = select().where(
            tables.DeviceContext.uuid.in_(uuids),
            tables.DeviceContext.project_id == context.project_id,
        )
        found = {data.uuid: data for data in load(db, db.execute(query).all())}
    for uuid in uuids:
        if uuid not in found:
            raise exception.DeviceContextNotFound(id=uuid)
    return [found[uuid] for uuid in uuids]


@session.retry
def update(
    context: cyborg_context.RequestContext,
    uuid: str,
    project_id: str | None,
    fields: collections.abc.Mapping[str, ty.Any],
    revisions: Revisions = None,
) -> model.DeviceContext:
    """Change a device context.

    :param uuid: its UUID.
    :param project_id: the project it must belong to; None for any.
    :param fields: name, description, delete_on_termination, live_migration,
        tag; each optional.
    :param revisions: what it must be at.
    :returns: the changed device context.
    :raises InvalidRequest: if the database cannot store the fields.
    :raises DeviceContextNotFound: if there is none in the project.
    :raises DeviceContextChanged: if it is at another revision.
    :raises TagInUse: if the server that holds it has another one with the
        tag.
    """
    session.check_storable(context, tables.DeviceContext, fields)
    holder = None
    if fields.get('tag'):
        holder = _holder(context, uuid, project_id)
    with session.writing(context) as db:
        if holder:
            # Before anything is read: of two that get one tag at the same
            # moment, the second sees the first one's.
            rows.lock_allocation(db, holder)
        # First, and with its conditions: one that is deleted at this moment
        # is not found then, and one that is changed is at another revision.
        changed: ty.Any = db.execute(
            sa.update(tables.DeviceContext)
            .where(*_is(uuid, project_id), *is_at(revisions))
            .values(
                updated_at=timeutils.utcnow(),
                revision=tables.DeviceContext.revision + 1,
                **fields,
                # What its project says, it has whether it is attached or not.
                **({'tag_before': None} if 'tag' in fields else {}),
            )
        )
        found = find_row(db, uuid, project_id)
        row, server_id, _fault = found
        if not changed.rowcount:
            raise exception.DeviceContextChanged(
                id=uuid, revision=row.revision
            )
        if fields.get('tag') and server_id:
            if server_id != holder:
                # It has been taken just now, and its holder is not locked.
                raise session.Retry(
                    exception.DeviceContextInUse(id=uuid, server_id=server_id)
                )
            held = without_devices(db, row.allocation_id)
            check_tags(data for _row, data in held)
        what = recording.What(
            actions.Action.UPDATE,
            server_id=server_id,
            # Not what they say: that may change, and be of some size.
            message=', '.join(sorted(fields)),
        )
        recording.record(db, [row], what)
        # A member can do it as often as they like.
        bounds.trim(db, uuid)
        return load(db, [found], with_tags=True)[0]


def _holder(
    context: cyborg_context.RequestContext, uuid: str, project_id: str | None
) -> str | None:
    """Find the server that holds a device context."""
    query = select().where(*_is(uuid, project_id))
    return next(
        (server_id for _r, server_id, _f in session.rows(context, query)),
        None,
    )


@session.retry
def delete(
    context: cyborg_context.RequestContext,
    uuid: str,
    project_id: str | None,
    revisions: Revisions = None,
) -> None:
    """Delete a device context that no server holds.

    :param uuid: its UUID.
    :param project_id: the project it must belong to; None for any.
    :param revisions: what it must be at.
    :raises DeviceContextNotFound: if there is none in the project.
    :raises DeviceContextChanged: if it is at another revision.
    :raises DeviceContextInUse: if a server holds it.
    """
    with session.writing(context) as db:
        row, server_id, _fault = find_row(db, uuid, project_id)
        if revisions is not None and row.revision not in revisions:
            raise exception.DeviceContextChanged(
                id=uuid, revision=row.revision
            )
        recording.record(db, [row], recording.What(actions.Action.DELETE))
        which = (*_is(uuid, project_id), *is_at(revisions))
        if not _delete_free_in(db, *which):
            error = exception.DeviceContextInUse(id=uuid, server_id=server_id)
            # Without a server, it was released or changed right after it was
            # read.
            raise error if server_id else session.Retry(error)


def _delete_free_in(db: orm.Session, *which: sa.ColumnElement[bool]) -> bool:
    # The condition is in the DELETE, so that a server that takes the context
    # at this moment keeps it.
    deleted: ty.Any = db.execute(
        sa.delete(tables.DeviceContext).where(
            tables.DeviceContext.allocation_id.is_(None), *which
        )
    )
    return bool(deleted.rowcount)


def check_tags(
    held: collections.abc.Iterable[model.DeviceContext],
) -> None:
    """Check that no two device contexts of a server have one tag.

    Not by the database, to which tags that differ in case may be equal.

    :param held: all that the server holds, or is to hold.
    :raises TagInUse: if two have.
    """
    found: dict[str, str] = {}
    for each in held:
        if each.tag is None:
            continue
        if each.tag in found:
            raise exception.TagInUse(
                id=each.uuid,
                other=found[each.tag],
                tag=each.tag,
            )
        found[each.tag] = each.uuid


def of_allocation(
    db: orm.Session, allocation_id: int
) -> list[tuple[tables.DeviceContext, model.DeviceContext]]:
    """Read the device contexts of an allocation, in a transaction.

    :param db: the transaction's session.
    :param allocation_id: the allocation's row id.
    :returns: pairs of the row and what it says, in order of making.
    """
    found = db.execute(
        select()
        .where(tables.DeviceContext.allocation_id == allocation_id)
        .order_by(tables.DeviceContext.id)
    ).all()
    return list(zip([row[0] for row in found], load(db, found), strict=True))


def without_devices(
    db: orm.Session, allocation_id: int
) -> list[tuple[tables.DeviceContext, model.DeviceContext]]:
    """See :func:`of_allocation`; one statement less, and no devices."""
    query = (
        select()
        .where(tables.DeviceContext.allocation_id == allocation_id)
        .order_by(tables.DeviceContext.id)
    )
    return [
        (row, as_data(row, server_id, fault))
        for row, server_id, fault in db.execute(query)
    ]


def select() -> sa.Select[ty.Any]:
    """Begin a query of device contexts; :func:`load` reads its rows.

    :returns: the query: of each device context its row, the UUID of the
        server that holds it, and the fault of that server's allocation.
    """
    return sa.select(
        tables.DeviceContext,
        tables.DeviceAllocation.server_id,
        tables.DeviceAllocation.fault,
    ).outerjoin(
        tables.DeviceAllocation,
        tables.DeviceContext.allocation_id == tables.DeviceAllocation.id,
    )


def find_row(db: orm.Session, uuid: str, project_id: str | None) -> ty.Any:
    """Find a device context.

    :param db: the transaction's session.
    :param uuid: its UUID.
    :param project_id: the project that it is in; None for any.
    :returns: what :func:`select` says of it.
    :raises DeviceContextNotFound: if there is none.
    """
    query = select().where(*_is(uuid, project_id))
    row = db.execute(query).one_or_none()
    if row is None:
        raise exception.DeviceContextNotFound(id=uuid)
    return row


def _is(
    uuid: str, project_id: str | None
) -> collections.abc.Iterator[sa.ColumnElement[bool]]:
    yield tables.DeviceContext.uuid == uuid
    if project_id:
        yield tables.DeviceContext.project_id == project_id


def is_at(
    revisions: Revisions,
) -> collections.abc.Iterator[sa.ColumnElement[bool]]:
    """Return the condition that a device context is at a revision.

    :param revisions: what it must be at.
    :returns: a condition of rows; none if any will do.
    """
    if revisions is not None:
        yield tables.DeviceContext.revision.in_(sorted(revisions))


def load(
    db: orm.Session,
    found: collections.abc.Sequence[ty.Any],
    with_groups: bool = True,
    with_tags: bool = False,
) -> list[model.DeviceContext]:
    """Turn rows of :func:`select` into data, with one more statement.

    :param db: the transaction's session.
    :param found: the rows.
    :param with_groups: whether their groups are read.
    :param with_tags: whether their tags are, with yet another statement.
    :returns: the device contexts, in the order of the rows.
    """
    bindings = links.by_context(db, [row[0].id for row in found])
    tags: dict[str, tuple[str, ...]] = {}
    if with_tags:
        tags = tag_rows.of_contexts(db, [row[0].uuid for row in found])
    return [
        as_data(
            row,
            server_id,
            fault,
            bindings.get(row.id, ()),
            with_groups,
            tags.get(row.uuid, ()),
        )
        for row, server_id, fault in found
    ]


def as_data(
    row: tables.DeviceContext,
    server_id: str | None,
    fault: str | None,
    bindings: tuple[model.Binding, ...] = (),
    with_groups: bool = True,
    tags: tuple[str, ...] = (),
) -> model.DeviceContext:
    """Turn a row of a device context into data.

    :param row: its row.
    :param server_id: UUID of the server that holds it, if one does.
    :param fault: the fault of that server's allocation.
    :param bindings: its bindings, as far as these are wanted.
    :param with_groups: whether its groups are read.
    :param tags: its tags, as far as these are wanted.
    :returns: the device context.
    """
    devices = model.active_devices(bindings)
    return model.DeviceContext(
        uuid=row.uuid,
        project_id=row.project_id,
        user_id=row.user_id,
        groups=session.load_groups(row.groups) if with_groups else (),
        name=row.name,
        description=row.description,
        delete_on_termination=row.delete_on_termination,
        live_migration=row.live_migration,
        device_profile_id=row.device_profile_id,
        server_id=server_id,
        tag=row.tag,
        tags=tags,
        transition=row.transition,
        transition_fault=row.fault,
        binding_fault=fault or model.missing_fault(devices),
        bindings=bindings,
        revision=row.revision,
        created_at=row.created_at,
        updated_at=row.updated_at,
    )

# SPDX-License-Identifier: Apache-2.0

"""The tags that device contexts are found by, as rows.

Not their device tags, by which guests find devices. They are stored as bytes:
what databases take for one and the same text differs.
"""

import collections.abc

import sqlalchemy as sa
from sqlalchemy import orm

from nova_cyborg.db import tables

_Texts = collections.abc.Iterable[str]


def of_contexts(
    db: orm.Session, uuids: collections.abc.Sequence[str]
) -> dict[str, tuple[str, ...]]:
    """Read the tags of device contexts, with one statement.

    :param db: the transaction's session.
    :param uuids: UUIDs of device contexts.
    :returns: the tags of those that have any, sorted, by UUID.
    """
    row = tables.DeviceContextTag
    query = sa.select(row.context_uuid, row.tag).where(
        row.context_uuid.in_(uuids)
    )
    found: dict[str, list[str]] = {}
    for uuid, tag in db.execute(query):
        found.setdefault(uuid, []).append(bytes(tag).decode())
    return {uuid: tuple(sorted(tags)) for uuid, tags in found.items()}


def insert(
    db: orm.Session, tags: collections.abc.Mapping[str, _Texts]
) -> None:
    """Store tags of device contexts, with one statement.

    :param db: the transaction's session.
    :param tags: tags that they have not, by UUID of the device context.
    """
    found = [
        {'context_uuid': uuid, 'tag': tag.encode()}
        for uuid, texts in tags.items()
        for tag in sorted(set(texts))
    ]
    if found:
        db.execute(sa.insert(tables.DeviceContextTag), found)


def count() -> sa.ScalarSelect[int]:
    """Count the tags of a device context.

    :returns: the number, as a part of a statement.
    """
    return _counted().scalar_subquery()


def has_all(tags: _Texts) -> sa.ColumnElement[bool]:
    """Say of a device context that it has all of some tags.

    :param tags: the tags, each once.
    :returns: the condition.
    """
    found = list(tags)
    any_of_them = has_any(found)
    if len(found) == 1:
        return any_of_them
    row = tables.DeviceContextTag
    counted = _counted().where(row.tag.in_(_stored(found))).scalar_subquery()
    # With the first part, a database may begin with those that have a tag.
    return sa.and_(any_of_them, counted == len(found))


def has_any(tags: _Texts) -> sa.ColumnElement[bool]:
    """Say of a device context that it has one of some tags.

    :param tags: the tags.
    :returns: the condition.
    """
    row = tables.DeviceContextTag
    return (
        sa.select(row.tag)
        .where(
            row.context_uuid == tables.DeviceContext.uuid,
            row.tag.in_(_stored(tags)),
        )
        .exists()
    )


def _counted() -> sa.Select[tuple[int]]:
    row = tables.DeviceContextTag
    return sa.select(sa.func.count(row.tag)).where(
        row.context_uuid == tables.DeviceContext.uuid
    )


def _stored(tags: _Texts) -> list[bytes]:
    return [tag.encode() for tag in tags]

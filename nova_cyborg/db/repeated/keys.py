# SPDX-License-Identifier: Apache-2.0

"""Keys by which a request to create that is repeated is known again.

A key is one of its project, and is kept for a day: a client that got no
answer repeats its request within minutes.
"""

import collections.abc
import dataclasses
import datetime
import hashlib
import json

import sqlalchemy as sa
from cyborg import context as cyborg_context
from oslo_utils import timeutils
from sqlalchemy import orm

from nova_cyborg import exception
from nova_cyborg.db import session, tables

#: How long a key is kept.
KEPT = datetime.timedelta(hours=24)
#: How many keys a project may have.
MAX_KEYS = 10_000

# How many old ones are deleted for a new one.
_AT_ONCE = 100


@dataclasses.dataclass(frozen=True)
class Key:
    """What a request is known by.

    :ivar project_id: the project of the request.
    :ivar text: the key as the client has sent it.
    :ivar request: what is asked for, written in one way.
    """

    project_id: str
    text: str
    request: str

    @property
    def digest(self) -> str:
        """What stands for the project and the key.

        To MariaDB, keys that differ in case alone would be equal.
        """
        return _digest(f'{self.project_id}\n{self.text}')

    @property
    def fingerprint(self) -> str:
        """What stands for the request."""
        return _digest(self.request)


def find(db: orm.Session, key: Key) -> list[str] | None:
    """Find out what was made with a key.

    :param db: the transaction's session.
    :param key: the key.
    :returns: UUIDs of the device contexts; None if the key was not used.
    :raises IdempotencyKeyReused: if something else was asked for with it.
    """
    row = db.get(tables.IdempotencyKey, key.digest)
    if row is None or row.created_at <= _oldest():
        return None
    if row.fingerprint != key.fingerprint:
        raise exception.IdempotencyKeyReused(key=key.text)
    return list(json.loads(row.context_uuids))


def store(
    db: orm.Session, key: Key, context_ids: collections.abc.Sequence[str]
) -> None:
    """Note what is made with a key, in the transaction that makes it.

    :param db: the transaction's session.
    :param key: the key, which was not used; of two transactions that store
        one, the second fails with a duplicate.
    :param context_ids: UUIDs of the device contexts.
    """
    table = tables.IdempotencyKey
    # An old one makes room. One that is not was stored since it was looked
    # for: it stays, and this one is the duplicate. Nothing is deleted unless
    # there is something to delete: what deletes nothing in MariaDB locks the
    # place of others that are stored at this moment.
    found = db.get(table, key.digest)
    if found and found.created_at <= _oldest():
        db.delete(found)
        db.flush()
        db.expunge(found)
    db.add(
        table(
            digest=key.digest,
            project_id=key.project_id,
            fingerprint=key.fingerprint,
            context_uuids=json.dumps(context_ids),
        )
    )
    db.flush()


def make_room(context: cyborg_context.RequestContext, key: Key) -> None:
    """Delete keys that are old enough, so that there is room for another.

    :param key: the other one.
    :raises TooManyIdempotencyKeys: if its project has too many that are not.
    """
    _delete_old(context)
    table = tables.IdempotencyKey
    query = sa.select(sa.func.count(table.digest)).where(
        table.project_id == key.project_id,
        table.created_at > _oldest(),
        # It is there if the same request has come a moment before.
        table.digest != key.digest,
    )
    ((found,),) = session.rows(context, query)
    if found >= MAX_KEYS:
        raise exception.TooManyIdempotencyKeys(limit=MAX_KEYS)


@session.retry
def _delete_old(context: cyborg_context.RequestContext) -> None:
    # By what they are found by first, and not by their age alone: that would
    # lock keys that are stored just now.
    table = tables.IdempotencyKey
    old = session.rows(
        context,
        sa.select(table.digest)
        .where(table.created_at <= _oldest())
        .order_by(table.created_at)
        .limit(_AT_ONCE),
    )
    if not old:
        return
    with session.writing(context) as db:
        db.execute(
            sa.delete(table).where(
                table.digest.in_([digest for (digest,) in old]),
                table.created_at <= _oldest(),
            )
        )


def _oldest() -> datetime.datetime:
    return timeutils.utcnow() - KEPT


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()

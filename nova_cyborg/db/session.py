# SPDX-License-Identifier: Apache-2.0

"""Transactions on Cyborg's database.

They are Cyborg's own: the same engine, options and pool, so that our rows
and Cyborg's change in one transaction.
"""

import collections.abc
import contextlib
import json
import sys
import time
import typing as ty

import sqlalchemy as sa
from cyborg import context as cyborg_context
from cyborg.conf import CONF
from cyborg.db.sqlalchemy import api as cyborg_db
from oslo_config import cfg
from oslo_db import api as oslo_db_api
from oslo_db import exception as db_exc
from sqlalchemy import orm

from nova_cyborg import exception, model

#: For a transaction that may meet a deadlock, or a row another one has just
#: made or removed: it is run again as a whole.
retry = oslo_db_api.wrap_db_retry(
    max_retries=5,
    inc_retry_interval=True,
    retry_interval=0.1,
    max_retry_interval=1,
    retry_on_deadlock=True,
    exception_checker=lambda exc: isinstance(
        exc, db_exc.DBDuplicateEntry | db_exc.DBReferenceError
    ),
)

#: What is raised when the database fails: oslo.db's errors; and SQLAlchemy's,
#: which oslo.db lets pass when MariaDB misses a table.
FAILURES = (db_exc.DBError, sa.exc.DBAPIError)
#: Raised with an exception, has the transaction repeated, some times, before
#: that exception is raised.
Retry: ty.TypeAlias = db_exc.RetryRequest


# By the name of a character set of MariaDB. That of another one is looked for
# in none: all have those of ASCII.
_LAST_CHARACTERS = {
    'utf8mb4': chr(sys.maxunicode),
    'utf8mb3': '\uffff',
    'utf8': '\uffff',
}
_LAST_OF_ANY = '\x7f'

# What a session has of when its transaction began.
_BEGUN = 'nova_cyborg_begun'

# Where the value of an option comes from that nobody has set.
_BY_DEFAULT = (cfg.Locations.opt_default, cfg.Locations.set_default)


@contextlib.contextmanager
def writing(
    context: cyborg_context.RequestContext,
) -> collections.abc.Iterator[orm.Session]:
    """Open a transaction that writes.

    :returns: a context manager that gives the session.
    """
    with cyborg_db.main_context_manager.writer.using(context) as session:
        session.info.setdefault(_BEGUN, time.monotonic())
        yield session


def seconds(db: orm.Session) -> float:
    """Tell how long a transaction that writes has taken so far.

    :param db: its session.
    :returns: seconds, with those that it has waited for others.
    """
    return float(time.monotonic() - db.info[_BEGUN])


@contextlib.contextmanager
def reading(
    context: cyborg_context.RequestContext,
) -> collections.abc.Iterator[orm.Session]:
    """Open a transaction that only reads.

    :returns: a context manager that gives the session.
    """
    with cyborg_db.main_context_manager.reader.using(context) as session:
        yield session


def rows(
    context: cyborg_context.RequestContext, query: sa.Select[ty.Any]
) -> list[tuple[ty.Any, ...]]:
    """Read with one statement, in a transaction of its own.

    :param query: the statement.
    :returns: the rows.
    """
    with reading(context) as db:
        return [row._tuple() for row in db.execute(query)]


def last_character(
    context: cyborg_context.RequestContext, table: type[orm.DeclarativeBase]
) -> str:
    """Find the last character of Unicode that a table's texts may have.

    In MariaDB, it is that of the character set that the database was made
    with. It is asked, and not tried, because it may cut texts off.

    :param table: the class that is mapped to the table.
    :returns: the character.
    """
    if engine().dialect.name not in ('mysql', 'mariadb'):
        return chr(sys.maxunicode)
    character_set: sa.ColumnClause[str] = sa.column('CHARACTER_SET_NAME')
    query = sa.select(character_set).select_from(
        sa.table('COLUMNS', schema='information_schema')
    )
    query = query.where(
        sa.column('TABLE_SCHEMA') == sa.func.database(),
        sa.column('TABLE_NAME') == table.__tablename__,
        character_set.is_not(None),
    )
    return min(
        _LAST_CHARACTERS.get(name, _LAST_OF_ANY)
        for (name,) in rows(context, query)
    )


def check_storable(
    context: cyborg_context.RequestContext,
    table: type[orm.DeclarativeBase],
    *fields: collections.abc.Mapping[str, ty.Any],
) -> None:
    """Check that the database can store what a request says.

    :param table: the class that is mapped to the table it is stored in.
    :param fields: what is to be stored by name, of which texts are looked at.
    :raises InvalidRequest: if it cannot store one.
    """
    texts = [
        (name, value)
        for each in fields
        for name, value in each.items()
        if isinstance(value, str) and not value.isascii()
    ]
    if not texts:
        return
    last = last_character(context, table)
    for name, value in texts:
        if max(value) > last:
            raise exception.InvalidRequest(
                field=name,
                reason='it has characters that the database of this cloud '
                'cannot store, such as emojis. Use others.',
            )


def engine() -> sa.Engine:
    """Return an engine on Cyborg's database."""
    return cyborg_db.main_context_manager.writer.get_engine()


def named_engine() -> sa.Engine:
    """Return an engine on the database that the configuration names.

    By default, Cyborg's would be an SQLite file among those of its package.

    :returns: the engine.
    :raises NoDatabase: if no database is named, or none that can be reached
        with what is installed.
    """
    found = CONF.get_location('connection', 'database')
    if found is None or found.location in _BY_DEFAULT:
        raise exception.NoDatabase(reason=_not_named())
    if not CONF.database.connection:
        raise exception.NoDatabase(reason='[database] connection is empty')
    try:
        return engine()
    except (sa.exc.ArgumentError, ImportError) as exc:
        # Not with the URL, which has a password in it.
        reason = f'[database] connection cannot be used ({_kind(exc)})'
        raise exception.NoDatabase(reason=reason) from exc


def _not_named() -> str:
    read = ', '.join(CONF.config_file or ())
    if read:
        return f'There is no [database] connection in {read}'
    return 'No configuration file of Cyborg was found in its usual places'


def _kind(error: Exception) -> str:
    if isinstance(error, ModuleNotFoundError):
        return f'there is no module {error.name} here'
    if isinstance(error, sa.exc.NoSuchModuleError):
        return 'there is no driver for such databases here'
    return 'it is no URL of a database'


def reason(failure: Exception) -> str:
    """Say why the database has failed.

    :param failure: one of :data:`FAILURES`.
    :returns: the words of the database's driver, without the statement.
    """
    raised = getattr(failure, 'inner_exception', failure)
    return str(getattr(raised, 'orig', None) or failure)


def dump_groups(groups: collections.abc.Sequence[model.Choice]) -> str:
    """Write groups for the database.

    :param groups: the groups of a device context.
    :returns: JSON.
    """
    return json.dumps([group.as_record() for group in groups])


def load_groups(text: str) -> tuple[model.Choice, ...]:
    """Read what :func:`dump_groups` wrote.

    :param text: JSON.
    :returns: the groups.
    """
    return tuple(model.Choice.from_record(item) for item in json.loads(text))

# SPDX-License-Identifier: Apache-2.0

"""The database server that tests use, if not SQLite.

``tools/databases`` starts it, and says in the environment where each process
of tests has a database with the tables of both projects.
"""

import collections.abc
import contextlib
import os

import sqlalchemy as sa

from nova_cyborg.db import tables
from nova_cyborg.db.migrations import migration
from nova_cyborg.fixture import database

_VARIABLE = 'NOVA_CYBORG_TEST_DATABASE'
# Which of the processes of pytest-xdist this one is.
_WORKER = 'PYTEST_XDIST_WORKER'
# What turns the check of references off, and on again.
_UNCHECKED = {
    'sqlite': ('PRAGMA foreign_keys = OFF', 'PRAGMA foreign_keys = ON'),
    'mysql': ('SET foreign_key_checks = 0', 'SET foreign_key_checks = 1'),
    'postgresql': (
        'SET session_replication_role = replica',
        'SET session_replication_role = origin',
    ),
}


def url() -> str | None:
    """Return the URL of this process's database.

    :returns: the URL; None if each test makes one of SQLite's.
    """
    template = os.environ.get(_VARIABLE)
    if template is None:
        return None
    return template.format(worker=os.environ.get(_WORKER, 'gw0'))


def emptied() -> str | None:
    """Empty this process's database for a test.

    :returns: its URL; None if the test is to make one of SQLite's.
    """
    if found := url():
        engine = sa.create_engine(found, poolclass=sa.NullPool)
        _restore(engine)
        database.delete_rows(engine)
    return found


def _restore(engine: sa.Engine) -> None:
    """Create the project's tables anew after a test that has changed them."""
    if migration.version(engine) == migration.head():
        return
    remove_tables(engine)
    migration.upgrade(engine)


def remove_tables(engine: sa.Engine) -> None:
    """Remove the project's tables; Cyborg's stay."""
    version = sa.Table(migration.VERSION_TABLE, sa.MetaData())
    tables.Base.metadata.drop_all(engine)
    version.drop(engine, checkfirst=True)


@contextlib.contextmanager
def unchecked(engine: sa.Engine) -> collections.abc.Iterator[sa.Connection]:
    """Begin a transaction that may break references between rows."""
    off, on = _UNCHECKED[engine.dialect.name]
    with engine.connect() as connection:
        connection.exec_driver_sql(off)
        yield connection
        connection.commit()
        connection.exec_driver_sql(on)
        connection.commit()

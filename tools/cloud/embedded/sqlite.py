# SPDX-License-Identifier: Apache-2.0

"""Makes SQLite bear the concurrency that the services are written for.

oslo.db opens each transaction with a plain BEGIN. Two of them that first
read and then write at the same time cannot both go on: SQLite tells one at
once that the database is locked, however long its timeout. So a transaction
begins here with its first write, and then waits for its turn; what it reads
before is what is committed by then, as in other databases. To read rows for
update, which SQLite cannot lock, waits for that turn as well: else two
transactions would both take the attach handle that both have found free.
"""

from typing import Any

import sqlalchemy
from sqlalchemy import event

_SQLITE = 'sqlite'
# oslo.db's own mark of a transaction that it has opened.
_OPENED = 'in_transaction'


def install(
    engine: sqlalchemy.Engine | type[sqlalchemy.Engine] = sqlalchemy.Engine,
) -> None:
    """Change how transactions begin.

    :param engine: the engine whose transactions are meant; all of the
        process's unless given.
    """
    event.listen(engine, 'begin', _on_begin)
    event.listen(engine, 'savepoint', _on_savepoint)
    event.listen(engine, 'before_execute', _on_execute)


def _on_begin(connection: sqlalchemy.Connection) -> None:
    if connection.dialect.name != _SQLITE:
        return
    # Listeners of the class come first: oslo.db's then leaves it alone.
    connection.info[_OPENED] = True
    _driver_connection(connection).isolation_level = 'IMMEDIATE'


def _on_savepoint(connection: sqlalchemy.Connection, name: str) -> None:
    """Open the transaction: a savepoint is not a write to the driver."""
    _open(connection)


def _on_execute(
    connection: sqlalchemy.Connection, statement: Any, *_arguments: Any
) -> None:
    """Open the transaction before rows are read that it means to change."""
    if getattr(statement, '_for_update_arg', None) is not None:
        _open(connection)


def _open(connection: sqlalchemy.Connection) -> None:
    if connection.dialect.name != _SQLITE:
        return
    if not _driver_connection(connection).in_transaction:
        connection.exec_driver_sql('BEGIN IMMEDIATE')


def _driver_connection(connection: sqlalchemy.Connection) -> Any:
    return connection.connection.dbapi_connection

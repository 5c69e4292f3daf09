# SPDX-License-Identifier: Apache-2.0

"""SQL statements and transactions, and how long they take."""

import time
import typing as ty

from tools.bench.tracing import units as units_module

_BEGIN = 'bench_begin'
# Whether there was one that writes; not there before the first one.
_WROTE = 'bench_wrote'
_WRITES = ('INSERT', 'UPDATE', 'DELETE', 'REPLACE')


def listen(units: units_module.Units, sqlalchemy: ty.Any) -> None:
    """Count what is sent to databases.

    A transaction counts if there was a statement in it, and as one that
    writes if one of them does.

    :param units: the process's units.
    :param sqlalchemy: the library.
    """
    engine = sqlalchemy.engine.Engine

    def before(
        connection: ty.Any, _cursor: ty.Any, statement: str, *_more: ty.Any
    ) -> None:
        info = connection.info
        info[_BEGIN] = time.monotonic()
        wrote = statement.lstrip()[:7].upper().startswith(_WRITES)
        info[_WROTE] = info.get(_WROTE, False) or wrote

    def after(connection: ty.Any, *_more: ty.Any) -> None:
        seconds = time.monotonic() - connection.info[_BEGIN]
        units.count(statements=1, sql_seconds=seconds)

    def end(connection: ty.Any) -> None:
        wrote = connection.info.pop(_WROTE, None)
        if wrote is not None:
            units.count(transactions=1, writes=int(wrote))

    sqlalchemy.event.listen(engine, 'before_cursor_execute', before)
    sqlalchemy.event.listen(engine, 'after_cursor_execute', after)
    sqlalchemy.event.listen(engine, 'commit', end)
    sqlalchemy.event.listen(engine, 'rollback', end)

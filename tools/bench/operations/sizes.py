# SPDX-License-Identifier: Apache-2.0

"""What Cyborg's database takes."""

from __future__ import annotations

import sqlalchemy as sa

from tools.bench.clouds import up
from tools.bench.model import measured as model

# Of what is in a schema; there is none for SQLite, whose file has all.
_SIZES = {
    'mysql': 'SELECT table_name, data_length + index_length '
    'FROM information_schema.tables WHERE table_schema = DATABASE()',
    'postgresql': 'SELECT relname, pg_total_relation_size(relid) '
    'FROM pg_catalog.pg_statio_user_tables',
}
_ANALYZE = {'mysql': 'ANALYZE TABLE {}', 'postgresql': 'ANALYZE {}'}


def look(measured: up.Measured, bound: int) -> list[model.Table]:
    """Look at the tables of Cyborg's database.

    :param measured: the cloud.
    :param bound: how many accelerators are bound.
    :returns: those that have rows.
    """
    url = measured.cloud.database_url('cyborg')
    engine = sa.create_engine(url, poolclass=sa.NullPool)
    names = sa.inspect(engine).get_table_names()
    with engine.connect() as connection:
        rows = {
            name: connection.scalar(
                sa.select(sa.func.count()).select_from(sa.table(name))
            )
            for name in names
        }
        sizes = _sizes(connection, names)
    return [
        model.Table(measured.plugin, bound, name, number, sizes.get(name))
        for name, number in sorted(rows.items())
        if number
    ]


def _sizes(connection: sa.Connection, names: list[str]) -> dict[str, int]:
    kind = connection.dialect.name
    if kind not in _SIZES:
        return {}
    for name in names:
        # What the server knows of sizes may be of some time ago.
        connection.execute(sa.text(_ANALYZE[kind].format(name))).close()
    found = connection.execute(sa.text(_SIZES[kind]))
    return {name: int(size) for name, size in found}

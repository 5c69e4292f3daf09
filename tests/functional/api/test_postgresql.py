# SPDX-License-Identifier: Apache-2.0

"""What SQLite and MariaDB take of a statement, and PostgreSQL does not.

Whatever the database is, what is sent to it is put into PostgreSQL's words,
too. ``tox -e databases -- --database postgresql`` runs on PostgreSQL itself.
"""

import pytest
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from nova_cyborg import model
from nova_cyborg.db import expressions, tables

_DIALECT = postgresql.dialect()


@pytest.fixture
def sent(cloud):
    """The statements that are sent, each with the rows that go with it."""
    found = []

    def note(_connection, clause, rows, row, *_more):
        found.append((clause, rows or [row]))

    sa.event.listen(cloud.engine, 'before_execute', note)
    yield found
    sa.event.remove(cloud.engine, 'before_execute', note)


def _unknown_values(compiled):
    """Return values that the enumerated type they are compared with lacks."""
    return [
        value
        for bind in compiled.binds.values()
        if isinstance(bind.type, sa.Enum)
        for value in (bind.value if bind.expanding else [bind.value])
        if isinstance(value, str) and value not in bind.type.enums
    ]


def test_it_is_not_made_to_unfold_what_is_large():
    compiled = sa.select(
        expressions.Size(tables.DeviceContext.groups)
    ).compile(dialect=_DIALECT)

    assert 'octet_length(device_contexts.groups)' in str(compiled)


def test_the_way_of_a_server(cloud, member, nova, boot, sent):
    provider = cloud.add_device(slots=4)
    server_id, *_uuids = boot(provider, contexts=2, resources={'FPGA': 2})
    for status in model.Status.ALL:
        member.list(f'?status={status}&limit=1')
    nova.arqs(f'instance={server_id}&bind_state=resolved')
    nova.unbind(server_id)
    nova.release(server_id)
    cloud.drain()
    member.list()

    assert any(isinstance(clause, sa.Insert) for clause, _rows in sent)
    for clause, rows in sent:
        # It fails if PostgreSQL has no words for it.
        compiled = clause.compile(
            dialect=_DIALECT,
            column_keys=list(rows[0]),
            for_executemany=len(rows) > 1,
        )
        assert _unknown_values(compiled) == [], str(compiled)

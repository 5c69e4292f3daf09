# SPDX-License-Identifier: Apache-2.0


import pathlib

import pytest
import sqlalchemy as sa

from tools.cloud.embedded import sqlite

_HANDLES = sa.table('attach_handles', sa.column('id'), sa.column('in_use'))


@pytest.fixture
def engine(tmp_path: pathlib.Path) -> sa.Engine:
    made = sa.create_engine(
        f'sqlite:///{tmp_path}/cyborg.sqlite', connect_args={'timeout': 0}
    )
    sqlite.install(made)
    with made.begin() as connection:
        connection.execute(
            sa.text('CREATE TABLE attach_handles (id INTEGER, in_use BOOLEAN)')
        )
        connection.execute(_HANDLES.insert().values(id=1, in_use=False))
    return made


def test_rows_are_read_for_update_by_one_at_a_time(engine: sa.Engine) -> None:
    free = sa.select(_HANDLES).where(_HANDLES.c.in_use.is_(sa.false()))
    take = free.with_for_update()
    with engine.begin() as one, engine.begin() as other:
        assert one.execute(take).first()
        with pytest.raises(sa.exc.OperationalError, match='locked'):
            other.execute(take)
        # Who only reads does not wait.
        assert other.execute(free).first()
        other.rollback()
        one.execute(_HANDLES.update().values(in_use=True))
    with engine.begin() as next_one:
        assert next_one.execute(take).first() is None


def test_transactions_that_first_read_can_both_write(
    engine: sa.Engine,
) -> None:
    with engine.begin() as one, engine.begin() as other:
        for connection in (one, other):
            connection.execute(sa.select(_HANDLES)).all()
        one.execute(_HANDLES.insert().values(id=2, in_use=False))
        one.commit()
        other.execute(_HANDLES.insert().values(id=3, in_use=False))
    with engine.begin() as connection:
        assert len(connection.execute(sa.select(_HANDLES)).all()) == 3

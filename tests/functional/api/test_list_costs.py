# SPDX-License-Identifier: Apache-2.0

"""A page costs the same however many device contexts there are besides.

Counted are the steps of SQLite's machine: they are the same each time.
"""

import datetime

import pytest
import sqlalchemy as sa

from tests.functional import crowds
from tests.functional.api import cyborg

# On a page, and so among them at least.
PAGE = 100
ALL = 10_000
# How many times as much it may be.
MOST = 1.5


@pytest.fixture
def cloud():
    """On SQLite, whatever other tests are on."""
    with cyborg.fixture.CyborgFixture() as fixture:
        yield fixture


@pytest.fixture
def cost(cloud):
    """Counts the steps of what a list takes."""

    def _cost(query, **persona):
        caller = cyborg.Caller(cyborg.client(cloud.app), **persona)
        sent = []

        def note(_connection, _cursor, statement, parameters, *_more):
            sent.append((statement, parameters))

        sa.event.listen(cloud.engine, 'before_cursor_execute', note)
        try:
            found = caller.list(f'?limit={PAGE}&{query}').json
        finally:
            sa.event.remove(cloud.engine, 'before_cursor_execute', note)
        assert len(found['device_contexts']) == PAGE
        return _steps(cloud.engine, sent)

    return _cost


def _steps(engine, sent):
    steps = 0

    def note():
        nonlocal steps
        steps += 1

    with engine.connect() as connection:
        driver = connection.connection.dbapi_connection
        driver.set_progress_handler(note, 1)
        try:
            for statement, parameters in sent:
                connection.exec_driver_sql(statement, parameters).all()
        finally:
            driver.set_progress_handler(None, 0)
    return steps


ADMIN = {'roles': ('admin', 'member', 'reader')}
QUERIES = (
    ('', {}),
    ('status=bound', {}),
    ('status=bound&sort=created_at:desc', {}),
    ('status=bound&sort=name', {}),
    ('sort=name:desc', {}),
    ('sort=updated_at', {}),
    ('sort=uuid', {}),
    ('created_after=2026-01-01', {}),
    ('status=bound&all_projects=1', ADMIN),
    ('all_projects=1', ADMIN),
)


@pytest.mark.parametrize(('query', 'persona'), QUERIES)
def test_among_many_that_are_alike(cloud, cost, query, persona):
    crowds.servers(cloud.engine, PAGE)
    among_few = cost(query, **persona)
    crowds.servers(cloud.engine, ALL - PAGE)

    assert cost(query, **persona) <= MOST * among_few


@pytest.mark.parametrize('few_are', ['first', 'last'])
@pytest.mark.parametrize(
    ('status', 'few', 'others'),
    [
        ('bound', crowds.servers, crowds.contexts),
        ('available', crowds.contexts, crowds.servers),
    ],
    ids=['bound', 'available'],
)
def test_among_many_of_another_status(
    cloud, cost, status, few, others, few_are
):
    few(cloud.engine, PAGE)
    among_few = cost(f'status={status}')
    year = datetime.timedelta(days=365)
    before = {} if few_are == 'first' else {'created_at': crowds.BEGIN - year}
    others(cloud.engine, ALL - PAGE, **before)

    assert cost(f'status={status}') <= MOST * among_few

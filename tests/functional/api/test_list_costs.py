# SPDX-License-Identifier: Apache-2.0

"""A page costs the same however many device contexts there are besides.

Counted are the steps of SQLite's machine: they are the same each time.
"""

import datetime

import pytest
import sqlalchemy as sa
from cyborg.db.sqlalchemy import models

from nova_cyborg.db import tables
from tests.functional import crowds
from tests.functional.api import cyborg

pytestmark = pytest.mark.slow

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


LATER = datetime.datetime(2027, 1, 1)
PROFILE = 'aaaaaaaa-0000-4000-8000-000000000000'


@pytest.fixture
def some(cloud):
    """Stores servers that have what is asked for, and are last in a list."""

    def _some(number):
        row = tables.DeviceContext
        first = crowds.first_id(cloud.engine)
        crowds.servers(
            cloud.engine,
            number,
            created_at=LATER,
            name='x',
            tag='t',
            device_profile_id=PROFILE,
        )
        mine = row.id >= first
        allocation, binding = tables.DeviceAllocation, tables.DeviceBinding
        held = sa.select(row.allocation_id).where(mine)
        with cloud.engine.begin() as db:
            uuids = db.scalars(sa.select(row.uuid).where(mine)).all()
            db.execute(
                sa.insert(tables.DeviceContextDemand),
                [
                    {'context_uuid': uuid, 'kind': kind, 'name': name}
                    for uuid in uuids
                    for kind, name in (
                        ('class', 'FPGA'),
                        ('trait', 'CUSTOM_X'),
                    )
                ],
            )
            db.execute(
                sa.insert(tables.DeviceContextTag),
                [
                    {'context_uuid': uuid, 'tag': tag}
                    for uuid in uuids
                    for tag in (b'a', b'b')
                ],
            )
            db.execute(sa.update(row).where(mine).values(updated_at=LATER))
            db.execute(
                sa.update(binding)
                .where(binding.allocation_id.in_(held))
                .values(node='here')
            )
            db.execute(
                sa.update(allocation)
                .where(allocation.id.in_(held))
                .values(updated_at=LATER)
            )

    return _some


@pytest.mark.parametrize('scope', ['', '&all_projects=1'])
@pytest.mark.parametrize(
    'query',
    [
        'name=x',
        'tag=t',
        'resource_class=FPGA',
        'trait=X',
        f'device_profile={PROFILE}',
        'host=here',
        'created_after=2027-01-01',
        'updated_after=2027-01-01',
        'tags=a,b',
        'tags-any=a,b',
    ],
)
def test_what_few_have_among_many(cloud, cost, some, query, scope):
    persona = ADMIN if scope else {}
    orders = ('created_at', 'name:desc', 'uuid')
    some(PAGE)
    among_few = [
        cost(f'{query}&sort={key}{scope}', **persona) for key in orders
    ]
    crowds.servers(cloud.engine, ALL - PAGE)

    for key, before in zip(orders, among_few, strict=True):
        found = cost(f'{query}&sort={key}{scope}', **persona)
        assert found <= MOST * before, key


# Of each accelerator request (ARQ), to look at its state or its times, of
# which Cyborg has no index.
STEPS_FOR_ARQ = 8


def _attaching(db, held):
    row = tables.DeviceContext
    db.execute(
        sa.update(row)
        .where(row.allocation_id.in_(held))
        .values(transition='attaching')
    )


def _faulty(db, held):
    row = tables.DeviceAllocation
    db.execute(sa.update(row).where(row.id.in_(held)).values(fault='x'))


def _in_state(state):
    def change(db, held):
        row = tables.DeviceAllocation
        servers = sa.select(row.server_id).where(row.id.in_(held))
        arq = models.ExtArq
        db.execute(
            sa.update(arq)
            .where(arq.instance_uuid.in_(servers))
            .values(state=state)
        )

    return change


@pytest.mark.parametrize(
    ('query', 'change', 'steps'),
    [
        ('status=attaching', _attaching, 0),
        ('status=error', _faulty, STEPS_FOR_ARQ),
        ('status=error', _in_state('BindFailed'), STEPS_FOR_ARQ),
        ('status=binding', _in_state('BindStarted'), STEPS_FOR_ARQ),
        ('changes-since=2027-01-01', None, STEPS_FOR_ARQ),
    ],
    ids=['attaching', 'faulty', 'failed', 'binding', 'changed'],
)
def test_what_is_with_few_among_many(cloud, cost, some, query, change, steps):
    some(PAGE)
    if change:
        with cloud.engine.begin() as db:
            change(db, sa.select(tables.DeviceAllocation.id))
    among_few = cost(query)
    crowds.servers(cloud.engine, ALL - PAGE)

    assert cost(query) <= MOST * among_few + steps * ALL

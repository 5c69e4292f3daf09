# SPDX-License-Identifier: Apache-2.0

"""Each earlier schema on its way to this one, with earlier code beside ours.

What code of an earlier release does is told by what it knows: the tables and
columns of its schema, and no others.
"""

import datetime
import json
import uuid

import pytest
import sqlalchemy as sa
from alembic import script as alembic_script
from cyborg.db.sqlalchemy import models

from nova_cyborg import exception
from nova_cyborg.api import app
from nova_cyborg.db import tables
from nova_cyborg.db.migrations import migration
from tests.functional import databases
from tests.functional.api import cyborg

# From this one on, services of both releases run beside each other.
_FIRST = 'e4a19c6d3f70'
_PROJECT = cyborg.PROJECT


def _revisions():
    """Return the revisions from the first one on, the oldest first."""
    found = alembic_script.ScriptDirectory.from_config(migration._config())
    later = found.iterate_revisions('head', _FIRST)
    return [_FIRST, *reversed([each.revision for each in later])]


*OLDER, _HEAD = _revisions()
each_older = pytest.mark.parametrize('revision', OLDER)


@pytest.fixture
def engine(tmp_path):
    """A database without the project's tables."""
    url = databases.emptied()
    made = sa.create_engine(url or f'sqlite:///{tmp_path}/cyborg.sqlite')
    models.Base.metadata.create_all(made)
    databases.remove_tables(made)
    yield made
    made.dispose()


@pytest.fixture
def serve(engine, monkeypatch):
    """Serves the API with what is in the database by then."""
    made = []

    def _serve():
        url = engine.url.render_as_string(hide_password=False)
        monkeypatch.setattr(databases, 'emptied', lambda: url)
        cloud = cyborg.CyborgFixture()
        cloud.setUp()
        made.append(cloud)
        return cloud

    yield _serve
    for each in made:
        each.cleanUp()


# As it was stored before there were taints.
_GROUP = {
    'resources': {'FPGA': 1},
    'required': ['CUSTOM_HW_X'],
    'forbidden': [],
    'config': {},
}


def columns(engine):
    """Return the columns of each table of ours, by their names."""
    made = sa.inspect(engine)
    return {
        table: {each['name']: each for each in made.get_columns(table)}
        for table in made.get_table_names()
        if table in tables.Base.metadata.tables
    }


def store(engine, known):
    """Store a device context by columns that are known; returns its UUID."""
    values = {
        'uuid': str(uuid.uuid4()),
        'project_id': _PROJECT,
        'user_id': 'u',
        'name': 'old',
        'groups': json.dumps([_GROUP]),
        'groups_size': 10,
        'delete_on_termination': True,
        'live_migration': 'refuse',
        'created_at': datetime.datetime(2026, 11, 29),
    }
    given = {name: values[name] for name in values if name in known}
    table = sa.table('device_contexts', *map(sa.column, given))
    with engine.begin() as connection:
        connection.execute(sa.insert(table).values(**given))
    return values['uuid']


def execute(engine, statement, **values):
    with engine.begin() as connection:
        return connection.execute(sa.text(statement), values).rowcount


def test_the_chain_has_no_gap():
    assert migration.head() == _HEAD
    assert len(OLDER) >= 5


@each_older
def test_nothing_is_taken_from_earlier_code(engine, revision):
    migration.upgrade(engine, revision)
    before = columns(engine)

    migration.upgrade(engine)

    after = columns(engine)
    for table, known in before.items():
        for name, column in known.items():
            now = after[table][name]
            assert str(now['type']) == str(column['type'])
            # It may have stored none, and go on to.
            assert now['nullable'] >= column['nullable']
        for name in after[table].keys() - known.keys():
            column = after[table][name]
            assert column['nullable'] or column['default'] is not None


@each_older
def test_what_there_was_is_served(engine, serve, revision):
    migration.upgrade(engine, revision)
    uuid_ = store(engine, columns(engine)['device_contexts'])
    migration.upgrade(engine)

    cloud = serve()

    _is_usable(cloud, uuid_)


@each_older
def test_what_earlier_code_stores_later_is_served(engine, serve, revision):
    migration.upgrade(engine, revision)
    known = columns(engine)['device_contexts']
    migration.upgrade(engine)
    cloud = serve()

    _is_usable(cloud, store(engine, known))


def _is_usable(cloud, uuid_):
    member = cyborg.Caller(cloud.api)
    nova = cyborg.Caller(cloud.api, service=True)
    shown = member.show(uuid_).json
    assert (shown['name'], shown['revision'], shown['tags']) == ('old', 0, [])
    for query in ('?name=old', '?resource_class=FPGA', '?trait=HW_X'):
        (found,) = member.list(query).json['device_contexts']
        assert found['uuid'] == uuid_
    member.set_tags(uuid_, 'a', status=200)
    assert member.update(uuid_, name='new').json['revision'] == 2
    server_id = cloud.nova.boot()
    nova.reserve(server_id, uuid_, status=200)
    used = {
        each['resource_name']: each['used']
        for each in member.get('/v2/device_context_limits').json[
            'device_context_limits'
        ]
    }
    assert used == {'device_contexts': 1, 'class:FPGA': 1}
    nova.release(server_id)
    member.delete(uuid_, status=204)
    member.list(status=200)


@each_older
def test_earlier_code_changes_and_deletes_what_ours_has_made(
    engine, serve, revision
):
    migration.upgrade(engine, revision)
    known = columns(engine)['device_contexts']
    migration.upgrade(engine)
    cloud = serve()
    member = cyborg.Caller(cloud.api)
    made = member.call(
        'post_json',
        '/v2/device_contexts',
        {'resources': {'FPGA': 1}, 'tags': ['a'], 'name': 'ours'},
        headers={'Idempotency-Key': 'k'},
    ).json
    uuid_ = made['uuid']

    # It reads no more than it knows, and takes what it reads for all.
    query = f'SELECT {", ".join(known)} FROM device_contexts'  # noqa: S608
    with engine.connect() as connection:
        (row,) = connection.execute(sa.text(query)).mappings().all()
    assert row['name'] == 'ours'
    change = 'UPDATE device_contexts SET name = :name WHERE uuid = :uuid'
    assert execute(engine, change, name='theirs', uuid=uuid_) == 1
    assert member.show(uuid_).json['name'] == 'theirs'

    gone = 'DELETE FROM device_contexts WHERE uuid = :uuid'
    assert execute(engine, gone, uuid=uuid_) == 1

    member.show(uuid_, status=404)
    assert member.list('?tags=a').json == {'device_contexts': []}
    # A name that was there before is free for another one.
    another = member.create_one(resources={'FPGA': 1}, tags=['a'])
    assert member.tags(another).json == {'tags': ['a']}


@each_older
def test_ours_does_not_begin_with_an_earlier_schema(engine, serve, revision):
    migration.upgrade(engine)
    cloud = serve()
    table = sa.table(migration.VERSION_TABLE, sa.column('version_num'))
    with cloud.engine.begin() as connection:
        connection.execute(sa.update(table).values(version_num=revision))

    with pytest.raises(exception.PluginActivationFailed) as info:
        app.app_factory({})

    assert f'at {revision}, {_HEAD} is needed' in str(info.value)

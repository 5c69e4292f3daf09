# SPDX-License-Identifier: Apache-2.0

"""The schema: upgrade, and what happens without it."""

import datetime
import json
import os
import pathlib
import re
import subprocess
import sys
import uuid

import pytest
import sqlalchemy as sa
from alembic import autogenerate
from alembic import migration as alembic_migration
from cyborg.db.sqlalchemy import models

from nova_cyborg import exception
from nova_cyborg.api import app
from nova_cyborg.cmd import manage
from nova_cyborg.db import tables
from nova_cyborg.db.migrations import migration
from tests.functional import databases
from tests.functional.api import cyborg


@pytest.fixture
def engine(tmp_path):
    """A database without the project's tables."""
    url = databases.emptied()
    made = sa.create_engine(url or f'sqlite:///{tmp_path}/cyborg.sqlite')
    databases.remove_tables(made)
    yield made
    made.dispose()


@pytest.fixture
def cyborgs_own(engine):
    """Cyborg's tables, which its migrations have made on a server."""
    if not sa.inspect(engine).has_table('alembic_version'):
        models.Base.metadata.create_all(engine)
        with engine.begin() as connection:
            connection.execute(
                sa.text('CREATE TABLE alembic_version (version_num TEXT)')
            )
            connection.execute(
                sa.text("INSERT INTO alembic_version VALUES ('c0ffee')")
            )


def schema(engine):
    """Return what each table is made of, by its name."""
    made = sa.inspect(engine)
    return {
        name: [
            sorted(map(_as_text, found(name)))
            for found in (
                made.get_columns,
                made.get_indexes,
                made.get_unique_constraints,
                made.get_foreign_keys,
            )
        ]
        for name in made.get_table_names()
    }


def _as_text(found):
    # Which rows an index has is an object, that is equal to no other.
    options = found.get('dialect_options', {}).items()
    texts = {option: str(value) for option, value in options}
    return str({**found, 'dialect_options': texts})


def _insert(connection, table, **values):
    columns = [sa.column(name) for name in values]
    connection.execute(sa.insert(sa.table(table, *columns)).values(**values))


def _store_server(engine, arqs):
    """Store a server as it was before there were bindings.

    ``arqs`` are the generation and the node of each, by its name; that of one
    without a node is gone. Returns the row id of the allocation, which is
    that of its device context, too.
    """
    now = datetime.datetime(2026, 11, 28)
    with engine.begin() as connection:
        count = sa.text('SELECT count(*) FROM device_allocations')
        row_id = connection.scalar(count) + 1
        _insert(
            connection,
            'device_allocations',
            id=row_id,
            server_id=str(uuid.uuid4()),
            project_id='p',
            generation=3,
            caller='c',
            created_at=now,
        )
        _insert(
            connection,
            'device_contexts',
            id=row_id,
            uuid=str(uuid.uuid4()),
            project_id='p',
            user_id='u',
            groups='[]',
            delete_on_termination=True,
            allocation_id=row_id,
            created_at=now,
        )
        profile = connection.execute(
            sa.insert(models.DeviceProfile.__table__).values(
                uuid=str(uuid.uuid4()), name=f'p{row_id}', profile_json='{}'
            )
        )
        for name, (_generation, node) in arqs.items():
            if node is not None:
                connection.execute(
                    sa.insert(models.ExtArq.__table__).values(
                        uuid=name,
                        state='Bound',
                        device_profile_id=profile.inserted_primary_key[0],
                        device_profile_group_id=0,
                        hostname=node,
                    )
                )
    for name, (generation, _node) in arqs.items():
        _store_link(engine, row_id, name, generation)
    return row_id


def _store_link(engine, context_row_id, arq_id, generation):
    with engine.begin() as connection:
        _insert(
            connection,
            'device_context_arqs',
            arq_uuid=arq_id,
            device_context_id=context_row_id,
            group_number=0,
            generation=generation,
        )


def version_of_cyborg(engine):
    with engine.connect() as connection:
        query = sa.text('SELECT version_num FROM alembic_version')
        return connection.execute(query).all()


class TestUpgrade:
    def test_it_makes_what_the_tables_say(self, engine):
        migration.upgrade(engine)

        with engine.connect() as connection:
            context = alembic_migration.MigrationContext.configure(
                connection,
                opts={
                    'compare_type': True,
                    'version_table': migration.VERSION_TABLE,
                    # Cyborg's are in the same database.
                    'include_name': lambda name, kind, _parents: (
                        kind != 'table' or name in tables.Base.metadata.tables
                    ),
                },
            )
            assert not autogenerate.compare_metadata(
                context, tables.Base.metadata
            )
        # Alembic does not compare all: what is unique, and what may be null.
        made = sa.inspect(engine)
        for table in tables.Base.metadata.sorted_tables:
            nullable = {
                column['name']: column['nullable']
                for column in made.get_columns(table.name)
            }
            assert nullable == {
                column.name: column.nullable for column in table.columns
            }

    def test_again(self, engine):
        migration.upgrade(engine)
        before = schema(engine)

        migration.upgrade(engine)

        assert schema(engine) == before

    def test_the_version(self, engine):
        assert migration.version(engine) is None

        migration.upgrade(engine)

        assert migration.version(engine) == migration.head()
        assert migration.head()

    def test_how_large_the_groups_are_that_were_there(self, engine):
        migration.upgrade(engine, 'c41f6a0d9e57')
        groups = json.dumps([{'resources': {'FPGA': 1}}])
        values = {
            'uuid': str(uuid.uuid4()),
            'project_id': 'p',
            'user_id': 'u',
            'groups': groups,
            'delete_on_termination': True,
            'created_at': datetime.datetime(2026, 11, 28),
        }
        columns = [sa.column(name) for name in values]
        contexts = sa.table('device_contexts', *columns)
        with engine.begin() as connection:
            connection.execute(sa.insert(contexts).values(**values))

        migration.upgrade(engine)

        query = sa.select(tables.DeviceContext.groups_size)
        with engine.connect() as connection:
            assert connection.scalars(query).all() == [len(groups)]

    def test_what_was_asked_for_by_those_that_were_there(self, engine):
        migration.upgrade(engine, 'e4a19c6d3f70')
        first = {'resources': {'FPGA': 1, 'VGPU': 2}, 'required': ['A']}
        second = {'resources': {'FPGA': 1}, 'required': ['A', 'B']}
        stored = {}
        with engine.begin() as connection:
            # More than are read at once.
            for number in range(1100):
                name = str(uuid.uuid4())
                stored[name] = [first, second] if number % 2 else [second]
                _insert(
                    connection,
                    'device_contexts',
                    uuid=name,
                    project_id='p',
                    user_id='u',
                    groups=json.dumps(stored[name]),
                    delete_on_termination=True,
                    created_at=datetime.datetime(2026, 11, 28),
                )

        migration.upgrade(engine)

        row, demand = tables.DeviceContext, tables.DeviceContextDemand
        found = {}
        with engine.connect() as connection:
            for name, kind, asked in connection.execute(
                sa.select(demand.context_uuid, demand.kind, demand.name)
            ):
                found.setdefault(name, set()).add((kind, asked))
            recorded = connection.scalars(sa.select(row.demands_recorded))
            assert set(recorded) == {True}
            changed = connection.scalars(sa.select(row.updated_at))
            assert set(changed) == {None}
        one = {('class', 'FPGA'), ('trait', 'A'), ('trait', 'B')}
        both = {*one, ('class', 'VGPU')}
        assert found == {
            name: both if len(groups) == 2 else one
            for name, groups in stored.items()
        }

    def test_a_context_that_was_there_has_not_been_changed(self, engine):
        migration.upgrade(engine, 'e4a19c6d3f70')
        with engine.begin() as connection:
            _insert(
                connection,
                'device_contexts',
                uuid=str(uuid.uuid4()),
                project_id='p',
                user_id='u',
                groups='[]',
                delete_on_termination=True,
                created_at=datetime.datetime(2026, 11, 29),
            )

        migration.upgrade(engine)

        query = sa.select(tables.DeviceContext.revision)
        with engine.connect() as connection:
            assert connection.scalars(query).all() == [0]

    def test_the_bindings_of_servers_that_were_there(
        self, engine, cyborgs_own
    ):
        """One that is bound, one that is evacuated, and one on no host."""
        migration.upgrade(engine, '8a5d0e2b6f14')
        bound, evacuated, offloaded = (
            _store_server(engine, arqs)
            for arqs in (
                {'a': (0, 'old'), 'b': (0, 'old')},
                {'c': (-3, 'old'), 'd': (3, 'new'), 'e': (3, 'new')},
                {'f': (1, None)},
            )
        )
        # An ARQ that is gone.
        _store_link(engine, bound, 'g', 0)

        migration.upgrade(engine)

        binding, link = tables.DeviceBinding, tables.DeviceContextArq
        query = sa.select(
            link.arq_uuid,
            binding.allocation_id,
            binding.node,
            binding.state,
            binding.generation,
            binding.active_of,
        ).join(binding, binding.id == link.binding_id)
        with engine.connect() as connection:
            found = {name: said for name, *said in connection.execute(query)}
            # There was no other then.
            chosen = set(connection.scalars(sa.select(link.alternative)))
        assert chosen == {0}
        assert found == {
            'a': [bound, 'old', 'active', 0, bound],
            'b': [bound, 'old', 'active', 0, bound],
            'c': [evacuated, 'old', 'leaving', 2, None],
            'd': [evacuated, 'new', 'active', 3, evacuated],
            'e': [evacuated, 'new', 'active', 3, evacuated],
        }
        assert offloaded

    def test_cyborgs_own_are_untouched(self, engine, cyborgs_own):
        before, version = schema(engine), version_of_cyborg(engine)

        migration.upgrade(engine)

        after = schema(engine)
        assert {name: after[name] for name in before} == before
        assert version_of_cyborg(engine) == version
        assert after.keys() - before.keys() == {
            migration.VERSION_TABLE,
            *tables.Base.metadata.tables,
        }

    def test_cyborg_does_not_see_ours(self):
        assert not set(tables.Base.metadata.tables) & set(
            models.Base.metadata.tables
        )

    def test_rows_outlive_an_upgrade(self, cloud, member):
        uuid = member.create_one(name='zip')

        migration.upgrade(cloud.engine)

        assert member.show(uuid).json['name'] == 'zip'


class TestWithoutSchema:
    @pytest.mark.parametrize('found', [None, 'another'])
    def test_the_application_is_not_made(self, cloud, caplog, found):
        with cloud.engine.begin() as connection:
            if found:
                connection.execute(
                    sa.text(
                        f'UPDATE {migration.VERSION_TABLE} '  # noqa: S608
                        f"SET version_num = '{found}'"
                    )
                )
            else:
                tables.Base.metadata.drop_all(connection)
                connection.execute(
                    sa.text(f'DROP TABLE {migration.VERSION_TABLE}')
                )

        with pytest.raises(
            exception.PluginActivationFailed, match='db upgrade'
        ) as info:
            app.app_factory({})

        assert f'at {found}' in str(info.value)
        assert [
            record.getMessage()
            for record in caplog.records
            if record.levelname == 'CRITICAL'
        ] == [str(info.value)]

    def test_twice_in_a_process_is_no_harm(self, cloud, member):
        uuid = member.create_one()

        again = cyborg.Caller(cyborg.client(app.app_factory({})))

        assert again.show(uuid).json['uuid'] == uuid


class TestManage:
    @pytest.fixture
    def run(self, engine, tmp_path):
        """Runs nova-cyborg-manage with a cyborg.conf."""
        path = tmp_path / 'cyborg.conf'
        url = engine.url.render_as_string(hide_password=False)
        path.write_text(f'[database]\nconnection = {url}\n')
        command = pathlib.Path(sys.executable).with_name('nova-cyborg-manage')

        def _run(*arguments):
            return subprocess.run(
                [command, '--config-file', path, *arguments],
                capture_output=True,
                text=True,
                timeout=180,
                check=False,
                cwd=tmp_path,
            )

        return _run

    def test_upgrade_and_version(self, run, engine):
        # Before, the upgrade, and after.
        for action, said in (
            ('version', 'none'),
            ('upgrade', migration.head()),
            ('upgrade', migration.head()),
            ('version', migration.head()),
        ):
            result = run('db', action)
            assert result.returncode == 0, result.stderr
            assert result.stdout.splitlines()[-1] == said

        assert set(tables.Base.metadata.tables) <= schema(engine).keys()

    @pytest.mark.parametrize('arguments', [[], ['db'], ['db', 'nonesuch']])
    def test_usage(self, capsys, arguments):
        with pytest.raises(SystemExit) as info:
            manage.main(arguments)

        assert info.value.code == 2
        assert 'usage: nova-cyborg-manage' in capsys.readouterr().err

    def test_a_configuration_file_that_is_not_there(self, run, tmp_path):
        missing = tmp_path / 'missing.conf'

        result = run('--config-file', missing, 'db', 'version')

        assert (result.returncode, result.stdout) == (2, '')
        assert f'config files: {missing}' in result.stderr
        assert 'Traceback' not in result.stderr

    @pytest.mark.parametrize('command', [('audit',), ('db', 'version')])
    def test_a_database_that_cannot_be_opened(self, run, tmp_path, command):
        conf = tmp_path / 'another.conf'
        conf.write_text('[database]\nconnection = sqlite:////nowhere/db\n')

        result = run('--config-file', conf, *command)

        assert (result.returncode, result.stdout) == (2, '')
        assert 'unable to open database file' in result.stderr
        assert '[database]' in result.stderr
        assert 'Traceback' not in result.stderr

    def test_an_audit_without_tables(self, run):
        result = run('audit')

        assert (result.returncode, result.stdout) == (2, '')
        # The words are the database's, the name is quoted or not.
        assert re.search(
            '(no such table|Table|relation).*(device_|leases)', result.stderr
        )
        assert 'SELECT' not in result.stderr
        assert 'Traceback' not in result.stderr

    @pytest.fixture
    def plainly(self, tmp_path):
        """Runs nova-cyborg-manage where nothing is configured."""
        command = pathlib.Path(sys.executable).with_name('nova-cyborg-manage')

        def _run(*arguments, **variables):
            return subprocess.run(
                [command, *arguments],
                capture_output=True,
                text=True,
                timeout=180,
                check=False,
                cwd=tmp_path,
                env={
                    'HOME': str(tmp_path),
                    'PATH': os.environ['PATH'],
                    'PYTHONPATH': os.environ.get('PYTHONPATH', ''),
                    **variables,
                },
            )

        return _run

    @pytest.mark.parametrize(
        'command', [('db', 'version'), ('db', 'upgrade'), ('audit',)]
    )
    def test_no_configuration_file(self, plainly, command):
        result = plainly(*command)

        assert (result.returncode, result.stdout) == (2, '')
        assert 'No configuration file of Cyborg was found' in result.stderr
        assert 'nova-cyborg-manage --config-file PATH' in result.stderr
        assert 'Traceback' not in result.stderr

    def test_a_configuration_file_without_a_database(self, plainly, tmp_path):
        conf = tmp_path / 'empty.conf'
        conf.write_text('[database]\n')

        result = plainly('--config-file', conf, 'db', 'version')

        assert (result.returncode, result.stdout) == (2, '')
        assert f'no [database] connection in {conf}' in result.stderr

    @pytest.mark.parametrize(
        ('connection', 'complaint'),
        [
            ('', 'connection is empty'),
            ('nonsense', 'it is no URL of a database'),
            ('nonesuch://u:secret@h/d', 'no driver for such databases'),
            ('mysql+nonesuch://u:secret@h/d', 'no driver for such databases'),
            ('oracle+oracledb://u:secret@h/d', 'no module oracledb here'),
        ],
    )
    def test_a_database_that_cannot_be_used(
        self, plainly, tmp_path, connection, complaint
    ):
        conf = tmp_path / 'cyborg.conf'
        conf.write_text(f'[database]\nconnection = {connection}\n')

        result = plainly('--config-file', conf, 'db', 'version')

        assert (result.returncode, result.stdout) == (2, '')
        assert complaint in result.stderr
        assert 'secret' not in result.stderr
        assert 'Traceback' not in result.stderr

    def test_a_database_of_the_environment(self, plainly, tmp_path):
        url = f'sqlite:///{tmp_path}/cyborg.sqlite'

        result = plainly('db', 'version', OS_DATABASE__CONNECTION=url)

        assert (result.returncode, result.stdout) == (0, 'none\n')

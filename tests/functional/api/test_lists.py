# SPDX-License-Identifier: Apache-2.0

"""What lists of device contexts are narrowed to, and sorted by."""

import concurrent.futures
import datetime
import itertools
import urllib.parse
import uuid

import pytest
import sqlalchemy as sa
from cyborg import context as cyborg_context
from cyborg.db.sqlalchemy import models

from nova_cyborg import language
from nova_cyborg.db import session, tables
from nova_cyborg.db.lists import demands
from tests.functional.api import cyborg
from tests.functional.api.conftest import providers

FPGA = {'resources': {'FPGA': 1}}
DAY = datetime.timedelta(days=1)
BEGIN = datetime.datetime(2026, 1, 1)


def names(caller, query=''):
    found = caller.list(f'?{query}').json['device_contexts']
    return [each['name'] for each in found]


def in_pages(caller, query, limit=1):
    pages = [caller.list(f'?{query}&limit={limit}')]
    while links := pages[-1].json.get('device_contexts_links'):
        pages.append(caller.get(links[0]['href']))
    answers = [page.json['device_contexts'] for page in pages]
    return [each['name'] for each in itertools.chain(*answers)]


def detail(caller, query):
    error = cyborg.error_of(caller.list(f'?{query}', status=400))
    assert error['code'] == 'nova_cyborg.invalid_request'
    return error['detail']


def set_times(cloud, name, created, updated=None):
    row = tables.DeviceContext
    with cloud.engine.begin() as connection:
        connection.execute(
            sa.update(row)
            .where(row.name == name)
            .values(created_at=created, updated_at=updated)
        )


class TestDemands:
    @pytest.fixture(autouse=True)
    def asked(self, member):
        for name, groups in {
            'gzip': [{'resources': {'FPGA_GZIP': 1}}],
            'gpu': [{'resources': {'VGPU': 1}, 'required': ['HW_NIC_VMDQ']}],
            'both': [
                {'resources': {'FPGA_GZIP': 1}, 'required': ['FOO', 'BAR']},
                {'resources': {'VGPU': 2}, 'forbidden': ['HW_NIC_VMDQ']},
            ],
            'config': [{**FPGA, 'config': {'CUSTOM_FOO': 'VGPU'}}],
        }.items():
            member.create(name=name, groups=groups)

    @pytest.mark.parametrize(
        ('query', 'found'),
        [
            ('resource_class=VGPU', ['gpu', 'both']),
            ('resource_class=FPGA_GZIP', ['gzip', 'both']),
            ('resource_class=custom_fpga_gzip', ['gzip', 'both']),
            ('resource_class=FPGA', ['config']),
            ('resource_class=NONESUCH', []),
            ('trait=HW_NIC_VMDQ', ['gpu']),
            ('trait=foo', ['both']),
            ('trait=NONESUCH', []),
            ('trait=BAR&resource_class=VGPU', ['both']),
            ('trait=BAR&resource_class=FPGA', []),
        ],
    )
    def test_found(self, member, query, found):
        assert names(member, query) == found
        assert in_pages(member, query) == found

    @pytest.mark.parametrize('name', ['resource_class', 'trait'])
    @pytest.mark.parametrize('value', ['', 'a-b', 'A' * 256, '%C3%84'])
    def test_what_is_no_name(self, member, name, value):
        assert detail(member, f'{name}={value}').startswith(f'Invalid {name}')

    def test_what_is_no_class_of_accelerators(self, member):
        assert 'VCPU is not' in detail(member, 'resource_class=VCPU')

    def test_none_of_another_project(self, stranger, admin):
        assert names(stranger, 'resource_class=VGPU') == []
        assert names(admin, 'resource_class=VGPU') == []
        assert names(admin, 'resource_class=VGPU&all_projects=1') == [
            'gpu',
            'both',
        ]

    def test_of_a_profile(self, member, admin):
        profile = {'name': 'p', 'groups': [{'resources:PGPU': '1'}]}
        admin.post('/v2/device_profiles', [profile])
        member.create(device_profile='p', name='p')

        assert names(member, 'resource_class=PGPU') == ['p']


class TestMadeByAnotherRelease:
    """A cyborg-api that knows of no record of what is asked for."""

    @pytest.fixture
    def store(self, cloud):
        def _store(number):
            groups = [{'resources': {'VGPU': 1}, 'required': ['FOO']}]
            text = session.dump_groups(language.parse_groups(groups))
            columns = ('uuid', 'project_id', 'user_id', 'name', 'groups')
            table = sa.table(
                'device_contexts',
                *map(sa.column, columns),
                sa.column('delete_on_termination', sa.Boolean),
                sa.column('created_at', sa.DateTime),
            )
            with cloud.engine.begin() as connection:
                connection.execute(
                    sa.insert(table),
                    [
                        {
                            'uuid': str(uuid.uuid4()),
                            'project_id': cyborg.PROJECT,
                            'user_id': 'u',
                            'name': 'old',
                            'groups': text,
                            'delete_on_termination': True,
                            'created_at': BEGIN,
                        }
                        for _n in range(number)
                    ],
                )

        return _store

    def test_it_is_found(self, cloud, member, store):
        member.create(name='new', resources={'VGPU': 1})
        store(250)

        assert len(names(member, 'resource_class=VGPU')) == 251
        assert len(names(member, 'trait=FOO')) == 250
        assert names(member, 'trait=BAR') == []
        shown = member.list('?name=old&limit=1').json['device_contexts']
        assert shown[0]['updated_at'] is None

    def test_it_is_found_page_by_page(self, member, store):
        store(3)
        member.create(name='new', resources={'VGPU': 1}, required=['FOO'])

        query = 'resource_class=VGPU&trait=FOO&sort_dir=desc&limit=3'
        answer = member.list(f'?{query}').json
        found = [each['name'] for each in answer['device_contexts']]
        marker = answer['device_contexts'][-1]['uuid']

        assert [*found, *names(member, f'{query}&marker={marker}')] == [
            'new',
            'old',
            'old',
            'old',
        ]

    def test_nobody_else_is_shown_it(self, stranger, admin, store):
        store(2)

        assert names(stranger, 'trait=FOO') == []
        assert names(admin, 'trait=FOO') == []
        assert names(admin, 'trait=FOO&all_projects=1') == ['old'] * 2

    def test_what_is_named_elsewhere_in_it_is_not_asked_for(
        self, cloud, member
    ):
        """Its groups name the trait: they forbid it."""
        member.create(name='new', **FPGA, forbidden=['FOO'])
        member.create(name='new', **FPGA, config={'CUSTOM_FOO': 'CUSTOM_FOO'})
        with cloud.engine.begin() as connection:
            row = tables.DeviceContext
            connection.execute(sa.update(row).values(demands_recorded=False))

        assert names(member, 'trait=FOO') == []

    def test_it_is_recorded_in_time(self, cloud, member, store):
        """By two at once, too."""
        store(250)

        def record(_number):
            context = cyborg_context.get_admin_context()
            while demands.record_some(context):
                pass

        with concurrent.futures.ThreadPoolExecutor(4) as executor:
            list(executor.map(record, range(4)))

        with cloud.statements() as sent:
            assert len(names(member, 'trait=FOO')) == 250
        assert len(sent) <= 5
        assert cloud.count(tables.DeviceContextDemand) == 500
        row = tables.DeviceContext
        assert cloud.count(row, row.updated_at.is_not(None)) == 0

    def test_it_is_deleted(self, cloud, member, store):
        """As the release before does so, which knows of no such rows."""
        member.create_one(tags=['a'])

        with cloud.engine.begin() as connection:
            connection.execute(sa.text('DELETE FROM device_contexts'))

        assert cloud.count(tables.DeviceContextDemand) == 0
        assert cloud.count(tables.DeviceContextTag) == 0


class TestProfile:
    @pytest.fixture
    def profile(self, admin, member):
        ids = {}
        for name in ('gzip', 'gpu'):
            body = {'name': name, 'groups': [{'resources:FPGA': '1'}]}
            ids[name] = admin.post('/v2/device_profiles', [body]).json['uuid']
            member.create(device_profile=name, name=name)
        member.create(name='none', **FPGA)
        return ids['gzip']

    def test_found(self, member, profile):
        assert names(member, 'device_profile=gzip') == ['gzip']
        assert names(member, f'device_profile={profile}') == ['gzip']
        assert names(member, f'device_profile={profile.upper()}') == ['gzip']

    @pytest.mark.parametrize(
        'name', ['nonesuch', 'GZIP', cyborg.UNKNOWN, 'nova-cyborg-x', '%25']
    )
    def test_there_is_none(self, member, profile, name):
        assert names(member, f'device_profile={name}') == []

    def test_it_is_gone(self, member, admin, profile):
        admin.delete_path(f'/v2/device_profiles/{profile}')

        assert names(member, f'device_profile={profile}') == ['gzip']

    @pytest.mark.parametrize('value', ['', 'x' * 256, '%C3%84', '%0A'])
    def test_what_is_no_name(self, member, value):
        assert 'Invalid device_profile' in detail(
            member, f'device_profile={value}'
        )


class TestHost:
    def test_found(self, cloud, member, nova, boot):
        for name in ('compute1', 'compute2', 'Compute2'):
            boot(cloud.add_device(host=name), name=f'on {name}')[0]
        boot(name='reserved')
        member.create(name='free', **FPGA)

        for name in ('compute2', 'Compute2', 'compute9', 'COMPUTE2'):
            shown = member.list().json['device_contexts']
            found = [each['name'] for each in shown if each['host'] == name]
            assert names(member, f'host={name}') == found

    @pytest.fixture
    def boot(self, cloud, member, nova):
        """Has a server hold a device context, with a device of a host."""

        def _boot(provider=None, **body):
            uuid_ = member.create_one(**body)
            server_id = cloud.nova.boot()
            nova.reserve(server_id, uuid_)
            if provider:
                host = body['name'].removeprefix('on ')
                nova.bind(server_id, providers(provider, uuid_), host=host)
                cloud.drain()
            return server_id, uuid_

        return _boot

    @pytest.mark.parametrize('value', ['', 'x' * 256, '%C3%84', '%00'])
    def test_what_is_no_name(self, member, value):
        assert 'Invalid host' in detail(member, f'host={value}')


class TestTimes:
    @pytest.fixture(autouse=True)
    def five(self, cloud, member):
        """Made a day apart; the last two were changed ten days later."""
        for day, name in enumerate('abcde'):
            member.create(name=name, **FPGA)
            made = BEGIN + day * DAY
            set_times(cloud, name, made, made + 10 * DAY if day > 2 else None)

    @pytest.mark.parametrize(
        ('query', 'found'),
        [
            ('created_after=2026-01-03T00:00:00Z', 'cde'),
            ('created_after=2026-01-03T00:00:01Z', 'de'),
            ('created_before=2026-01-03T00:00:00Z', 'ab'),
            ('created_before=2026-01-03T00:00:01Z', 'abc'),
            ('created_after=2026-01-02&created_before=2026-01-04', 'bc'),
            ('created_after=2026-01-03T02:00:00%2B02:00', 'cde'),
            ('created_after=2026-01-03T01:00:00-02:00', 'de'),
            ('created_after=2026-01-03 00:00', 'cde'),
            ('created_before=2026-01-03T00:00:00.5Z', 'abc'),
            ('updated_after=2026-01-01', 'de'),
            ('updated_after=2026-01-15', 'e'),
            ('updated_before=2026-01-15', 'd'),
            ('updated_before=9999-12-31', 'de'),
            ('changes-since=2026-01-03', 'cde'),
            ('changes-since=2026-01-14', 'de'),
            ('changes-since=2026-01-16', ''),
            ('created_before=1000-01-01', ''),
        ],
    )
    def test_found(self, member, query, found):
        assert ''.join(names(member, query)) == found
        assert ''.join(in_pages(member, query, 2)) == found

    @pytest.mark.parametrize(
        'name',
        [
            'created_after',
            'created_before',
            'updated_after',
            'updated_before',
            'changes-since',
        ],
    )
    @pytest.mark.parametrize(
        'value',
        [
            '',
            'yesterday',
            '2026',
            '2026-13-01',
            '2026-02-30',
            '2026-01-03T25:00:00Z',
            '2026-01-03T00:00:00+02:00',
            '2026-01-03T00:00:00%2B99:00',
            '0000-01-01',
            '0001-01-01',
            '9999-12-31T23:59:59-01:00',
            '2026-01-03T00:00:00Z' + '0' * 30,
            '%D9%A2026-01-03',
            '1e9',
        ],
    )
    def test_what_is_none(self, member, name, value):
        # A plus sign is a space in a query.
        assert detail(member, f'{name}={value}').startswith(f'Invalid {name}')

    def test_what_is_shown_is_found(self, cloud, member):
        """Whatever parts of a second a database has."""
        shown = member.create(name='now', **FPGA).json['created_at']
        second = datetime.datetime.fromisoformat(shown) + DAY / 86400

        assert names(member, f'created_after={shown}') == ['now']
        assert names(
            member,
            f'created_after={shown}&created_before='
            + urllib.parse.quote(second.isoformat()),
        ) == ['now']
        assert 'now' not in names(member, f'created_before={shown}')


class TestChangesSince:
    LATER = BEGIN + 30 * DAY
    QUERY = f'changes-since={LATER.isoformat()}'
    OF_ALL = f'{QUERY}&all_projects=1'

    @pytest.fixture
    def age(self, cloud):
        """Makes all that there is old."""

        def _age():
            with cloud.engine.begin() as connection:
                for row in (
                    tables.DeviceContext,
                    tables.DeviceAllocation,
                    models.ExtArq,
                ):
                    connection.execute(
                        sa.update(row).values(
                            created_at=BEGIN, updated_at=BEGIN
                        )
                    )

        return _age

    def test_the_way_of_a_server(self, cloud, member, admin, nova, age):
        # They are found in another way among those of all projects.
        asked = ((member, self.QUERY), (admin, self.OF_ALL))
        uuid_ = member.create_one(name='one')
        member.create_one(name='other')
        server_id = cloud.nova.boot()
        wanted = providers(cloud.add_device(), uuid_)
        for call in (
            lambda: member.update(uuid_, description='x'),
            lambda: member.add_tag(uuid_, 'a'),
            lambda: nova.reserve(server_id, uuid_),
            lambda: nova.bind(server_id, wanted),
            lambda: nova.unbind(server_id),
        ):
            age()
            for caller, query in asked:
                assert names(caller, query) == []
            call()
            cloud.drain()
            for caller, query in asked:
                assert names(caller, query) == ['one']

    def test_a_device_that_is_bound_by_stock_cyborg(
        self, cloud, member, admin, boot, age
    ):
        boot(cloud.add_device(), name='bound')
        boot(cloud.add_device(), name='rests')
        age()
        row, link = tables.DeviceContext, tables.DeviceContextArq
        arq = (
            sa.select(link.arq_uuid)
            .join(row, row.id == link.device_context_id)
            .where(row.name == 'bound')
        )
        with cloud.engine.begin() as connection:
            uuid_ = connection.scalar(arq)
            connection.execute(
                sa.update(models.ExtArq)
                .where(models.ExtArq.uuid == uuid_)
                .values(state='BindFailed', updated_at=self.LATER)
            )

        assert names(member, self.QUERY) == ['bound']
        assert names(admin, self.OF_ALL) == ['bound']


class TestSort:
    @pytest.fixture(autouse=True)
    def made(self, cloud, member):
        """Two by two with a name; two have none."""
        for day, name in enumerate(['b', 'a', None, 'b', None, 'a']):
            uuid_ = member.create(name=name, **FPGA).json['uuid']
            row = tables.DeviceContext
            with cloud.engine.begin() as connection:
                connection.execute(
                    sa.update(row)
                    .where(row.uuid == uuid_)
                    .values(
                        description=str(day),
                        created_at=BEGIN + (day % 4) * DAY,
                        updated_at=None,
                    )
                )

    @pytest.mark.parametrize('limit', [1, 2, 5, 6])
    @pytest.mark.parametrize(
        'sort',
        [
            'name',
            'name:asc,created_at:asc',
            'name:desc,created_at',
            'name,created_at:desc',
            'created_at:desc,name:desc',
            'created_at, name',
            'updated_at,name,created_at:desc,uuid',
            'uuid:desc,name',
        ],
    )
    def test_order(self, member, sort, limit):
        shown = member.list().json['device_contexts']
        # What Python makes of it: keys from the last to the first.
        keys = [item.strip().partition(':') for item in sort.split(',')]
        expected = sorted(
            shown,
            key=lambda each: int(each['description']),
            reverse=keys[-1][2] == 'desc',
        )
        for key, _colon, direction in reversed(keys):
            expected.sort(
                key=lambda each, key=key: each[key] or '',
                reverse=direction == 'desc',
            )
            expected.sort(key=lambda each, key=key: each[key] is None)

        answers = [member.list(f'?sort={sort}&limit={limit}')]
        while links := answers[-1].json.get('device_contexts_links'):
            answers.append(member.get(links[0]['href']))

        found = [page.json['device_contexts'] for page in answers]
        assert list(itertools.chain(*found)) == expected

    @pytest.mark.parametrize(
        ('query', 'said'),
        [
            ('sort=', 'Invalid sort: must not be empty.'),
            ('sort=status', 'Invalid sort: "status" is not one of created_at'),
            ('sort=name:up', 'Invalid sort: "name:up" is not one of'),
            ('sort=name:', 'Invalid sort: "name:" is not one of'),
            ('sort=name,', 'Invalid sort: "" is not one of'),
            ('sort=name,name:desc', 'Invalid sort: name is given twice.'),
            (
                'sort=name&sort_key=uuid',
                'Invalid sort: it cannot be given together with sort_key.',
            ),
            (
                'sort=name&sort_dir=asc',
                'Invalid sort: it cannot be given together with sort_dir.',
            ),
            ('sort=' + 'name,' * 21, 'Invalid sort: must be at most 100'),
        ],
    )
    def test_what_is_none(self, member, query, said):
        assert detail(member, query).startswith(said)


class TestCost:
    @pytest.fixture
    def on_sqlite(self):
        """What a database server does depends on what is in its tables."""
        with cyborg.fixture.CyborgFixture() as made:
            yield made

    QUERIES = (
        '',
        'resource_class=FPGA&trait=FOO',
        'device_profile=gzip',
        'host=compute1',
        'created_after=2026-01-01&created_before=9999-01-01',
        'updated_after=2026-01-01&updated_before=9999-01-01',
        'changes-since=2026-01-01',
        'tags=a,b&tags-any=a,b&not-tags=c,d&not-tags-any=c,d',
        'sort=name:desc,created_at,uuid',
    )

    @pytest.mark.parametrize('query', QUERIES)
    def test_statements_are_as_many_for_one_as_for_many(
        self, cloud, member, query
    ):
        body = {**FPGA, 'required': ['FOO'], 'tags': ['a', 'b']}
        counted = []
        for number in (1, 60):
            member.create(device_contexts=[body] * number)
            with cloud.statements() as sent:
                member.list(f'?{query}')
            counted.append(len(sent))

        assert counted[0] == counted[1]
        assert counted[0] <= 5

    @pytest.mark.parametrize(
        ('query', 'index'),
        [
            ('resource_class=FPGA', 'device_context_demands'),
            ('tags=a', 'device_context_tags'),
            ('tags=a,b', 'device_context_tags'),
            ('not-tags-any=a', 'device_context_tags'),
            ('host=compute1', 'device_context_arqs'),
            ('device_profile=' + cyborg.UNKNOWN, 'device_contexts'),
            ('created_after=2026-01-01&all_projects=1', 'device_contexts'),
            (
                # In another order, SQLite looks at each in that, and not
                # at all once a page is full.
                'updated_before=2026-01-01&all_projects=1&sort=updated_at',
                'device_contexts_updated_at (updated_at>? AND updated_at<?)',
            ),
        ],
    )
    def test_no_table_is_read_as_a_whole(self, on_sqlite, query, index):
        admin = cyborg.Caller(
            cyborg.client(on_sqlite.app), roles=('admin', 'member', 'reader')
        )

        steps = self._plan(on_sqlite, lambda: admin.list(f'?{query}'))

        assert any(
            step.startswith('SEARCH ') and index in step for step in steps
        )
        assert not self._scanned(steps)

    def test_what_is_new_of_all_projects_is_looked_for(self, on_sqlite):
        """Not each device context is looked at, be they ever so many."""
        admin = cyborg.Caller(
            cyborg.client(on_sqlite.app), roles=('admin', 'member', 'reader')
        )
        query = '?changes-since=2026-01-01&all_projects=1'
        # One that is read, too.
        admin.create_one()

        steps = self._plan(on_sqlite, lambda: admin.list(query))

        contexts = [each for each in steps if 'device_contexts' in each]
        assert len(contexts) >= 4
        assert not [each for each in contexts if each.startswith('SCAN ')]

    @pytest.mark.parametrize('direction', ['asc', 'desc'])
    @pytest.mark.parametrize(
        'key', ['created_at', 'updated_at', 'name', 'uuid']
    )
    @pytest.mark.parametrize('page', ['first', 'next'])
    def test_an_index_has_each_order(self, on_sqlite, key, direction, page):
        member = cyborg.Caller(cyborg.client(on_sqlite.app))
        marker = member.create_one(name='a')
        member.update(marker, name='b')
        query = f'?sort={key}:{direction}'
        if page == 'next':
            query += f'&marker={marker}'

        steps = self._plan(on_sqlite, lambda: member.list(query))

        index = f'ix_device_contexts_project_{key.removesuffix("_at")}'
        assert [step for step in steps if f' {index} ' in step]
        # What is sorted is the page.
        assert not self._scanned(steps)
        assert len([step for step in steps if 'TEMP B-TREE' in step]) == 1

    @staticmethod
    def _scanned(steps):
        """Return which tables are read as a whole."""
        tables = ('device_', 'extended_', 'attach_')
        return [
            step
            for step in steps
            if step.startswith('SCAN ') and step.split()[1].startswith(tables)
        ]

    @staticmethod
    def _plan(cloud, call):
        """Return what SQLite does to find which device contexts there are."""
        sent = []

        def note(_connection, _cursor, statement, parameters, *_more):
            # Those that are few, and those of a page.
            if 'LIMIT' in statement and (
                'groups_size' in statement or statement.startswith('SELECT 0')
            ):
                sent.append((statement, parameters))

        sa.event.listen(cloud.engine, 'before_cursor_execute', note)
        try:
            call()
        finally:
            sa.event.remove(cloud.engine, 'before_cursor_execute', note)
        assert sent
        with cloud.engine.connect() as connection:
            return [
                row[3]
                for statement, parameters in sent
                for row in connection.exec_driver_sql(
                    f'EXPLAIN QUERY PLAN {statement}', parameters
                )
            ]

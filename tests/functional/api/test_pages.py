# SPDX-License-Identifier: Apache-2.0

"""Lists are bounded in bytes, too, and a request may want some fields."""

import concurrent.futures
import datetime
import itertools
import json
import re

import pytest
import sqlalchemy as sa
from cyborg import context as cyborg_context

from nova_cyborg import language
from nova_cyborg.api.controllers import views
from nova_cyborg.api.document import nouns
from nova_cyborg.db import pages as db_pages
from nova_cyborg.db import session, tables
from tests.functional.api import cyborg

MOST = 4 * 2**20
# About the largest that there are.
LARGE = [
    {
        'resources': {'FPGA': 1},
        'config': {f'key{number}': 'v' * 1000 for number in range(3)},
    }
] * 16


WITH_LIMITS = [
    each for each in nouns.operations() if 'limit' in each.query['properties']
]


def store(number, groups=LARGE, first=0, **fields):
    """Store device contexts, one a second."""
    text = session.dump_groups(language.parse_groups(groups))
    context = cyborg_context.get_admin_context()
    with session.writing(context) as db:
        db.add_all(
            tables.DeviceContext(
                uuid=f'{each:08d}-0000-4000-8000-000000000000',
                project_id=cyborg.PROJECT,
                user_id='user',
                name=f'n{each:04d}',
                groups=text,
                groups_size=len(text),
                created_at=datetime.datetime(2026, 1, 1)
                + datetime.timedelta(seconds=each),
                **fields,
            )
            for each in range(first, first + number)
        )


def pages(member, query=''):
    """Follow the links to the end; return the answers."""
    found = [member.list(query)]
    while links := found[-1].json.get('device_contexts_links'):
        found.append(member.get(links[0]['href']))
    return found


def names(answers):
    return [
        each['name']
        for answer in answers
        for each in answer.json['device_contexts']
    ]


class TestSize:
    @pytest.mark.parametrize(
        'query', ['?', '?sort_key=name', '?sort_dir=desc', '?limit=30']
    )
    def test_a_page_of_large_ones_is_short(self, member, query):
        store(90)

        found = pages(member, query)

        assert len(found) > 4
        for answer in found:
            assert len(answer.body) < MOST
        wanted = [f'n{number:04d}' for number in range(90)]
        if 'desc' in query:
            wanted.reverse()
        assert names(found) == wanted

    def test_no_more_is_read_than_a_page_has(self, cloud, member, monkeypatch):
        store(90)
        read = []
        load = session.load_groups
        monkeypatch.setattr(
            session,
            'load_groups',
            lambda text: read.append(text) or load(text),
        )

        member.list()

        assert 0 < sum(map(len, read)) <= views.MAX_SIZE

    def test_the_database_reads_no_text_for_its_size(self, cloud, member):
        store(90)

        with cloud.statements() as sent:
            member.list()

        # Which ones there is room for; then what these have.
        sizes, contexts, *_more = [
            each for each in sent if 'FROM device_contexts' in each
        ]
        assert not re.search(r'\bgroups\b', sizes)
        assert re.search(r'\bgroups\b', contexts)

    def test_a_full_page_of_small_ones(self, cloud, member):
        store(1001, [{'resources': {'FPGA': 1}}])

        found = [
            [each['uuid'] for each in page.json['device_contexts']]
            for page in pages(member)
        ]

        *full, last = map(len, found)
        assert len(full) == 2
        assert min(full) == max(full) > last
        assert len(set(itertools.chain(*found))) == 1001

    def test_devices_count(self, cloud, member, boot):
        cloud.config.config(
            group='nova_cyborg', max_accelerators_per_server=512
        )
        # As a list of the largest servers has them.
        uuids = [
            boot(resources={'FPGA': 1}, name=f'b{number}')[1]
            for number in range(3)
        ]
        with cloud.engine.begin() as connection:
            for uuid in uuids:
                context = tables.DeviceContext
                row_id, allocation_id = connection.execute(
                    sa.select(context.id, context.allocation_id).where(
                        context.uuid == uuid
                    )
                ).one()
                made = connection.execute(
                    sa.insert(tables.DeviceBinding).values(
                        allocation_id=allocation_id,
                        node='compute1',
                        generation=0,
                        state='active',
                        active_of=allocation_id,
                    )
                )
                connection.execute(
                    sa.insert(tables.DeviceContextArq),
                    [
                        {
                            'arq_uuid': f'{row_id}-{number}',
                            'device_context_id': row_id,
                            'group_number': 0,
                            'binding_id': made.inserted_primary_key[0],
                        }
                        for number in range(1500)
                    ],
                )

        found = pages(member)

        assert len(found) == 3
        assert names(found) == ['b0', 'b1', 'b2']

    def test_what_is_written_counts(self, member):
        # Of little size in the database, if its length is all that is known.
        store(600, [{'resources': {'FPGA': 1}}], description='😀' * 1024)

        found = pages(member)

        assert all(len(each.body) < MOST for each in found)
        assert len(names(found)) == 600

    def test_one_that_is_larger_than_a_page(self, member, monkeypatch):
        monkeypatch.setattr(views, 'MAX_SIZE', 1000)
        store(3)

        found = pages(member)

        assert names(found) == ['n0000', 'n0001', 'n0002']
        assert len(found) == 3

    def test_the_last_page_has_no_link(self, member):
        store(2)

        assert list(member.list().json) == ['device_contexts']

    def test_the_number_of_statements_is_the_same(self, cloud, member):
        counted = []
        for first, number in ((0, 1), (1, 50)):
            store(number, first=first)
            with cloud.statements() as sent:
                member.list()
            counted.append(len(sent))

        assert counted[0] == counted[1]


class TestFields:
    def test_a_list(self, member):
        member.create_one(name='zip')
        uuid = member.create_one(name='zap')

        response = member.list('?fields=name,uuid&sort_key=name&limit=1')

        assert response.json['device_contexts'] == [
            {'uuid': uuid, 'name': 'zap'}
        ]
        (link,) = response.json['device_contexts_links']
        assert member.get(link['href']).json['device_contexts'] == [
            {
                'uuid': member.list('?name=zip').json['device_contexts'][0][
                    'uuid'
                ],
                'name': 'zip',
            }
        ]

    @pytest.mark.parametrize('name', views.FIELDS)
    def test_each_by_itself(self, cloud, member, boot, name):
        _server, uuid = boot(cloud.add_device(), name='zip')
        shown = member.show(uuid).json
        assert tuple(shown) == views.FIELDS

        assert member.show(f'{uuid}?fields={name}').json == {name: shown[name]}
        assert member.list(f'?fields={name}').json['device_contexts'] == [
            {name: shown[name]}
        ]

    def test_spaces_and_repetition(self, member):
        uuid = member.create_one(name='zip')

        found = member.show(f'{uuid}?fields=name,%20status,name').json

        assert found == {'name': 'zip', 'status': 'available'}

    @pytest.mark.parametrize(
        ('fields', 'named'),
        [
            ('nonesuch', '"nonesuch"'),
            ('name,', '""'),
            ('', '""'),
            ('id', '"id"'),
            ('x' * 5000, f'"{"x" * 125}..."'),
        ],
    )
    def test_what_is_no_field(self, member, fields, named):
        uuid = member.create_one()
        for call in (
            lambda: member.list(f'?fields={fields}', status=400),
            lambda: member.show(f'{uuid}?fields={fields}', status=400),
        ):
            error = cyborg.error_of(call())
            assert error['code'] == 'nova_cyborg.invalid_request'
            assert (
                f'Invalid fields: there is no field {named}. There are: '
                in (error['detail'])
            )
            assert len(json.dumps(error)) < 1000

    def test_given_twice(self, member):
        error = cyborg.error_of(
            member.list('?fields=name&fields=uuid', status=400)
        )
        assert 'more than once' in error['detail']

    def test_what_else_is_asked_of_one(self, member):
        uuid = member.create_one()

        error = cyborg.error_of(member.show(f'{uuid}?limit=1', status=400))

        assert error['detail'].startswith('Invalid limit:')

    def test_without_groups_a_page_is_not_short(self, cloud, member):
        store(90)

        (found,) = pages(member, '?fields=uuid,name,status')

        assert len(names([found])) == 90
        # They are not even read.
        with cloud.statements() as sent:
            member.list('?fields=uuid,name')
        assert not any(re.search(r'\bgroups\b', each) for each in sent)


def test_a_page_from_the_database_is_bounded_by_its_size(cloud):
    store(5)
    context = cyborg_context.get_admin_context()

    found = db_pages.find(
        context, db_pages.Filters(), db_pages.Page(limit=5, size=120_000)
    )

    assert len(found.row_ids) == 2
    assert found.cut


def test_a_small_page_need_not_wait_for_large_ones(member, stranger):
    store(90)
    stranger.create_one(name='small')

    # As long as a large one is made.
    with views.turn(views.MAX_SIZE):
        executor = concurrent.futures.ThreadPoolExecutor(1)
        waiting = executor.submit(member.list)
        assert names([stranger.list()]) == ['small']
        assert not waiting.done()

    assert names([waiting.result(cyborg.PATIENCE)])


@pytest.mark.parametrize(
    'operation', WITH_LIMITS, ids=[each.name for each in WITH_LIMITS]
)
def test_a_limit_is_the_same_in_all_lists(cloud, placement, admin, operation):
    cloud.add_device()
    (device,) = admin.get('/v2/devices').json['devices']
    body = {'device_uuid': device['uuid'], 'key': 'sick', 'reason': 'So.'}
    admin.post('/v2/device_taints', body)
    path = operation.path.format(uuid=admin.create_one())

    whole = admin.get(path).json

    ((name, items),) = whole.items()
    assert len(items) == 1
    # None at all, and no link to more.
    assert admin.get(f'{path}?limit=0').json == {name: []}
    assert admin.get(f'{path}?limit=1').json[name] == items
    assert admin.get(f'{path}?limit=999999999').json == whole
    for limit in ('-1', '', 'x', '1' * 10):
        admin.get(f'{path}?limit={limit}', status=400)


def test_lists_have_limits():
    assert len(WITH_LIMITS) >= 3

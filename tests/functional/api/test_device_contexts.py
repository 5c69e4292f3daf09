# SPDX-License-Identifier: Apache-2.0

"""Device contexts as project members work with them."""

import datetime
import urllib.parse
import uuid

import pytest
import sqlalchemy as sa
from cyborg.db.sqlalchemy import models

from nova_cyborg.db import tables
from tests.functional.api import cyborg

GROUP = {
    'resources': {'FPGA_GZIP': 1},
    'required': ['SOME_FOO_CAPABILITY'],
    'forbidden': ['OTHER'],
    'config': {'key1': 'val1'},
}
STORED_GROUP = {
    'resources': {'CUSTOM_FPGA_GZIP': 1},
    'required': ['CUSTOM_SOME_FOO_CAPABILITY'],
    'forbidden': ['CUSTOM_OTHER'],
    'config': {'key1': 'val1'},
    'tolerated': [],
}
PROFILE = {
    'name': 'afaas_example',
    'groups': [
        {
            'resources:FPGA': '1',
            'trait:CUSTOM_A': 'required',
            'trait:CUSTOM_B': 'forbidden',
            'accel:function_id': 'gzip',
        },
        {'resources:CUSTOM_QAT': '2'},
    ],
}
PROFILE_GROUPS = [
    {
        'resources': {'FPGA': 1},
        'required': ['CUSTOM_A'],
        'forbidden': ['CUSTOM_B'],
        'config': {'function_id': 'gzip'},
        'tolerated': [],
    },
    {
        'resources': {'CUSTOM_QAT': 2},
        'required': [],
        'forbidden': [],
        'config': {},
        'tolerated': [],
    },
]


@pytest.fixture
def profile(admin):
    """A device profile that an administrator made; its UUID."""
    return admin.post('/v2/device_profiles', [PROFILE]).json['uuid']


def stored(response):
    """Return what the answer to a creation has of what is stored."""
    shown = dict(response.json)
    del shown['warnings']
    return shown


def names(response):
    return [each['name'] for each in response.json['device_contexts']]


def uuids(response):
    return [each['uuid'] for each in response.json['device_contexts']]


def flat(pages):
    return [name for page in pages for name in page]


def _delete(cloud):
    with cloud.engine.begin() as connection:
        connection.execute(sa.delete(tables.DeviceContext))


class TestCreate:
    def test_short_form(self, member):
        response = member.create(**GROUP)

        created = stored(response)
        assert response.status_int == 201
        assert uuid.UUID(created['uuid'])
        assert datetime.datetime.fromisoformat(created['created_at'])
        assert created == {
            'uuid': created['uuid'],
            'name': None,
            'description': None,
            'project_id': cyborg.PROJECT,
            'user_id': f'user-of-{cyborg.PROJECT}',
            'status': 'available',
            'fault': None,
            'delete_on_termination': True,
            'live_migration': 'refuse',
            'tag': None,
            'tags': [],
            'groups': [STORED_GROUP],
            'device_profile_id': None,
            'server_id': None,
            'host': None,
            'devices': [],
            'bindings': [],
            'revision': 0,
            'created_at': created['created_at'],
            'updated_at': None,
            'links': created['links'],
        }

    def test_groups(self, member):
        # Two groups, the second with standard names.
        second = {
            'resources': {'VGPU': 2},
            'required': ['HW_GPU_API_VULKAN'],
            'forbidden': [],
            'config': {},
            'tolerated': [],
        }

        created = member.create(groups=[GROUP, second]).json

        assert created['groups'] == [STORED_GROUP, second]

    def test_all_fields(self, member):
        created = member.create(
            name='zip',
            description='For the archive',
            delete_on_termination=False,
            live_migration='native',
            **GROUP,
        ).json

        assert created['name'] == 'zip'
        assert created['description'] == 'For the archive'
        assert created['delete_on_termination'] is False
        assert created['live_migration'] == 'native'

    def test_what_is_answered_is_what_is_shown(self, member):
        created = stored(member.create(name='zip', **GROUP))

        assert member.show(created['uuid']).json == created

    def test_the_location_leads_to_it(self, cloud, member):
        response = member.create(**GROUP)
        location = response.headers['Location']

        assert location == (
            f'http://localhost/v2/device_contexts/{response.json["uuid"]}'
        )
        assert response.json['links'] == [{'rel': 'self', 'href': location}]
        assert member.get(location).json == stored(response)

        # The same behind a proxy, under a prefix.
        cloud.config.config(
            group='api', public_endpoint='https://cloud.test/accelerator/'
        )
        response = member.create(**GROUP)
        assert response.headers['Location'] == (
            'https://cloud.test/accelerator/v2/device_contexts/'
            f'{response.json["uuid"]}'
        )

    def test_names_need_not_be_unique(self, member):
        for _n in range(2):
            member.create(name='zip', **GROUP)

        assert names(member.list()) == ['zip', 'zip']

    @pytest.mark.parametrize('by', ['uuid', 'name'])
    def test_from_a_profile(self, member, profile, by):
        wanted = profile if by == 'uuid' else PROFILE['name']

        created = member.create(device_profile=wanted).json

        assert created['groups'] == PROFILE_GROUPS
        assert created['device_profile_id'] == profile

    def test_a_profile_is_copied(self, cloud, member, admin, profile):
        uuid = member.create(device_profile=profile).json['uuid']
        before = member.show(uuid).json

        # Its change does not reach the device context,
        with cloud.engine.begin() as connection:
            connection.execute(
                sa.update(models.DeviceProfile).values(
                    profile_json='{"groups": [{"resources:PGPU": "1"}]}'
                )
            )
        assert member.show(uuid).json == before
        assert member.create(device_profile=profile).json['groups'] == [
            {
                'resources': {'PGPU': 1},
                'required': [],
                'forbidden': [],
                'config': {},
                'tolerated': [],
            }
        ]

        # nor does its end.
        admin.delete_path(f'/v2/device_profiles/{profile}', status=204)
        assert member.show(uuid).json == before
        member.create(device_profile=profile, status=404)


class TestShow:
    @pytest.mark.parametrize('form', ['{}', '{}/', 'upper', 'no hyphens'])
    def test_by_uuid(self, member, form):
        uuid = member.create_one()
        asked = {
            'upper': uuid.upper(),
            'no hyphens': uuid.replace('-', ''),
        }.get(form, form.format(uuid))

        assert member.show(asked).json['uuid'] == uuid

    @pytest.mark.parametrize(
        'asked', ['x', 'zip', cyborg.UNKNOWN, '%00', '*', 'a' * 300]
    )
    def test_what_is_not_there(self, member, asked):
        member.create(name='zip', **GROUP)

        error = cyborg.error_of(member.show(asked, status=404))

        assert error['code'] == 'nova_cyborg.device_context.not_found'
        assert error['title'] == 'Not Found'

    def test_there_is_nothing_beneath_it(self, member):
        uuid = member.create_one()

        response = member.get(
            f'/v2/device_contexts/{uuid}/groups', expect_errors=True
        )

        assert response.status_int in (400, 404)


class TestUpdate:
    @pytest.mark.parametrize(
        ('field', 'value'),
        [
            ('name', 'other'),
            ('name', None),
            ('description', 'Another text'),
            ('description', ''),
            ('description', None),
            ('delete_on_termination', False),
            ('delete_on_termination', True),
            ('live_migration', 'detach'),
            ('live_migration', 'refuse'),
        ],
    )
    def test_each_field(self, member, field, value):
        before = stored(
            member.create(name='zip', description='A text', **GROUP)
        )

        changed = member.update(before['uuid'], **{field: value}).json

        assert changed.pop('updated_at')
        assert changed == {
            **{k: v for k, v in before.items() if k != 'updated_at'},
            field: value,
            'revision': 1,
        }
        assert member.show(before['uuid']).json[field] == value

    def test_all_fields_at_once(self, member):
        uuid = member.create_one()
        fields = {
            'name': 'a',
            'description': 'b',
            'delete_on_termination': False,
            'live_migration': 'detach',
        }

        assert member.update(uuid, **fields).json.items() >= fields.items()

    def test_one_that_is_held(self, member, boot):
        _server, uuid = boot()

        changed = member.update(uuid, delete_on_termination=False).json

        assert changed['delete_on_termination'] is False
        assert changed['status'] == 'reserved'

    @pytest.mark.parametrize(
        ('body', 'field'),
        [
            ({}, 'body'),
            ({'groups': []}, 'groups'),
            ({'resources': {'FPGA': 1}}, 'resources'),
            ({'status': 'bound'}, 'status'),
            ({'project_id': 'x'}, 'project_id'),
            ({'name': 'a', 'uuid': 'b'}, 'uuid'),
            ({'name': ''}, 'name'),
            ({'name': 'ä\n'}, 'name'),
            ({'name': 'n' * 256}, 'name'),
            ({'description': 'd' * 1025}, 'description'),
            ({'delete_on_termination': 'no'}, 'delete_on_termination'),
            ({'live_migration': 'perhaps'}, 'live_migration'),
        ],
    )
    def test_what_cannot_be_changed(self, member, body, field):
        before = stored(member.create(name='zip', **GROUP))

        error = cyborg.error_of(
            member.call(
                'patch_json',
                f'/v2/device_contexts/{before["uuid"]}',
                body,
                status=400,
            )
        )

        assert error['code'] == 'nova_cyborg.invalid_request'
        assert error['detail'].startswith(f'Invalid {field}:')
        assert member.show(before['uuid']).json == before

    def test_what_is_not_there(self, member):
        member.update(str(uuid.uuid4()), name='zip', status=404)

    def test_what_is_deleted_at_this_moment(self, cloud, member):
        uuid_ = member.create_one()

        with cloud.before('UPDATE device_contexts', lambda: _delete(cloud)):
            member.update(uuid_, name='zip', status=404)


class TestDelete:
    def test_it_is_gone(self, cloud, member):
        kept, deleted = member.create_one(), member.create_one()

        response = member.delete(deleted)

        assert response.status_int == 204
        assert response.body == b''
        member.show(deleted, status=404)
        member.delete(deleted, status=404)
        assert uuids(member.list()) == [kept]
        assert cloud.count(tables.DeviceContext) == 1

    def test_one_that_a_server_holds_stays(self, member, boot):
        server_id, uuid = boot()

        error = cyborg.error_of(member.delete(uuid, status=409))

        assert error['code'] == 'nova_cyborg.device_context.in_use'
        assert server_id in error['detail']
        assert member.status_of(uuid) == 'reserved'


class TestList:
    @pytest.fixture
    def five(self, cloud, member):
        """Device contexts made a day apart, not in order of their names."""
        made = {}
        for day, name in enumerate(['c', 'a', 'e', 'b', 'd'], 1):
            made[name] = member.create(name=name, **GROUP).json['uuid']
            with cloud.engine.begin() as connection:
                connection.execute(
                    sa.update(tables.DeviceContext)
                    .where(tables.DeviceContext.uuid == made[name])
                    .values(
                        created_at=datetime.datetime(2026, 1, day),
                        updated_at=None,
                    )
                )
        return made

    @staticmethod
    def pages(member, query):
        """Follow the links to the end."""
        response = member.list(query)
        while True:
            yield names(response)
            links = response.json.get('device_contexts_links')
            if not links:
                return
            (link,) = links
            assert link['rel'] == 'next'
            response = member.get(link['href'])

    def test_nothing(self, member):
        assert member.list().json == {'device_contexts': []}

    def test_each_is_as_it_is_shown(self, member, boot, cloud):
        _server, uuid = boot(cloud.add_device())

        assert member.list().json['device_contexts'] == [
            member.show(uuid).json
        ]

    def test_the_oldest_is_first(self, member, five):
        assert names(member.list()) == list(five)

    @pytest.mark.parametrize(
        ('sort', 'order'),
        [
            ('sort_key=created_at', 'caebd'),
            ('sort_dir=desc', 'dbeac'),
            ('sort_key=name', 'abcde'),
            ('sort_key=name&sort_dir=desc', 'edcba'),
        ],
    )
    def test_sort(self, member, five, sort, order):
        assert ''.join(names(member.list(f'?{sort}'))) == order
        # In pages as well.
        for limit in (1, 2, 5):
            pages = list(self.pages(member, f'?{sort}&limit={limit}'))
            assert ''.join(flat(pages)) == order
            assert all(len(page) <= limit for page in pages)

    def test_sort_by_uuid(self, member, five):
        assert uuids(member.list('?sort_key=uuid')) == sorted(five.values())

    @pytest.mark.parametrize(
        ('sort', 'order'),
        [
            ('sort_key=name', ['b', 'd', None, None, None]),
            ('sort_key=name&sort_dir=desc', ['d', 'b', None, None, None]),
            ('sort_key=updated_at', ['b', 'd', None, None, None]),
            (
                'sort_key=updated_at&sort_dir=desc',
                ['d', 'b', None, None, None],
            ),
        ],
    )
    def test_those_without_a_value_are_last_in_pages_too(
        self, cloud, member, sort, order
    ):
        # Made before, between and after those that have a name.
        for name in (None, 'd', None, 'b', None):
            member.create(**GROUP, **({'name': name} if name else {}))
        # Databases count time in seconds.
        for second, name in enumerate('bd'):
            self._set_updated_at(cloud, name, second)

        for limit in (1, 2, 3, 4, 5):
            pages = list(self.pages(member, f'?{sort}&limit={limit}'))
            assert flat(pages) == order

    def _set_updated_at(self, cloud, name, second):
        table = tables.DeviceContext
        moment = datetime.datetime(2026, 1, 1, second=second)
        with cloud.engine.begin() as connection:
            connection.execute(
                sa.update(table)
                .where(table.name == name)
                .values(updated_at=moment)
            )

    def test_those_of_the_same_time_are_on_one_page(self, cloud, member):
        for name in 'abcde':
            member.create(name=name, **GROUP)
        with cloud.engine.begin() as connection:
            connection.execute(
                sa.update(tables.DeviceContext).values(
                    created_at=datetime.datetime(2026, 1, 1)
                )
            )

        for direction, order in (('asc', 'abcde'), ('desc', 'edcba')):
            pages = self.pages(member, f'?sort_dir={direction}&limit=2')
            assert ''.join(flat(pages)) == order

    def test_a_page_begins_after_its_marker(self, member, five):
        response = member.list(f'?marker={five["a"]}&limit=2')

        assert names(response) == ['e', 'b']

    def test_the_link_keeps_filter_and_sort(self, member, five):
        response = member.list('?name=c&sort_dir=desc&limit=1')

        (link,) = response.json['device_contexts_links']
        query = urllib.parse.parse_qs(urllib.parse.urlsplit(link['href'])[3])
        assert query == {
            'name': ['c'],
            'sort_dir': ['desc'],
            'limit': ['1'],
            'marker': [five['c']],
        }
        assert member.get(link['href']).json == {'device_contexts': []}

    def test_an_unknown_marker(self, member, stranger):
        theirs = stranger.create_one()

        for marker in (str(uuid.uuid4()), theirs):
            error = cyborg.error_of(
                member.list(f'?marker={marker}', status=404)
            )
            assert error['code'] == 'nova_cyborg.device_context.not_found'

    def test_filter_by_name(self, member, five):
        assert names(member.list('?name=b')) == ['b']
        assert names(member.list('?name=B%25')) == []

    def test_filter_by_server(self, member, five, boot):
        server_id, *held = boot(contexts=2)

        assert uuids(member.list(f'?server_id={server_id}')) == held
        assert uuids(member.list(f'?server_id={uuid.uuid4()}')) == []

    @pytest.mark.parametrize(
        'spell', [str.upper, lambda text: text.replace('-', '')]
    )
    def test_uuids_in_any_spelling(self, member, five, boot, spell):
        server_id, uuid_ = boot()

        held = member.list(f'?server_id={spell(server_id)}').json
        after = member.list(f'?marker={spell(five["d"])}').json

        for found in (held, after):
            assert [c['uuid'] for c in found['device_contexts']] == [uuid_]

    def test_filter_by_status(self, cloud, member, nova, boot):
        found = {'available': member.create_one()}
        _server, found['reserved'] = boot()
        _server, found['bound'] = boot(cloud.add_device())
        # No device is behind this provider.
        server_id, found['error'] = boot()
        nova.bind(
            server_id,
            {f'device_context_{found["error"]}_0': str(uuid.uuid4())},
        )
        cyborg.wait_for(lambda: member.status_of(found['error']) == 'error')
        with cloud.held_bindings():
            server_id, found['binding'] = boot()
            nova.bind(
                server_id,
                {f'device_context_{found["binding"]}_0': cloud.add_device()},
            )

            for status, uuid_ in found.items():
                response = member.list(f'?status={status}')
                assert uuids(response) == [uuid_], status
                (shown,) = response.json['device_contexts']
                assert shown['status'] == status

    @pytest.mark.parametrize(
        ('query', 'field'),
        [
            ('limit=-1', 'limit'),
            ('limit=ten', 'limit'),
            ('limit=', 'limit'),
            ('limit=1&limit=2', 'limit'),
            ('marker=last', 'marker'),
            ('sort_key=project_id', 'sort_key'),
            ('sort_key=', 'sort_key'),
            ('sort_dir=up', 'sort_dir'),
            ('status=Bound', 'status'),
            ('server_id=vm1', 'server_id'),
            ('name=', 'name'),
            ('name=%C2%A0', 'name'),
            ('name=a%00', 'name'),
            ('all_projects=maybe', 'all_projects'),
            ('project_id=x', 'project_id'),
            ('nonesuch=1', 'nonesuch'),
        ],
    )
    def test_parameters_that_are_refused(self, member, query, field):
        error = cyborg.error_of(member.list(f'?{query}', status=400))

        assert error['code'] == 'nova_cyborg.invalid_request'
        assert error['detail'].startswith(f'Invalid {field}:')

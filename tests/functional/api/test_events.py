# SPDX-License-Identifier: Apache-2.0

"""The timeline of a device context: ``/v2/device_contexts/{uuid}/events``."""

import datetime

import pytest
import sqlalchemy as sa
from cyborg import context as cyborg_context

from nova_cyborg import model
from nova_cyborg.db import session, tables
from nova_cyborg.db.events import bounds
from tests.functional.api import cyborg
from tests.functional.api.conftest import providers, wait_for_status

MIGRATION = '0000a1a1-0000-4000-8000-000000000000'


def events(caller, uuid, query='', status=None):
    path = f'/v2/device_contexts/{uuid}/events{query}'
    return caller.get(path, status=status)


def timeline(caller, uuid):
    """Return what has happened, the oldest first."""
    return [
        (each['action'], each['outcome'])
        for each in events(caller, uuid, '?sort_dir=asc').json['events']
    ]


def newest(caller, uuid):
    return events(caller, uuid, '?limit=1').json['events'][0]


class TestWhatIsRecorded:
    def test_of_a_context_that_no_server_holds(self, member):
        uuid = member.create_one()
        member.update(uuid, name='gzip', tag='z')

        found = events(member, uuid).json['events']

        assert timeline(member, uuid) == [
            ('create', 'success'),
            ('update', 'success'),
        ]
        # The newest is the first.
        assert (
            found[0].items()
            >= {
                'action': 'update',
                'message': 'name, tag',
                'server_id': None,
                'host': None,
                'user_id': f'user-of-{cyborg.PROJECT}',
                'project_id': cyborg.PROJECT,
            }.items()
        )
        assert found[0]['request_id'].startswith('req-')
        assert found[0]['created_at'].endswith('Z')

    def test_of_a_server_from_its_boot_to_its_end(self, cloud, member, boot):
        server_id, uuid = boot(cloud.add_device())
        nova = cyborg.Caller(cloud.api, service=True)
        cloud.nova.delete(server_id)
        nova.release(server_id)

        assert timeline(member, uuid) == [
            ('create', 'success'),
            ('reserve', 'success'),
            ('bind', 'success'),
            ('unbind', 'success'),
            ('delete', 'success'),
        ]
        found = events(member, uuid, '?sort_dir=asc').json['events']
        assert {each['server_id'] for each in found[1:]} == {server_id}
        hosts = [each['host'] for each in found]
        assert hosts == [None, None, 'compute1', 'compute1', None]

    def test_one_that_outlives_its_server_is_released(
        self, cloud, member, nova, boot
    ):
        server_id, uuid = boot(cloud.add_device(), delete_on_termination=False)
        cloud.nova.delete(server_id)
        nova.release(server_id)

        assert timeline(member, uuid)[-1] == ('release', 'success')

    def test_a_binding_that_takes_a_while(self, cloud, member, nova):
        uuid = member.create_one()
        server_id = cloud.nova.boot()
        nova.reserve(server_id, uuid)
        with cloud.held_bindings():
            nova.bind(server_id, providers(cloud.add_device(), uuid))
            assert timeline(member, uuid)[-1] == ('bind', 'started')
        cloud.drain()

        assert timeline(member, uuid)[2:] == [
            ('bind', 'started'),
            ('bind', 'success'),
        ]
        assert newest(member, uuid)['host'] == 'compute1'

    def test_a_binding_that_fails(self, cloud, member, nova):
        uuid = member.create_one()
        server_id = cloud.nova.boot()
        nova.reserve(server_id, uuid)
        # There is no such device.
        nova.bind(server_id, providers(cyborg.UNKNOWN, uuid))
        wait_for_status(member, uuid, 'error')

        assert timeline(member, uuid)[2:] == [
            ('bind', 'started'),
            ('bind', 'error'),
        ]
        found = newest(member, uuid)
        assert found['message'] == member.show(uuid).json['fault']
        assert found['server_id'] == server_id

    def test_what_is_repeated_is_recorded_once(self, cloud, member, nova):
        uuid = member.create_one()
        server_id = cloud.nova.boot()
        for _n in range(2):
            nova.reserve(server_id, uuid)
        wanted = providers(cloud.add_device(), uuid)
        for _n in range(2):
            nova.bind(server_id, wanted)

        assert timeline(member, uuid)[1:] == [
            ('reserve', 'success'),
            ('bind', 'success'),
        ]

    def test_what_is_refused_is_not(self, cloud, member, nova, boot):
        _server_id, uuid = boot()
        before = timeline(member, uuid)

        nova.reserve(cloud.nova.boot(), uuid, status=409)
        member.delete(uuid, status=409)
        member.update(uuid, name='', status=400)

        assert timeline(member, uuid) == before

    def test_attached_and_detached(self, cloud, member, nova, boot):
        server_id, _booted = boot(cloud.add_device())
        uuid, provider = member.create_one(), cloud.add_device()
        one = (server_id, uuid)
        nova.attach(*one)
        nova.attach(*one)
        nova.bind_attached(*one, providers(provider, uuid))
        nova.attached(*one)
        nova.attached(*one)
        nova.detach(*one)
        nova.unplug(*one, [provider])
        nova.detached(*one)

        assert timeline(member, uuid)[1:] == [
            ('attach', 'started'),
            ('bind', 'success'),
            ('attach', 'success'),
            ('detach', 'started'),
            ('unbind', 'success'),
            ('detach', 'success'),
        ]

    def test_not_attached_for_a_reason_without_text(self, cloud, member, nova):
        server_id, uuid = cloud.nova.boot(), member.create_one()
        nova.attach(server_id, uuid)

        nova.detached(server_id, uuid, fault='')

        found = newest(member, uuid)
        assert (found['action'], found['outcome']) == ('attach', 'error')

    def test_not_attached(self, cloud, member, nova, boot):
        server_id, _booted = boot(cloud.add_device())
        uuid = member.create_one()
        nova.attach(server_id, uuid)
        nova.detached(server_id, uuid, fault='The host is full.')

        found = newest(member, uuid)
        assert (found['action'], found['outcome']) == ('attach', 'error')
        assert found['message'] == 'The host is full.'

    def test_not_detached(self, cloud, member, nova, boot):
        server_id, uuid = boot(cloud.add_device())
        nova.detach(server_id, uuid)
        nova.attached(server_id, uuid, fault='The guest keeps it.')

        found = newest(member, uuid)
        assert (found['action'], found['outcome']) == ('detach', 'error')
        assert found['message'] == 'The guest keeps it.'

    def test_moved(self, cloud, member, nova, boot):
        server_id, uuid = boot(cloud.add_device())
        generation = nova.begin(server_id).json['generation']
        there = cloud.add_device(host='compute2')
        nova.bind(
            server_id,
            providers(there, uuid),
            host='compute2',
            generation=generation,
            migration=MIGRATION,
        )
        nova.of_migration(server_id, 'activate', MIGRATION)
        nova.of_migration(server_id, 'settle', MIGRATION)

        found = events(member, uuid, '?sort_dir=asc').json['events'][3:]
        assert [(each['action'], each['host']) for each in found] == [
            ('bind', 'compute2'),
            ('move', 'compute2'),
            ('unbind', 'compute1'),
        ]

    def test_a_device_that_is_missing_for_a_while(self, cloud, member, boot):
        provider = cloud.add_device()
        server_id, uuid = boot(provider)
        _other_server, other = boot(cloud.add_device())
        for missing in (True, True, False, False):
            cloud.database.set_missing(provider, missing)

        assert timeline(member, uuid)[-2:] == [
            ('lose', 'error'),
            ('find', 'success'),
        ]
        found = newest(member, uuid)
        assert (found['server_id'], found['host']) == (server_id, 'compute1')
        assert timeline(member, other)[-1] == ('bind', 'success')

    def test_there_is_no_host(self, placement, member, nova, boot):
        placement.candidates = []
        server_id, uuid = boot(resources={'FPGA': 1})
        query = f'resources{model.requester_id(uuid, 0)}=FPGA:1'
        path = f'/v2/device_allocations/{server_id}/explain'

        said = nova.post(path, {'query': query}).json['sentence']

        assert timeline(member, uuid)[-1] == ('schedule', 'error')
        found = newest(member, uuid)
        assert (found['server_id'], found['host']) == (server_id, None)
        assert found['message'] == said
        # It stays, whatever becomes of the device context.
        nova.release(server_id)
        assert ('schedule', 'error') in timeline(member, uuid)

    def test_by_an_administrator_of_another_project(self, member, admin):
        uuid = member.create_one()
        admin.update(uuid, name='theirs')

        assert newest(member, uuid)['project_id'] == 'a' * 32

    def test_what_is_rolled_back_is_not_there(self, cloud, member):
        cloud.config.config(group='nova_cyborg', max_contexts_per_project=0)
        member.create(resources={'FPGA': 1}, status=403)

        assert not cloud.count(tables.DeviceContextEvent)


class TestWhoSeesThem:
    @pytest.fixture
    def uuid(self, member):
        return member.create_one()

    def test_the_project_and_administrators(self, member, admin, uuid):
        expected = events(member, uuid).json

        assert events(admin, uuid).json == expected
        assert len(expected['events']) == 1

    @pytest.mark.parametrize('deleted', [False, True])
    def test_no_other_project(self, member, stranger, uuid, deleted):
        if deleted:
            member.delete(uuid)

        refused = events(stranger, uuid, status=404)
        unknown = events(stranger, cyborg.UNKNOWN, status=404)

        sentence = cyborg.error_of(refused)['detail']
        assert (
            sentence.replace(uuid, cyborg.UNKNOWN)
            == (cyborg.error_of(unknown)['detail'])
        )

    def test_of_one_that_was_deleted(self, member, admin, uuid):
        member.delete(uuid)
        member.show(uuid, status=404)

        assert timeline(member, uuid) == [
            ('create', 'success'),
            ('delete', 'success'),
        ]
        assert timeline(admin, uuid) == timeline(member, uuid)

    def test_none_are_known_of_an_old_one(self, cloud, member, stranger, uuid):
        with session.writing(cyborg_context.get_admin_context()) as db:
            db.execute(
                sa.delete(tables.DeviceContextEvent).where(
                    tables.DeviceContextEvent.context_uuid == uuid
                )
            )

        assert events(member, uuid).json == {'events': []}
        events(stranger, uuid, status=404)

    @pytest.mark.parametrize('name', ['nonsense', 'a' * 300])
    def test_of_what_is_no_uuid(self, member, name):
        events(member, name, status=404)


class TestPages:
    @pytest.fixture
    def uuid(self, member):
        uuid = member.create_one()
        for number in range(4):
            member.update(uuid, name=f'n{number}')
        return uuid

    @pytest.mark.parametrize('direction', ['asc', 'desc'])
    def test_each_event_is_on_one(self, member, uuid, direction):
        query = f'?sort_dir={direction}'
        whole = events(member, uuid, query).json
        found, pages, query = [], 0, f'{query}&limit=2'
        while query:
            page = events(member, uuid, query).json
            found += page['events']
            pages += 1
            links = page.get('events_links', [])
            query = links and '?' + links[0]['href'].partition('?')[2]

        assert found == whole['events']
        assert 'events_links' not in whole
        assert (len(found), pages) == (5, 3)

    def test_the_link_leads_to_the_next(self, member, uuid):
        (link,) = events(member, uuid, '?limit=4').json['events_links']

        assert link['rel'] == 'next'
        path = f'/v2/device_contexts/{uuid}/events?'
        assert path in link['href']
        found = member.get(link['href']).json['events']
        assert [each['action'] for each in found] == ['create']

    @pytest.mark.parametrize(
        'query',
        ['limit=x', 'limit=-1', 'marker=x', 'sort_dir=up', 'all_projects=1'],
    )
    def test_what_is_refused(self, member, uuid, query):
        events(member, uuid, f'?{query}', status=400)

    def test_the_marker_is_one_of_its_own(self, member, uuid):
        other = newest(member, member.create_one())['uuid']

        for marker in (other, cyborg.UNKNOWN):
            refused = events(member, uuid, f'?marker={marker}', status=404)
            assert cyborg.error_of(refused)['code'] == (
                'nova_cyborg.device_context_event.not_found'
            )


class TestBounds:
    @pytest.fixture
    def few(self, monkeypatch):
        monkeypatch.setattr(bounds, 'MOST', 3)

    def test_updates_push_old_ones_out(self, cloud, member, few):
        uuid = member.create_one()
        for number in range(9):
            member.update(uuid, name=f'n{number}')

        assert timeline(member, uuid) == [('update', 'success')] * 3
        assert cloud.count(tables.DeviceContextEvent) == 3

    def test_whatever_is_too_many_is_deleted(self, cloud, member, few, nova):
        uuid, other = member.create_one(), member.create_one()
        server_id = cloud.nova.boot()
        for _n in range(3):
            nova.reserve(server_id, uuid)
            nova.release(server_id)
        context = cyborg_context.get_admin_context()
        assert len(timeline(member, uuid)) == 7

        assert bounds.trim_all(context) == 1
        assert bounds.trim_all(context) == 0

        assert timeline(member, uuid) == [
            ('release', 'success'),
            ('reserve', 'success'),
            ('release', 'success'),
        ]
        assert len(timeline(member, other)) == 1

    def test_old_ones_are_deleted(self, cloud, member):
        uuid = member.create_one()
        member.update(uuid, name='now')
        row = tables.DeviceContextEvent
        with session.writing(cyborg_context.get_admin_context()) as db:
            for each in db.query(row).where(row.action == 'create'):
                each.created_at -= datetime.timedelta(days=31)

        context = cyborg_context.get_admin_context()
        age = datetime.timedelta(days=30)
        assert bounds.forget_old(context, age) == 1
        assert bounds.forget_old(context, age) == 0

        assert timeline(member, uuid) == [('update', 'success')]

    def test_what_is_said_of_it_is_bounded(self, cloud, member, nova, boot):
        server_id, uuid = boot(cloud.add_device())
        nova.detach(server_id, uuid)
        nova.attached(server_id, uuid, fault='x' * 1024)

        assert len(newest(member, uuid)['message']) == 1024


class TestCost:
    def test_the_statements_are_the_same_with_many(self, cloud, member):
        uuid = member.create_one()

        def count():
            with cloud.statements() as sent:
                events(member, uuid, '?limit=2')
            return len(sent)

        alone = count()
        for number in range(9):
            member.update(uuid, name=f'n{number}')
            member.create_one()

        assert count() == alone == 1

    def test_one_statement_records_those_of_all(self, cloud, member, nova):
        counted = []
        for number in (1, 5):
            uuids = [member.create_one() for _n in range(number)]
            with cloud.statements() as sent:
                nova.reserve(cloud.nova.boot(), *uuids)
            counted.append(
                sum('INTO device_context_events' in each for each in sent)
            )

        assert counted == [1, 1]

# SPDX-License-Identifier: Apache-2.0

"""Projects do not see each other's device contexts; administrators do."""

import pytest

from nova_cyborg.db import tables
from tests.functional.api import cyborg
from tests.functional.api.conftest import providers


def uuids(response):
    return {each['uuid'] for each in response.json['device_contexts']}


@pytest.fixture
def mine(member):
    return member.create_one(name='mine')


@pytest.fixture
def nova_for_stranger(cloud):
    """Nova, on behalf of a member of another project."""
    return cyborg.Caller(cloud.api, cyborg.OTHER_PROJECT, service=True)


class TestStranger:
    def test_it_is_not_in_the_list(self, mine, stranger):
        theirs = stranger.create_one(name='mine')

        for query in ('', '?name=mine', '?status=available'):
            assert uuids(stranger.list(query)) == {theirs}

    def test_it_is_not_found(self, cloud, mine, member, stranger):
        before = member.show(mine).json

        for response in (
            stranger.show(mine, status=404),
            stranger.update(mine, name='theirs', status=404),
            stranger.delete(mine, status=404),
        ):
            error = cyborg.error_of(response)
            assert error['code'] == 'nova_cyborg.device_context.not_found'
        assert member.show(mine).json == before

    def test_it_is_not_found_while_it_is_held(self, boot, stranger):
        # Not a 409, which would tell that it exists.
        server_id, uuid = boot()

        response = stranger.delete(uuid, status=404)

        assert server_id not in response.text

    def test_it_cannot_be_given_to_their_server(
        self, cloud, mine, member, stranger, nova_for_stranger
    ):
        theirs = stranger.create_one()
        server_id = cloud.nova.boot()

        for wanted in ([mine], [theirs, mine]):
            response = nova_for_stranger.reserve(
                server_id, *wanted, status=404
            )
            assert mine in cyborg.error_of(response)['detail']

        assert member.status_of(mine) == 'available'
        assert stranger.status_of(theirs) == 'available'
        assert cloud.count(tables.DeviceAllocation) == 0

    def test_it_is_not_found_for_their_server(
        self, mine, stranger, nova_for_stranger
    ):
        theirs = stranger.create_one()

        response = nova_for_stranger.check(theirs, mine, status=404)

        assert mine in cyborg.error_of(response)['detail']

    def test_its_holder_is_not_told_to_them(
        self, cloud, boot, nova_for_stranger
    ):
        server_id, uuid = boot()

        response = nova_for_stranger.reserve(
            cloud.nova.boot(), uuid, status=404
        )

        assert server_id not in response.text

    def test_all_projects_are_not_for_members(self, stranger):
        error = cyborg.error_of(
            stranger.list('?all_projects=true', status=403)
        )

        assert error['code'] == 'nova_cyborg.forbidden'
        assert 'get_all_projects' in error['detail']
        for no in ('false', 'False', '0'):
            assert uuids(stranger.list(f'?all_projects={no}')) == set()


class TestAdmin:
    def test_the_list_is_that_of_the_own_project(self, mine, admin):
        own = admin.create_one()

        assert uuids(admin.list()) == {own}

    @pytest.mark.parametrize('yes', ['true', 'True', '1'])
    def test_all_projects_are_in_the_list_if_asked_for(
        self, mine, stranger, admin, yes
    ):
        every = {mine, stranger.create_one(), admin.create_one()}

        assert uuids(admin.list(f'?all_projects={yes}')) == every

    def test_pages_of_all_projects(self, mine, stranger, admin):
        every = {mine, stranger.create_one(), admin.create_one()}
        found = []

        response = admin.list('?all_projects=true&limit=1')
        while links := response.json.get('device_contexts_links'):
            found += uuids(response)
            response = admin.get(links[0]['href'])

        assert len(found) == 3
        assert set(found) == every

    def test_any_context_is_shown_changed_and_deleted(
        self, mine, member, admin
    ):
        assert admin.show(mine).json == member.show(mine).json
        changed = admin.update(mine, name='seen').json
        assert changed['project_id'] == cyborg.PROJECT
        assert member.show(mine).json['name'] == 'seen'
        admin.delete(mine, status=204)
        member.show(mine, status=404)

    def test_a_server_gets_only_those_of_its_project(
        self, cloud, mine, member
    ):
        nova_for_admin = cyborg.Caller(
            cloud.api, 'a' * 32, roles=('admin',), service=True
        )

        nova_for_admin.reserve(cloud.nova.boot(), mine, status=404)

        assert member.status_of(mine) == 'available'

    def test_what_is_bound_on_their_behalf_is_the_owners(
        self, cloud, member, nova, boot
    ):
        # An administrator evacuates a server; its owner then starts it, and
        # Nova asks for the accelerator requests with the owner's token.
        nova_for_admin = cyborg.Caller(
            cloud.api, 'a' * 32, roles=('admin',), service=True
        )
        server_id, uuid = boot()

        nova_for_admin.bind(server_id, providers(cloud.add_device(), uuid))

        cyborg.wait_for(lambda: member.status_of(uuid) == 'bound')
        (device,) = member.show(uuid).json['devices']
        (arq,) = nova.arqs(f'instance={server_id}').json['arqs']
        assert arq['uuid'] == device['arq_id']


class TestNoProject:
    """A token may have none, but a domain or the system."""

    @pytest.mark.parametrize('roles', [[], ['reader'], ['member']])
    def test_accelerator_requests_are_not_seen(self, cloud, nova, boot, roles):
        server_id, _uuid = boot(cloud.add_device())
        caller = cyborg.Caller(cloud.api, '', roles)
        (arq,) = nova.arqs(f'instance={server_id}').json['arqs']

        for path in (
            '',
            f'?instance={server_id}',
            f'?instance={server_id}&bind_state=resolved',
            f'/{arq["uuid"]}',
        ):
            caller.get(f'/v2/accelerator_requests{path}', status=403)
        caller.delete_path(
            f'/v2/accelerator_requests?arqs={arq["uuid"]}', status=403
        )

        assert nova.arqs(f'instance={server_id}').json['arqs'] == [arq]

    def test_an_administrator_may_read_accelerator_requests(self, cloud):
        caller = cyborg.Caller(cloud.api, '', ['admin'])

        caller.get('/v2/accelerator_requests', status=200)

# SPDX-License-Identifier: Apache-2.0

"""What stock Nova calls: Cyborg's accelerator requests, by server."""

import uuid
from unittest import mock

import pytest
import sqlalchemy as sa
from cyborg import context as cyborg_context
from cyborg import objects
from cyborg.common import placement_client
from cyborg.db.sqlalchemy import models

from nova_cyborg.db import tables
from tests.functional.api import cyborg
from tests.functional.api.conftest import providers


@pytest.fixture
def server(cloud, nova, member, profile_arq):
    """A server with an ARQ of its flavor's profile and device contexts.

    One of these lives as long as the server, the other one is kept.
    Returns the server's UUID and theirs.
    """
    server_id = cloud.nova.boot()
    profile_arq(server_id, cloud.add_device())
    temporary = member.create_one()
    kept = member.create_one(delete_on_termination=False)
    nova.reserve(server_id, temporary, kept)
    nova.bind(server_id, providers(cloud.add_device(), temporary, kept))
    for each in (temporary, kept):
        cyborg.wait_for(lambda: member.status_of(each) == 'bound')  # noqa: B023
    return server_id, temporary, kept


class TestDelete:
    @pytest.mark.parametrize(
        ('status', 'task'),
        [(None, None), ('ACTIVE', 'deleting'), ('SOFT_DELETED', None)],
    )
    def test_the_server_is_gone(
        self, cloud, member, nova, server, status, task
    ):
        server_id, temporary, kept = server
        if status:
            cloud.nova.change(server_id, status, task)
        else:
            cloud.nova.delete(server_id)

        response = nova.delete_arqs(f'instance={server_id}')

        assert response.status_int == 204
        assert cloud.used_slots() == 0
        assert cloud.count(models.ExtArq) == 0
        assert cloud.count(tables.DeviceContextArq) == 0
        nova.allocation(server_id, status=404)
        member.show(temporary, status=404)
        assert member.status_of(kept) == 'available'
        # The administrator's profile is no business of ours.
        assert cloud.count(models.DeviceProfile) == 1

    @pytest.mark.parametrize(
        ('status', 'task'),
        [
            ('ACTIVE', 'shelving_offloading'),
            ('BUILD', None),
            ('ERROR', None),
        ],
    )
    def test_the_server_only_leaves_its_host(
        self, cloud, member, nova, server, status, task
    ):
        server_id, *uuids = server
        cloud.nova.change(server_id, status, task)

        nova.delete_arqs(f'instance={server_id}', status=204)

        assert cloud.used_slots() == 0
        assert cloud.count(models.ExtArq) == 0
        for uuid_ in uuids:
            shown = member.show(uuid_).json
            assert shown['status'] == 'reserved'
            assert shown['server_id'] == server_id

    def test_nova_does_not_say(self, cloud, member, nova, server):
        server_id, *uuids = server
        cloud.nova.delete(server_id)
        cloud.nova.status_code = 503

        nova.delete_arqs(f'instance={server_id}', status=204)

        assert cloud.used_slots() == 0
        assert [member.status_of(each) for each in uuids] == ['reserved'] * 2

    def test_again_and_for_a_server_without(self, cloud, nova, server):
        cloud.nova.delete(server[0])

        for server_id in (server[0], server[0], uuid.uuid4()):
            nova.delete_arqs(f'instance={server_id}', status=204)

    @pytest.mark.parametrize('persona', ['member', 'admin'])
    def test_without_a_service_token_nothing_is_changed(
        self, request, cloud, member, nova, server, persona
    ):
        server_id, *uuids = server
        cloud.nova.delete(server_id)
        before = nova.arqs(f'instance={server_id}').json
        caller = request.getfixturevalue(persona)

        response = caller.delete_arqs(f'instance={server_id}', status=403)

        assert 'service token' in response.text
        assert nova.arqs(f'instance={server_id}').json == before
        assert [member.status_of(each) for each in uuids] == ['bound'] * 2
        assert cloud.used_slots() == 3

    def test_other_servers_keep_theirs(
        self, cloud, member, nova, server, boot
    ):
        other_id, other = boot(cloud.add_device())
        cloud.nova.delete(server[0])

        nova.delete_arqs(f'instance={server[0]}')

        assert member.status_of(other) == 'bound'
        assert len(nova.arqs(f'instance={other_id}').json['arqs']) == 1

    def test_a_server_with_only_a_profile(self, cloud, nova, profile_arq):
        server_id = cloud.nova.boot()
        profile_arq(server_id, cloud.add_device())

        nova.delete_arqs(f'instance={server_id}', status=204)

        assert cloud.used_slots() == 0
        assert cloud.count(models.ExtArq) == 0

    def test_by_uuid_it_is_cyborgs_own(self, cloud, nova, profile_arq):
        arq = profile_arq(cloud.nova.boot(), cloud.add_device())

        nova.delete_arqs(f'arqs={arq}', status=204)

        assert cloud.count(models.ExtArq) == 0
        nova.delete_arqs(f'arqs={arq}', status=404)
        stock = nova.of(cloud.stock_api())
        for query in ('', f'arqs={arq}&instance={uuid.uuid4()}'):
            expected = stock.delete_arqs(query, status='*')
            assert expected.status_int >= 400
            assert nova.delete_arqs(query, status='*').json == expected.json

    def test_by_uuid_a_slot_is_cleaned(
        self, cloud, nova, profile_arq, monkeypatch
    ):
        stand_in = mock.create_autospec(
            placement_client.PlacementClient, instance=True
        )
        monkeypatch.setattr(
            placement_client, 'PlacementClient', lambda: stand_in
        )
        arq = profile_arq(cloud.nova.boot(), cloud.add_device())
        context = cyborg_context.get_admin_context()
        (deployable,) = objects.Deployable.list(context)
        seconds = objects.Attribute(
            context, deployable_id=deployable.id, key='cleaning', value='60'
        )
        seconds.create(context)

        nova.delete_arqs(f'arqs={arq}', status=204)

        assert cloud.used_slots() == 0
        assert cloud.count(tables.HandleOutage) == 1


class TestGet:
    STATES = ('Initial', 'BindStarted', 'BindFailed', 'Unbound', 'Bound')

    @pytest.fixture(params=['member', 'nova', 'admin', 'stranger'])
    def both(self, request, cloud):
        """The same caller of our API and of stock Cyborg's."""
        ours = request.getfixturevalue(request.param)
        return ours, ours.of(cloud.stock_api())

    def test_it_is_what_stock_cyborg_answers(self, cloud, server, both, boot):
        boot(cloud.add_device())
        ours, stock = both

        for query in (
            f'instance={server[0]}',
            f'instance={server[0]}&bind_state=resolved',
            f'instance={uuid.uuid4()}',
            f'instance={uuid.uuid4()}&bind_state=resolved',
            'bind_state=resolved',
            '',
        ):
            expected = stock.arqs(query)
            assert ours.arqs(query).json == expected.json, query
        assert len(expected.json['arqs']) in (0, 4)
        for arq in expected.json['arqs']:
            path = f'/v2/accelerator_requests/{arq["uuid"]}'
            assert ours.get(path).json == stock.get(path).json == arq

    def test_of_each_type_in_each_state(self, cloud, boot, both):
        arq = models.ExtArq
        devices = [
            cloud.add_device(attach_type=attach_type)
            for attach_type in ('PCI', 'MDEV')
            for _n in self.STATES
        ]
        servers = [boot(device)[0] for device in devices]
        with cloud.engine.begin() as connection:
            for server_id, state in zip(servers, self.STATES * 2, strict=True):
                connection.execute(
                    sa.update(arq)
                    .where(arq.instance_uuid == server_id)
                    .values(state=state)
                )
        ours, stock = both

        for query in (
            '',
            'bind_state=resolved',
            *(
                f'instance={server_id}{more}'
                for server_id in servers
                for more in ('', '&bind_state=resolved')
            ),
        ):
            expected = stock.arqs(query, status='*')
            response = ours.arqs(query, status='*')
            assert response.status_int == expected.status_int, query
            assert response.body == expected.body, query

    def test_what_stock_cyborg_refuses(self, server, both):
        ours, stock = both

        for query in (
            f'instance={server[0]}&bind_state=started',
            'bind_state=started',
            'instance=vm1',
        ):
            expected = stock.arqs(query, status='*')
            assert expected.status_int >= 400
            response = ours.arqs(query, status='*')
            assert response.status_int == expected.status_int
            assert response.json == expected.json

    @pytest.mark.parametrize(
        ('roles', 'service', 'found'),
        [
            # nova-compute, when it does something of its own accord.
            (('service', 'reader'), True, 3),
            # On behalf of a user whom Nova's policy allows to reboot the
            # servers of other projects.
            (('member', 'reader'), True, 3),
            # A member of a project with a role that is not the service's.
            (('service', 'reader'), False, 0),
            (('member', 'reader'), False, 0),
        ],
    )
    def test_a_service_that_asks_from_another_project(
        self, cloud, server, roles, service, found
    ):
        caller = cyborg.Caller(cloud.api, cyborg.OTHER_PROJECT, roles, service)

        answer = caller.arqs(f'instance={server[0]}').json

        assert len(answer['arqs']) == found

    def test_while_it_is_binding(self, cloud, nova, boot):
        stock = nova.of(cloud.stock_api())
        server_id, uuid_ = boot()
        query = f'instance={server_id}&bind_state=resolved'
        with cloud.held_bindings():
            nova.bind(server_id, providers(cloud.add_device(), uuid_))

            # Stock Nova takes this for: wait for the event.
            for caller in (nova, stock):
                assert caller.arqs(query, status='*').status_int == 423
            (arq,) = nova.arqs(f'instance={server_id}').json['arqs']
            assert arq['state'] in ('Initial', 'BindStarted')
            assert arq['instance_uuid'] == server_id

        cyborg.wait_for(lambda: nova.arqs(query, status='*').status_int == 200)
        assert nova.arqs(query).json == stock.arqs(query).json


class TestMissing:
    """An ARQ says whether its host does not report its slot any more."""

    @pytest.fixture(params=['profile', 'context'])
    def held(self, request, cloud, boot, profile_arq):
        """A server with a device, by a profile or a device context."""
        provider = cloud.add_device()
        if request.param == 'profile':
            server_id = cloud.nova.boot()
            profile_arq(server_id, provider)
        else:
            server_id, _uuid = boot(provider)
        return server_id, provider

    @staticmethod
    def _said(nova, admin, server_id):
        """Return what each of the answers says of the server's one."""
        (arq,) = nova.arqs(f'instance={server_id}').json['arqs']
        resolved = f'instance={server_id}&bind_state=resolved'
        (awaited,) = nova.arqs(resolved).json['arqs']
        listed = [
            each
            for each in admin.arqs('').json['arqs']
            if each['uuid'] == arq['uuid']
        ]
        path = f'/v2/accelerator_requests/{arq["uuid"]}'
        shown = admin.get(path).json
        return [each.get('missing') for each in (arq, awaited, *listed, shown)]

    def test_its_slot_is_missing(self, cloud, nova, admin, boot, held):
        server_id, provider = held
        # One that is not.
        boot(cloud.add_device())

        assert self._said(nova, admin, server_id) == [None] * 4
        cloud.database.set_missing(provider)
        assert self._said(nova, admin, server_id) == [True] * 4
        found = [each.get('missing') for each in admin.arqs('').json['arqs']]
        assert sorted(found, key=bool) == [None, True]
        cloud.database.set_missing(provider, missing=False)
        assert self._said(nova, admin, server_id) == [None] * 4

    def test_its_slot_is_lost(self, cloud, nova, admin, held):
        server_id, _provider = held
        with cloud.engine.begin() as connection:
            connection.execute(
                sa.update(models.ExtArq).values(attach_handle_id=None)
            )

        assert self._said(nova, admin, server_id) == [True] * 4


def test_a_lost_row_of_ours_does_not_stop_the_delete(cloud, nova, boot):
    # Cyborg's agent, or an administrator, has deleted the ARQ meanwhile.
    server_id, _uuid = boot(cloud.add_device())
    (arq,) = nova.arqs(f'instance={server_id}').json['arqs']
    context = cyborg_context.get_admin_context()
    objects.ExtARQ.delete_by_uuid(context, [arq['uuid']])

    nova.unbind(server_id, status=204)
    nova.release(server_id, status=204)

    assert cloud.count(tables.DeviceContextArq) == 0


class TestUnbindAttempt:
    """As nova-compute unbinds what an attempt has bound."""

    def _unbind(self, nova, server_id, arq_ids):
        nova.post(
            f'/v2/device_allocations/{server_id}/unbind',
            {'arqs': arq_ids},
            status=204,
        )

    def test_of_a_profile(self, cloud, nova, profile_arq):
        server_id = cloud.nova.boot()
        arq = profile_arq(server_id, cloud.add_device())
        assert cloud.used_slots() == 1

        # Another server's stays.
        self._unbind(nova, cloud.nova.boot(), [arq])
        assert cloud.used_slots() == 1

        for _n in range(2):
            self._unbind(nova, server_id, [arq])
        assert cloud.used_slots() == 0


class TestDatabase:
    """What fails in the database is for the log, and not for the caller."""

    @pytest.mark.parametrize(
        ('method', 'path', 'body'),
        [
            ('delete', '/accelerator_requests?instance={id}', None),
            ('delete', '/accelerator_requests?arqs={id}', None),
            ('get', '/accelerator_requests?instance={id}', None),
            ('get', '/accelerator_requests', None),
            ('get', '/accelerator_requests/{id}', None),
            (
                'post_json',
                '/accelerator_requests',
                {'device_profile_name': 'afaas_example'},
            ),
            (
                'patch_json',
                '/accelerator_requests',
                {
                    cyborg.UNKNOWN: [
                        {'path': f'/{name}', 'op': 'add', 'value': value}
                        for name, value in (
                            ('hostname', 'compute1'),
                            ('device_rp_uuid', cyborg.UNKNOWN),
                            ('instance_uuid', cyborg.UNKNOWN),
                        )
                    ]
                },
            ),
            ('get', '/device_profiles/{id}', None),
            ('delete', '/device_profiles/{id}', None),
            ('post_json', '/devices/{id}/disable', {}),
            ('post_json', '/devices/{id}/enable', {}),
        ],
    )
    def test_no_statement_is_told(self, cloud, caplog, method, path, body):
        admin = cyborg.Caller(
            cloud.api, roles=('admin', 'member', 'reader'), service=True
        )

        def spoil(_connection, _cursor, statement, parameters, *_more):
            return f'no {statement}', parameters

        sa.event.listen(
            cloud.engine, 'before_cursor_execute', spoil, retval=True
        )
        try:
            response = admin.call(
                method,
                f'/v2{path}'.format(id=cyborg.UNKNOWN),
                body,
                status=500,
            )
        finally:
            sa.event.remove(cloud.engine, 'before_cursor_execute', spoil)

        assert 'The database of the Accelerator service' in response.text
        assert 'SELECT' not in response.text
        assert 'no SELECT' in caplog.text

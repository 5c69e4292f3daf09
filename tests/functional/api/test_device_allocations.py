# Licensed under the Apache License, Version 2.0 (the "License"); you may
# not use this file except in compliance with the License. You may obtain
# a copy of the License at
#
#      http://www.apache.org/licenses/LICENSE-2.0
#
# Unless required by applicable law or agreed to in writing, software
# distributed under the License is distributed on an "AS IS" BASIS, WITHOUT
# WARRANTIES OR CONDITIONS OF ANY KIND, either express or implied. See the
# License for the specific language governing permissions and limitations
# under the License.

"""Device allocations: what Nova does on a server's way to its host and back.

Reserve, bind, unbind, release. Bindings that fail are in test_binding_faults.
"""

import json
import threading
import uuid

import pytest
import sqlalchemy as sa
import webtest
from cyborg import context as cyborg_context
from cyborg import objects
from cyborg.db.sqlalchemy import models

from nova_cyborg import model
from nova_cyborg.db import tables
from tests.functional.api import cyborg
from tests.functional.api.conftest import providers

SERVER_ID = str(uuid.uuid4())


def held(response):
    return [each['uuid'] for each in response.json['device_contexts']]


def wait_for_status(caller, uuid_, status):
    cyborg.wait_for(lambda: caller.status_of(uuid_) == status)


class TestServiceToken:
    @pytest.mark.parametrize(
        'call',
        [
            lambda caller, uuid_: caller.allocation(SERVER_ID, status=403),
            lambda caller, uuid_: caller.check(uuid_, status=403),
            lambda caller, uuid_: caller.reserve(SERVER_ID, uuid_, status=403),
            lambda caller, uuid_: caller.bind(
                SERVER_ID, providers(SERVER_ID, uuid_), status=403
            ),
            lambda caller, uuid_: caller.unbind(SERVER_ID, status=403),
            lambda caller, uuid_: caller.release(SERVER_ID, status=403),
        ],
        ids=['get', 'check', 'reserve', 'bind', 'unbind', 'release'],
    )
    def test_without_it_nothing_is_done(
        self, cloud, member, nova, admin, call
    ):
        # With and without an allocation.
        uuid_ = member.create_one()
        for allocated in (0, 1):
            if allocated:
                nova.reserve(SERVER_ID, uuid_)
            for caller in (member, admin):
                error = cyborg.error_of(call(caller, uuid_))
                assert error['code'] == 'nova_cyborg.service_token_required'
            assert cloud.count(tables.DeviceAllocation) == allocated
            assert cloud.count(models.ExtArq) == 0


class TestCheck:
    def test_it_tells_what_they_ask_for_and_who_holds_them(
        self, member, nova, boot
    ):
        holder, taken = boot()
        free = member.create_one(required=['FOO'])

        # In the order and in the spelling that it is asked in.
        answer = nova.check(free.upper(), taken).json

        assert answer == {
            'device_contexts': [
                member.show(each).json for each in (free, taken)
            ]
        }
        servers = [each['server_id'] for each in answer['device_contexts']]
        assert servers == [None, holder]

    def test_it_changes_nothing(self, cloud, member, nova, boot, monkeypatch):
        gone, taken = boot(cloud.add_device())
        cloud.nova.delete(gone)
        free = member.create_one()
        # Nova's API waits for the answer, and is not to be asked.
        monkeypatch.setattr(cloud.nova, 'get', None)

        nova.check(free, taken, status=200)

        assert member.status_of(free) == 'available'
        assert member.status_of(taken) == 'bound'

    def test_one_that_is_missing(self, member, nova):
        missing = str(uuid.uuid4())

        error = cyborg.error_of(
            nova.check(member.create_one(), missing, status=404)
        )

        assert error['code'] == 'nova_cyborg.device_context.not_found'
        assert missing in error['detail']

    def test_one_twice(self, member, nova):
        uuid_ = member.create_one()

        error = cyborg.error_of(nova.check(uuid_, uuid_.upper(), status=400))

        assert error['code'] == 'nova_cyborg.device_context.repeated'

    def test_as_many_as_there_may_be(self, member, nova):
        uuids = [member.create_one() for _n in range(64)]

        assert held(nova.check(*uuids)) == uuids
        error = cyborg.error_of(
            nova.check(*uuids, str(uuid.uuid4()), status=400)
        )
        assert error['detail'].endswith('must have at most 64 items.')

    def test_what_is_no_request(self, nova):
        path = '/v2/device_allocations/check'
        for body in (
            {},
            {'device_contexts': []},
            {'device_contexts': ['vm1']},
            {'device_contexts': [SERVER_ID], 'nonesuch': 1},
        ):
            nova.call('post_json', path, body, status=400)
        body = {'device_contexts': [SERVER_ID]}
        nova.call(
            'post_json',
            f'/v2/device_allocations/{SERVER_ID}/check',
            body,
            status=404,
        )


class TestReserve:
    def test_it_tells_what_the_server_holds(self, cloud, member, nova):
        uuids = [
            member.create(
                resources={'FPGA': 1}, required=['FOO'], name=name
            ).json['uuid']
            for name in ('a', 'b')
        ]
        server_id = cloud.nova.boot()

        answer = nova.reserve(server_id, *uuids).json

        assert answer == {
            'server_id': server_id,
            'project_id': cyborg.PROJECT,
            'generation': 0,
            'fault': None,
            'device_contexts': [member.show(each).json for each in uuids],
        }
        assert nova.allocation(server_id).json == answer
        for each in answer['device_contexts']:
            assert each['status'] == 'reserved'
            assert each['server_id'] == server_id
            assert each['groups'][0]['required'] == ['CUSTOM_FOO']

    def test_no_allocation(self, nova):
        for server_id in (SERVER_ID, 'vm1'):
            error = cyborg.error_of(nova.allocation(server_id, status=404))
            assert error['code'] == 'nova_cyborg.device_allocation.not_found'

    def test_again(self, member, nova):
        uuids = [member.create_one() for _n in range(3)]
        first = nova.reserve(SERVER_ID, *uuids).json

        # In another order, and in another spelling.
        again = nova.reserve(
            SERVER_ID.upper(), *[each.upper() for each in reversed(uuids)]
        ).json

        assert again == first

    @pytest.mark.parametrize('number', [1, 3])
    def test_another_set(self, member, nova, number):
        uuids = [member.create_one() for _n in range(3)]
        nova.reserve(SERVER_ID, *uuids[:2])

        error = cyborg.error_of(
            nova.reserve(SERVER_ID, *uuids[:number], status=409)
        )

        assert error['code'] == 'nova_cyborg.device_allocation.mismatch'
        assert held(nova.allocation(SERVER_ID)) == uuids[:2]
        assert member.status_of(uuids[2]) == 'available'

    def test_one_that_is_held_names_its_holder(
        self, cloud, member, nova, boot
    ):
        holder, taken = boot()
        free = [member.create_one(), member.create_one()]

        error = cyborg.error_of(
            nova.reserve(SERVER_ID, free[0], taken, free[1], status=409)
        )

        # All or nothing.
        assert error['code'] == 'nova_cyborg.device_context.in_use'
        assert taken in error['detail']
        assert holder in error['detail']
        assert [member.status_of(each) for each in free] == ['available'] * 2
        assert cloud.count(tables.DeviceAllocation) == 1

    @pytest.mark.parametrize('missing', [str(uuid.uuid4())])
    def test_one_that_is_missing(self, cloud, member, nova, missing):
        free = member.create_one()

        error = cyborg.error_of(
            nova.reserve(SERVER_ID, free, missing, status=404)
        )

        assert error['code'] == 'nova_cyborg.device_context.not_found'
        assert missing in error['detail']
        assert member.status_of(free) == 'available'
        assert cloud.count(tables.DeviceAllocation) == 0

    def test_one_twice(self, cloud, member, nova):
        uuid_ = member.create_one()

        error = cyborg.error_of(
            nova.reserve(SERVER_ID, uuid_, uuid_.upper(), status=400)
        )

        assert error['code'] == 'nova_cyborg.device_context.repeated'
        assert cloud.count(tables.DeviceAllocation) == 0

    def test_none(self, cloud, nova):
        for body in (
            {},
            {'device_contexts': []},
            {'device_contexts': ['vm1']},
            {'device_contexts': [SERVER_ID], 'nonesuch': 1},
        ):
            nova.call(
                'put_json',
                f'/v2/device_allocations/{SERVER_ID}',
                body,
                status=400,
            )
        assert cloud.count(tables.DeviceAllocation) == 0

    def test_a_race_has_one_winner(self, cloud, member):
        for _round in range(10):
            uuid_ = member.create_one()
            own = [member.create_one(), member.create_one()]
            servers = [cloud.nova.boot(), cloud.nova.boot()]
            begin = threading.Barrier(2)
            statuses = [None, None]

            def reserve(
                n,
                begin=begin,
                own=own,
                servers=servers,
                statuses=statuses,
                uuid_=uuid_,
            ):
                caller = cyborg.Caller(
                    webtest.TestApp(cloud.api.app), service=True
                )
                begin.wait(cyborg.PATIENCE)
                response = caller.reserve(
                    servers[n], own[n], uuid_, status='*'
                )
                statuses[n] = response.status_int

            threads = [
                threading.Thread(target=reserve, args=(n,)) for n in (0, 1)
            ]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join(cyborg.PATIENCE)

            assert sorted(statuses) == [200, 409]
            winner = statuses.index(200)
            shown = member.show(uuid_).json
            assert shown['server_id'] == servers[winner]
            assert member.status_of(own[winner]) == 'reserved'
            assert member.status_of(own[1 - winner]) == 'available'


class TestBind:
    def test_the_answer_does_not_wait_for_the_binding(
        self, cloud, member, nova, boot
    ):
        server_id, uuid_ = boot()
        provider = cloud.add_device()

        # While Cyborg is busy, the ARQ is there and the status is told.
        with cloud.held_conductor():
            response = nova.bind(server_id, providers(provider, uuid_))
            assert response.status_int == 202
            assert response.json['generation'] == 0
            (arq,) = response.json['arqs']
            shown = member.show(uuid_).json
            assert shown['status'] == 'binding'
            assert shown['host'] == 'compute1'
            (device,) = shown['devices']
            assert device['arq_id'] == arq
            assert device['resource_provider_id'] == provider
            assert device['slot'] is None
            assert cloud.nova.events == []
            assert cloud.used_slots() == 0

        # Then it is bound, and Nova is told.
        wait_for_status(member, uuid_, 'bound')
        (device,) = member.show(uuid_).json['devices']
        assert device['slot'] == '0000:0c:00.0'
        assert device['attach_handle_type'] == 'PCI'
        assert cloud.used_slots() == 1
        cyborg.wait_for(
            lambda: cloud.nova.outcomes(server_id) == {arq: 'completed'}
        )

    def test_again_while_it_is_binding_and_after(
        self, cloud, member, nova, boot
    ):
        server_id, uuid_ = boot()
        wanted = providers(cloud.add_device(), uuid_)

        with cloud.held_conductor():
            first = nova.bind(server_id, wanted).json
            assert nova.bind(server_id, wanted).json == first
            # Nova does not know that the first call came through.
            assert nova.bind(server_id, wanted, generation=0).json == first
        wait_for_status(member, uuid_, 'bound')
        assert nova.bind(server_id, wanted).json == first

        assert cloud.count(models.ExtArq) == 1
        assert cloud.used_slots() == 1

    def test_each_group_and_each_unit_is_an_arq(self, cloud, member, nova):
        # Two contexts; the first has two groups, one of them of two units.
        groups = [
            {'resources': {'FPGA': 2}},
            {'resources': {'VGPU': 1}},
        ]
        first = member.create(groups=groups).json['uuid']
        second = member.create_one()
        fpga, vgpu, other = (cloud.add_device() for _n in range(3))
        server_id = cloud.nova.boot()
        nova.reserve(server_id, first, second)

        arqs = nova.bind(
            server_id,
            {
                model.requester_id(first, 0): fpga,
                model.requester_id(first, 1): vgpu,
                model.requester_id(second, 0): other,
            },
        ).json['arqs']

        for uuid_ in (first, second):
            wait_for_status(member, uuid_, 'bound')
        placed = [
            (device['group'], device['resource_provider_id'])
            for device in member.show(first).json['devices']
        ]
        assert placed == [(0, fpga), (0, fpga), (1, vgpu)]
        (device,) = member.show(second).json['devices']
        assert device['resource_provider_id'] == other
        slots = [
            device['slot'] for device in member.show(first).json['devices']
        ]
        assert len(set(slots[:2])) == 2
        assert len(set(arqs)) == 4
        assert cloud.used_slots() == 4
        cyborg.wait_for(
            lambda: (
                cloud.nova.outcomes(server_id)
                == dict.fromkeys(arqs, 'completed')
            )
        )

    def test_config_data_reaches_cyborgs_driver(self, cloud, member, nova):
        uuid_ = member.create(
            resources={'FPGA_GZIP': 1},
            required=['HW_GPU_API_VULKAN', 'SOME_FOO'],
            forbidden=['BAR'],
            config={'key1': 'val1', 'function_id': 'zip'},
        ).json['uuid']
        server_id = cloud.nova.boot()
        nova.reserve(server_id, uuid_)

        nova.bind(server_id, providers(cloud.add_device(), uuid_))
        wait_for_status(member, uuid_, 'bound')

        # A standard trait is allowed, which Cyborg's own POST refuses.
        (shown,) = nova.arqs(f'instance={server_id}').json['arqs']
        assert shown['device_profile_name'].startswith(model.PROFILE_PREFIX)
        with cloud.engine.connect() as connection:
            text = connection.scalar(
                sa.select(models.DeviceProfile.profile_json)
            )
        assert json.loads(text) == {
            'groups': [
                {
                    'resources:CUSTOM_FPGA_GZIP': '1',
                    'trait:HW_GPU_API_VULKAN': 'required',
                    'trait:CUSTOM_SOME_FOO': 'required',
                    'trait:CUSTOM_BAR': 'forbidden',
                    'accel:key1': 'val1',
                    'accel:function_id': 'zip',
                }
            ]
        }
        arq = objects.ExtARQ.get(
            cyborg_context.get_admin_context(), shown['uuid']
        )
        assert arq.device_profile_group['accel:key1'] == 'val1'

    def test_a_generation_that_is_past(self, cloud, member, nova, boot):
        server_id, uuid_ = boot(cloud.add_device())
        nova.begin(server_id)

        # Another host, by one who began before.
        error = cyborg.error_of(
            nova.bind(
                server_id,
                providers(cloud.add_device(), uuid_),
                host='compute2',
                generation=0,
                status=409,
            )
        )

        assert error['code'] == (
            'nova_cyborg.device_allocation.stale_generation'
        )
        assert member.show(uuid_).json['host'] == 'compute1'
        assert member.status_of(uuid_) == 'bound'
        assert cloud.used_slots() == 1

    def test_a_generation_to_come(self, cloud, member, nova, boot):
        server_id, uuid_ = boot()

        nova.bind(
            server_id,
            providers(cloud.add_device(), uuid_),
            generation=7,
            status=409,
        )

        assert member.status_of(uuid_) == 'reserved'

    def test_a_provider_is_missing(self, cloud, member, nova):
        uuid_ = member.create(
            groups=[{'resources': {'FPGA': 1}}, {'resources': {'VGPU': 1}}]
        ).json['uuid']
        server_id = cloud.nova.boot()
        nova.reserve(server_id, uuid_)

        error = cyborg.error_of(
            nova.bind(
                server_id, providers(cloud.add_device(), uuid_), status=400
            )
        )

        assert error['code'] == (
            'nova_cyborg.device_allocation.provider_missing'
        )
        assert f'group 1 of device context {uuid_}' in error['detail']
        assert member.status_of(uuid_) == 'reserved'
        assert cloud.count(models.ExtArq) == 0
        assert cloud.count(models.DeviceProfile) == 0

    def test_without_an_allocation(self, cloud, nova):
        nova.bind(
            SERVER_ID, providers(cloud.add_device(), SERVER_ID), status=404
        )

    def test_on_another_host_the_old_slot_is_free_first(
        self, cloud, member, nova, boot
    ):
        # The only slot is the server's own.
        provider = cloud.add_device(slots=1)
        server_id, uuid_ = boot(provider)
        (before,) = member.show(uuid_).json['devices']

        nova.bind(server_id, providers(provider, uuid_), host='compute2')

        wait_for_status(member, uuid_, 'bound')
        shown = member.show(uuid_).json
        (after,) = shown['devices']
        assert shown['host'] == 'compute2'
        assert after['arq_id'] != before['arq_id']
        assert cloud.used_slots() == 1
        assert cloud.count(models.ExtArq) == 1


class TestHiddenProfile:
    def test_it_is_shared_and_ends_with_its_last_user(
        self, cloud, member, nova, stranger
    ):
        # The same request in two projects.
        request = {'resources': {'FPGA': 1}, 'config': {'key1': 'val1'}}
        provider = cloud.add_device()
        nova_for_stranger = cyborg.Caller(
            cloud.api, cyborg.OTHER_PROJECT, service=True
        )
        servers = []
        for caller, caller_nova in (
            (member, nova),
            (stranger, nova_for_stranger),
        ):
            uuid_ = caller.create(**request).json['uuid']
            servers.append(cloud.nova.boot())
            caller_nova.reserve(servers[-1], uuid_)
            caller_nova.bind(servers[-1], providers(provider, uuid_))
            wait_for_status(caller, uuid_, 'bound')

        assert cloud.count(models.DeviceProfile) == 1
        nova.release(servers[0])
        assert cloud.count(models.DeviceProfile) == 1
        nova_for_stranger.unbind(servers[1])
        assert cloud.count(models.DeviceProfile) == 0


class TestUnbind:
    def test_the_slots_are_free_and_the_reservation_stays(
        self, cloud, member, nova, boot
    ):
        server_id, *uuids = boot(cloud.add_device(), contexts=2)

        assert nova.unbind(server_id).status_int == 204

        assert cloud.used_slots() == 0
        assert cloud.count(models.ExtArq) == 0
        assert cloud.count(tables.DeviceContextArq) == 0
        assert held(nova.allocation(server_id)) == uuids
        for uuid_ in uuids:
            shown = member.show(uuid_).json
            assert shown['status'] == 'reserved'
            assert shown['devices'] == []
            assert shown['host'] is None

    def test_a_404_is_not_believed_of_who_sees_one_project(
        self, cloud, member, nova, boot
    ):
        # The server runs; Cyborg's user at Nova is no administrator.
        server_id, uuid_ = boot(cloud.add_device())
        cloud.nova.administrator = False

        nova.release(server_id, status=204)

        assert member.status_of(uuid_) == 'available'

    def test_again_and_for_a_server_without(self, cloud, nova, boot):
        server_id, _uuid = boot(cloud.add_device())

        for _n in range(2):
            nova.unbind(server_id, status=204)
        nova.unbind(SERVER_ID, status=204)

    def test_it_can_be_bound_again(self, cloud, member, nova, boot):
        provider = cloud.add_device(slots=1)
        server_id, uuid_ = boot(provider)

        nova.unbind(server_id)
        nova.bind(server_id, providers(provider, uuid_), generation=1)

        wait_for_status(member, uuid_, 'bound')


class TestRelease:
    # What Nova says of the server, and whether it is gone.
    SERVERS = (
        (None, None, True),
        ('DELETED', None, True),
        ('SOFT_DELETED', None, True),
        ('ACTIVE', 'deleting', True),
        ('ERROR', 'deleting', True),
        ('BUILD', 'scheduling', False),
        ('BUILD', None, False),
        ('ACTIVE', None, False),
        ('ERROR', None, False),
        ('SHELVED_OFFLOADED', None, False),
    )

    @pytest.mark.parametrize('bound', [True, False])
    @pytest.mark.parametrize(('status', 'task', 'gone'), SERVERS)
    def test_whether_the_server_is_gone_decides(
        self, cloud, member, nova, boot, status, task, gone, bound
    ):
        provider = cloud.add_device() if bound else None
        server_id, temporary, kept = boot(provider, contexts=2)
        member.update(kept, delete_on_termination=False)
        if status is None:
            cloud.nova.delete(server_id)
        else:
            cloud.nova.change(server_id, status, task)

        assert nova.release(server_id).status_int == 204

        assert cloud.used_slots() == 0
        assert cloud.count(models.ExtArq) == 0
        assert cloud.count(tables.DeviceContextArq) == 0
        assert cloud.count(models.DeviceProfile) == 0
        nova.allocation(server_id, status=404)
        assert member.status_of(kept) == 'available'
        if gone:
            member.show(temporary, status=404)
        else:
            assert member.status_of(temporary) == 'available'

    @pytest.mark.parametrize('status_code', [401, 403, 500, 503])
    def test_nothing_is_deleted_if_nova_does_not_say(
        self, cloud, member, nova, boot, status_code
    ):
        server_id, uuid_ = boot(cloud.add_device())
        cloud.nova.delete(server_id)
        cloud.nova.status_code = status_code

        nova.release(server_id, status=204)

        assert member.status_of(uuid_) == 'available'
        assert cloud.used_slots() == 0

    def test_again_and_for_a_server_without(self, cloud, nova, boot):
        server_id, _uuid = boot(cloud.add_device())

        for _n in range(2):
            nova.release(server_id, status=204)
        nova.release(SERVER_ID, status=204)
        nova.release('vm1', status=404)

    def test_what_is_kept_is_used_again(self, cloud, member, nova, boot):
        provider = cloud.add_device(slots=1)
        server_id, uuid_ = boot(provider)
        member.update(uuid_, delete_on_termination=False)
        cloud.nova.delete(server_id)
        nova.release(server_id)

        other = cloud.nova.boot()
        nova.reserve(other, uuid_)
        nova.bind(other, providers(provider, uuid_))

        wait_for_status(member, uuid_, 'bound')
        assert member.show(uuid_).json['server_id'] == other

    def test_while_it_is_binding(self, cloud, member, nova, boot):
        server_id, uuid_ = boot()
        with cloud.held_conductor():
            nova.bind(server_id, providers(cloud.add_device(), uuid_))
            nova.release(server_id, status=204)
            assert member.status_of(uuid_) == 'available'
        cloud.drain()

        assert member.status_of(uuid_) == 'available'
        assert cloud.used_slots() == 0
        assert cloud.count(models.ExtArq) == 0


class TestHolderIsGone:
    """Nova does not wait for Cyborg when it deletes a server."""

    @pytest.fixture
    def left(self, cloud, boot):
        """A server that vanished, and its device contexts."""
        server_id, *uuids = boot(cloud.add_device(), contexts=2)
        cloud.nova.delete(server_id)
        return server_id, *uuids

    def test_another_server_gets_what_it_held(self, cloud, member, nova, left):
        gone, asked, other = left
        server_id = cloud.nova.boot()

        answer = nova.reserve(server_id, asked)

        # It was asked for, so it is not deleted with the server.
        assert held(answer) == [asked]
        assert member.status_of(other) == 'available'
        assert cloud.used_slots() == 0
        nova.allocation(gone, status=404)

    def test_what_several_held(self, cloud, member, nova, boot):
        lost = [boot(cloud.add_device()) for _n in range(2)]
        for server_id, _uuid in lost:
            cloud.nova.delete(server_id)
        uuids = [uuid_ for _server, uuid_ in lost]

        assert held(nova.reserve(cloud.nova.boot(), *uuids)) == uuids

    def test_the_project_deletes_what_it_held(self, cloud, member, left):
        _gone, asked, other = left

        member.delete(asked, status=204)

        member.show(asked, status=404)
        assert member.status_of(other) == 'available'
        assert cloud.used_slots() == 0

    def test_another_gets_its_slot(self, cloud, member, nova, boot):
        provider = cloud.add_device(slots=1)
        gone, lost = boot(provider)
        cloud.nova.delete(gone)
        server_id, uuid_ = boot()

        nova.bind(server_id, providers(provider, uuid_))

        wait_for_status(member, uuid_, 'bound')
        member.show(lost, status=404)
        nova.allocation(gone, status=404)
        assert cloud.used_slots() == 1

    def test_its_slot_is_left_while_there_is_another(
        self, cloud, member, nova, boot, monkeypatch
    ):
        provider = cloud.add_device(slots=2)
        gone, lost = boot(provider)
        cloud.nova.delete(gone)
        # Asking costs time.
        monkeypatch.setattr(cloud.nova, 'get', None)

        boot(provider)

        assert member.status_of(lost) == 'bound'
        assert cloud.used_slots() == 2

    @pytest.mark.parametrize('status_code', [200, 503])
    def test_no_slot_is_taken_from_another_server(
        self, cloud, member, nova, boot, status_code
    ):
        provider = cloud.add_device(slots=1)
        _holder, held_ = boot(provider)
        server_id, uuid_ = boot()
        cloud.nova.status_code = status_code

        nova.bind(server_id, providers(provider, uuid_))
        cloud.drain()

        assert member.status_of(held_) == 'bound'
        assert member.status_of(uuid_) == 'error'
        assert cloud.used_slots() == 1

    def test_nova_is_asked_once_if_it_does_not_say(
        self, cloud, member, nova, boot
    ):
        provider = cloud.add_device(slots=2)
        for _n in range(2):
            boot(provider)
        server_id, uuid_ = boot()
        cloud.nova.status_code = 503
        asked = cloud.nova.requests

        nova.bind(server_id, providers(provider, uuid_))
        cloud.drain()

        assert member.status_of(uuid_) == 'error'
        assert cloud.nova.requests == asked + 1

    def test_nova_has_lost_it(self, cloud, member, nova, boot):
        lost, asked = boot()
        cloud.nova.lose(lost)

        nova.reserve(cloud.nova.boot(), asked, status=200)

        nova.allocation(lost, status=404)

    def test_nova_hides_it_and_lists_it(self, cloud, member, nova, boot):
        holder, asked = boot()
        cloud.nova.administrator = False
        cloud.nova.may_list = True

        nova.reserve(cloud.nova.boot(), asked, status=409)

        assert held(nova.allocation(holder)) == [asked]

    @pytest.mark.parametrize('status_code', [401, 503])
    def test_nothing_is_taken_if_nova_does_not_say(
        self, cloud, member, nova, left, status_code
    ):
        _gone, asked, _other = left
        cloud.nova.status_code = status_code

        nova.reserve(cloud.nova.boot(), asked, status=409)
        member.delete(asked, status=409)

        assert member.status_of(asked) == 'bound'
        assert cloud.used_slots() == 2

    @pytest.mark.parametrize('how', ['hidden', 'soft-deleted', 'deleting'])
    def test_nothing_is_taken_from_a_server_that_is_there(
        self, cloud, member, nova, boot, how
    ):
        holder, asked = boot(cloud.add_device())
        if how == 'hidden':
            cloud.nova.administrator = False
        elif how == 'soft-deleted':
            cloud.nova.change(holder, 'SOFT_DELETED')
        else:
            cloud.nova.change(holder, 'ACTIVE', 'deleting')

        nova.reserve(cloud.nova.boot(), asked, status=409)
        member.delete(asked, status=409)

        assert member.status_of(asked) == 'bound'
        assert cloud.used_slots() == 1

    def test_a_stranger_does_not_set_it_off(
        self, cloud, member, stranger, left
    ):
        _gone, asked, _other = left

        stranger.delete(asked, status=404)

        assert member.status_of(asked) == 'bound'

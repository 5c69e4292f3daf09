# SPDX-License-Identifier: Apache-2.0

"""Device allocations: binding, and the profile that it is done with.

Bindings that fail are in test_binding_faults.
"""

import concurrent.futures
import json
import threading
import uuid

import pytest
import sqlalchemy as sa
from cyborg import context as cyborg_context
from cyborg import objects
from cyborg.db.sqlalchemy import models

from nova_cyborg import model
from tests.functional.api import cyborg
from tests.functional.api.conftest import providers, wait_for_status

SERVER_ID = str(uuid.uuid4())


class TestBind:
    def test_the_answer_does_not_wait_for_the_binding(
        self, cloud, member, nova, boot
    ):
        server_id, uuid_ = boot()
        provider = cloud.add_device()

        # While Cyborg is busy, the ARQ is there and the status is told.
        with cloud.held_bindings():
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

    def test_an_address_is_bound_at_once(self, cloud, member, nova, boot):
        server_id, uuid_ = boot()
        wanted = providers(cloud.add_device(), uuid_)
        with cloud.transactions() as written:
            (arq,) = nova.bind(server_id, wanted).json['arqs']

        # No call of Cyborg's conductor, and no word to Nova.
        assert cloud.bindings_begun() == 0
        assert cloud.nova.events == []
        assert written == ['COMMIT']
        (shown,) = nova.arqs(f'instance={server_id}&bind_state=resolved').json[
            'arqs'
        ]
        assert (shown['uuid'], shown['state']) == (arq, 'Bound')
        assert member.status_of(uuid_) == 'bound'
        assert cloud.used_slots() == 1

    @pytest.mark.parametrize(
        ('config', 'attach_type'),
        [
            ({}, 'MDEV'),
            ({'bitstream_id': str(uuid.uuid4())}, 'PCI'),
            ({'function_id': 'zip'}, 'PCI'),
        ],
    )
    def test_what_is_made_or_programmed_is_left_to_the_conductor(
        self, cloud, member, nova, config, attach_type
    ):
        uuid_ = member.create_one(config=config)
        plain = member.create_one(config={'key1': 'val1'})
        server_id = cloud.nova.boot()
        nova.reserve(server_id, uuid_, plain)
        device = cloud.add_device(attach_type=attach_type)

        # All of a server, so that none is bound without the others.
        nova.bind(
            server_id,
            providers(device, uuid_) | providers(cloud.add_device(), plain),
        )

        assert cloud.bindings_begun() == 1
        cloud.drain()

    def test_of_one_slot_under_several_rows_one_is_given(
        self, cloud, member, nova, boot
    ):
        number = 6
        start = threading.Barrier(number)

        def bind(row, server):
            server_id, uuid_ = server
            start.wait(cyborg.PATIENCE)
            nova.bind(server_id, providers(row, uuid_), generation=0)

        for place in range(4):
            servers = [boot() for _n in range(number)]
            address = f'0000:f{place}:00.0'
            rows = [cloud.database.add_device([address]) for _ in servers]

            with concurrent.futures.ThreadPoolExecutor(number) as executor:
                list(executor.map(bind, rows, servers))
            cloud.drain()

            statuses = [member.status_of(uuid_) for _server, uuid_ in servers]
            assert sorted(statuses) == ['bound', *['error'] * (number - 1)]
            assert cloud.used_slots() == 1
            for server_id, _uuid in servers:
                nova.release(server_id)

    def test_again_while_it_is_binding_and_after(
        self, cloud, member, nova, boot
    ):
        server_id, uuid_ = boot()
        wanted = providers(cloud.add_device(), uuid_)

        with cloud.held_bindings():
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

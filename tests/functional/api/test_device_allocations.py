# SPDX-License-Identifier: Apache-2.0

"""Device allocations: what Nova does on a server's way to its host and back.

Check, reserve, unbind, release. Binding is in test_binding, and what servers
that are gone have left in test_holder_is_gone.
"""

import threading
import types
import uuid

import pytest
import sqlalchemy as sa
import webtest
from cyborg.db.sqlalchemy import models

from nova_cyborg.db import tables
from tests.functional import databases
from tests.functional.api import cyborg
from tests.functional.api.conftest import held, providers, wait_for_status

SERVER_ID = str(uuid.uuid4())


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
                member.show_but_tags(each) for each in (free, taken)
            ],
            # There is no device.
            'combinations': {'plain': 0, 'pruned': 0},
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

    def test_two_of_one_tag(self, member, nova):
        uuids = [member.create_one(tag='gzip') for _n in range(2)]

        error = cyborg.error_of(nova.check(*uuids, status=409))

        assert error['code'] == 'nova_cyborg.device_context.tag_in_use'
        assert nova.check(uuids[0])

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

        # There is no device. It is told to who reserves.
        assert answer.pop('combinations') == {'plain': 0, 'pruned': 0}
        assert answer.pop('taints') == []
        assert answer == {
            'server_id': server_id,
            'project_id': cyborg.PROJECT,
            'generation': 0,
            'fault': None,
            'device_contexts': [member.show_but_tags(each) for each in uuids],
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

    @pytest.mark.parametrize('missing', [cyborg.UNKNOWN])
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

    def test_the_winner_is_not_in_sight_yet(
        self, cloud, member, nova, boot, monkeypatch
    ):
        """A snapshot of the database can be older than what an UPDATE sees."""
        uuid_ = member.create_one()
        winner, loser = cloud.nova.boot(), cloud.nova.boot()
        with databases.unchecked(cloud.engine) as connection:
            connection.execute(
                sa.update(tables.DeviceContext).values(allocation_id=4711)
            )

        def catch_up(_seconds):
            with cloud.engine.begin() as connection:
                connection.execute(
                    sa.insert(tables.DeviceAllocation).values(
                        id=4711,
                        server_id=winner,
                        project_id='p1',
                        caller=cyborg.CALLER,
                    )
                )

        clock = types.SimpleNamespace(sleep=catch_up)
        monkeypatch.setattr('oslo_db.api.time', clock)
        error = cyborg.error_of(nova.reserve(loser, uuid_, status=409))

        assert f'in use by server {winner}' in error['detail']


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

    def test_two_at_once(self, cloud, member, nova, boot):
        """What is unbound by one, and bound to another server, stays so."""
        provider = cloud.add_device(slots=1)
        server_id, uuid_ = boot(provider)
        (device,) = member.show(uuid_).json['devices']
        others = []

        def unbind_and_boot():
            nova.post(
                f'/v2/device_allocations/{server_id}/unbind',
                {'arqs': [device['arq_id']]},
                status=204,
            )
            others.append(boot(provider)[1])

        with cloud.before('UPDATE extended_accelerator_req', unbind_and_boot):
            nova.unbind(server_id, generation=0, status=204)

        assert member.status_of(others[0]) == 'bound'
        assert cloud.used_slots() == 1

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
        with cloud.held_bindings():
            nova.bind(server_id, providers(cloud.add_device(), uuid_))
            nova.release(server_id, status=204)
            assert member.status_of(uuid_) == 'available'
        cloud.drain()

        assert member.status_of(uuid_) == 'available'
        assert cloud.used_slots() == 0
        assert cloud.count(models.ExtArq) == 0

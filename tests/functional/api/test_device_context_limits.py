# SPDX-License-Identifier: Apache-2.0

"""How much a project may have, by what is registered in Keystone."""

import concurrent.futures
import logging

import oslo_limit.limit
import pytest

from nova_cyborg.db import tables
from nova_cyborg.lifecycle.limits import keystone as reader
from tests.functional.api import cyborg
from tests.functional.api import keystone as keystone_lib
from tests.functional.api.conftest import providers

PATH = '/v2/device_context_limits'
FPGA = 'class:FPGA'
MODEL = '/v3/limits/model'
REGISTERED = '/v3/registered_limits'
OF_PROJECT = '/v3/limits'
AT_ONCE = 8


@pytest.fixture
def keystone(cloud, monkeypatch):
    """Keystone, which cyborg-api asks for limits."""
    stand_in = keystone_lib.Keystone()
    cloud.addCleanup(stand_in.stop)
    monkeypatch.setattr(oslo_limit.limit, '_SDK_CONNECTION', None)
    monkeypatch.setattr(reader, '_log', reader._Log())
    cloud.config.config(group='nova_cyborg', enforce_limits=True)
    cloud.config.config(
        group='oslo_limit',
        auth_type='none',
        endpoint_override=stand_in.url,
        endpoint_id=keystone_lib.ENDPOINT,
    )
    return stand_in


@pytest.fixture
def attach(cloud, nova):
    """Begins to attach a device context to a server."""

    def _attach(server_id, uuid, status=200, project=cyborg.PROJECT):
        body = {
            'device_context': uuid,
            'caller': cyborg.CALLER,
            'project_id': project,
        }
        path = f'/v2/device_allocations/{server_id}/attach'
        return nova.post(path, body, status=status)

    return _attach


def limits(caller, query=''):
    """Return limit and use by resource, in order."""
    found = caller.get(PATH + query).json['device_context_limits']
    return {
        each['resource_name']: (each['limit'], each['used']) for each in found
    }


def fpgas(amount):
    return {'resources': {'FPGA': amount}}


class TestDeviceContexts:
    def test_no_more_than_the_limit(self, keystone, member, stranger):
        keystone.registered['device_contexts'] = 2
        for _n in range(2):
            member.create_one()

        error = cyborg.error_of(member.create(**fpgas(1), status=403))

        assert error['code'] == 'nova_cyborg.limit_reached'
        assert error['detail'] == (
            'The project may have 2 of device_contexts and has 2; 1 more '
            'would be too many. Detach or delete device contexts, or ask for '
            'a higher limit. See "openstack accelerator device context '
            'limits".'
        )
        stranger.create_one()

    def test_a_limit_of_the_project(self, keystone, member, stranger):
        keystone.registered['device_contexts'] = 0
        keystone.limits[cyborg.PROJECT, 'device_contexts'] = 1

        member.create_one()

        member.create(**fpgas(1), status=403)
        stranger.create(**fpgas(1), status=403)

    def test_what_is_deleted_makes_room(self, keystone, member):
        keystone.registered['device_contexts'] = 1
        uuid = member.create_one()
        member.delete(uuid, status=204)

        member.create_one()

    @pytest.mark.parametrize(
        'registered', [{}, {'device_contexts': -1}, {FPGA: 0}, {'other': 0}]
    )
    def test_what_is_not_limited(self, keystone, member, registered):
        keystone.registered = registered

        for _n in range(3):
            member.create_one()

    def test_the_option_holds_besides(self, cloud, keystone, member):
        keystone.registered['device_contexts'] = 5
        cloud.config.config(group='nova_cyborg', max_contexts_per_project=1)
        member.create_one()

        error = cyborg.error_of(member.create(**fpgas(1), status=403))

        assert error['code'] == 'nova_cyborg.device_context.over_quota'

    def test_another_is_stored_meanwhile(
        self, cloud, keystone, member, stranger
    ):
        keystone.registered['device_contexts'] = 1
        other = member.of(cloud.api)

        with cloud.before('UPDATE project_locks', other.create_one):
            error = cyborg.error_of(member.create(**fpgas(1), status=403))

        assert error['code'] == 'nova_cyborg.limit_reached'
        assert 'may have 1 of device_contexts and has 1;' in error['detail']
        assert cloud.count(tables.DeviceContext) == 1


class TestAccelerators:
    def test_a_server_gets_no_more_than_the_limit(
        self, cloud, keystone, member, nova
    ):
        keystone.registered[FPGA] = 4
        first = member.create_one(**fpgas(3))
        groups = [fpgas(1), {'resources': {'FPGA': 1, 'VGPU': 1}}]
        second = member.create(groups=groups).json['uuid']
        nova.reserve(cloud.nova.boot(), first, status=200)

        for call in (
            lambda: nova.check(second, status=403),
            lambda: nova.reserve(cloud.nova.boot(), second, status=403),
        ):
            error = cyborg.error_of(call())
            assert error['code'] == 'nova_cyborg.limit_reached'
            assert error['detail'].startswith(
                'The project may have 4 of class:FPGA and has 3; 2 more '
                'would be too many.'
            )
        assert cloud.count(tables.DeviceAllocation) == 1
        assert member.status_of(second) == 'available'

    def test_the_dearest_alternative_counts(
        self, cloud, keystone, member, nova
    ):
        keystone.registered[FPGA] = 3
        alternatives = [{'resources': {'VGPU': 1}}, fpgas(2), fpgas(1)]
        uuid = member.create(groups=[{'first_available': alternatives}]).json[
            'uuid'
        ]
        server_id = cloud.nova.boot()

        nova.reserve(server_id, uuid, status=200)
        vgpu = cloud.add_device(resource_class='VGPU')
        nova.bind(server_id, providers(vgpu, uuid), status=202)

        # Any may be chosen the next time.
        assert limits(member)[FPGA] == (3, 2)
        nova.check(member.create_one(**fpgas(2)), status=403)
        nova.check(member.create_one(**fpgas(1)), status=200)

    def test_what_is_not_held_is_not_counted(self, keystone, member, nova):
        keystone.registered[FPGA] = 1

        uuids = [member.create_one(**fpgas(1)) for _n in range(3)]

        assert limits(member)[FPGA] == (1, 0)
        nova.check(uuids[0], status=200)

    def test_several_of_a_server_together(self, cloud, keystone, member, nova):
        keystone.registered[FPGA] = 3
        uuids = [member.create_one(**fpgas(2)) for _n in range(2)]

        nova.check(*uuids, status=403)
        nova.reserve(cloud.nova.boot(), *uuids, status=403)

    def test_it_is_reserved_again(self, cloud, keystone, member, nova):
        keystone.registered[FPGA] = 1
        uuid = member.create_one(**fpgas(1))
        server_id = cloud.nova.boot()
        nova.reserve(server_id, uuid, status=200)
        keystone.registered[FPGA] = 0

        nova.reserve(server_id, uuid, status=200)

    def test_what_is_released_makes_room(self, cloud, keystone, member, nova):
        keystone.registered[FPGA] = 1
        first, second = [member.create_one(**fpgas(1)) for _n in range(2)]
        server_id = cloud.nova.boot()
        nova.reserve(server_id, first, status=200)
        nova.release(server_id, '?terminated=true', status=204)

        nova.reserve(cloud.nova.boot(), second, status=200)

        assert limits(member)[FPGA] == (1, 1)
        # Nothing is left of the one that was deleted with its server.
        assert cloud.count(tables.DeviceContextAmount) == 1

    def test_what_is_attached(
        self, cloud, keystone, member, boot, attach, nova
    ):
        server_id, _uuid = boot(**fpgas(1))
        keystone.registered[FPGA] = 2
        second, third = [member.create_one(**fpgas(1)) for _n in range(2)]

        attach(server_id, second)
        error = cyborg.error_of(attach(server_id, third, status=403))

        assert 'may have 2 of class:FPGA and has 2;' in error['detail']
        assert member.status_of(third) == 'available'
        # Its answer was lost, and it is called again.
        attach(server_id, second)

    def test_those_that_servers_have_from_before(
        self, cloud, member, boot, keystone, nova
    ):
        cloud.config.config(group='nova_cyborg', enforce_limits=False)
        for _n in range(3):
            boot(**fpgas(2))
        assert cloud.count(tables.DeviceContextAmount) == 0
        cloud.config.config(group='nova_cyborg', enforce_limits=True)
        keystone.registered[FPGA] = 7

        nova.check(member.create_one(**fpgas(2)), status=403)
        nova.check(member.create_one(**fpgas(1)), status=200)

        assert limits(member)[FPGA] == (7, 6)

    def test_those_of_many_servers_from_before(
        self, monkeypatch, member, boot, keystone
    ):
        monkeypatch.setattr('nova_cyborg.db.limits.usage._BATCH', 2)
        for _n in range(5):
            boot(**fpgas(2))

        assert limits(member)[FPGA] == (-1, 10)

    def test_of_another_project(self, cloud, keystone, member, stranger):
        keystone.registered[FPGA] = 1
        other = cyborg.Caller(cloud.api, cyborg.OTHER_PROJECT, service=True)
        mine = cyborg.Caller(cloud.api, service=True)

        other.reserve(
            cloud.nova.boot(), stranger.create_one(**fpgas(1)), status=200
        )
        mine.reserve(
            cloud.nova.boot(), member.create_one(**fpgas(1)), status=200
        )

    def test_at_once(self, cloud, keystone, member, nova):
        keystone.registered[FPGA] = 3
        uuids = [member.create_one(**fpgas(1)) for _n in range(AT_ONCE)]

        def reserve(uuid):
            answer = nova.reserve(cloud.nova.boot(), uuid, status='*')
            return answer.status_int

        with concurrent.futures.ThreadPoolExecutor(AT_ONCE) as executor:
            found = sorted(executor.map(reserve, uuids))

        assert found == [200] * 3 + [403] * (AT_ONCE - 3)
        assert limits(member)[FPGA] == (3, 3)


class TestKeystone:
    def test_it_is_not_asked_unless_limits_are_enforced(
        self, cloud, keystone, member, boot
    ):
        cloud.config.config(group='nova_cyborg', enforce_limits=False)
        keystone.registered = {'device_contexts': 0, FPGA: 0}

        boot(**fpgas(1))

        assert limits(member) == {'device_contexts': (1000, 1), FPGA: (-1, 1)}
        assert keystone.calls == []

    def test_how_often_it_is_asked(self, cloud, keystone, member, nova, boot):
        keystone.registered = {
            'device_contexts': 100,
            **{f'class:CUSTOM_{n}': 100 for n in range(8)},
        }
        body = {'resources': {f'CUSTOM_{n}': 1 for n in range(8)}}
        uuid = member.create_one(**body)
        once = [MODEL, REGISTERED, OF_PROJECT]
        assert keystone.asked() == once

        nova.check(uuid, status=200)
        assert keystone.asked() == once
        nova.reserve(cloud.nova.boot(), uuid, status=200)
        assert keystone.asked() == once
        boot()
        keystone.calls.clear()
        limits(member)
        assert keystone.asked() == once

    def test_nothing_is_registered(self, keystone, member):
        member.create_one()

        assert keystone.asked() == [MODEL, REGISTERED]

    def test_it_is_down(self, cloud, keystone, member, nova, caplog):
        keystone.registered = {'device_contexts': 10}
        uuid = member.create_one()
        keystone.status = '503 Service Unavailable'
        caplog.set_level(logging.INFO, logger=reader.__name__)

        for call in (
            lambda: member.create(**fpgas(1), status=503),
            lambda: nova.check(uuid, status=503),
            lambda: nova.reserve(cloud.nova.boot(), uuid, status=503),
            lambda: member.get(PATH, status=503),
        ):
            error = cyborg.error_of(call())
            assert error['code'] == 'nova_cyborg.limits_unknown'
            assert 'Keystone does not say' in error['detail']
        (record,) = [each for each in caplog.records if each.levelno > 20]
        assert 'cannot be read from Keystone: ' in record.getMessage()
        assert cloud.count(tables.DeviceContext) == 1
        assert member.status_of(uuid) == 'available'

        keystone.status = '200 OK'
        member.create_one()
        assert 'can be read again' in caplog.text

    def test_nobody_listens(self, keystone, member):
        keystone.stop()

        error = cyborg.error_of(member.create(**fpgas(1), status=503))

        assert error['code'] == 'nova_cyborg.limits_unknown'

    @pytest.mark.parametrize('model', ['strict-two-level', 'nonesuch'])
    def test_a_model_that_oslo_limit_does_not_have(
        self, keystone, member, model
    ):
        keystone.registered['device_contexts'] = 10
        keystone.model = model

        member.create(**fpgas(1), status=503)

    def test_an_endpoint_that_is_not_there(self, cloud, keystone, member):
        cloud.config.config(
            group='oslo_limit', endpoint_id=None, endpoint_service_type=None
        )

        member.create(**fpgas(1), status=503)


class TestList:
    def test_limit_and_use(self, keystone, member, boot):
        keystone.registered = {
            'device_contexts': 5,
            'class:VGPU': 2,
            FPGA: 4,
            'servers': 9,
        }
        keystone.limits[cyborg.PROJECT, FPGA] = 8
        boot(**fpgas(3))
        boot(resources={'CUSTOM_QAT': 1})
        member.create_one()

        found = limits(member)

        assert list(found.items()) == [
            ('device_contexts', (5, 3)),
            ('class:CUSTOM_QAT', (-1, 1)),
            (FPGA, (8, 3)),
            ('class:VGPU', (2, 0)),
        ]

    def test_the_smaller_one_holds(self, cloud, keystone, member):
        keystone.registered = {'device_contexts': 5000}
        assert limits(member)['device_contexts'] == (1000, 0)
        cloud.config.config(group='nova_cyborg', max_contexts_per_project=-1)
        assert limits(member)['device_contexts'] == (5000, 0)
        keystone.registered = {}
        assert limits(member)['device_contexts'] == (-1, 0)

    def test_of_another_project(self, keystone, member, admin, boot):
        keystone.limits[cyborg.PROJECT, 'device_contexts'] = 7
        keystone.registered['device_contexts'] = 5
        boot(**fpgas(1))
        query = f'?project_id={cyborg.PROJECT}'

        assert limits(admin)['device_contexts'] == (5, 0)
        assert limits(admin, query) == {
            'device_contexts': (7, 1),
            FPGA: (-1, 1),
        }
        assert limits(member, query) == limits(admin, query)

    @pytest.mark.parametrize(
        'query', ['?project_id=', '?all_projects=1', '?project_id=%0a']
    )
    def test_bad_queries(self, member, query):
        member.get(f'{PATH}{query}', status=400)


class TestReading:
    """Who reads limits changes nothing, and waits for nobody."""

    def transactions(self, cloud, call):
        with cloud.transactions() as ended:
            call()
        return ended

    def test_nothing_is_written(self, cloud, keystone, member, boot):
        keystone.registered[FPGA] = 9
        boot(**fpgas(2))

        ended = self.transactions(cloud, lambda: limits(member))

        assert ended == []
        assert limits(member)[FPGA] == (9, 2)

    def test_of_a_project_that_there_is_not(self, cloud, keystone, admin):
        query = '?project_id=nonesuch'

        ended = self.transactions(cloud, lambda: limits(admin, query))

        assert ended == []
        assert cloud.count(tables.ProjectLock) == 0

    def test_of_what_is_not_written_down(self, cloud, member, boot):
        boot(**fpgas(2))

        ended = self.transactions(cloud, lambda: limits(member))

        assert ended == []
        assert limits(member)[FPGA] == (-1, 2)
        assert cloud.count(tables.DeviceContextAmount) == 0

    def test_nor_before_a_server_is_made(self, cloud, keystone, member, nova):
        keystone.registered[FPGA] = 9
        uuid = member.create_one(**fpgas(1))

        ended = self.transactions(cloud, lambda: nova.check(uuid, status=200))

        assert ended == []


class TestCost:
    def statements(self, cloud, call):
        with cloud.statements() as sent:
            call()
        return len(sent)

    def test_it_does_not_grow(self, cloud, keystone, member, nova, boot):
        keystone.registered = {'device_contexts': 100, FPGA: 100}

        def measure():
            uuid = member.create_one(**fpgas(1))
            server_id = cloud.nova.boot()
            return [
                self.statements(cloud, call)
                for call in (
                    lambda: member.create_one(**fpgas(1)),
                    lambda: limits(member),
                    lambda: nova.check(uuid, status=200),
                    lambda: nova.reserve(server_id, uuid, status=200),
                )
            ]

        # The first makes the row that others wait for.
        boot(**fpgas(1))
        measure()
        before = measure()
        for _n in range(12):
            boot(**fpgas(1))
        limits(member)

        assert measure() == before

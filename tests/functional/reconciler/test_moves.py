# SPDX-License-Identifier: Apache-2.0

"""Allocations of servers whose moves were interrupted, in a real Placement.

While a server is moved, Nova allocates what it has on its host to the
migration, and what it is to have on the other one to the server.
"""

import dataclasses
import uuid

import pytest
import requests
from cyborg.common import placement_client
from placement.tests.functional.fixtures import placement as placement_lib

from nova_cyborg.fixture import nova_api
from nova_cyborg.lifecycle import heal
from nova_cyborg.lifecycle import nova as nova_module
from nova_cyborg.lifecycle import placement as placement_module
from tests.functional.api.conftest import providers
from tests.functional.reconciler.test_holders import put

SOURCE, DESTINATION = 'compute1', 'compute2'
#: What a host and a device have, of which some is free.
INVENTORIES = {'VCPU': 8, 'FPGA': 2}


class Placement:
    """A real one, as Cyborg's client reaches it."""

    def __init__(self, endpoint):
        self._endpoint = endpoint

    def get(self, url, version):
        return self._ask('GET', url, version)

    def put(self, url, body, version):
        return self._ask('PUT', url, version, body)

    def post(self, url, body, version):
        return self._ask('POST', url, version, body)

    def delete(self, url):
        return self._ask('DELETE', url, '1.28')

    def _ask(self, method, url, version, body=None):
        headers = {
            'X-Auth-Token': 'admin',
            'OpenStack-API-Version': f'placement {version}',
        }
        return requests.request(
            method,
            self._endpoint + url,
            json=body,
            headers=headers,
            timeout=10,
        )

    def add(self, name, resource_class, provider=None, parent=None):
        """Make a resource provider; returns its UUID."""
        provider = provider or str(uuid.uuid4())
        body = {'name': name, 'uuid': provider}
        if parent:
            body['parent_provider_uuid'] = parent
        _done(self.post('/resource_providers', body, '1.28'))
        inventory = {'total': INVENTORIES[resource_class]}
        body = {
            'resource_provider_generation': 0,
            'inventories': {resource_class: inventory},
        }
        url = f'/resource_providers/{provider}/inventories'
        _done(self.put(url, body, '1.28'))
        return provider

    def allocate(self, consumer, amounts):
        """Make all allocations of a consumer, by class by provider."""
        body = {
            'allocations': {
                provider: {'resources': resources}
                for provider, resources in amounts.items()
            },
            'project_id': 'project',
            'user_id': 'user',
            'consumer_generation': None,
        }
        _done(self.put(f'/allocations/{consumer}', body, '1.28'))

    def of(self, consumer):
        """Return all allocations of a consumer, by class by provider."""
        found = _done(self.get(f'/allocations/{consumer}', '1.28')).json()
        return {
            provider: allocation['resources']
            for provider, allocation in found['allocations'].items()
        }

    def used(self, provider):
        """Return how much of a provider is allocated, by class."""
        url = f'/resource_providers/{provider}/usages'
        return _done(self.get(url, '1.28')).json()['usages']


def _done(response):
    assert response.ok, response.text
    return response


@pytest.fixture
def placement(monkeypatch):
    with placement_lib.PlacementFixture() as fixture:
        found = Placement(fixture.endpoint)
        monkeypatch.setattr(placement_client, 'PlacementClient', lambda: found)
        yield found


@dataclasses.dataclass
class Host:
    """A host with a device.

    :ivar root: UUID of its resource provider.
    :ivar device: UUID of that of the device.
    """

    root: str
    device: str

    def amounts(self, cpus=1):
        """Return what a server has there."""
        return {self.root: {'VCPU': cpus}, self.device: {'FPGA': 1}}


@pytest.fixture
def hosts(cloud, placement):
    """The host that a server is on, and another one."""
    found = []
    for name in (SOURCE, DESTINATION):
        root = placement.add(name, 'VCPU')
        device = cloud.add_device(host=name)
        placement.add(f'{name}_device', 'FPGA', device, root)
        found.append(Host(root, device))
    return found


@pytest.fixture
def server_id(cloud, hosts, boot):
    """A server that uses the device of its host."""
    found, _context_id = boot(hosts[0].device)
    cloud.nova.change(found, 'ACTIVE')
    put(cloud, found, SOURCE)
    return found


@pytest.fixture
def migration_id(cloud, server_id):
    """A migration of it, of which nothing becomes any more."""
    found = str(uuid.uuid4())
    cloud.nova.migrations[server_id] = [
        {'uuid': found, 'status': 'error', 'migration_type': 'live-migration'}
    ]
    return found


@pytest.fixture
def interrupted(hosts, server_id, migration_id, placement):
    """What the migration has, and the server."""
    placement.allocate(migration_id, hosts[0].amounts())
    placement.allocate(server_id, hosts[1].amounts())


def assert_counted_once(placement, host):
    assert placement.used(host.root) == {'VCPU': 1}
    assert placement.used(host.device) == {'FPGA': 1}


def assert_has_what_it_had(placement, hosts, server_id, migration_id):
    assert placement.of(server_id) == hosts[0].amounts()
    assert placement.of(migration_id) == {}
    assert_counted_once(placement, hosts[0])
    assert placement.used(hosts[1].root) == {'VCPU': 0}
    assert placement.used(hosts[1].device) == {'FPGA': 0}


@pytest.mark.usefixtures('interrupted')
@pytest.mark.parametrize('status', ['ACTIVE', 'ERROR'])
def test_what_the_migration_has_is_not_allocated_again(
    cloud, reconciler, hosts, server_id, migration_id, placement, clock, status
):
    """An administrator resets the server, and it has what it had."""
    cloud.nova.servers[server_id]['status'] = status
    for _n in range(8):
        reconciler.tick()
        assert_counted_once(placement, hosts[0])
        assert placement.of(migration_id) == hosts[0].amounts()

    # Nova is not asked each time whether it is over.
    clock(heal.MOVE_ENDS_WITHIN)
    cloud.nova.servers[server_id]['status'] = 'ACTIVE'
    reconciler.tick(4)
    clock(heal.MOVE_ENDS_WITHIN)
    reconciler.tick(4)

    assert_has_what_it_had(placement, hosts, server_id, migration_id)


@pytest.mark.usefixtures('interrupted')
def test_a_guest_that_may_be_on_either_host(
    cloud, reconciler, hosts, server_id, migration_id, placement, clock
):
    """The server is in error: nothing of the move is given up."""
    cloud.nova.servers[server_id]['status'] = 'ERROR'

    for _n in range(4):
        reconciler.tick(4)
        clock(heal.MOVE_ENDS_WITHIN)

    assert placement.of(server_id) == hosts[1].amounts()
    assert placement.of(migration_id) == hosts[0].amounts()


def test_of_which_the_server_has_a_part(
    reconciler, hosts, server_id, migration_id, placement, clock
):
    """As if its device had been allocated to it besides."""
    placement.allocate(migration_id, hosts[0].amounts())
    placement.allocate(
        server_id,
        {**hosts[1].amounts(), hosts[0].device: {'FPGA': 1}},
    )

    reconciler.tick(4)
    clock(heal.MOVE_ENDS_WITHIN)
    reconciler.tick(6)

    assert_has_what_it_had(placement, hosts, server_id, migration_id)


def test_a_resize_on_one_host(
    reconciler, hosts, server_id, migration_id, placement, clock
):
    """The server has what the new flavor asks for."""
    placement.allocate(migration_id, hosts[0].amounts())
    placement.allocate(server_id, hosts[0].amounts(cpus=2))

    reconciler.tick(4)
    clock(heal.MOVE_ENDS_WITHIN)
    reconciler.tick(4)

    assert placement.of(server_id) == hosts[0].amounts(cpus=2)
    assert placement.of(migration_id) == {}


@pytest.mark.usefixtures('migration_id')
@pytest.mark.parametrize('says', [True, False])
def test_a_migration_that_has_nothing(
    cloud, reconciler, hosts, server_id, placement, monkeypatch, says
):
    """Its device is missing in Placement for another reason."""
    before = {hosts[0].root: {'VCPU': 1}}
    placement.allocate(server_id, before)
    if not says:
        monkeypatch.setattr(
            cloud.nova,
            '_list_migrations',
            lambda _query: nova_api.Response(403, {}),
        )

    reconciler.tick(6)

    wanted = hosts[0].amounts() if says else before
    assert placement.of(server_id) == wanted


@pytest.mark.usefixtures('placement')
def test_devices_on_another_host(cloud, hosts, server_id, nova):
    """Nova may not say of which migration they are."""
    (held,) = nova.allocation(server_id).json['device_contexts']
    migration_id = str(uuid.uuid4())
    cloud.nova.change(server_id, 'MIGRATING', 'migrating')
    nova.begin(server_id, migration_id)
    nova.bind(
        server_id,
        providers(hosts[1].device, held['uuid']),
        host=DESTINATION,
        migration=migration_id,
    )
    cloud.drain()

    def is_moving():
        return heal.is_moving(
            placement_module.Placement(), nova_module.Nova(), server_id
        )

    assert is_moving()
    nova.of_migration(server_id, 'unbind', migration_id, status=204)
    assert not is_moving()

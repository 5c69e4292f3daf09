# SPDX-License-Identifier: Apache-2.0

"""A cloud for a test, and those who call it."""

from tests.functional.api import cyborg  # isort: skip - first

import pytest
from cyborg.common import placement_client

from nova_cyborg import model
from tests.functional.api import placement as placement_lib

# A device profile that stock Nova asks for.
# A device of mediated devices; see Cloud.add_device.
MEDIATED = {'attach_type': 'MDEV'}
PROFILE = {'name': 'afaas_example', 'groups': [{'resources:FPGA': '1'}]}


@pytest.fixture
def cloud():
    with cyborg.CyborgFixture() as fixture:
        yield fixture


@pytest.fixture
def member(cloud):
    """A member of the project."""
    return cyborg.Caller(cloud.api)


@pytest.fixture
def stranger(cloud):
    """A member of another project."""
    return cyborg.Caller(cloud.api, cyborg.OTHER_PROJECT)


@pytest.fixture
def admin(cloud):
    """An administrator, in yet another project."""
    return cyborg.Caller(
        cloud.api, 'a' * 32, roles=('admin', 'member', 'reader')
    )


@pytest.fixture
def nova(cloud):
    """Nova, on behalf of a member of the project."""
    return cyborg.Caller(cloud.api, service=True)


@pytest.fixture
def placement(monkeypatch):
    """What Placement is told of devices."""
    stand_in = placement_lib.Placement()
    monkeypatch.setattr(placement_client, 'PlacementClient', lambda: stand_in)
    return stand_in


@pytest.fixture
def boot(cloud, member, nova):
    """Has a server hold, and if a provider is given use, device contexts.

    Returns the server's UUID, and those of the device contexts.
    """

    def _boot(provider=None, contexts=1, **body):
        uuids = [member.create_one(**body) for _n in range(contexts)]
        server_id = cloud.nova.boot()
        nova.reserve(server_id, *uuids)
        if provider:
            nova.bind(server_id, providers(provider, *uuids))
            for uuid in uuids:
                wait_for_status(member, uuid, 'bound')
        return server_id, *uuids

    return _boot


@pytest.fixture
def profile_arq(cloud, admin, nova):
    """Binds an ARQ of a device profile to a server, as stock Nova does."""
    admin.post('/v2/device_profiles', [PROFILE])

    def _bind(server_id, provider, host='compute1'):
        (arq,) = nova.post(
            '/v2/accelerator_requests',
            {'device_profile_name': PROFILE['name']},
        ).json['arqs']
        values = {
            'hostname': host,
            'device_rp_uuid': provider,
            'instance_uuid': server_id,
        }
        patch = [
            {'path': f'/{name}', 'op': 'add', 'value': value}
            for name, value in values.items()
        ]
        nova.call(
            'patch_json',
            '/v2/accelerator_requests',
            {arq['uuid']: patch},
            status=202,
        )
        return arq['uuid']

    return _bind


def providers(provider, *uuids, groups=1):
    """Give all groups of device contexts the same resource provider."""
    return {
        model.requester_id(uuid, number): provider
        for uuid in uuids
        for number in range(groups)
    }


def held(response):
    """Return the UUIDs of the device contexts that an answer has."""
    return [each['uuid'] for each in response.json['device_contexts']]


def wait_for_status(caller, uuid, status):
    """Wait until a device context has a status."""
    cyborg.wait_for(lambda: caller.status_of(uuid) == status)

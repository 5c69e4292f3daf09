# SPDX-License-Identifier: Apache-2.0


"""The calls that a boot makes to Cyborg."""

import collections.abc
import uuid

import pytest

from tests.e2e import contexts, person, recorder, servers
from tools.cloud import cloud as cloud_module


@pytest.fixture
def recorded(
    cloud: cloud_module.Cloud, admin: person.Person
) -> collections.abc.Iterator[recorder.Recorder]:
    """Stands in the catalog in Cyborg's place, and passes requests on."""
    url = cloud.url('cyborg')
    endpoints = [
        each
        for each in admin.identity.get('/endpoints').json()['endpoints']
        if each['url'] == url
    ]
    assert endpoints

    def point_to(address: str) -> None:
        for each in endpoints:
            path = f'/endpoints/{each["id"]}'
            admin.identity.patch(path, json={'endpoint': {'url': address}})

    with recorder.Recorder(target=url) as listening:
        point_to(listening.url)
        yield listening
        point_to(url)


@pytest.mark.parametrize('count', [1, 8])
def test_a_boot_makes_three_calls_however_many_contexts(
    cloud: cloud_module.Cloud,
    demo: person.Person,
    recorded: recorder.Recorder,
    count: int,
) -> None:
    ids = [contexts.create(demo) for _n in range(count)]
    # One who logs in now has the recorder in his catalog, and so have the
    # services that act for him.
    newcomer = person.Person(cloud.environment('demo'))
    server_id = servers.boot_active(newcomer, *ids)
    assert contexts.show(demo, ids[-1])['status'] == 'bound'
    path = f'/v2/device_allocations/{server_id}'
    calls = [call for call in recorded.calls if 'device_' in call[1]]
    assert calls == [
        # nova-api, while the user waits.
        ('POST', '/v2/device_allocations/check'),
        # nova-conductor.
        ('PUT', path),
        ('POST', f'{path}/bind'),
    ]


def test_a_boot_that_is_refused_makes_one_call(
    cloud: cloud_module.Cloud,
    demo: person.Person,
    recorded: recorder.Recorder,
) -> None:
    context_id = contexts.create(demo)
    newcomer = person.Person(cloud.environment('demo'))
    response = newcomer.compute.post(
        '/servers',
        json=servers.request(newcomer, context_id, str(uuid.UUID(int=7))),
        raise_exc=False,
    )
    assert response.status_code == 404, response.text
    calls = [call for call in recorded.calls if 'device_' in call[1]]
    assert calls == [('POST', '/v2/device_allocations/check')]

# SPDX-License-Identifier: Apache-2.0

"""However long what somebody sends is, an error repeats little of it."""

import json
import urllib.parse

import pytest

from nova_cyborg import exception
from nova_cyborg.api import policies
from tests.functional.api import cyborg

_UUID = '6f7a2f6e-34c5-4f5d-8ad7-c9fd1d93e0a1'
#: More bytes than characters, and more in JSON than in UTF-8.
LONG = '\U0001f600' * 5000
#: Bytes of UTF-8: of the longest sentence, with what it may repeat twice.
MOST = 600 + 2 * exception.MOST_SHOWN


def _routes():
    found = set()
    for rule in policies.list_policies():
        for operation in rule.operations:
            path = operation['path'].partition('?')[0]
            for name in ('{uuid}', '{server_id}'):
                path = path.replace(name, _UUID)
            found.add((operation['method'], path))
    return sorted(found)


ROUTES = _routes()
# A path with a tag says all; one with nothing in its body has no fields.
WITH_BODIES = [
    (method, path)
    for method, path in ROUTES
    if method in ('POST', 'PUT', 'PATCH') and '{tag}' not in path
]


@pytest.fixture(scope='module')
def cloud():
    # One for all of them: nothing is ever stored.
    with cyborg.CyborgFixture() as fixture:
        yield fixture


@pytest.fixture
def refused(cloud):
    """Calls as an administrator, for Nova; returns what is refused and why."""
    caller = cyborg.headers(roles=('admin', 'member', 'reader'), service=True)

    def _refused(method, path, body=None, **headers):
        response = cloud.api.request(
            path,
            method=method,
            body=b'' if body is None else json.dumps(body).encode(),
            headers={
                **caller,
                **{name.replace('_', '-'): headers[name] for name in headers},
            },
            expect_errors=True,
        )
        assert 400 <= response.status_int < 500
        detail = cyborg.error_of(response)['detail']
        assert len(detail.encode()) < MOST
        assert '${' not in detail
        return detail

    return _refused


@pytest.mark.parametrize(('method', 'path'), ROUTES)
def test_a_parameter(refused, method, path):
    query = urllib.parse.urlencode({LONG: 'x'})

    said = refused(method, f'{path}?{query}', {})

    assert said.startswith(f'Invalid {LONG[:30]}')
    assert '...: there is no such field.' in said
    refused(method, f'{path}?{query}&{query}', {})


@pytest.mark.parametrize(('method', 'path'), WITH_BODIES)
@pytest.mark.parametrize(
    'body',
    [
        f'{{"{LONG}": 1}}',
        f'{{"{LONG}": 1, "{LONG}": 1}}',
        json.dumps({'a': {LONG: 1}, LONG: [{LONG: {LONG: LONG}}]}),
    ],
)
def test_a_field(cloud, refused, method, path, body):
    refused(method, path, json.loads(body))
    response = cloud.api.request(
        path,
        method=method,
        body=body.encode(),
        headers=cyborg.headers(
            roles=('admin', 'member', 'reader'), service=True
        ),
        expect_errors=True,
    )
    assert response.status_int == 400
    assert len(cyborg.error_of(response)['detail'].encode()) < MOST


@pytest.mark.parametrize(
    'asked',
    [
        {'resources': {LONG: 1}},
        {'resources': {'FPGA': LONG}},
        {'resources': {'FPGA': [LONG]}},
        {'resources': {'FPGA': {LONG: LONG}}},
        {'resources': {'FPGA': int('9' * 4000)}},
        {'resources': {'A' * 250: -(10**4000)}},
        {'resources': {'FPGA': 1}, 'required': [LONG]},
        {'resources': {'FPGA': 1}, 'required': [{LONG: 1}]},
        {'resources': {'FPGA': 1}, 'tolerated': [LONG]},
        {'resources': {'FPGA': 1}, 'config': {LONG: 'x'}},
        {'resources': {'FPGA': 1}, 'config': {'k': LONG}},
        {'groups': [{'resources': {'FPGA': 1}, LONG: 1}]},
        {'groups': [{'first_available': [], LONG: 1}]},
        {'groups': [{'first_available': [{LONG: 1}]}]},
        {'device_profile': LONG},
        {'device_profile': 'x' * 255},
    ],
)
def test_what_is_asked_for(refused, asked):
    path = '/v2/device_contexts'
    refused('POST', path, asked)
    refused('POST', f'{path}/explain', asked)
    said = refused('POST', path, {'device_contexts': [asked]})
    if 'device_profile' not in asked:
        assert said.startswith('Invalid device_contexts[0].')


@pytest.mark.parametrize(
    'body',
    [
        {LONG: 1},
        {'flavor': {LONG: 1}},
        {'flavor': {'vcpus': LONG}},
        {'flavor': {'extra_specs': {LONG: '1'}}},
        {'flavor': {'extra_specs': {f'resources1:CUSTOM_{"A" * 230}': '0'}}},
        {'image': {LONG: '1'}},
        {'image': {'a': LONG}},
    ],
)
def test_what_is_to_be_explained(refused, body):
    refused(
        'POST',
        '/v2/device_contexts/explain',
        {'resources': {'FPGA': 1}, **body},
    )


@pytest.mark.parametrize(
    'path',
    [
        f'/v2/device_contexts/{LONG}',
        f'/v2/device_contexts/{LONG}/events',
        f'/v2/device_contexts/{LONG}/tags/{LONG}',
        f'/v2/device_contexts/{_UUID}/{LONG}',
        f'/v2/device_contexts.{LONG}',
        f'/v2/device_taints/{LONG}',
        f'/v2/device_allocations/{LONG}',
        f'/v2/device_contexts/{_UUID}/tags/{LONG}',
    ],
)
def test_a_path(refused, path):
    for method in ('GET', 'DELETE', 'X' * 1000):
        refused(method, urllib.parse.quote(path))


@pytest.mark.parametrize(
    'name', ['sort', 'fields', 'tags', 'name', 'marker', 'created_after']
)
def test_a_value_of_a_query(refused, name):
    query = urllib.parse.urlencode({name: LONG})

    refused('GET', f'/v2/device_contexts?{query}')


@pytest.mark.parametrize(
    'name',
    ['If-Match', 'Idempotency-Key', 'OpenStack-API-Version', 'Accept'],
)
def test_a_header(refused, name):
    before = {'OpenStack-API-Version': 'accelerator ', 'Accept': 'text/'}
    given = before.get(name, '') + 'x' * 5000
    path, body = '/v2/device_contexts', {'resources': {'FPGA': 1}}
    if name == 'If-Match':
        refused('PATCH', f'{path}/{_UUID}', {'name': 'x'}, **{name: given})
    else:
        refused('POST', path, body, **{name: given})


def test_a_tag_that_there_is_not(cloud, refused, member):
    uuid = member.create_one()

    said = refused(
        'GET', f'/v2/device_contexts/{uuid}/tags/{urllib.parse.quote(LONG)}'
    )

    assert said.startswith(f'Device context {uuid} has no "{LONG[:30]}')
    member.delete(uuid)


def test_a_path_is_repeated_as_it_was_sent(refused):
    # Not as WSGI has it.
    said = refused('GET', '/v2/device_contexts.%C3%A4')

    assert 'nothing at /v2/device_contexts.ä.' in said

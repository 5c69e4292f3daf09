# SPDX-License-Identifier: Apache-2.0

"""What ``openstack server show`` says of device contexts."""

import json

import pytest

from tests.unit.cli import attachments, conftest
from tests.unit.cli.conftest import CONTEXT_ID, SERVER_ID, Cloud, Run

SHOW = ('--os-compute-api-version', '2.1', 'server', 'show', SERVER_ID)


@pytest.fixture
def servers(cloud: Cloud) -> Cloud:
    """A cloud whose Nova has one server, and the routes."""
    attachments.serve(cloud, ['vm1'])
    attachments.serve_routes(cloud)
    server = {'id': SERVER_ID, 'name': 'vm1', 'links': [], 'image': ''}
    server |= {'flavor': {'id': '1'}, 'metadata': {}}
    path = f'/servers/{SERVER_ID}'
    attachments.nova(cloud, 'GET', path, {'json': {'server': server}})
    flavor = {'id': '1', 'name': 'm1.small', 'links': []}
    attachments.nova(cloud, 'GET', '/flavors/1', {'json': {'flavor': flavor}})
    link = {'rel': 'self', 'href': f'{conftest.GLANCE}/v2/'}
    glance = {'id': 'v2.9', 'status': 'CURRENT', 'links': [link]}
    cloud.mock.get(conftest.GLANCE, json={'versions': [glance]})
    return cloud


def test_as_a_table(servers: Cloud, openstack: Run) -> None:
    result = openstack(*SHOW)

    assert result.code == 0, result.err
    assert f'{CONTEXT_ID} (zip, bound)' in result.out
    assert attachments.asked(servers) == [('GET', None)]


def test_as_json(servers: Cloud, openstack: Run) -> None:
    result = openstack(*SHOW, '-f', 'json')

    shown = json.loads(result.out)
    assert shown['device_contexts'] == [attachments.ATTACHMENT]
    assert list(shown) == sorted(shown)
    assert shown['name'] == 'vm1'


def test_a_server_without(servers: Cloud, openstack: Run) -> None:
    answer = {'json': {'deviceContextAttachments': []}}
    attachments.nova(servers, 'GET', attachments.PATH, answer)

    result = openstack(*SHOW, '-f', 'json')

    assert json.loads(result.out)['device_contexts'] == []


def test_only_them(servers: Cloud, openstack: Run) -> None:
    result = openstack(*SHOW, '-f', 'value', '-c', 'device_contexts')

    assert CONTEXT_ID in result.out


def test_other_fields_cost_no_call(servers: Cloud, openstack: Run) -> None:
    result = openstack(*SHOW, '-f', 'value', '-c', 'name')

    assert (result.code, result.out) == (0, 'vm1\n')
    assert attachments.asked(servers) == []


def test_diagnostics_are_left_alone(servers: Cloud, openstack: Run) -> None:
    path = f'/servers/{SERVER_ID}/diagnostics'
    attachments.nova(servers, 'GET', path, {'json': {'memory': 7}})

    result = openstack(*SHOW, '--diagnostics', '-f', 'json')

    assert result.code == 0, result.err
    assert 'device_contexts' not in json.loads(result.out)
    assert attachments.asked(servers) == []


def test_a_cloud_without_cyborg(servers: Cloud, openstack: Run) -> None:
    servers.login({'compute': conftest.NOVA, 'image': conftest.GLANCE})

    result = openstack(*SHOW, '-f', 'json')

    assert 'device_contexts' not in json.loads(result.out)
    assert attachments.asked(servers) == []


def test_a_nova_without_device_contexts(
    servers: Cloud, openstack: Run
) -> None:
    answer = {'status_code': 404, 'json': attachments.NO_ROUTE}
    attachments.nova(servers, 'GET', attachments.PATH, answer)

    result = openstack(*SHOW, '-f', 'json')

    assert (result.code, result.err) == (0, '')
    assert 'device_contexts' not in json.loads(result.out)


def test_what_fails_is_said_and_the_server_shown(
    servers: Cloud, openstack: Run
) -> None:
    answer = attachments.error(500, 'computeFault', attachments.SENTENCE)
    attachments.nova(servers, 'GET', attachments.PATH, answer)

    result = openstack(*SHOW, '-f', 'json')

    assert result.code == 0
    assert json.loads(result.out)['name'] == 'vm1'
    assert result.err == (
        f'Which device contexts server {SERVER_ID} has is not known: '
        f'{attachments.SENTENCE}\n'
    )


def test_help_says_so(openstack: Run) -> None:
    result = openstack('server', 'show', '--help')

    assert 'The field device_contexts has' in result.out

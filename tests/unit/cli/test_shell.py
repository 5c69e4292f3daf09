# SPDX-License-Identifier: Apache-2.0

"""``cyborg device-context-...``, through the real application."""

import json
import pathlib
import subprocess
import sys

import pytest
import requests

from tests.unit.cli import attachments, conftest
from tests.unit.cli.conftest import CONTEXT_ID, OTHER_ID, Cloud, Run


def test_create_prints_the_uuid_and_nothing_else(
    cloud: Cloud, cyborg: Run
) -> None:
    cloud.answer('POST', status_code=201, json=conftest.context())
    result = cyborg(
        'device-context-create',
        '--resources=FPGA_GZIP:1',
        '--requires=SOME_FOO_CAPABILITY',
        '--config-data=key1:val1',
    )
    assert result == conftest.Result(0, f'{CONTEXT_ID}\n', '')
    (request,) = cloud.requests()
    assert request.json() == {'groups': conftest.context()['groups']}


def test_create_from_a_profile(cloud: Cloud, cyborg: Run) -> None:
    cloud.answer('POST', status_code=201, json=conftest.context())
    result = cyborg('device-context-create', f'--device-profile-id={OTHER_ID}')
    assert result.out == f'{CONTEXT_ID}\n'
    (request,) = cloud.requests()
    assert request.json() == {'device_profile': OTHER_ID}


def test_create_that_fails_prints_nothing_on_stdout(
    cloud: Cloud, cyborg: Run
) -> None:
    cloud.answer(
        'POST', status_code=400, json=conftest.error(400, 'It is wrong.')
    )
    result = cyborg('device-context-create', '--resources', 'FPGA:1')
    assert result == conftest.Result(1, '', 'It is wrong.\n')


def test_create_that_is_wrong_does_not_even_log_in(
    cloud: Cloud, cyborg: Run
) -> None:
    result = cyborg('device-context-create', '--resources', 'FPGA')
    assert (result.code, result.out) == (1, '')
    assert '--resources: "FPGA" has no amount' in result.err
    assert not cloud.mock.called


def test_list_show_and_delete(cloud: Cloud, cyborg: Run) -> None:
    context = conftest.bound_context()
    path = f'/device_contexts/{CONTEXT_ID}'
    cloud.answer('GET', json={'device_contexts': [context]})
    cloud.answer('GET', path, json=context)
    cloud.answer('DELETE', path, status_code=204)
    assert 'bound' in cyborg('device-context-list').out
    shown = cyborg('device-context-show', CONTEXT_ID, '-f', 'json')
    assert json.loads(shown.out)['devices'] == context['devices']
    deleted = cyborg('device-context-delete', CONTEXT_ID)
    assert deleted == conftest.Result(0, '', '')


def test_set_and_unset(cloud: Cloud, cyborg: Run) -> None:
    cloud.named('zip', CONTEXT_ID)
    cloud.answer('PATCH', f'/device_contexts/{CONTEXT_ID}', json={})
    done = cyborg('device-context-set', 'zip', '--name', '', '--tag', 'gzip')
    assert done == conftest.Result(0, '', '')
    assert cloud.requests()[-1].json() == {'name': None, 'tag': 'gzip'}
    done = cyborg('device-context-unset', CONTEXT_ID, '--tag')
    assert done == conftest.Result(0, '', '')
    assert cloud.requests()[-1].json() == {'tag': None}


def test_list_of_a_server_by_name(cloud: Cloud, cyborg: Run) -> None:
    attachments.serve(cloud, ['vm1'])
    cloud.answer('GET', json={'device_contexts': []})
    result = cyborg('device-context-list', '--server', 'vm1')
    assert result.code == 0, result.err
    assert len(cloud.requests(conftest.NOVA)) == 1
    assert cloud.requests()[-1].qs['server_id'] == [conftest.SERVER_ID]


def test_a_server_in_a_region_without_nova(cloud: Cloud, cyborg: Run) -> None:
    cloud.login({'accelerator': conftest.CYBORG})
    result = cyborg('device-context-list', '--server', 'vm1')
    assert result.code == 1
    assert 'no Compute service (Nova) that you can reach' in result.err


def test_delete_several(cloud: Cloud, cyborg: Run) -> None:
    cloud.named('zip')
    cloud.answer('DELETE', f'/device_contexts/{CONTEXT_ID}', status_code=204)
    result = cyborg('device-context-delete', 'zip', CONTEXT_ID)
    assert (result.code, result.out) == (1, '')
    assert 'Failed to delete device context zip: ' in result.err
    assert '1 of 2 device contexts failed to delete.' in result.err


@pytest.mark.parametrize('options_first', [True, False])
def test_options_instead_of_the_environment(
    cloud: Cloud,
    cyborg: Run,
    monkeypatch: pytest.MonkeyPatch,
    options_first: bool,
) -> None:
    cloud.answer('GET', json={'device_contexts': []})
    monkeypatch.setenv('OS_AUTH_URL', 'http://elsewhere.test/v3')
    options = ['--os-auth-url', conftest.KEYSTONE, '--os-region-name', 'one']
    command = ['device-context-list', '-f', 'json']
    argv = options + command if options_first else command + options
    result = cyborg(*argv)
    assert (result.code, result.out.strip()) == (0, '[]')


def test_a_cloud_of_clouds_yaml(
    cloud: Cloud,
    cyborg: Run,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: pathlib.Path,
) -> None:
    cloud.answer('GET', json={'device_contexts': []})
    monkeypatch.delenv('OS_AUTH_URL')
    auth = {
        'auth_url': conftest.KEYSTONE,
        'username': 'u',
        'password': 'p',
        'project_name': 'p',
        'user_domain_id': 'd',
        'project_domain_id': 'd',
    }
    clouds = {'clouds': {'lab': {'auth': auth, 'region_name': 'one'}}}
    (tmp_path / 'clouds.yaml').write_text(json.dumps(clouds))
    assert cyborg('--os-cloud', 'lab', 'device-context-list').code == 0
    unknown = cyborg('--os-cloud', 'other', 'device-context-list')
    assert unknown == conftest.Result(1, '', 'Cloud other was not found.\n')


def test_a_region_without_cyborg(cloud: Cloud, cyborg: Run) -> None:
    result = cyborg('--os-region-name', 'two', 'device-context-list')
    assert result.code == 1
    assert 'This cloud has no Accelerator service (Cyborg)' in result.err


def test_a_cyborg_without_device_contexts(cloud: Cloud, cyborg: Run) -> None:
    cloud.answer('GET', status_code=404, text='Not Found')
    result = cyborg('device-context-list')
    assert result.code == 1
    assert 'does not serve device contexts' in result.err


def test_a_wrong_password(cloud: Cloud, cyborg: Run) -> None:
    cloud.mock.post(f'{conftest.KEYSTONE}/auth/tokens', status_code=401)
    result = cyborg('device-context-list')
    assert result.code == 1
    assert 'HTTP 401' in result.err


def test_a_cyborg_that_is_down(cloud: Cloud, cyborg: Run) -> None:
    cloud.answer('GET', exc=requests.ConnectionError)
    result = cyborg('device-context-list')
    assert result.code == 1
    assert 'The cloud did not answer' in result.err


def test_without_a_cloud(cyborg: Run) -> None:
    result = cyborg('device-context-list')
    assert result.code == 1
    assert 'Say which cloud to use' in result.err


def test_a_password_that_cannot_be_asked_for(
    cloud: Cloud, cyborg: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv('OS_PASSWORD')
    result = cyborg('device-context-list')
    assert result.code == 1
    assert 'set OS_PASSWORD' in result.err


def test_help_lists_the_commands(cyborg: Run) -> None:
    result = cyborg('--help')
    assert result.code == 0
    for verb in (
        *('create', 'list', 'show', 'set', 'unset', 'delete'),
        *('event-list', 'explain', 'limits', 'options'),
    ):
        assert f'  device-context-{verb}  ' in result.out


def test_help_of_a_command_has_examples(cyborg: Run) -> None:
    result = cyborg('device-context-create', '--help')
    assert result.code == 0
    assert 'usage: cyborg device-context-create' in result.out
    assert (
        '\n  cyborg device-context-create \\\n'
        '    --resources FPGA_GZIP:1 --requires SOME_FOO'
    ) in result.out


def test_without_a_command(cyborg: Run) -> None:
    result = cyborg()
    assert (result.code, result.out) == (1, '')
    assert 'Name a command' in result.err


def test_without_the_script() -> None:
    done = subprocess.run(
        [sys.executable, '-m', 'nova_cyborg.cli', '--help'],
        capture_output=True,
        text=True,
        check=True,
    )
    assert '  device-context-create  ' in done.stdout

# SPDX-License-Identifier: Apache-2.0

"""``openstack server create --device-context-id``."""

import argparse
import typing as ty
import unittest.mock

import pytest
from cliff import command
from osc_lib import exceptions as osc_exc

from nova_cyborg.cli.commands import server_create
from tests.unit.cli import conftest
from tests.unit.cli.conftest import CONTEXT_ID, OTHER_ID, Cloud, Run

CREATE = (
    *('--os-compute-api-version', '2.1', 'server', 'create', '-f', 'json'),
    *('--flavor', '1', '--image', OTHER_ID, 'vm1'),
)


@pytest.fixture
def servers(cloud: Cloud) -> ty.Callable[[], list[dict[str, ty.Any]]]:
    """A Nova that boots; returns the bodies of the requests to."""
    version = {'id': 'v2.1', 'status': 'CURRENT', 'links': []}
    version |= {'version': '2.100', 'min_version': '2.1'}
    cloud.mock.get(f'{conftest.NOVA}/', json={'version': version})
    cloud.mock.get(conftest.NOVA, json={'version': version})
    flavor = {'id': '1', 'name': 'm1.small', 'links': []}
    cloud.mock.get(f'{conftest.NOVA}/flavors/1', json={'flavor': flavor})
    image = {'id': OTHER_ID, 'name': 'i', 'status': 'active'}
    cloud.mock.get(f'{conftest.GLANCE}/v2/images/{OTHER_ID}', json=image)
    link = {'rel': 'self', 'href': f'{conftest.GLANCE}/v2/'}
    glance = {'id': 'v2.9', 'status': 'CURRENT', 'links': [link]}
    cloud.mock.get(conftest.GLANCE, json={'versions': [glance]})
    server = {'id': conftest.SERVER_ID, 'name': 'vm1', 'image': ''}
    server |= {'flavor': {'id': '1'}, 'metadata': {}}
    url = f'{conftest.NOVA}/servers'
    cloud.mock.post(url, status_code=202, json={'server': server})
    cloud.mock.get(f'{url}/{conftest.SERVER_ID}', json={'server': server})

    def bodies() -> list[dict[str, ty.Any]]:
        return [
            request.json()
            for request in cloud.requests(conftest.NOVA)
            if request.method == 'POST'
        ]

    return bodies


def hints_of(body: dict[str, ty.Any]) -> ty.Any:
    # Nova's API takes both; which one is sent depends on the release.
    old = body.get('os:scheduler_hints')
    return old or body.get('OS-SCH-HNT:scheduler_hints')


def test_the_hint_is_sent(servers: ty.Any, openstack: Run) -> None:
    result = openstack(*CREATE, '--device-context-id', CONTEXT_ID)
    assert result.code == 0, result.err
    (body,) = servers()
    assert hints_of(body) == {'device_context_id': CONTEXT_ID}


def test_a_name_is_looked_up(
    cloud: Cloud, servers: ty.Any, openstack: Run
) -> None:
    cloud.named('zip', CONTEXT_ID)
    result = openstack(*CREATE, '--device-context-id', f'zip,{OTHER_ID}')
    assert result.code == 0, result.err
    (body,) = servers()
    assert hints_of(body) == {'device_context_id': [CONTEXT_ID, OTHER_ID]}
    assert len(cloud.requests()) == 1


def test_a_name_of_several_lists_them(
    cloud: Cloud, servers: ty.Any, openstack: Run
) -> None:
    cloud.named('zip', CONTEXT_ID, OTHER_ID)
    result = openstack(*CREATE, '--device-context-id', 'zip')
    assert result.code == 1
    assert f'{CONTEXT_ID}, {OTHER_ID}' in result.err
    assert servers() == []


def test_several_are_a_list_and_other_hints_stay(
    servers: ty.Any, openstack: Run
) -> None:
    result = openstack(
        *(*CREATE, '--hint', 'a=1', '--hint', 'b=2', '--hint', 'b=3'),
        *(f'--device-context-id={CONTEXT_ID}', '--device-context-id'),
        OTHER_ID.upper(),
    )
    assert result.code == 0, result.err
    (body,) = servers()
    assert hints_of(body) == {
        'a': '1',
        'b': ['2', '3'],
        'device_context_id': [CONTEXT_ID, OTHER_ID],
    }


def test_a_comma_separates_them(servers: ty.Any, openstack: Run) -> None:
    result = openstack(
        *CREATE, '--device-context-id', f'{CONTEXT_ID},{OTHER_ID}'
    )
    assert result.code == 0, result.err
    (body,) = servers()
    assert hints_of(body) == {'device_context_id': [CONTEXT_ID, OTHER_ID]}


def test_without_the_option_nothing_changes(
    servers: ty.Any, openstack: Run
) -> None:
    openstack(*CREATE, '--device-context-id', CONTEXT_ID)
    result = openstack(*CREATE, '--max', '2')
    assert result.code == 0, result.err
    assert hints_of(servers()[1]) is None


@pytest.mark.parametrize(
    ('argv', 'sentence'),
    [
        (('--device-context-id', 'zip'), 'Device context zip was not found'),
        (('--device-context-id', f'{CONTEXT_ID},'), 'Put one comma between'),
        (('--device-context-id', CONTEXT_ID) * 2, 'named more than once'),
        (
            (
                *('--hint', f'device_context_id={CONTEXT_ID}'),
                *('--device-context-id', CONTEXT_ID),
            ),
            'named more than once',
        ),
        (
            ('--max', '3', '--device-context-id', CONTEXT_ID),
            'cannot be given to 3 servers',
        ),
    ],
)
def test_what_cannot_be_is_refused_at_once(
    cloud: Cloud,
    servers: ty.Any,
    openstack: Run,
    argv: tuple[str, ...],
    sentence: str,
) -> None:
    cloud.named('zip')
    result = openstack(*CREATE, *argv)
    assert result.code == 1
    assert sentence in result.err
    assert servers() == []


@pytest.mark.parametrize('dest', ['hint', 'hints'])
def test_hints_of_old_and_new_clients(dest: str) -> None:
    # python-openstackclient 6.0 has no "dest" for --hint.
    cmd = unittest.mock.create_autospec(command.Command, instance=True)
    cmd.app = unittest.mock.Mock()
    hook = server_create.DeviceContextOption(command=cmd)
    default: dict[str, list[str]] = {}
    args = argparse.Namespace(
        device_context_ids=[CONTEXT_ID], max=1, **{dest: default}
    )
    hook.before(args)
    assert getattr(args, dest) == {'device_context_id': [CONTEXT_ID]}
    # The parser's default is the next command's, too.
    assert default == {}
    args.max = 2
    with pytest.raises(osc_exc.CommandError):
        hook.before(args)


def test_help_shows_the_option(cloud: Cloud, openstack: Run) -> None:
    result = openstack('help', 'server', 'create')
    assert '--device-context-id <device-context>' in result.out
    assert 'Example with a device context' in result.out

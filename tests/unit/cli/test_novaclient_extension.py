# SPDX-License-Identifier: Apache-2.0

"""``nova boot --device-context-id``, through the real shell.

novaclient collects the hooks of every run in one list, so that here they
run more often from test to test; they must not mind.
"""

import typing as ty

import pytest

from tests.unit.cli import conftest
from tests.unit.cli.conftest import CONTEXT_ID, OTHER_ID, Cloud, Run

BOOT = (
    *('--os-compute-api-version', '2.1', 'boot', '--flavor', '1'),
    *('--boot-volume', OTHER_ID),
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
    server = {'id': conftest.SERVER_ID, 'name': 'vm1', 'flavor': {'id': '1'}}
    server |= {'links': [], 'image': '', 'metadata': {}}
    url = f'{conftest.NOVA}/servers'
    cloud.mock.post(url, status_code=202, json={'server': server})
    volume_url = f'{conftest.NOVA}/os-volumes_boot'
    cloud.mock.post(volume_url, status_code=202, json={'server': server})
    cloud.mock.get(f'{url}/{conftest.SERVER_ID}', json={'server': server})

    def bodies() -> list[dict[str, ty.Any]]:
        return [
            request.json()
            for request in cloud.requests(conftest.NOVA)
            if request.method == 'POST'
        ]

    return bodies


@pytest.mark.parametrize(
    'argv',
    [
        (f'--device-context-id={CONTEXT_ID}',),
        ('--device-context-id', CONTEXT_ID),
    ],
)
def test_the_hint_is_sent(
    servers: ty.Any, nova: Run, argv: tuple[str, ...]
) -> None:
    result = nova(*BOOT, *argv, 'vm1')
    assert result.code == 0, result.err
    (body,) = servers()
    assert body['os:scheduler_hints'] == {'device_context_id': CONTEXT_ID}


def test_a_name_is_looked_up(cloud: Cloud, servers: ty.Any, nova: Run) -> None:
    cloud.named('zip', CONTEXT_ID)
    result = nova(*BOOT, '--device-context-id', 'zip', 'vm1')
    assert result.code == 0, result.err
    (body,) = servers()
    assert body['os:scheduler_hints'] == {'device_context_id': CONTEXT_ID}
    assert len(cloud.requests()) == 1


def test_a_name_of_several_lists_them(
    cloud: Cloud, servers: ty.Any, nova: Run
) -> None:
    cloud.named('zip', CONTEXT_ID, OTHER_ID)
    result = nova(*BOOT, '--device-context-id', 'zip', 'vm1')
    assert result.code == 1
    assert f'{CONTEXT_ID}, {OTHER_ID}' in result.err
    assert servers() == []


def test_several_are_a_list_and_other_hints_stay(
    servers: ty.Any, nova: Run
) -> None:
    result = nova(
        *(*BOOT, '--hint', 'a=1', '--hint', 'b=2', '--hint', 'b=3'),
        *(f'--device-context-id={CONTEXT_ID}', '--device-context-id'),
        *(OTHER_ID, 'vm1'),
    )
    assert result.code == 0, result.err
    (body,) = servers()
    assert body['os:scheduler_hints'] == {
        'a': '1',
        'b': ['2', '3'],
        'device_context_id': [CONTEXT_ID, OTHER_ID],
    }


def test_without_the_option_nothing_changes(
    servers: ty.Any, nova: Run
) -> None:
    result = nova(*BOOT, '--max-count', '2', 'vm1')
    assert result.code == 0, result.err
    (body,) = servers()
    assert 'os:scheduler_hints' not in body


@pytest.mark.parametrize(
    ('argv', 'sentence'),
    [
        (('--device-context-id', 'zip'), 'Device context zip was not found'),
        (('--device-context-id', CONTEXT_ID) * 2, 'named more than once'),
        (
            (
                *('--hint', f'device_context_id={CONTEXT_ID}'),
                *('--device-context-id', CONTEXT_ID),
            ),
            'named more than once',
        ),
        (
            ('--max-count', '3', '--device-context-id', CONTEXT_ID),
            'cannot be given to 3 servers',
        ),
        (
            ('--min-count', '2', '--device-context-id', CONTEXT_ID),
            'cannot be given to 2 servers',
        ),
    ],
)
def test_what_cannot_be_is_refused_at_once(
    cloud: Cloud,
    servers: ty.Any,
    nova: Run,
    argv: tuple[str, ...],
    sentence: str,
) -> None:
    cloud.named('zip')
    result = nova(*BOOT, *argv, 'vm1')
    assert result.code == 1
    assert sentence in result.err
    assert servers() == []


def test_help_shows_the_option_once(nova: Run) -> None:
    result = nova('help', 'boot')
    assert result.code == 0
    assert result.out.count('\n  --device-context-id <device-context>') == 1


def test_other_commands_are_left_alone(cloud: Cloud, nova: Run) -> None:
    assert nova('help', 'list').code == 0

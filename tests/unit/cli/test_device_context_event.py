# SPDX-License-Identifier: Apache-2.0

"""The commands for events of device contexts."""

import json

import pytest

from tests.unit.cli.conftest import CONTEXT_ID, OTHER_ID, Cloud, Run, error

COMMAND = ('accelerator', 'device', 'context', 'event', 'list')
PATH = f'/device_contexts/{CONTEXT_ID}/events'


def event(action: str, **fields: object) -> dict[str, object]:
    """An event, as the API answers."""
    return {
        'uuid': OTHER_ID,
        'action': action,
        'outcome': 'success',
        'message': None,
        'server_id': None,
        'host': None,
        'user_id': 'b' * 32,
        'project_id': 'a' * 32,
        'request_id': 'req-1',
        'created_at': '2026-01-01T00:00:00Z',
    } | fields


def test_list(cloud: Cloud, openstack: Run) -> None:
    failed = event('bind', outcome='error', message='There is no slot.')
    cloud.answer('GET', PATH, json={'events': [failed, event('create')]})

    result = openstack(*COMMAND, CONTEXT_ID.upper(), '-f', 'json')

    assert result.code == 0
    found = json.loads(result.out)
    assert [each['action'] for each in found] == ['bind', 'create']
    assert found[0] == {
        'created_at': '2026-01-01T00:00:00Z',
        'action': 'bind',
        'outcome': 'error',
        'server_id': None,
        'host': None,
        'user_id': 'b' * 32,
        'message': 'There is no slot.',
    }


def test_list_with_all_fields(cloud: Cloud, openstack: Run) -> None:
    cloud.answer('GET', PATH, json={'events': [event('create')]})

    result = openstack(*COMMAND, '--long', CONTEXT_ID, '-f', 'json')

    (found,) = json.loads(result.out)
    assert found.items() == event('create').items()


def test_all_pages_are_read(cloud: Cloud, openstack: Run) -> None:
    # Behind a proxy, the host of the link is one of its own.
    link = {'rel': 'next', 'href': f'http://inner{PATH}?marker={OTHER_ID}'}
    first = {'events': [event('delete')], 'events_links': [link]}
    cloud.answer(
        'GET',
        PATH,
        response_list=[{'json': first}, {'json': {'events': [event('bind')]}}],
    )

    result = openstack(*COMMAND, CONTEXT_ID, '-f', 'value', '-c', 'action')

    assert result.out.split() == ['delete', 'bind']
    assert cloud.requests()[1].qs == {'marker': [OTHER_ID]}


def test_a_limit(cloud: Cloud, openstack: Run) -> None:
    cloud.answer('GET', PATH, json={'events': [event('create')]})

    openstack(*COMMAND, '--limit', '1', CONTEXT_ID)

    (request,) = cloud.requests()
    assert request.qs == {'limit': ['1']}


def test_the_form_of_cyborg(cloud: Cloud, cyborg: Run) -> None:
    cloud.answer('GET', PATH, json={'events': [event('create')]})

    result = cyborg('device-context-event-list', CONTEXT_ID, '-f', 'value')

    assert (result.code, result.out.split()[1]) == (0, 'create')


@pytest.mark.parametrize('status', [403, 404])
def test_a_refusal(cloud: Cloud, openstack: Run, status: int) -> None:
    cloud.answer('GET', PATH, status_code=status, json=error(status, 'No.'))

    result = openstack(*COMMAND, CONTEXT_ID)

    assert result.code == 1
    assert 'No.' in result.err


def test_help_has_examples(cloud: Cloud, openstack: Run) -> None:
    result = openstack('help', *COMMAND)

    assert (
        'context event list <device-context>'
        in (result.out.partition('Examples')[2])
    )

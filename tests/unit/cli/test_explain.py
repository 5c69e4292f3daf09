# SPDX-License-Identifier: Apache-2.0

"""``openstack accelerator device context explain``."""

import json
import typing as ty

import pytest

from tests.unit.cli.conftest import (
    CONTEXT_ID,
    GLANCE,
    NOVA,
    Cloud,
    Run,
)

COMMAND = ('accelerator', 'device', 'context', 'explain')
SENTENCE = 'All units of FPGA are used: wait until one is free.'


def answer(cloud: Cloud, path: str, **more: ty.Any) -> None:
    row = {
        'requirement': 'group 0: a device of class FPGA is free',
        'kind': 'resource_class',
        'name': 'FPGA',
        'met': False,
    }
    found = {
        'fits': False,
        'sentence': SENTENCE,
        'requirements': [row | more, row | more | {'met': None}],
    }
    cloud.answer('POST', path=f'/device_contexts{path}/explain', json=found)


def test_a_sentence_and_then_the_table(cloud: Cloud, openstack: Run) -> None:
    answer(cloud, f'/{CONTEXT_ID}')

    result = openstack(*COMMAND, CONTEXT_ID)

    assert result.code == 0
    first, *table = result.out.splitlines()
    assert first == SENTENCE
    assert '| Requirement ' in table[1]
    assert 'Hosts' not in table[1]
    assert table[3].endswith('| no  |')
    (request,) = cloud.requests()
    assert request.json() == {}


def test_what_nova_ignores_is_told(cloud: Cloud, openstack: Run) -> None:
    warning = 'Nova ignores resources:X of the flavor: "-1" is no number.'
    found = {
        'fits': True,
        'sentence': SENTENCE,
        'requirements': [],
        'warnings': [warning],
    }
    path = f'/device_contexts/{CONTEXT_ID}/explain'
    cloud.answer('POST', path=path, json=found)

    result = openstack(*COMMAND, CONTEXT_ID)

    assert result.code == 0
    assert SENTENCE in result.out
    assert result.err == f'{warning}\n'
    result = openstack(*COMMAND, CONTEXT_ID, '-f', 'json')
    assert json.loads(result.out) == []
    assert result.err == f'{SENTENCE}\n{warning}\n'


def test_it_is_not_known_whether_one_fits(
    cloud: Cloud, openstack: Run
) -> None:
    found = {'fits': None, 'sentence': SENTENCE, 'requirements': []}
    path = f'/device_contexts/{CONTEXT_ID}/explain'
    cloud.answer('POST', path=path, json=found)

    result = openstack(*COMMAND, CONTEXT_ID)

    assert result.code == 0
    assert result.out.splitlines()[0] == SENTENCE


def test_by_name(cloud: Cloud, openstack: Run) -> None:
    answer(cloud, f'/{CONTEXT_ID}')
    cloud.answer(
        'GET',
        path='/device_contexts',
        json={'device_contexts': [{'uuid': CONTEXT_ID}]},
    )

    result = openstack(*COMMAND, 'zip')

    assert result.code == 0
    assert result.out.splitlines()[0] == SENTENCE


def test_json_is_only_json(cloud: Cloud, openstack: Run) -> None:
    answer(cloud, f'/{CONTEXT_ID}')

    result = openstack(*COMMAND, CONTEXT_ID, '-f', 'json')

    assert [row['Met'] for row in json.loads(result.out)] == ['no', '']
    assert SENTENCE in result.err


@pytest.mark.parametrize(('more', 'text'), [(False, '3'), (True, '3 or more')])
def test_numbers(cloud: Cloud, openstack: Run, more: bool, text: str) -> None:
    answer(cloud, f'/{CONTEXT_ID}', hosts=3, more=more)

    result = openstack(*COMMAND, CONTEXT_ID, '-f', 'value', '-c', 'Hosts')

    assert result.out.splitlines() == [text, text]


@pytest.mark.parametrize('client', ['openstack', 'cyborg'])
def test_groups_and_a_flavor_and_an_image(
    cloud: Cloud, request: pytest.FixtureRequest, client: str
) -> None:
    run: Run = request.getfixturevalue(client)
    command = ('device-context-explain',) if client == 'cyborg' else COMMAND
    answer(cloud, '')
    flavor = {
        'id': '1',
        'name': 'm1.small',
        'vcpus': 2,
        'ram': 512,
        'disk': 1,
        'swap': '',
        'OS-FLV-EXT-DATA:ephemeral': 3,
        'extra_specs': {'hw:cpu_policy': 'shared'},
    }
    image = {'id': '2', 'name': 'cirros', 'trait:CUSTOM_X': 'required'}
    cloud.mock.get(NOVA, json={})
    cloud.mock.get(f'{NOVA}/flavors/m1.small', json={'flavor': flavor})
    cloud.mock.get(f'{NOVA}/flavors/1/os-extra_specs', json=flavor)
    link = {'rel': 'self', 'href': f'{GLANCE}/v2/'}
    glance = {'id': 'v2.9', 'status': 'CURRENT', 'links': [link]}
    cloud.mock.get(GLANCE, json={'versions': [glance]})
    cloud.mock.get(f'{GLANCE}/v2/images/cirros', json=image)

    result = run(
        *(*command, '--resources', 'FPGA:1', '--requires', 'FOO'),
        *('--flavor', 'm1.small', '--image', 'cirros'),
    )

    assert (result.code, result.err) == (0, '')
    (sent,) = cloud.requests()
    assert sent.json() == {
        'groups': [
            {
                'resources': {'FPGA': 1},
                'required': ['CUSTOM_FOO'],
                'forbidden': [],
                'config': {},
            },
        ],
        'flavor': {
            'vcpus': 2,
            'ram': 512,
            'disk': 1,
            'ephemeral': 3,
            'swap': 0,
            'extra_specs': {'hw:cpu_policy': 'shared'},
        },
        'image': {'trait:CUSTOM_X': 'required'},
    }


def test_a_flavor_that_there_is_not(cloud: Cloud, openstack: Run) -> None:
    cloud.mock.get(NOVA, json={})
    cloud.mock.get(f'{NOVA}/flavors/nonesuch', status_code=404)
    cloud.mock.get(f'{NOVA}/flavors/detail', json={'flavors': []})

    result = openstack(*COMMAND, CONTEXT_ID, '--flavor', 'nonesuch')

    assert result.code == 1
    assert 'nonesuch' in result.err
    assert cloud.requests() == []


def test_both_a_context_and_groups(cloud: Cloud, openstack: Run) -> None:
    result = openstack(*COMMAND, CONTEXT_ID, '--resources', 'FPGA:1')

    assert result.code == 1
    assert 'not both' in result.err
    assert cloud.requests() == []


def test_neither(cloud: Cloud, openstack: Run) -> None:
    result = openstack(*COMMAND)

    assert result.code == 1
    assert '--resources CLASS:AMOUNT' in result.err
    assert cloud.requests() == []

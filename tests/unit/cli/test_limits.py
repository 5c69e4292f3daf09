# SPDX-License-Identifier: Apache-2.0

"""``openstack accelerator device context limits``."""

import json

from tests.unit.cli.conftest import Cloud, Run

COMMAND = ('accelerator', 'device', 'context', 'limits')
PATH = '/device_context_limits'
LIMITS = [
    {'resource_name': 'device_contexts', 'limit': 100, 'used': 3},
    {'resource_name': 'class:FPGA', 'limit': -1, 'used': 2},
]


def test_limit_and_use(cloud: Cloud, openstack: Run) -> None:
    cloud.answer('GET', path=PATH, json={'device_context_limits': LIMITS})

    result = openstack(*COMMAND, '-f', 'json')

    assert result.code == 0
    assert json.loads(result.out) == LIMITS


def test_of_the_other_client(cloud: Cloud, cyborg: Run) -> None:
    cloud.answer('GET', path=PATH, json={'device_context_limits': LIMITS})

    result = cyborg('device-context-limits', '-f', 'json')

    assert result.code == 0
    assert json.loads(result.out) == LIMITS


def test_of_another_project(cloud: Cloud, openstack: Run) -> None:
    cloud.answer(
        'GET',
        path=f'{PATH}?project_id=p%261',
        json={'device_context_limits': LIMITS},
    )

    result = openstack(*COMMAND, '--project-id', 'p&1')

    assert result.code == 0
    assert 'class:FPGA' in result.out

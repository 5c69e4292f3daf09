# SPDX-License-Identifier: Apache-2.0

"""``openstack accelerator device context options``."""

import json

from tests.unit.cli.conftest import Cloud, Run

COMMAND = ('accelerator', 'device', 'context', 'options')
PATH = '/device_context_options'
OPTION = {
    'resource_class': 'FPGA',
    'traits': ['CUSTOM_BAR', 'CUSTOM_FOO'],
    'vendor': '1bd4',
    'product': '0101',
    'type': 'FPGA',
    'available': 'some',
    'availability_zones': [
        {'name': 'north', 'available': 'some'},
        {'name': None, 'available': 'none'},
    ],
}
NUMBERS = {'units_total': 3, 'units_used': 1, 'units_free': 2}


def test_words(cloud: Cloud, openstack: Run) -> None:
    cloud.answer('GET', path=PATH, json={'device_context_options': [OPTION]})

    result = openstack(*COMMAND, '--long')

    assert result.code == 0
    for text in ('FPGA', 'CUSTOM_BAR', 'CUSTOM_FOO', '1bd4', 'some'):
        assert text in result.out
    assert 'north: some' in result.out
    assert '(none): none' in result.out
    assert 'units_free' not in result.out


def test_numbers(cloud: Cloud, openstack: Run) -> None:
    zones = [{'name': 'north', 'available': 'some', **NUMBERS}]
    option = {**OPTION, **NUMBERS, 'availability_zones': zones}
    cloud.answer('GET', path=PATH, json={'device_context_options': [option]})

    result = openstack(*COMMAND, '--long')

    assert 'units_free' in result.out
    assert 'north: some (2 of 3)' in result.out


def test_zones_that_are_unknown(cloud: Cloud, openstack: Run) -> None:
    option = {**OPTION, 'availability_zones': None}
    cloud.answer('GET', path=PATH, json={'device_context_options': [option]})

    result = openstack(*COMMAND, '--long')

    assert '(unknown: Nova does not say)' in result.out


def test_json(cloud: Cloud, openstack: Run) -> None:
    option = {**OPTION, 'availability_zones': None}
    cloud.answer('GET', path=PATH, json={'device_context_options': [option]})

    result = openstack(*COMMAND, '--long', '-f', 'json')

    (row,) = json.loads(result.out)
    assert row['traits'] == OPTION['traits']
    assert row['availability_zones'] is None

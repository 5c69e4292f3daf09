# SPDX-License-Identifier: Apache-2.0

"""The commands for taints of devices."""

from tests.unit.cli.conftest import OTHER_ID, Cloud, Run

COMMAND = ('accelerator', 'device', 'taint')
DEVICE_ID = '2b7f5c0e-1f0e-4d55-8f0a-3f4b9b4b7a10'
TAINT = {
    'uuid': OTHER_ID,
    'device_uuid': DEVICE_ID,
    'key': 'ecc-errors',
    'reason': 'Two a minute.',
    'source': 'operator',
    'created_at': '2026-01-01T00:00:00Z',
    'links': [],
}
PATH = '/device_taints'


def test_create(cloud: Cloud, openstack: Run) -> None:
    cloud.answer('POST', path=PATH, status_code=201, json=TAINT)

    result = openstack(
        *(*COMMAND, 'create', '--key', 'ecc-errors', DEVICE_ID.upper()),
        *('--reason', 'Two a minute.', '-f', 'value', '-c', 'uuid'),
    )

    assert (result.code, result.out) == (0, f'{OTHER_ID}\n')
    (request,) = cloud.requests()
    assert request.json() == {
        'device_uuid': DEVICE_ID,
        'key': 'ecc-errors',
        'reason': 'Two a minute.',
    }


def test_create_for_what_is_no_device(cloud: Cloud, openstack: Run) -> None:
    result = openstack(*COMMAND, 'create', '--key=a', '--reason=b', 'card1')

    assert result.code == 1
    assert 'Device card1 was not found' in result.err
    assert cloud.requests() == []


def test_list_of_a_device(cloud: Cloud, openstack: Run) -> None:
    cloud.answer('GET', path=PATH, json={'device_taints': [TAINT]})

    result = openstack(
        *COMMAND, 'list', '--device', DEVICE_ID, '-f', 'csv', '-c', 'key'
    )

    assert (result.code, result.out) == (0, '"key"\n"ecc-errors"\n')
    (request,) = cloud.requests()
    assert request.qs == {'device_uuid': [DEVICE_ID]}


def test_delete_goes_on_after_one_that_fails(
    cloud: Cloud, openstack: Run
) -> None:
    cloud.answer('DELETE', path=f'{PATH}/{OTHER_ID}', status_code=204)

    result = openstack(*COMMAND, 'delete', 'first', OTHER_ID)

    assert result.code == 1
    assert 'Device taint first was not found' in result.err
    assert '1 of 2 device taints failed to delete.' in result.err
    assert len(cloud.requests()) == 1

# SPDX-License-Identifier: Apache-2.0

"""Resource providers of devices, in Cyborg and in Placement."""

import uuid

import pytest
import sqlalchemy as sa
from cyborg.db.sqlalchemy import models
from keystoneauth1 import exceptions as ks_exc

from nova_cyborg.audit import auditor
from tests.functional.audit.rows import execute


def test_a_provider_without_a_device(cloud, run, running, placement):
    # As Cyborg makes the UUID of the name of the deployable.
    provider, _server_id, _context_id = running
    here = str(uuid.uuid3(uuid.NAMESPACE_DNS, provider))
    placement.of_cyborg = {here: 'here', 'gone': 'compute9_0000:72:00.0'}

    assert run(repair=True) == (0, ['provider-without-device'])
    assert placement.of_cyborg == {here: 'here'}


def test_a_provider_without_a_device_that_is_used(
    cloud, run, running, placement
):
    placement.of_cyborg = {'gone': 'compute9_0000:72:00.0'}
    placement.allocate('gone', 'somebody')

    assert run(repair=True) == (1, ['provider-without-device'])


@pytest.fixture
def disabled(cloud, running):
    """The provider of a device that is disabled; a server has a slot."""
    execute(cloud, sa.update(models.Device).values(status='maintaining'))
    return running[0]


def test_a_disabled_device_that_is_offered(run, disabled, placement):
    placement.inventories[disabled] = {
        'FPGA': {'total': 2, 'max_unit': 2, 'reserved': 1}
    }

    assert run() == (1, ['drain-lapsed'])
    assert run(repair=True) == (0, ['drain-lapsed'])
    assert placement.inventories[disabled] == {
        'FPGA': {'total': 2, 'max_unit': 2, 'reserved': 2}
    }
    assert run() == (0, [])


def test_a_disabled_device_of_another_size(run, disabled, placement):
    placement.inventories[disabled] = {
        'FPGA': {'total': 1, 'max_unit': 1, 'reserved': 1}
    }

    assert run(repair=True) == (0, ['inventory-differs'])
    assert run() == (0, [])


@pytest.mark.parametrize(
    'there',
    [
        {},
        {'FPGA': {'total': 3, 'max_unit': 3, 'reserved': 0}},
        {'FPGA': {'total': 2, 'max_unit': 1, 'reserved': 0}},
        {'FPGA': {'total': 2, 'max_unit': 2, 'reserved': 1}},
        {'VGPU': {'total': 2, 'max_unit': 2, 'reserved': 0}},
        {
            'FPGA': {'total': 2, 'max_unit': 2, 'reserved': 0},
            'VGPU': {'total': 2, 'max_unit': 2, 'reserved': 0},
        },
    ],
)
def test_an_inventory_that_differs(run, running, placement, there):
    provider = running[0]
    placement.inventories[provider] = there

    assert run(repair=True) == (0, ['inventory-differs'])
    assert placement.inventories[provider] == {
        'FPGA': {'total': 2, 'max_unit': 2, 'reserved': 0}
    }
    assert run() == (0, [])


def test_what_is_missing_and_offered(cloud, run, placement):
    provider = cloud.add_device()
    placement.inventories[provider] = {
        'FPGA': {'total': 2, 'max_unit': 2, 'reserved': 0}
    }
    cloud.database.set_missing(provider)

    assert run(repair=True) == (0, ['inventory-differs'])
    assert placement.inventories[provider]['FPGA']['reserved'] == 2


def test_placement_does_not_take_an_inventory(
    run, running, placement, monkeypatch
):
    placement.inventories[running[0]] = {}

    def put(*_args, **_kwargs):
        raise ks_exc.ConnectFailure('No connection.')

    monkeypatch.setattr(placement, 'put', put)

    assert run(repair=True) == (1, ['inventory-differs'])


def test_an_inventory_that_changes_meanwhile(running, placement):
    provider = running[0]
    placement.inventories[provider] = {}

    found = auditor.run(
        1, repair=False, tell=lambda line: placement.inventories.clear()
    )

    assert found == []


@pytest.mark.parametrize('told', [False, True])
def test_a_device_without_a_provider(cloud, run, placement, told):
    provider = cloud.add_device()
    if told:
        placement.inventories[provider] = None
    else:
        execute(cloud, sa.update(models.Deployable).values(rp_uuid=None))

    assert run(repair=True) == (1, ['device-without-provider'])


def test_there_is_one_call_for_each_provider(cloud, run, running, placement):
    others = [cloud.add_device() for _number in range(3)]
    placement.asked.clear()

    assert run() == (0, [])
    assert placement.asked == dict.fromkeys([running[0], *others], 1)


def test_a_device_that_is_recorded_twice(cloud, run, placement):
    for _number in range(2):
        cloud.add_device()
    execute(cloud, sa.update(models.Deployable).values(name='one'))

    assert run(repair=True) == (1, ['deployable-twice'])

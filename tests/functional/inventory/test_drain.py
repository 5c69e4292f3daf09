# SPDX-License-Identifier: Apache-2.0

"""A device that an administrator has disabled: no server gets it."""

import pytest
from cyborg import objects
from cyborg.common import exception as cyborg_exception

from nova_cyborg.db.inventory import providers
from nova_cyborg.lifecycle.inventory import publishing
from tests.functional.inventory.entries import card

CARD = '0000:72:00.0'
ONE, TWO, THREE = (f'0000:72:00.{number}' for number in (1, 2, 3))
YPU = 'CUSTOM_YPU'


@pytest.fixture(autouse=True)
def conductor(plugin, agent_rpc):
    """With the plugin, and with agents of all hosts."""


def set_status(cloud, status):
    """Do what the API does."""
    (device,) = objects.Device.get_list_by_hostname(cloud.context, 'compute1')
    device.status = status
    device.save(cloud.context)
    found = providers.of_device(cloud.context, device.id)
    uuids = [each.uuid for each in found]
    assert not publishing.publish(cloud.context, uuids)


def offered(cloud):
    return max(cloud.offered(f'compute1_{CARD}'), 0)


@pytest.mark.parametrize('after', [(ONE, TWO, THREE), (ONE,), (ONE, THREE)])
def test_it_stays_disabled_when_its_slots_change(cloud, after):
    agent = cloud.start(card(ONE, TWO))
    request = cloud.boot(CARD, YPU)
    set_status(cloud, 'maintaining')
    assert offered(cloud) == 0

    cloud.devices_file.write(card(*after))
    cloud.report(agent)

    assert offered(cloud) == 0
    assert cloud.place_of(request) == ONE
    with pytest.raises(cyborg_exception.ResourceNotFound):
        cloud.bind(CARD, YPU)

    set_status(cloud, 'enabled')

    assert offered(cloud) == len(after) - 1


def test_it_is_disabled_when_it_comes_back(cloud):
    agent = cloud.start(card(ONE, TWO))
    set_status(cloud, 'maintaining')
    cloud.devices_file.write()
    cloud.report(agent)

    cloud.devices_file.write(card(ONE, TWO))
    cloud.report(agent)

    assert offered(cloud) == 0
    set_status(cloud, 'enabled')
    assert offered(cloud) == 2


def test_a_change_of_placement_is_put_right_by_the_next_report(cloud):
    agent = cloud.start(card(ONE, TWO))
    set_status(cloud, 'maintaining')
    provider = cloud.deployable(CARD).rp_uuid
    base = f'/resource_providers/{provider}'
    generation = cloud.placement(base)['generation']
    cloud.placement(
        f'{base}/inventories/{YPU}',
        'PUT',
        {'resource_provider_generation': generation, 'total': 2},
    )
    assert offered(cloud) == 2

    cloud.report(agent)

    assert offered(cloud) == 0

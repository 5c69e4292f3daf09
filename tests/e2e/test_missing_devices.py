# SPDX-License-Identifier: Apache-2.0

"""A slot that its host does not report for a while stays its server's."""

from tests.e2e import cards, contexts, guest, person, servers
from tools.cloud import cloud as cloud_module

_ONE, _TWO, _THREE = (f'0000:72:00.{number}' for number in (1, 2, 3))


def test_a_slot_is_missing_and_comes_back(
    cloud: cloud_module.Cloud,
    demo: person.Person,
    admin: person.Person,
    card: cards.Card,
) -> None:
    card.write(_ONE)
    card.wait_for_slots(admin, _ONE)
    first = contexts.create(demo, resources={'YPU': 1})
    server = servers.boot_active(demo, first)
    assert [each.slot for each in guest.hostdevs(cloud, server)] == [_ONE]

    card.write(_TWO)
    contexts.wait_until(demo, first, 'error')

    assert _ONE in contexts.show(demo, first)['fault']
    refused = demo.is_refused(f'openstack server reboot --hard {server}')
    assert _ONE in refused
    assert demo.show('openstack accelerator arq list')
    second = contexts.create(demo, resources={'YPU': 1})
    other = servers.boot_active(demo, second)
    assert [each.slot for each in guest.hostdevs(cloud, other)] == [_TWO]

    card.write(_ONE, _TWO)
    contexts.wait_until(demo, first, 'bound')

    servers.act(demo, server, reboot={'type': 'HARD'})
    servers.wait_active(demo, server)
    assert [each.slot for each in guest.hostdevs(cloud, server)] == [_ONE]
    assert [each.slot for each in guest.hostdevs(cloud, other)] == [_TWO]

# SPDX-License-Identifier: Apache-2.0

"""A device is taken out of its host while a guest computes with it."""

import collections.abc

from tests.e2e import contexts, guest, person, servers
from tests.passthrough import guests, hypervisors
from tools.cloud import cloud as cloud_module

Tell = collections.abc.Callable[[str], None]
Choose = collections.abc.Callable[[str | None], None]


def test_it_stays_its_servers_and_comes_back(
    cloud: cloud_module.Cloud,
    demo: person.Person,
    only_host: Choose,
    tell: Tell,
) -> None:
    only_host('compute1')
    mine, others = (
        contexts.create(demo, resources={'EDU': 1}) for _number in range(2)
    )
    server_id = guests.boot(demo, mine)
    boot = guests.wait_ready(cloud, demo, server_id)
    [slot] = guests.check(cloud, demo, server_id, boot, mine)
    tell('a guest has computed')
    with hypervisors.removed(cloud, 'compute1', slot):
        tell('its device is gone')
        with hypervisors.not_reported(cloud, 'compute1', slot):
            contexts.wait_until(demo, mine, 'error')
            tell('its device context says so')
            assert slot in contexts.show(demo, mine)['fault']
            refused = demo.is_refused(
                f'openstack server reboot --hard {server_id}'
            )
            assert slot in refused
            assert guest.hostdevs(cloud, server_id) == []
            assert servers.show(demo, server_id)['status'] == 'ACTIVE'
            # Nobody is given what is not there.
            other = guests.boot(demo, others)
            started = guests.wait_ready(cloud, demo, other)
            [another] = guests.check(cloud, demo, other, started, others)
            tell('another guest has computed with the other device')
    assert another != slot

    contexts.wait_until(demo, mine, 'bound')
    tell('it is back')
    servers.act(demo, server_id, reboot={'type': 'HARD'})
    servers.wait_active(demo, server_id)
    boot = guests.wait_ready(cloud, demo, server_id, after=boot)
    again = guests.check(cloud, demo, server_id, boot, mine)
    tell('the guest has computed with it again')
    assert again == [slot]
    guests.check(cloud, demo, other, started, others)

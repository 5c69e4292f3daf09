# SPDX-License-Identifier: Apache-2.0

"""A guest that computes is suspended, and resumed."""

import collections.abc

from tests.e2e import contexts, guest, person, servers
from tests.passthrough import guests, hypervisors
from tools.cloud import cloud as cloud_module

Tell = collections.abc.Callable[[str], None]
Choose = collections.abc.Callable[[str | None], None]


def test_its_device_is_the_hosts_meanwhile(
    cloud: cloud_module.Cloud,
    demo: person.Person,
    only_host: Choose,
    tell: Tell,
) -> None:
    only_host('compute1')
    context_id = contexts.create(demo, resources={'EDU': 1})
    server_id = guests.boot(demo, context_id)
    boot = guests.wait_ready(cloud, demo, server_id)
    [slot] = guests.check(cloud, demo, server_id, boot, context_id)
    tell('the guest has computed')
    before = guest.hostdevs(cloud, server_id)

    servers.act(demo, server_id, suspend=None)
    servers.wait_status(demo, server_id, 'SUSPENDED')
    tell('suspended')
    hypervisors.wait_for_driver(cloud, 'compute1', slot)
    assert contexts.show(demo, context_id)['status'] == 'bound'

    servers.act(demo, server_id, resume=None)
    servers.wait_active(demo, server_id)
    tell('resumed')
    assert guest.hostdevs(cloud, server_id) == before
    assert hypervisors.driver(cloud, 'compute1', slot) == 'vfio-pci'
    boot = guests.wait_ready(cloud, demo, server_id, after=boot)
    assert guests.check(cloud, demo, server_id, boot, context_id) == [slot]
    tell('the guest has computed with it again')

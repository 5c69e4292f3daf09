# SPDX-License-Identifier: Apache-2.0

"""A guest that runs gets a device, computes with it, and gives it back."""

import collections.abc

import pytest

from tests.e2e import contexts, guest, person, servers
from tests.passthrough import guests, hypervisors
from tools.cloud import cloud as cloud_module

Tell = collections.abc.Callable[[str], None]
Choose = collections.abc.Callable[[str | None], None]

# The one with one device of each kind: who gets these gets the very ones.
_HOST = 'compute2'


@pytest.mark.parametrize('kind', ['edu', 'nvme'])
def test_a_guest_that_runs(
    cloud: cloud_module.Cloud,
    demo: person.Person,
    only_host: Choose,
    tell: Tell,
    kind: str,
) -> None:
    only_host(_HOST)
    context_id = contexts.create(demo, resources={kind.upper(): 1})
    server_id = guests.boot(demo)
    before = guests.wait_ready(cloud, demo, server_id)
    assert guests.results(before) == []
    tell('the guest is up, and has no device')

    contexts.attach(demo, server_id, context_id, tag='mine')
    boot = guests.wait_ready(cloud, demo, server_id, after=before)
    [slot] = guests.check(cloud, demo, server_id, boot, context_id)
    assert slot in hypervisors.devices(_HOST, kind)
    assert hypervisors.driver(cloud, _HOST, slot) == 'vfio-pci'
    # It goes on: it was not started.
    assert boot.boot_id.partition('/')[0] == before.boot_id
    tell('it was given the device, and has computed with it')

    contexts.detach(demo, server_id, context_id)
    hypervisors.wait_for_driver(cloud, _HOST, slot)
    assert guest.hostdevs(cloud, server_id) == []
    assert servers.show(demo, server_id)['status'] == 'ACTIVE'
    tell('it has given it back')

    servers.act(demo, server_id, reboot={'type': 'HARD'})
    servers.wait_active(demo, server_id)
    boot = guests.wait_ready(cloud, demo, server_id, after=boot)
    assert guests.results(boot) == []
    tell('it is started again, without the device')

    other_id = guests.boot(demo, context_id)
    boot = guests.wait_ready(cloud, demo, other_id)
    assert guests.check(cloud, demo, other_id, boot, context_id) == [slot]
    tell('the next guest of the host has computed with the same device')


def test_stopped_and_paused(
    cloud: cloud_module.Cloud,
    demo: person.Person,
    only_host: Choose,
    tell: Tell,
) -> None:
    only_host(_HOST)
    ids = [
        contexts.create(demo, resources={kind: 1}) for kind in ('EDU', 'NVME')
    ]
    server_id = guests.boot(demo)
    boot = guests.wait_ready(cloud, demo, server_id)
    tell('the guest is up, and has no device')

    servers.act(demo, server_id, pause=None)
    servers.wait_status(demo, server_id, 'PAUSED')
    contexts.attach(demo, server_id, ids[0])
    tell('it is paused, and was given a device')
    servers.act(demo, server_id, unpause=None)
    servers.wait_active(demo, server_id)
    boot = guests.wait_ready(cloud, demo, server_id, after=boot)
    guests.check(cloud, demo, server_id, boot, ids[0])
    tell('it goes on, and has computed with it')

    servers.act(demo, server_id, **{'os-stop': None})
    servers.wait_status(demo, server_id, 'SHUTOFF')
    contexts.attach(demo, server_id, ids[1])
    contexts.detach(demo, server_id, ids[0])
    tell('it is stopped, has lost that device, and was given another')
    servers.act(demo, server_id, **{'os-start': None})
    servers.wait_active(demo, server_id)
    boot = guests.wait_ready(cloud, demo, server_id, after=boot)
    guests.check(cloud, demo, server_id, boot, ids[1])
    tell('it is started, and has computed with it')

# SPDX-License-Identifier: Apache-2.0

"""What is done to servers whose guests compute with a device."""

import collections.abc
import contextlib
import typing as ty

from tests.e2e import contexts, person, servers, waiting
from tests.passthrough import guests, hypervisors
from tools.cloud import cloud as cloud_module

Tell = collections.abc.Callable[[str], None]
Choose = collections.abc.Callable[[str | None], None]


def test_the_same_device_at_each_start(
    cloud: cloud_module.Cloud, demo: person.Person, tell: Tell
) -> None:
    context_id = contexts.create(demo, resources={'EDU': 1})
    server_id = guests.boot(demo, context_id)
    boot = guests.wait_ready(cloud, demo, server_id)
    tell('booted')
    slots = guests.check(cloud, demo, server_id, boot, context_id)
    image = servers.show(demo, server_id)['image']['id']
    starts: dict[str, list[dict[str, ty.Any]]] = {
        'soft reboot': [{'reboot': {'type': 'SOFT'}}],
        'hard reboot': [{'reboot': {'type': 'HARD'}}],
        'stop, start': [{'os-stop': None}, {'os-start': None}],
        'rebuild': [{'rebuild': {'imageRef': image}}],
    }
    for what, actions in starts.items():
        for action in actions:
            servers.act(demo, server_id, **action)
            status = 'SHUTOFF' if 'os-stop' in action else 'ACTIVE'
            servers.wait_status(demo, server_id, status)
        boot = guests.wait_ready(cloud, demo, server_id, after=boot)
        tell(what)
        again = guests.check(cloud, demo, server_id, boot, context_id)
        assert again == slots, what


def test_shelved_on_one_host_and_unshelved_on_another(
    cloud: cloud_module.Cloud,
    demo: person.Person,
    only_host: Choose,
    tell: Tell,
) -> None:
    only_host('compute1')
    context_id = contexts.create(demo, resources={'EDU': 1})
    server_id = guests.boot(demo, context_id)
    boot = guests.wait_ready(cloud, demo, server_id)
    tell('booted on host 1')
    [first] = guests.check(cloud, demo, server_id, boot, context_id)
    assert first in hypervisors.devices('compute1', 'edu')

    servers.act(demo, server_id, shelve=None)
    servers.wait_status(demo, server_id, 'SHELVED_OFFLOADED')
    tell('shelved')
    assert contexts.show(demo, context_id)['status'] == 'reserved'
    assert hypervisors.drivers(cloud, 'compute1') == hypervisors.host_drivers(
        'compute1'
    )

    only_host('compute2')
    servers.act(demo, server_id, unshelve=None)
    servers.wait_active(demo, server_id)
    boot = guests.wait_ready(cloud, demo, server_id, after=boot)
    tell('unshelved on host 2')
    [second] = guests.check(cloud, demo, server_id, boot, context_id)
    assert [second] == hypervisors.devices('compute2', 'edu')
    assert hypervisors.guests(cloud, 'compute1') == []


def test_evacuated_from_a_host_that_was_killed(
    cloud: cloud_module.Cloud,
    demo: person.Person,
    admin: person.Person,
    only_host: Choose,
    afterwards: contextlib.ExitStack,
    tell: Tell,
) -> None:
    only_host('compute1')
    context_id = contexts.create(demo, resources={'EDU': 1})
    server_id = guests.boot(demo, context_id)
    boot = guests.wait_ready(cloud, demo, server_id)
    tell('booted on host 1')
    guests.check(cloud, demo, server_id, boot, context_id)

    afterwards.callback(_bring_back, cloud, admin, 'compute1')
    cloud.kill_service('hypervisor-compute1')
    hypervisors.set_service(admin, 'compute1', forced_down=True)
    only_host(None)
    servers.act(admin, server_id, evacuate={})
    # Since microversion 2.95 it is up to the owner to start it.
    servers.wait_status(demo, server_id, 'SHUTOFF')
    tell('host 1 is killed, and the server evacuated')
    servers.act(demo, server_id, **{'os-start': None})
    servers.wait_active(demo, server_id)
    boot = guests.wait_ready(cloud, demo, server_id, after=boot)
    tell('started on host 2')
    [slot] = guests.check(cloud, demo, server_id, boot, context_id)
    assert [slot] == hypervisors.devices('compute2', 'edu')


def _bring_back(
    cloud: cloud_module.Cloud, admin: person.Person, host: str
) -> None:
    cloud.start_service(f'hypervisor-{host}', waiting.SECONDS)
    hypervisors.set_service(admin, host, forced_down=False)

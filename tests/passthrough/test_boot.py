# SPDX-License-Identifier: Apache-2.0

"""A plain member's server computes with the device that Cyborg gave it."""

import collections.abc

from tests.e2e import contexts, person, servers, waiting
from tests.passthrough import guests, hypervisors
from tools.cloud import cloud as cloud_module

Tell = collections.abc.Callable[[str], None]
_BOOT = (
    'nova boot --device-context-id={context} --flavor m1.nano '
    '--image cirros --nic none vm1'
)


def test_from_the_context_to_the_factorial_and_back(
    cloud: cloud_module.Cloud, demo: person.Person, tell: Tell
) -> None:
    context_id = demo.run(
        'cyborg device-context-create --resources=CUSTOM_EDU:1 '
        '--config-data=key1:val1'
    ).strip()
    demo.run(_BOOT.format(context=context_id))
    [server] = servers.named(demo, 'vm1')
    servers.wait_active(demo, server['id'])
    tell('ACTIVE')
    boot = guests.wait_ready(cloud, demo, server['id'])
    tell('the guest has computed')
    [slot] = guests.check(cloud, demo, server['id'], boot, context_id)
    host = contexts.show(demo, context_id)['host']
    # The host's kernel knows the device as the guest's, and has stopped it
    # when it was told to read what is not the guest's.
    assert hypervisors.driver(cloud, host, slot) == 'vfio-pci'
    assert f'Request device [{slot[5:]}] fault addr' in hypervisors.log(
        cloud, host
    )
    servers.delete(demo, [server['id']])
    waiting.until(
        'the devices to have their host drivers',
        lambda: (
            hypervisors.drivers(cloud, host) == hypervisors.host_drivers(host)
        ),
    )
    tell('deleted, and the device has its host driver')


def test_two_contexts_for_one_server(
    cloud: cloud_module.Cloud, demo: person.Person, tell: Tell
) -> None:
    wanted = [
        contexts.create(demo, resources={name: 1}) for name in ('EDU', 'NVME')
    ]
    server_id = guests.boot(demo, *wanted)
    tell('ACTIVE')
    boot = guests.wait_ready(cloud, demo, server_id)
    tell('the guest has computed, and written')
    guests.check(cloud, demo, server_id, boot, *wanted)


def test_two_servers_at_once_and_a_third_that_waits_for_one(
    cloud: cloud_module.Cloud,
    demo: person.Person,
    only_host: collections.abc.Callable[[str | None], None],
    tell: Tell,
) -> None:
    only_host('compute1')
    wanted = [contexts.create(demo, resources={'EDU': 1}) for _n in range(3)]
    first = servers.boot(demo, wanted[0], flavor=guests.FLAVOR)
    # Nova's scheduler tries one of a host's devices only: of two requests at
    # the same moment, for the only host, one may find that it is taken.
    contexts.wait_until(demo, wanted[0], 'bound')
    second = servers.boot(demo, wanted[1], flavor=guests.FLAVOR)
    slots = []
    for server_id, context_id in ((first, wanted[0]), (second, wanted[1])):
        servers.wait_active(demo, server_id)
        boot = guests.wait_ready(cloud, demo, server_id)
        tell('a guest has computed')
        slots += guests.check(cloud, demo, server_id, boot, context_id)
    assert sorted(slots) == hypervisors.devices('compute1', 'edu')

    third = servers.boot(demo, wanted[2], flavor=guests.FLAVOR)
    fault = servers.wait_fault(demo, third)
    assert 'No valid host was found' in fault['message']
    contexts.wait_until(demo, wanted[2], 'available')
    servers.delete(demo, [first, third])
    tell('no valid host for the third; the first is deleted')

    fourth = guests.boot(demo, wanted[2])
    boot = guests.wait_ready(cloud, demo, fourth)
    tell('the next guest has computed')
    assert slots[:1] == guests.check(cloud, demo, fourth, boot, wanted[2])

# SPDX-License-Identifier: Apache-2.0

"""Who gets onto a host with a real hypervisor, and what it cannot give."""

from tests.e2e import contexts, logs, person, servers
from tests.real import guests
from tools.cloud import cloud as cloud_module


def test_only_systems_get_there(
    cloud: cloud_module.Cloud, demo: person.Person
) -> None:
    # By nothing else than that would they be kept from it.
    context_id = contexts.create(demo, resources=guests.RESOURCES)
    server_id = servers.boot(demo, context_id, flavor=guests.FLAVOR)
    message = servers.wait_fault(demo, server_id)['message']
    assert 'No valid host' in message
    contexts.wait_until(demo, context_id, 'available')


def test_a_device_that_is_not_there(
    cloud: cloud_module.Cloud, demo: person.Person
) -> None:
    context_id = contexts.create(demo, resources={'ABSENT_FPGA': 1})
    marks = logs.LogMarks(cloud)
    guest = guests.Guest(cloud, demo, context_id)
    message = servers.wait_fault(demo, guest.server_id)['message']
    contexts.wait_until(demo, context_id, 'available')
    assert 'Exceeded maximum number of retries' in message
    # It is libvirt that has refused.
    written = marks.since(f'nova-compute-{guests.host(cloud)}')
    assert 'libvirt.libvirtError: ' in written
    assert contexts.show(demo, context_id)['devices'] == []
    servers.delete(demo, [guest.server_id])
    assert guest.server_id not in guest.defined()

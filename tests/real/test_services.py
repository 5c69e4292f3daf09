# SPDX-License-Identifier: Apache-2.0

"""What becomes of a real guest when what is around it is killed."""

from tests.e2e import contexts, person
from tests.real import guests
from tools.cloud import cloud as cloud_module


def test_it_outlives_the_services_of_its_host(
    cloud: cloud_module.Cloud, demo: person.Person
) -> None:
    context_id = contexts.create(demo, resources=guests.RESOURCES)
    guest = guests.Guest(cloud, demo, context_id)
    guest.wait_ready()
    held = contexts.show(demo, context_id)
    host = guests.host(cloud)
    services = (f'libvirtd-{host}', f'nova-compute-{host}')
    for service in services:
        cloud.kill_service(service)
    for service in services:
        cloud.start_service(service)
    assert guest.state() == 'running'
    assert contexts.show(demo, context_id) == held

    # Who has lost it could not do this.
    guest.act(reboot={'type': 'HARD'})
    assert guest.wait_ready().uuid == guest.server_id
    assert contexts.show(demo, context_id) == held

# SPDX-License-Identifier: Apache-2.0

"""A real guest with a device context, through all that is done to servers."""

import collections.abc
import contextlib

from tests.e2e import contexts, person, servers
from tests.real import guests
from tools.cloud import cloud as cloud_module


def _soft_reboot(guest: guests.Guest) -> None:
    guest.act(reboot={'type': 'SOFT'})


def _hard_reboot(guest: guests.Guest) -> None:
    guest.act(reboot={'type': 'HARD'})


def _stop_and_start(guest: guests.Guest) -> None:
    guest.act(**{'os-stop': None})
    guest.wait_status('SHUTOFF')
    assert guest.state() == 'shut off'
    guest.act(**{'os-start': None})


def _shelve_and_unshelve(guest: guests.Guest) -> None:
    guest.act(shelve=None)
    guest.wait_status('SHELVED_OFFLOADED')
    assert guest.server_id not in guest.defined()
    [context] = contexts.every(guest.owner)
    assert (context['status'], context['devices']) == ('reserved', [])
    guest.act(unshelve=None)


def test_its_life(
    cloud: cloud_module.Cloud,
    demo: person.Person,
    afterwards: contextlib.ExitStack,
) -> None:
    context_id = contexts.create(demo, resources=guests.RESOURCES)
    guest = guests.Guest(cloud, demo, context_id)
    _check_start(guest, cloud)

    for operation in (_soft_reboot, _hard_reboot, _stop_and_start):
        _keeps_its_device(operation, guest, cloud)
    _shelve_and_unshelve(guest)
    _check_start(guest, cloud)

    snapshot = guest.snapshot()
    afterwards.callback(demo.image.delete, f'/v2/images/{snapshot}')
    assert guest.state() == 'running'
    _keeps_its_device(lambda each: each.rebuild(snapshot), guest, cloud)

    servers.delete(demo, [guest.server_id])
    assert guest.server_id not in guest.defined()
    assert not contexts.exists(demo, context_id)


def _keeps_its_device(
    operation: collections.abc.Callable[[guests.Guest], None],
    guest: guests.Guest,
    cloud: cloud_module.Cloud,
) -> None:
    before = contexts.every(guest.owner)
    operation(guest)
    _check_start(guest, cloud)
    assert contexts.every(guest.owner) == before


def _check_start(guest: guests.Guest, cloud: cloud_module.Cloud) -> None:
    """Check that the guest has started anew, and has its device context."""
    boot = guest.wait_ready()
    assert (boot.uuid, boot.name) == (guest.server_id, guest.show()['name'])
    assert guest.state() == 'running'
    guests.assert_is_what_nova_asked_for(guest)
    [context] = contexts.every(guest.owner)
    assert context['status'] == 'bound'
    assert context['server_id'] == guest.server_id
    assert context['host'] == guests.host(cloud)
    [device] = context['devices']
    assert device['attach_handle_type'] == 'TEST_PCI'

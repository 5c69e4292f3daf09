# SPDX-License-Identifier: Apache-2.0

"""Servers that hold device contexts."""

import pytest


def test_the_server_is_gone(cloud, run, running, member, placement):
    provider, server_id, context_id = running
    cloud.nova.delete(server_id)

    assert run() == (1, ['held-by-no-server', 'allocation-of-no-server'])
    assert member.status_of(context_id) == 'bound'

    assert run(repair=True) == (
        0,
        ['held-by-no-server', 'allocation-of-no-server'],
    )
    member.show(context_id, status=404)
    assert cloud.used_slots() == 0
    assert placement.allocations[provider] == {}
    assert run() == (0, [])


def test_a_kept_context_of_a_server_that_is_gone(
    cloud, run, running, member, placement
):
    _provider, server_id, context_id = running
    member.update(context_id, delete_on_termination=False)
    cloud.nova.delete(server_id)

    run(repair=True)

    assert member.status_of(context_id) == 'available'


def test_the_server_was_never_built(cloud, run, boot, member, placement):
    server_id, context_id = boot()
    cloud.nova.change(server_id, 'ERROR')
    cloud.nova.servers[server_id] |= {
        'OS-EXT-SRV-ATTR:host': None,
        'OS-SRV-USG:launched_at': None,
    }

    assert run(repair=True) == (0, ['held-by-failed-server'])
    assert member.status_of(context_id) == 'available'


def test_a_server_in_error_that_was_running(cloud, run, boot, member):
    """Shelved and offloaded, it could not be unshelved for its image."""
    server_id, context_id = boot()
    cloud.nova.change(server_id, 'ERROR')
    cloud.nova.servers[server_id] |= {
        'OS-EXT-SRV-ATTR:host': None,
        'OS-SRV-USG:launched_at': '2026-11-24T19:00:00',
    }

    assert run(repair=True) == (0, [])
    assert member.status_of(context_id) == 'reserved'


def test_an_offloaded_server_with_devices(
    cloud, run, running, member, placement
):
    _provider, server_id, context_id = running
    cloud.nova.change(server_id, 'SHELVED_OFFLOADED')
    cloud.nova.servers[server_id]['OS-EXT-SRV-ATTR:host'] = None
    placement.allocations.clear()

    assert run(repair=True) == (0, ['devices-of-offloaded-server'])
    assert run() == (0, [])
    assert member.status_of(context_id) == 'reserved'
    assert cloud.used_slots() == 0


def test_a_server_without_its_devices(cloud, run, boot, member):
    server_id, context_id = boot()
    cloud.nova.change(server_id, 'ACTIVE')

    assert run(repair=True) == (1, ['server-without-devices'])
    assert member.status_of(context_id) == 'reserved'


@pytest.mark.parametrize('status', ['BUILD', 'SHELVED_OFFLOADED', 'ERROR'])
def test_a_server_that_exists_keeps_what_it_holds(
    cloud, run, boot, member, placement, status
):
    server_id, context_id = boot()
    cloud.nova.change(server_id, status)
    cloud.nova.servers[server_id]['OS-EXT-SRV-ATTR:host'] = (
        'compute1' if status == 'ERROR' else None
    )

    assert run(repair=True) == (0, [])
    assert member.status_of(context_id) == 'reserved'


def test_nova_does_not_say(cloud, run, running, member):
    cloud.nova.status_code = 503

    assert run(repair=True) == (1, ['unknown-server'])
    assert member.status_of(running[2]) == 'bound'

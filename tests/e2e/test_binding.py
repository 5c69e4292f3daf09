# SPDX-License-Identifier: Apache-2.0


"""Binding: its failure, and that it lasts as long as the server."""

import collections.abc

import pytest

from tests.e2e import contexts, databases, guest, person, servers, waiting
from tools.cloud import cloud as cloud_module

_CLAIM = (
    'UPDATE attach_handles SET in_use = ? WHERE in_use = ? AND deployable_id '
    "= (SELECT id FROM deployables WHERE name = 'compute1_0000:0c:00.0')"
)


@pytest.fixture
def no_free_handles(
    cloud: cloud_module.Cloud,
) -> collections.abc.Iterator[None]:
    """Cyborg has no handle left of a device that Placement thinks is free."""
    count = databases.change(cloud, 'cyborg', _CLAIM, True, False)
    try:
        assert count == 8
        yield
    finally:
        databases.change(cloud, 'cyborg', _CLAIM, False, True)


def test_a_binding_that_fails_is_the_servers_fault(
    demo: person.Person, no_free_handles: None
) -> None:
    context_id = contexts.create(demo)
    server_id = servers.boot(demo, context_id)
    message = servers.wait_fault(demo, server_id)['message']
    assert 'No device could be bound' in message
    assert 'AttachHandle not found' in message
    contexts.wait_until(demo, context_id, 'available')
    assert contexts.show(demo, context_id)['devices'] == []


def _reboot_hard(demo: person.Person, server_id: str) -> None:
    servers.act(demo, server_id, reboot={'type': 'HARD'})


def _stop_and_start(demo: person.Person, server_id: str) -> None:
    servers.act(demo, server_id, **{'os-stop': None})
    servers.wait_status(demo, server_id, 'SHUTOFF')
    servers.act(demo, server_id, **{'os-start': None})


@pytest.mark.parametrize('restart', [_reboot_hard, _stop_and_start])
def test_slot_and_alias_outlive_a_restart(
    cloud: cloud_module.Cloud,
    demo: person.Person,
    restart: collections.abc.Callable[[person.Person, str], None],
) -> None:
    ids = [
        contexts.create(demo),
        contexts.create(demo, resources={'VGPU': 1}),
    ]
    server_id = servers.boot_active(demo, *ids)
    before = guest.hostdevs(cloud, server_id)
    held = [contexts.show(demo, each) for each in ids]
    [path] = cloud.folder.glob(f'domains/*/{server_id}.xml')
    written = path.stat().st_mtime_ns

    restart(demo, server_id)
    waiting.until(
        'the guest to be defined anew',
        lambda: path.exists() and path.stat().st_mtime_ns != written,
    )
    servers.wait_active(demo, server_id)
    assert guest.hostdevs(cloud, server_id) == before
    assert [contexts.show(demo, each) for each in ids] == held

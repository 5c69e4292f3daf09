# SPDX-License-Identifier: Apache-2.0

"""A slot that its host does not report for a while stays its server's.

The agents report once a minute.
"""

import contextlib
import pathlib
import typing as ty

import pytest
import yaml

from tests.e2e import contexts, guest, person, servers, waiting
from tools.cloud import cloud as cloud_module
from tools.cloud.model import state as cloud_state

_HOST = 'compute2'
_ONE, _TWO, _THREE = (f'0000:72:00.{number}' for number in (1, 2, 3))


class _Devices:
    """The devices file of a host, with a card that changes."""

    def __init__(self, path: pathlib.Path) -> None:
        self._path = path
        self._before = path.read_text()

    def write(self, *addresses: str) -> None:
        """Have the card have these slots."""
        listed: dict[str, list[dict[str, ty.Any]]] = yaml.safe_load(
            self._before
        )
        listed['devices'].append(
            {
                'address': '0000:72:00.0',
                'vendor': '8086',
                'product': '0001',
                'type': 'FPGA',
                'resource_class': 'YPU',
                'handles': {'type': 'PCI', 'addresses': list(addresses)},
            }
        )
        self._path.write_text(yaml.safe_dump(listed))

    def restore(self) -> None:
        """Have the host have no such card."""
        self._path.write_text(self._before)


@pytest.fixture
def devices(
    cloud: cloud_module.Cloud,
    afterwards: contextlib.ExitStack,
) -> _Devices:
    state = cloud_state.State.load(cloud.folder)
    assert state is not None
    found = _Devices(state.devices(_HOST))
    afterwards.callback(found.restore)
    return found


def _wait_for_slots(admin: person.Person, *addresses: str) -> None:
    """Wait until Cyborg knows these slots of the card, and no other."""

    def known() -> bool:
        listed = admin.accelerator.get('/deployables').json()['deployables']
        return [
            each['num_accelerators']
            for each in listed
            if each['name'] == f'{_HOST}_0000:72:00.0'
        ] == [len(addresses)]

    waiting.until(f'Cyborg to know {len(addresses)} slots', known)


def test_a_slot_is_missing_and_comes_back(
    cloud: cloud_module.Cloud,
    demo: person.Person,
    admin: person.Person,
    devices: _Devices,
) -> None:
    devices.write(_ONE)
    _wait_for_slots(admin, _ONE)
    first = contexts.create(demo, resources={'YPU': 1})
    server = servers.boot_active(demo, first)
    assert [each.slot for each in guest.hostdevs(cloud, server)] == [_ONE]

    devices.write(_TWO)
    contexts.wait_until(demo, first, 'error')

    assert _ONE in contexts.show(demo, first)['fault']
    refused = demo.is_refused(f'openstack server reboot --hard {server}')
    assert _ONE in refused
    assert demo.show('openstack accelerator arq list')
    second = contexts.create(demo, resources={'YPU': 1})
    other = servers.boot_active(demo, second)
    assert [each.slot for each in guest.hostdevs(cloud, other)] == [_TWO]

    devices.write(_ONE, _TWO)
    contexts.wait_until(demo, first, 'bound')

    servers.act(demo, server, reboot={'type': 'HARD'})
    servers.wait_active(demo, server)
    assert [each.slot for each in guest.hostdevs(cloud, server)] == [_ONE]
    assert [each.slot for each in guest.hostdevs(cloud, other)] == [_TWO]

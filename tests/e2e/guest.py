# SPDX-License-Identifier: Apache-2.0


"""What libvirt was given for a server."""

import dataclasses
import typing as ty

from lxml import etree

from tools.cloud import cloud as cloud_module


@dataclasses.dataclass(frozen=True)
class Hostdev:
    """A device that the host passes to a guest.

    :ivar kind: ``pci`` or ``mdev``.
    :ivar slot: as device contexts show it: PCI address, or the UUID of the
        mediated device.
    :ivar alias: libvirt's user alias; None if there is none.
    """

    kind: str
    slot: str
    alias: str | None


def hostdevs(cloud: cloud_module.Cloud, server_id: str) -> list[Hostdev]:
    """Return the devices of a server's guest, in the order of its XML."""
    xml = etree.fromstring(cloud.domain_xml(server_id).encode())
    return [_hostdev(each) for each in xml.findall('.//hostdev')]


def of_contexts(*contexts: dict[str, ty.Any]) -> list[Hostdev]:
    """Return the devices that a guest must have for device contexts."""
    kinds = {'PCI': 'pci', 'MDEV': 'mdev'}
    return [
        Hostdev(
            kinds[each['attach_handle_type']],
            each['slot'],
            f'ua-{each["arq_id"]}',
        )
        for context in contexts
        for each in context['devices']
    ]


def in_order(devices: list[Hostdev]) -> list[Hostdev]:
    """Sort devices by their slots: no order is promised between contexts."""
    return sorted(devices, key=lambda each: each.slot)


def _hostdev(element: ty.Any) -> Hostdev:
    alias = element.find('alias')
    return Hostdev(
        element.get('type'),
        _slot(element.find('source/address')),
        None if alias is None else alias.get('name'),
    )


def _slot(address: ty.Any) -> str:
    if address.get('uuid'):
        return str(address.get('uuid'))
    domain, bus, slot, function = (
        int(address.get(name), 16)
        for name in ('domain', 'bus', 'slot', 'function')
    )
    return f'{domain:04x}:{bus:02x}:{slot:02x}.{function:x}'

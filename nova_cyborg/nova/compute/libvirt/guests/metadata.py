# SPDX-License-Identifier: Apache-2.0

"""nova-compute with libvirt: which device of a guest has which tag.

Nova's metadata name network devices and disks with their tags and their
addresses in the guest. Here are the objects for devices of device contexts:
they are of Nova's general class, as Nova has none for accelerators.
"""

from __future__ import annotations

import collections.abc
import typing as ty

from lxml import etree
from nova import objects
from nova.objects import virt_device_metadata

from nova_cyborg.attach import spec
from nova_cyborg.nova.compute.libvirt.guests import plugging

_ADDRESS = "address[@type='pci']"
_PARTS = ('domain', 'bus', 'slot', 'function')
_Arqs = collections.abc.Iterable[collections.abc.Mapping[str, ty.Any]]
_Devices = list[virt_device_metadata.DeviceMetadata]


def made(domain: str, arqs: _Arqs) -> _Devices:
    """Describe the devices of a guest that have tags.

    :param domain: the guest, as libvirt describes it.
    :param arqs: accelerator requests of the server.
    :returns: a description of each device of theirs that is in the guest.
    """
    tagged = [arq for arq in plugging.of_guest(arqs) if arq.get('tag')]
    return [
        virt_device_metadata.DeviceMetadata(
            bus=virt_device_metadata.PCIDeviceBus(address=address),
            tags=[arq['tag']],
        )
        for element, address in _addresses(domain)
        for arq in tagged
        if plugging.is_device(element, arq)
    ]


def kept(
    found: objects.InstanceDeviceMetadata | None, domain: str
) -> _Devices:
    """Return the descriptions of devices that a guest still has.

    :param found: what described its devices before.
    :param domain: the guest, as libvirt describes it.
    :returns: them.
    """
    addresses = {address for _element, address in _addresses(domain)}
    return [
        device
        for device in _devices(found)
        if _is_ours(device) and device.bus.address in addresses
    ]


def joined(
    found: objects.InstanceDeviceMetadata | None, own: _Devices
) -> objects.InstanceDeviceMetadata | None:
    """Put descriptions of devices beside those of Nova's.

    :param found: Nova's, and those of ours that are not true any more.
    :param own: those that are.
    :returns: all of them; None if there are none.
    """
    stock = [each for each in _devices(found) if not _is_ours(each)]
    if not stock and not own:
        return None
    return objects.InstanceDeviceMetadata(devices=stock + own)


def tells_of_devices(found: objects.InstanceDeviceMetadata | None) -> bool:
    """Tell whether a description has devices of device contexts.

    :param found: the description.
    :returns: whether it has.
    """
    return any(_is_ours(device) for device in _devices(found))


def may_have(domain: str) -> bool:
    """Tell whether a guest may have devices of device contexts.

    :param domain: the guest, as libvirt describes it.
    :returns: whether a device of the host has an alias as theirs have.
    """
    return any(
        spec.arq_id_of(spec.alias_of(element) or '')
        for element, _address in _addresses(domain)
    )


def _devices(found: objects.InstanceDeviceMetadata | None) -> _Devices:
    return list(found.devices) if found is not None else []


def _is_ours(device: virt_device_metadata.DeviceMetadata) -> bool:
    # All of Nova's own are of subclasses.
    return type(device) is virt_device_metadata.DeviceMetadata


def _addresses(
    domain: str,
) -> collections.abc.Iterator[tuple[etree._Element, str]]:
    """Find devices of the host, and where the guest sees them.

    :returns: pairs of what describes a device, and a PCI address.
    """
    for element in etree.fromstring(domain).iterfind('devices/hostdev'):
        found = element.find(_ADDRESS)
        if found is not None:
            numbers = (int(found.get(part), 16) for part in _PARTS)
            yield element, '{:04x}:{:02x}:{:02x}.{:x}'.format(*numbers)

# SPDX-License-Identifier: Apache-2.0

"""Mediated devices as the fake libvirt lists and makes them."""

from lxml import etree
from nova.tests.fixtures import libvirt as fakelibvirt

from tools.cloud.fakes import mdevs


class MdevInfo:
    """A host's mediated devices, in the form the fake libvirt asks for.

    :param bus: the host's devices.
    """

    def __init__(self, bus: mdevs.MdevBus) -> None:
        self._bus = bus

    def get_all_devices(self) -> list[str]:
        """Return libvirt's names of all devices."""
        return [mdev.name for mdev in self._bus.devices()]

    def get_device_by_name(self, device_name: str) -> 'NodeDevice':
        """Return a device.

        :param device_name: libvirt's name of it.
        :raises libvirtError: as libvirt does, if there is none.
        """
        for mdev in self._bus.devices():
            if mdev.name == device_name:
                return NodeDevice(mdev)
        raise fakelibvirt.make_libvirtError(
            fakelibvirt.libvirtError,
            f'no node device with matching name {device_name!r}',
            error_code=fakelibvirt.VIR_ERR_NO_NODE_DEVICE,
            error_domain=fakelibvirt.VIR_FROM_NODEDEV,
        )

    def create(self, xml: str) -> 'NodeDevice':
        """Make a device.

        :param xml: what the driver gave to libvirt.
        """
        tree = etree.fromstring(xml)
        mdev = mdevs.Mdev(
            uuid=tree.findtext('capability/uuid'),
            parent=_address(tree.findtext('parent')),
            type_id=tree.find('capability/type').get('id'),
        )
        self._bus.create(mdev)
        return NodeDevice(mdev)


class NodeDevice:
    """A mediated device as one of libvirt's node devices.

    :param mdev: the device.
    """

    def __init__(self, mdev: mdevs.Mdev) -> None:
        self._mdev = mdev

    def name(self) -> str:
        """Return libvirt's name of the device."""
        return self._mdev.name

    def XMLDesc(self, flags: int) -> str:  # noqa: N802
        """Return libvirt's description of the device."""
        return (
            f'<device><name>{self._mdev.name}</name>'
            f'<parent>{self._mdev.parent_name}</parent>'
            f'<capability type="mdev"><type id="{self._mdev.type_id}"/>'
            f'<uuid>{self._mdev.uuid}</uuid><iommuGroup number="12"/>'
            '</capability></device>'
        )

    def setAutostart(self, autostart: bool) -> int:  # noqa: N802
        """Agree: the device is as lasting as its file."""
        return 0


def _address(node_name: str) -> str:
    """Turn libvirt's name of a PCI device into its address."""
    domain, bus, slot, function = node_name.removeprefix('pci_').split('_')
    return f'{domain}:{bus}:{slot}.{function}'

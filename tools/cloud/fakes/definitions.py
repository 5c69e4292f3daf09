# SPDX-License-Identifier: Apache-2.0

"""The definition of a guest, and what libvirt adds to what Nova gives it."""

import collections.abc
import copy
import itertools
import typing as ty

from lxml import etree

_DEVICES = ('disk', 'interface', 'hostdev')
# What a guest of the machine type ``pc`` has for devices of these kinds.
_PCI_SLOTS = range(0x03, 0x20)
# Names that libvirt's user gives; all others are its own.
_USER = 'ua-'


class Definition:
    """A guest's definition: the stored one, or that of what runs.

    :param xml: what it is made from.
    """

    def __init__(self, xml: str) -> None:
        self._tree = etree.fromstring(xml)
        self._devices = self._tree.find('devices')
        if self._devices is None:
            self._devices = etree.SubElement(self._tree, 'devices')

    @property
    def xml(self) -> str:
        """The definition, as XML."""
        return etree.tostring(self._tree, encoding='unicode')

    def store(self) -> 'Definition':
        """Make of it what libvirt stores.

        :returns: the definition itself; each device has an address on the
            guest's bus, and no name but by its user.
        :raises LookupError: if the bus has too few slots.
        """
        for element in self._all():
            self._prepare(element)
        return self

    def start(self) -> 'Definition':
        """Make the definition of what runs.

        :returns: one in which each device has a name.
        """
        started = Definition(self.xml)
        for element in started._all():
            started._name(element)
        return started

    def hostdevs(self) -> list[etree._Element]:
        """Return the devices that the host passes to the guest."""
        return list(self._devices.iterfind('hostdev'))

    def has(self, element: etree._Element) -> bool:
        """Tell whether the guest has a device.

        :param element: the device.
        """
        return self._find(element) is not None

    def attach(self, element: etree._Element, live: bool) -> None:
        """Add a device.

        :param element: the device.
        :param live: whether this is the definition of what runs.
        :raises LookupError: if the guest's bus has no slot for it.
        """
        added = copy.deepcopy(element)
        self._prepare(added)
        if live:
            self._name(added)
        self._devices.append(added)

    def detach(self, element: etree._Element) -> str:
        """Remove a device.

        :param element: what tells which one.
        :returns: the device's name; empty if it has none.
        :raises LookupError: if there is no such device.
        """
        found = self._find(element)
        if found is None:
            raise LookupError(describe(element))
        self._devices.remove(found)
        return _alias(found) or ''

    def _all(self) -> collections.abc.Iterator[etree._Element]:
        for kind in _DEVICES:
            yield from self._devices.findall(kind)

    def _find(self, element: etree._Element) -> etree._Element | None:
        for each in self._devices.findall(element.tag):
            if describe(each) == describe(element):
                return each
        return None

    def _prepare(self, element: etree._Element) -> None:
        alias = element.find('alias')
        if alias is not None and not alias.get('name').startswith(_USER):
            element.remove(alias)
        if element.find('address') is None and _is_on_bus(element):
            element.append(self._address())

    def _address(self) -> etree._Element:
        taken = {
            int(address.get('slot'), 16)
            for address in self._devices.iterfind('*/address[@type="pci"]')
        }
        for slot in _PCI_SLOTS:
            if slot not in taken:
                return etree.Element(
                    'address',
                    type='pci',
                    domain='0x0000',
                    bus='0x00',
                    slot=f'0x{slot:02x}',
                    function='0x0',
                )
        raise LookupError('No more available PCI slots')

    def _name(self, element: etree._Element) -> None:
        if _alias(element) is not None:
            return
        taken = {_alias(each) for each in self._all()}
        prefix = 'net' if element.tag == 'interface' else element.tag
        names = (f'{prefix}{number}' for number in itertools.count())
        name = next(each for each in names if each not in taken)
        etree.SubElement(element, 'alias', name=name)


def describe(element: etree._Element) -> str:
    """Return what a device is known by.

    :param element: the device.
    :returns: for a device of the host its slot, as device contexts show it;
        for others what libvirt tells them apart by.
    """
    if element.tag == 'hostdev':
        return f'host device {slot(element)}'
    if element.tag == 'interface':
        return f'interface {element.find("mac").get("address")}'
    return f'disk {element.find("target").get("dev")}'


def slot(element: etree._Element) -> str:
    """Return the slot that a ``<hostdev>`` is of."""
    address = element.find('source/address')
    if address.get('uuid'):
        return str(address.get('uuid'))
    domain, bus, device, function = (
        int(address.get(part), 16)
        for part in ('domain', 'bus', 'slot', 'function')
    )
    return f'{domain:04x}:{bus:02x}:{device:02x}.{function:x}'


def _is_on_bus(element: etree._Element) -> bool:
    target: ty.Any = element.find('target')
    return element.tag != 'disk' or target.get('bus') == 'virtio'


def _alias(element: etree._Element) -> str | None:
    alias = element.find('alias')
    return None if alias is None else str(alias.get('name'))

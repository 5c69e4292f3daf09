# SPDX-License-Identifier: Apache-2.0

"""Nova's fake libvirt, with devices that guests let go of and get back.

Nova's own knows one config of a guest; keeps of a PCI device no alias, and of
a mediated device that is plugged in nothing at all; sends no events; and saves
whatever guest. This one does with ``<hostdev>`` as libvirt does.
"""

import collections.abc
import copy
import typing as ty

import fixtures
from lxml import etree
from nova.tests.fixtures import libvirt as fakelibvirt
from nova.virt.libvirt import event

_Elements = list[etree._Element]
# Of the guest: those before it are of other devices.
_FIRST_BUS = 4


class Hotplug(fixtures.Fixture):
    """Has guests plug and unplug devices.

    :param drivers: returns Nova's drivers, to send them events.
    :ivar kept: slots that guests do not let go of.
    :ivar silent: slots that guests keep without a word.
    :ivar refused: slots that guests do not take.
    :ivar asked: slots that guests that run were asked for.
    :ivar ports: how many devices a guest has room for while it runs.
    """

    def __init__(
        self, drivers: collections.abc.Callable[[], list[ty.Any]]
    ) -> None:
        super().__init__()
        self._drivers = drivers
        self.kept: set[str] = set()
        self.silent: set[str] = set()
        self.refused: set[str] = set()
        self.asked: list[str] = []
        self.ports = 100

    def let_go(self, domain: ty.Any, slot: str) -> None:
        """Have a guest let go of a device, whoever waits for it."""
        (element,) = [x for x in domain.live if slot_of(x) == slot]
        domain.live.remove(element)
        self._send(domain, element.find('alias').get('name'), kept=False)

    def _setUp(self) -> None:  # noqa: N802 - the name is fixtures'
        for name, method in {
            '_parse_definition': self._parse,
            'XMLDesc': self._describe,
            'isActive': self._is_active,
            'createWithFlags': self._create,
            'managedSave': self._save,
            'attachDeviceFlags': self._attach,
            'detachDeviceFlags': self._detach,
        }.items():
            self._patch(fakelibvirt.Domain, name, method)
        self._patch(fakelibvirt.Connection, 'defineXML', self._define)
        # Nova's own calls it without its argument.
        self.useFixture(
            fixtures.MonkeyPatch(
                f'{fakelibvirt.__name__}.Domain.managedSaveRemove',
                lambda domain, flags=0: setattr(
                    domain, '_has_saved_state', False
                ),
            )
        )

    def _patch(self, owner: type, name: str, method: ty.Any) -> None:
        stock = getattr(owner, name)

        def patched(obj: ty.Any, *args: ty.Any, **kwargs: ty.Any) -> ty.Any:
            return method(stock, obj, *args, **kwargs)

        self.useFixture(
            fixtures.MonkeyPatch(
                f'{owner.__module__}.{owner.__name__}.{name}', patched
            )
        )

    def _is_active(self, stock: ty.Any, domain: ty.Any) -> int:
        # To Nova's own, one that is paused is not.
        return stock(domain) or domain._state == fakelibvirt.VIR_DOMAIN_PAUSED

    def _parse(self, stock: ty.Any, domain: ty.Any, xml: str) -> ty.Any:
        definition = stock(domain, xml)
        definition['devices']['hostdevs'] = []
        tree = etree.fromstring(xml)
        domain.stored = []
        for element in tree.findall('devices/hostdev'):
            domain.stored.append(_addressed(element, domain.stored))
        domain.live = copy.deepcopy(domain.stored)
        domain.saved = None
        return definition

    def _define(self, stock: ty.Any, connection: ty.Any, xml: str) -> ty.Any:
        """Define a guest; what is saved of it stays."""
        name = etree.fromstring(xml).findtext('name')
        before = connection._vms.get(name)
        domain = stock(connection, xml)
        if before is not None and before.hasManagedSaveImage(0):
            domain._has_saved_state = True
            domain.saved = before.saved
        return domain

    def _describe(self, stock: ty.Any, domain: ty.Any, flags: int) -> str:
        tree = etree.fromstring(stock(domain, flags))
        inactive = bool(flags & fakelibvirt.VIR_DOMAIN_XML_INACTIVE)
        is_live = domain.isActive() and not inactive
        elements = domain.live if is_live else domain.stored
        devices = tree.find('devices')
        for number, element in enumerate(copy.deepcopy(elements)):
            if is_live and element.find('alias') is None:
                alias = etree.Element('alias', name=f'hostdev{number}')
                element.append(alias)
            devices.append(element)
        return etree.tostring(tree, encoding='unicode')

    def _create(self, stock: ty.Any, domain: ty.Any, flags: int) -> None:
        saved = domain.saved if domain.hasManagedSaveImage(0) else None
        stock(domain, flags)
        domain.live = copy.deepcopy(domain.stored if saved is None else saved)
        domain.saved = None

    def _save(self, stock: ty.Any, domain: ty.Any, flags: int) -> None:
        if domain.live:
            raise _error(
                'domain has assigned non-USB host devices',
                fakelibvirt.VIR_ERR_OPERATION_INVALID,
            )
        stock(domain, flags)
        domain._state = fakelibvirt.VIR_DOMAIN_SHUTOFF
        domain.saved = []

    def _attach(
        self, stock: ty.Any, domain: ty.Any, xml: str, flags: int
    ) -> None:
        element = etree.fromstring(xml)
        if element.tag != 'hostdev':
            stock(domain, xml, flags)
            return
        if slot_of(element) in self.refused:
            raise _error(
                'the guest takes no device today',
                fakelibvirt.VIR_ERR_OPERATION_FAILED,
            )
        meant = _meant(domain, flags)
        full = len(domain.live) >= self.ports
        if full and any(elements is domain.live for elements in meant):
            raise _error(
                'internal error: No more available PCI slots',
                fakelibvirt.VIR_ERR_INTERNAL_ERROR,
            )
        element = _addressed(element, [each for m in meant for each in m])
        for elements in meant:
            elements.append(copy.deepcopy(element))

    def _detach(
        self, stock: ty.Any, domain: ty.Any, xml: str, flags: int
    ) -> None:
        element = etree.fromstring(xml)
        if element.tag != 'hostdev':
            stock(domain, xml, flags)
            return
        slot = slot_of(element)
        for elements in _meant(domain, flags):
            found = [each for each in elements if slot_of(each) == slot]
            if not found:
                raise _error(
                    'device not found', fakelibvirt.VIR_ERR_DEVICE_MISSING
                )
            is_live = elements is domain.live
            if is_live:
                self.asked.append(slot)
            kept = slot in self.kept | self.silent and is_live
            if not kept:
                elements.remove(found[0])
            if is_live and slot not in self.silent:
                self._send(domain, element.find('alias').get('name'), kept)

    def _send(self, domain: ty.Any, alias: str, kept: bool) -> None:
        made = (
            event.DeviceRemovalFailedEvent
            if kept
            else event.DeviceRemovedEvent
        )(domain.UUIDString(), alias)
        # Only the host that it is on.
        for driver in self._drivers():
            if domain in driver._host.get_connection()._vms.values():
                driver.emit_event(made)


def _addressed(element: etree._Element, others: _Elements) -> etree._Element:
    """Give a ``<hostdev>`` an address in the guest, if it has none."""
    if element.find('address') is None:
        taken = {each.find('address').get('bus') for each in others}
        bus = next(
            bus
            for n in range(_FIRST_BUS, 256)
            if (bus := f'0x{n:02x}') not in taken
        )
        address = {'domain': '0x0000', 'slot': '0x00', 'function': '0x0'}
        etree.SubElement(element, 'address', type='pci', bus=bus, **address)
    return element


def slot_of(element: etree._Element) -> str:
    """Return the slot that a ``<hostdev>`` is of."""
    address = element.find('source/address')
    if address.get('uuid'):
        return str(address.get('uuid'))
    domain, bus, device, function = (
        int(address.get(part), 16)
        for part in ('domain', 'bus', 'slot', 'function')
    )
    return f'{domain:04x}:{bus:02x}:{device:02x}.{function:x}'


def _meant(domain: ty.Any, flags: int) -> list[_Elements]:
    """Return the configs that flags mean."""
    found = []
    if flags & fakelibvirt.VIR_DOMAIN_AFFECT_CONFIG:
        found.append(domain.stored)
    if flags & fakelibvirt.VIR_DOMAIN_AFFECT_LIVE:
        if not domain.isActive():
            raise _error(
                'domain is not running', fakelibvirt.VIR_ERR_OPERATION_INVALID
            )
        found.append(domain.live)
    return found


def _error(message: str, code: int) -> Exception:
    error: Exception = fakelibvirt.make_libvirtError(
        fakelibvirt.libvirtError,
        message,
        error_code=code,
        error_message=message,
    )
    return error

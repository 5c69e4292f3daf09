# SPDX-License-Identifier: Apache-2.0

"""The devices of a devices file: what they are, and how entries are read.

``etc/nova-cyborg/devices.yaml.sample`` describes the fields. The functions
raise ``InvalidRequest``; :mod:`.devices_file` adds the file and the entry.
"""

import dataclasses
import re

from cyborg.common import constants

from nova_cyborg import names
from nova_cyborg.cyborg.agent import pci_address, readers

_REQUIRED_FIELDS = ('address', 'vendor', 'product', 'resource_class')
_DEVICE_FIELDS = frozenset(
    (
        *_REQUIRED_FIELDS,
        'type',
        'traits',
        'handles',
        'unhealthy',
        'cleaning',
    )
)
_HANDLES_FIELDS = frozenset(('type', 'mdev_type', 'number', 'addresses'))
_CLEANING_FIELDS = frozenset(('program', 'timeout'))
# Seconds that a program may take to clean a slot, if the file does not say.
_TIMEOUT = 60
# The kernel's names of mediated device types, such as nvidia-35 and
# i915-GVTg_V5_4. The name becomes a part of a path in sysfs, and may not
# lead elsewhere. Cyborg stores it twice within 255 characters.
_MDEV_TYPE = re.compile(r'[A-Za-z0-9][A-Za-z0-9_.-]{0,63}')


@dataclasses.dataclass(frozen=True)
class Handles:
    """What guests get of a device: one or more slots of one kind.

    :ivar type: ``PCI``, ``MDEV`` or ``TEST_PCI`` (which Nova ignores).
    :ivar addresses: a PCI address a slot: the function that is passed to
        the guest. For ``MDEV``, the device's own, once for each slot.
    :ivar mdev_type: the type of mediated device; None for the others.
    """

    type: str
    addresses: tuple[str, ...]
    mdev_type: str | None = None


@dataclasses.dataclass(frozen=True)
class Cleaning:
    """How a slot of a device is cleaned when a server has given it back.

    :ivar program: the program and its arguments; the PCI address of the slot
        comes after them.
    :ivar timeout: seconds that it may take.
    """

    program: tuple[str, ...]
    timeout: int = _TIMEOUT


@dataclasses.dataclass(frozen=True)
class Device:
    """An accelerator, normalised.

    :ivar address: the PCI address of the physical function.
    :ivar vendor: the PCI vendor id, four hexadecimal digits.
    :ivar product: the PCI product id, four hexadecimal digits.
    :ivar type: one of Cyborg's device types.
    :ivar resource_class: what Placement counts its slots as.
    :ivar traits: traits of its resource provider, sorted.
    :ivar handles: what guests get.
    :ivar unhealthy: what is wrong with it, a sentence; empty if it is well.
    :ivar cleaning: how its slots are cleaned; None if they are not.
    """

    address: str
    vendor: str
    product: str
    type: str
    resource_class: str
    traits: tuple[str, ...]
    handles: Handles
    unhealthy: str = ''
    cleaning: Cleaning | None = None

    @property
    def claims(self) -> frozenset[str]:
        """The PCI addresses that no other device may have."""
        return frozenset((self.address, *self.handles.addresses))


def parse_device(item: object) -> Device:
    """Read and normalise an entry.

    :param item: the entry, as YAML has it.
    :returns: the device.
    :raises InvalidRequest: naming the field that is wrong.
    """
    fields = readers.fields(item, 'entry', _DEVICE_FIELDS, _REQUIRED_FIELDS)
    address = readers.address(fields['address'], 'address')
    # Cyborg before 2026.2 has no type PCI: there, it has to be given.
    device_type = fields.get('type', 'PCI')
    return Device(
        address=address,
        vendor=readers.pci_id(fields['vendor'], 'vendor'),
        product=readers.pci_id(fields['product'], 'product'),
        type=readers.choice(device_type, constants.DEVICE_TYPE, 'type'),
        resource_class=names.resource_class_name(
            fields['resource_class'], 'resource_class'
        ),
        traits=readers.traits(fields.get('traits', []), 'traits'),
        handles=_handles(fields.get('handles', {}), address),
        unhealthy=_unhealthy(fields),
        cleaning=_cleaning(fields['cleaning'])
        if 'cleaning' in fields
        else None,
    )


def _cleaning(item: object) -> Cleaning:
    fields = readers.fields(item, 'cleaning', _CLEANING_FIELDS, ('program',))
    return Cleaning(
        readers.program(fields['program'], 'cleaning.program'),
        readers.seconds(fields.get('timeout', _TIMEOUT), 'cleaning.timeout'),
    )


def _unhealthy(fields: readers.Fields) -> str:
    if 'unhealthy' not in fields:
        return ''
    return readers.text(fields['unhealthy'], 'unhealthy', 'ECC errors')


def _handles(item: object, address: str) -> Handles:
    fields = readers.fields(item, 'handles', _HANDLES_FIELDS)
    kind = readers.choice(
        fields.get('type', constants.AH_TYPE_PCI),
        constants.ATTACH_HANDLE_TYPES,
        'handles.type',
    )
    if kind == constants.AH_TYPE_MDEV:
        return _mdev_handles(fields, address)
    if 'mdev_type' in fields:
        raise readers.invalid(
            'handles.mdev_type', f'is only for MDEV, not for {kind}.'
        )
    return Handles(kind, _functions(fields, address))


def _mdev_handles(fields: readers.Fields, address: str) -> Handles:
    if 'addresses' in fields:
        raise readers.invalid(
            'handles.addresses',
            'is not for MDEV: the slots are made on the device itself. '
            'Give their number.',
        )
    if 'mdev_type' not in fields:
        raise readers.invalid('handles.mdev_type', 'is needed for MDEV.')
    mdev_type = readers.text(
        fields['mdev_type'], 'handles.mdev_type', 'nvidia-35'
    )
    if not _MDEV_TYPE.fullmatch(mdev_type):
        raise readers.invalid(
            'handles.mdev_type',
            f'{readers.shown(mdev_type)} is no name of a mediated device '
            'type. To see those there are: ls /sys/bus/pci/devices/'
            f'{address}/mdev_supported_types',
        )
    number = readers.count(fields.get('number', 1), 'handles.number')
    return Handles(constants.AH_TYPE_MDEV, (address,) * number, mdev_type)


def _functions(fields: readers.Fields, address: str) -> tuple[str, ...]:
    """Return the PCI functions that are a device's slots."""
    if 'addresses' in fields:
        if 'number' in fields:
            raise readers.invalid(
                'handles.number', 'cannot be given beside addresses.'
            )
        return readers.addresses(fields['addresses'], 'handles.addresses')
    number = readers.count(fields.get('number', 1), 'handles.number')
    if number == 1:
        return (address,)
    try:
        return pci_address.following(address, number)
    except ValueError as error:
        raise readers.invalid(
            'handles.number', f'{error}. List the addresses instead.'
        ) from error

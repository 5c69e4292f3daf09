# SPDX-License-Identifier: Apache-2.0

"""The devices of a devices file: what they are, and how entries are read.

``etc/nova-cyborg/devices.yaml.sample`` describes the fields. The functions
raise ``InvalidRequest``; :mod:`.devices_file` adds the file and the entry.
"""

import collections.abc
import dataclasses
import re
import typing as ty

from cyborg.common import constants

from nova_cyborg import names
from nova_cyborg.cyborg.agent import pci_address, schema

# Seconds that a program may take to clean a slot, if the file does not say.
_TIMEOUT = 60
# The kernel's names of mediated device types, such as nvidia-35 and
# i915-GVTg_V5_4. The name becomes a part of a path in sysfs, and may not
# lead elsewhere. Cyborg stores it twice within 255 characters.
_MDEV_TYPE = re.compile(r'[A-Za-z0-9][A-Za-z0-9_.-]{0,63}')

_Fields: ty.TypeAlias = collections.abc.Mapping[str, ty.Any]


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
    fields = schema.check(item)
    address = fields['address'].lower()
    return Device(
        address=address,
        vendor=fields['vendor'].lower(),
        product=fields['product'].lower(),
        type=fields['type'],
        resource_class=names.resource_class_name(
            fields['resource_class'], 'resource_class'
        ),
        traits=_traits(fields['traits']),
        handles=_handles(fields['handles'], address),
        unhealthy=fields.get('unhealthy', ''),
        cleaning=_cleaning(fields.get('cleaning')),
    )


def _traits(given: list[object]) -> tuple[str, ...]:
    found = {
        names.trait_name(each, f'traits, item {number}')
        for number, each in enumerate(given, 1)
    }
    return tuple(sorted(found))


def _cleaning(fields: _Fields | None) -> Cleaning | None:
    if fields is None:
        return None
    return Cleaning(tuple(fields['program']), fields.get('timeout', _TIMEOUT))


def _handles(fields: _Fields, address: str) -> Handles:
    kind = fields.get('type', constants.AH_TYPE_PCI)
    if kind == constants.AH_TYPE_MDEV:
        return _mdev_handles(fields, address)
    if 'mdev_type' in fields:
        raise schema.invalid(
            'handles.mdev_type', f'is only for MDEV, not for {kind}.'
        )
    return Handles(kind, _functions(fields, address))


def _mdev_handles(fields: _Fields, address: str) -> Handles:
    if 'addresses' in fields:
        raise schema.invalid(
            'handles.addresses',
            'is not for MDEV: the slots are made on the device itself. '
            'Give their number.',
        )
    if 'mdev_type' not in fields:
        raise schema.invalid('handles.mdev_type', 'is needed for MDEV.')
    mdev_type = fields['mdev_type']
    if not _MDEV_TYPE.fullmatch(mdev_type):
        raise schema.invalid(
            'handles.mdev_type',
            f'{schema.shown(mdev_type)} is no name of a mediated device '
            'type. To see those there are: ls /sys/bus/pci/devices/'
            f'{address}/mdev_supported_types',
        )
    number = fields.get('number', 1)
    return Handles(constants.AH_TYPE_MDEV, (address,) * number, mdev_type)


def _functions(fields: _Fields, address: str) -> tuple[str, ...]:
    """Return the PCI functions that are a device's slots."""
    if 'addresses' in fields:
        if 'number' in fields:
            raise schema.invalid(
                'handles.number', 'cannot be given beside addresses.'
            )
        return _listed(fields['addresses'])
    number = fields.get('number', 1)
    if number == 1:
        return (address,)
    try:
        return pci_address.following(address, number)
    except ValueError as error:
        raise schema.invalid(
            'handles.number', f'{error}. List the addresses instead.'
        ) from error


def _listed(addresses: list[str]) -> tuple[str, ...]:
    found: dict[str, None] = {}
    for each in addresses:
        address = each.lower()
        if address in found:
            raise schema.invalid(
                'handles.addresses', f'{address} is given twice.'
            )
        found[address] = None
    return tuple(found)

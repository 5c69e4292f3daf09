# SPDX-License-Identifier: Apache-2.0

"""The contract of attach drivers, one for each type of attach handle.

An attach driver is a class in the entry point namespace
``nova_cyborg.attach``, under the name of the type. It is made once a
nova-compute, without arguments, and called by several threads (or green
threads) at once.
"""

import abc
import collections.abc
import typing as ty

from lxml import etree
from nova.virt.libvirt import config as vconfig
from oslo_utils import uuidutils

# libvirt keeps the aliases of users that begin so.
_PREFIX = 'ua-'


class AttachDriver(abc.ABC):
    """Puts devices into the libvirt config of guests, and finds them there."""

    @abc.abstractmethod
    def attach(
        self,
        guest: vconfig.LibvirtConfigGuest,
        arq: collections.abc.Mapping[str, ty.Any],
    ) -> None:
        """See that a guest has the device of an accelerator request, once.

        :param guest: the guest's config; changed in place. Nova may have
            added the device already, without an alias.
        :param arq: the accelerator request, bound, as Cyborg's API shows it.
        :raises Exception: if the device cannot be attached; the guest is
            then not started, and the message becomes the server's fault.
        """

    def is_device(
        self,
        element: etree._Element,
        arq: collections.abc.Mapping[str, ty.Any],
    ) -> bool:
        """Tell whether a guest has the device of an accelerator request here.

        A device that this does not tell of cannot be taken out of a guest:
        a server that has it cannot be suspended.

        :param element: what describes a device of the guest, as libvirt
            writes it. Stock Nova gives devices no alias.
        :param arq: the accelerator request, bound, as Cyborg's API shows it.
        :returns: whether it describes the device; by the alias, unless a
            driver knows better.
        """
        return alias_of(element) == alias(arq)


def alias(arq: collections.abc.Mapping[str, ty.Any]) -> str:
    """Name the device of an accelerator request.

    :param arq: the accelerator request.
    :returns: a user alias: libvirt keeps those that begin with ``ua-``, see
        https://libvirt.org/formatdomain.html#elementsDevices
    """
    return f'{_PREFIX}{arq["uuid"]}'


def arq_id_of(name: str) -> str | None:
    """Return the accelerator request that an alias may have been made for.

    :param name: the alias of a device of a guest.
    :returns: its UUID; that of a volume if it is Nova's alias of a disk. None
        if the alias names nothing by a UUID.
    """
    found = name.removeprefix(_PREFIX)
    if found == name or not uuidutils.is_uuid_like(found):
        return None
    return found


def alias_of(element: etree._Element) -> str | None:
    """Return the alias of a device of a guest, if it has one.

    :param element: what describes the device.
    :returns: the alias.
    """
    found = element.find('alias')
    return None if found is None else found.get('name')


def replace_or_add(
    guest: vconfig.LibvirtConfigGuest,
    device: vconfig.LibvirtConfigGuestHostdev,
    is_same: collections.abc.Callable[[ty.Any], bool],
) -> None:
    """Put a device where Nova has put its own config of it, or at the end.

    :param guest: the guest's config; changed in place.
    :param device: the device's config.
    :param is_same: tells of a config whether it is of the same device.
    """
    for index, present in enumerate(guest.devices):
        if is_same(present):
            device.managed = present.managed
            guest.devices[index] = device
            return
    guest.add_device(device)

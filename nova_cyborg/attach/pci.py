# SPDX-License-Identifier: Apache-2.0

"""Attach driver for PCI functions."""

import collections.abc
import typing as ty

from lxml import etree
from nova.virt.libvirt import config as vconfig

from nova_cyborg.attach import spec


class PCIHostdev(vconfig.LibvirtConfigGuestHostdevPCI):
    """``<hostdev type='pci'>`` with an alias.

    :param alias: the alias.
    :param address: ``domain``, ``bus``, ``device`` and ``function`` of the
        device on the host, hexadecimal.
    """

    def __init__(
        self, alias: str, address: collections.abc.Mapping[str, str]
    ) -> None:
        super().__init__()
        self.alias = alias
        self.domain = address['domain']
        self.bus = address['bus']
        self.slot = address['device']
        self.function = address['function']

    def format_dom(self) -> etree._Element:
        """Return the element."""
        element = super().format_dom()
        if element.find('alias') is None:
            element.append(etree.Element('alias', name=self.alias))
        return element


class PCIAttachDriver(spec.AttachDriver):
    """Attaches attach handles of type ``PCI``."""

    def attach(
        self,
        guest: vconfig.LibvirtConfigGuest,
        arq: collections.abc.Mapping[str, ty.Any],
    ) -> None:
        """See :meth:`.spec.AttachDriver.attach`."""
        device = PCIHostdev(spec.alias(arq), arq['attach_handle_info'])
        spec.replace_or_add(
            guest,
            device,
            lambda other: (
                isinstance(other, vconfig.LibvirtConfigGuestHostdevPCI)
                and device == other
            ),
        )

    def is_device(
        self,
        element: etree._Element,
        arq: collections.abc.Mapping[str, ty.Any],
    ) -> bool:
        """See :meth:`.spec.AttachDriver.is_device`."""
        if element.get('type') != 'pci':
            return False
        found = vconfig.LibvirtConfigGuestHostdevPCI()
        found.parse_dom(element)
        device = PCIHostdev(spec.alias(arq), arq['attach_handle_info'])
        return bool(found.domain and device == found)

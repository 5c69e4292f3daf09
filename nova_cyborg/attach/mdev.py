# SPDX-License-Identifier: Apache-2.0

"""Attach driver for mediated devices."""

import collections.abc
import typing as ty

from lxml import etree
from nova.virt.libvirt import config as vconfig

from nova_cyborg.attach import spec


class MDEVHostdev(vconfig.LibvirtConfigGuestHostdevMDEV):
    """``<hostdev type='mdev'>`` with an alias.

    :param alias: the alias.
    :param uuid: UUID of the mediated device.
    """

    def __init__(self, alias: str, uuid: str) -> None:
        super().__init__()
        self.alias = alias
        self.uuid = uuid

    def format_dom(self) -> etree._Element:
        """Return the element."""
        element = super().format_dom()
        element.append(etree.Element('alias', name=self.alias))
        return element


class MDEVAttachDriver(spec.AttachDriver):
    """Attaches attach handles of type ``MDEV``.

    Cyborg makes the mediated device when it binds, with the UUID of the
    attach handle.
    """

    def attach(
        self,
        guest: vconfig.LibvirtConfigGuest,
        arq: collections.abc.Mapping[str, ty.Any],
    ) -> None:
        """See :meth:`.spec.AttachDriver.attach`."""
        uuid = arq['attach_handle_uuid']
        spec.replace_or_add(
            guest,
            MDEVHostdev(spec.alias(arq), uuid),
            lambda other: (
                isinstance(other, vconfig.LibvirtConfigGuestHostdevMDEV)
                and other.uuid == uuid
            ),
        )

    def is_device(
        self,
        element: etree._Element,
        arq: collections.abc.Mapping[str, ty.Any],
    ) -> bool:
        """See :meth:`.spec.AttachDriver.is_device`."""
        address = element.find('source/address')
        return (
            element.get('type') == 'mdev'
            and address is not None
            and address.get('uuid') == arq['attach_handle_uuid']
        )

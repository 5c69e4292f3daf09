# Licensed under the Apache License, Version 2.0 (the "License"); you may
# not use this file except in compliance with the License. You may obtain
# a copy of the License at
#
#      http://www.apache.org/licenses/LICENSE-2.0
#
# Unless required by applicable law or agreed to in writing, software
# distributed under the License is distributed on an "AS IS" BASIS, WITHOUT
# WARRANTIES OR CONDITIONS OF ANY KIND, either express or implied. See the
# License for the specific language governing permissions and limitations
# under the License.

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

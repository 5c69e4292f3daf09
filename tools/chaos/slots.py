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

"""The devices in the guests' definitions."""

from lxml import etree

Slot = tuple[str, ...]


def of_guest(host: str, xml: str) -> list[Slot]:
    """Return the devices that a guest has.

    :param host: the host it is on.
    :param xml: what libvirt was given.
    :returns: the slots, each with its host.
    """
    addresses = etree.fromstring(xml.encode()).findall(
        './/hostdev/source/address'
    )
    return [
        (host, *(str(value) for _name, value in sorted(each.items())))
        for each in addresses
    ]

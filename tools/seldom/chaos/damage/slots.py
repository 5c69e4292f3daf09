# SPDX-License-Identifier: Apache-2.0

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

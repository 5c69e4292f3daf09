# SPDX-License-Identifier: Apache-2.0

"""The guests of all hosts, and the devices that they have."""

import collections.abc
import dataclasses
import pathlib

from lxml import etree

Slot = tuple[str, ...]


@dataclasses.dataclass(frozen=True)
class Guest:
    """A guest.

    :ivar host: the host it is on.
    :ivar server_id: UUID of its server.
    :ivar runs: whether it runs.
    :ivar slots: the slots that it has, or is to be started with.
    """

    host: str
    server_id: str
    runs: bool
    slots: list[Slot]


def guests(
    folder: pathlib.Path, server_id: str = '*'
) -> collections.abc.Iterator[Guest]:
    """Find the guests of all hosts, or those of a server.

    :param folder: the folder of the cloud's guests.
    :param server_id: UUID of the server.
    :returns: each guest; what a server may come back to is one, too.
    """
    for path in sorted(folder.glob(f'*/{server_id}.xml')):
        host, live = path.parent.name, path.with_suffix('.running')
        try:
            runs = live.exists()
            # What runs may have fewer devices than what is started.
            xml = (live if runs else path).read_text()
        except FileNotFoundError:
            # It is gone meanwhile.
            continue
        yield Guest(host, path.stem, runs, of_guest(host, xml))


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

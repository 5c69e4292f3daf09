# SPDX-License-Identifier: Apache-2.0

"""What the guest says on its serial console.

A line each, after a fixed prefix; ``boot`` begins what is said of one start
of the guest, ``ready`` ends it::

    nova-cyborg-guest: boot 6104c346-896c-42b5-a629-7a994aa1c3ed
    nova-cyborg-guest: uuid 53e4abae-1b84-4c57-808a-266fe2120d4d
    nova-cyborg-guest: name vm1
    nova-cyborg-guest: pci 0000:00:05.0 1234:11e8 00ff00
    nova-cyborg-guest: ready

The first UUID is the kernel's own, and new at each start; the second and the
name come from the config drive, and are not there without one. A guest that is
given a device while it runs tells all anew, with a number after the kernel's
UUID.
"""

import collections.abc
import dataclasses
import re

PREFIX = 'nova-cyborg-guest: '
# A line that has no end yet may still grow.
_LINE = re.compile(rf'{PREFIX}(\w+)(?: ([^\r\n]*))?\r*\n')


@dataclasses.dataclass(frozen=True)
class PciDevice:
    """A PCI device that the guest has.

    :ivar address: where the guest sees it.
    :ivar product: vendor and product, as in 1234:11e8.
    :ivar kind: its class, six digits.
    """

    address: str
    product: str
    kind: str


@dataclasses.dataclass
class Boot:
    """One start of the guest.

    :ivar boot_id: the kernel's UUID of this start.
    :ivar uuid: the server's UUID, from the config drive.
    :ivar name: the server's name, from the config drive.
    :ivar devices: its PCI devices.
    :ivar results: what its further programs have said: word and rest.
    :ivar ready: whether it has come to its ready line.
    """

    boot_id: str
    uuid: str | None = None
    name: str | None = None
    devices: list[PciDevice] = dataclasses.field(default_factory=list)
    results: list[tuple[str, str]] = dataclasses.field(default_factory=list)
    ready: bool = False

    def products(self) -> list[str]:
        """Return vendor and product of each PCI device."""
        return [each.product for each in self.devices]


def parse(text: str) -> list[Boot]:
    """Read a console's log.

    :param text: the log, which may have anything between the guest's lines.
    :returns: the starts of the guest, in order.
    """
    boots: list[Boot] = []
    for match in _LINE.finditer(text):
        word, rest = match[1], match[2] or ''
        if word == 'boot':
            boots.append(Boot(rest))
        elif boots:
            _SAY.get(word, _result)(boots[-1], word, rest)
    return boots


def _set(boot: Boot, word: str, rest: str) -> None:
    setattr(boot, word, rest)


def _pci(boot: Boot, word: str, rest: str) -> None:
    match rest.split():
        case [address, product, kind]:
            boot.devices.append(PciDevice(address, product, kind))
        # Who prints the log may end a line that has no end yet.


def _ready(boot: Boot, word: str, rest: str) -> None:
    boot.ready = True


def _result(boot: Boot, word: str, rest: str) -> None:
    boot.results.append((word, rest))


_SAY: dict[str, collections.abc.Callable[[Boot, str, str], None]] = {
    'uuid': _set,
    'name': _set,
    'pci': _pci,
    'ready': _ready,
}

# SPDX-License-Identifier: Apache-2.0

"""How the servers, hosts, cards and slots are named, in every database.

Numbers go through all of the cloud: accelerator 1234 is slot 4 of card 123,
which is in host 12.
"""

import collections.abc
import dataclasses
import uuid

SLOTS_PER_CARD = 10
CARDS_PER_HOST = 10
_ACCELERATORS_PER_HOST = SLOTS_PER_CARD * CARDS_PER_HOST

_NAMESPACE = uuid.UUID('b97a7d26-1f3c-4c3b-9d63-0d7a5c1c7c55')
_FIRST_BUS = 0x20
_FUNCTIONS = 8


def identity(kind: str, *numbers: int) -> str:
    """Return the UUID of something, the same in each database.

    :param kind: what it is.
    :param numbers: which one.
    """
    name = ' '.join((kind, *map(str, numbers)))
    return str(uuid.uuid5(_NAMESPACE, name))


def host(number: int) -> str:
    """Return the name of a host.

    :param number: its number.
    """
    return f'bench{number:05}'


def card(number: int) -> str:
    """Return the name of a card, as Cyborg and Placement have it.

    :param number: its number.
    """
    return f'{host(number // CARDS_PER_HOST)}_0000:{bus(number)}:00.0'


def provider(card_number: int) -> str:
    """Return the UUID of a card's resource provider, as Cyborg makes it.

    :param card_number: its number.
    """
    return str(uuid.uuid3(uuid.NAMESPACE_DNS, card(card_number)))


def bus(card_number: int) -> str:
    """Return the PCI bus that a card is on, two digits.

    :param card_number: its number.
    """
    return f'{_FIRST_BUS + card_number % CARDS_PER_HOST:02x}'


def slot(number: int) -> dict[str, str]:
    """Return the PCI address of an accelerator, as Cyborg writes it.

    :param number: its number.
    """
    # The first function is the card itself.
    device, function = divmod(number % SLOTS_PER_CARD + 1, _FUNCTIONS)
    return {
        'bus': bus(number // SLOTS_PER_CARD),
        'device': f'{device:02x}',
        'domain': '0000',
        'function': str(function),
    }


@dataclasses.dataclass(frozen=True)
class Part:
    """Accelerators that are added, all of a server each.

    :ivar first: the number of the first one.
    :ivar end: the number after that of the last one.
    """

    first: int
    end: int

    @property
    def servers(self) -> range:
        """The numbers of the servers, those of their accelerators."""
        return range(self.first, self.end)

    @property
    def cards(self) -> range:
        """The numbers of the cards that are added."""
        return range(
            -(-self.first // SLOTS_PER_CARD), -(-self.end // SLOTS_PER_CARD)
        )

    @property
    def hosts(self) -> range:
        """The numbers of the hosts that are added."""
        return range(
            -(-self.first // _ACCELERATORS_PER_HOST),
            -(-self.end // _ACCELERATORS_PER_HOST),
        )


def host_of(server: int) -> int:
    """Return the number of the host that a server is on.

    :param server: the server's number.
    """
    return server // _ACCELERATORS_PER_HOST


def card_of(server: int) -> int:
    """Return the number of the card whose slot a server has.

    :param server: the server's number.
    """
    return server // SLOTS_PER_CARD


def parts(
    bounds: collections.abc.Sequence[int],
) -> collections.abc.Iterator[tuple[int, Part]]:
    """Say what is to be added for one number of accelerators after another.

    :param bounds: the numbers, the smallest first.
    :returns: each number, and what is added for it.
    """
    there = 0
    for bound in bounds:
        yield bound, Part(there, bound)
        there = bound

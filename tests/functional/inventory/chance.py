# SPDX-License-Identifier: Apache-2.0

"""Which cards a host has, by chance: they come, go, move and are doubled."""

import random
import typing as ty

from tests.functional.inventory.entries import card

BUSES = ('70', '71', '72', '73')
#: The cards on these are cleaned.
CLEANED = ('70', '71')


def now_and_then(chance: random.Random) -> bool:
    """Tell whether something that is seldom happens now."""
    return chance.random() < 0.2


def cards(
    chance: random.Random, cleaning: dict[str, ty.Any]
) -> list[dict[str, ty.Any]]:
    """Choose the cards of a host, as entries of a devices file.

    Some are reported twice, and some have slots that another card has.

    :param cleaning: how the slots of cards are cleaned that are.
    """
    found = []
    for bus in chance.sample(BUSES, chance.randint(0, len(BUSES))):
        functions = chance.sample('12345', chance.randint(1, 4))
        of = chance.choice(BUSES) if now_and_then(chance) else bus
        found.append(_entry(bus, of, functions, cleaning))
    if found and now_and_then(chance):
        found.append(chance.choice(found))
    return found


def all_cards(cleaning: dict[str, ty.Any]) -> list[dict[str, ty.Any]]:
    """Return the cards of a host that has all of them.

    :param cleaning: how the slots of cards are cleaned that are.
    """
    return [_entry(bus, bus, '123', cleaning) for bus in BUSES]


def _entry(
    bus: str,
    bus_of_slots: str,
    functions: ty.Iterable[str],
    cleaning: dict[str, ty.Any],
) -> dict[str, ty.Any]:
    slots = (f'0000:{bus_of_slots}:00.{number}' for number in functions)
    cleaned = {'cleaning': cleaning} if bus in CLEANED else {}
    return card(*slots, address=f'0000:{bus}:00.0', **cleaned)

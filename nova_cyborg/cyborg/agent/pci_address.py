# SPDX-License-Identifier: Apache-2.0

"""PCI addresses: ``domain:bus:device.function``, in hexadecimal.

As the kernel writes them in ``/sys/bus/pci/devices``, and as libvirt takes
them: a domain of four digits, a bus of two, a device from 00 to 1f and a
function from 0 to 7.
"""

import re

_ADDRESS = re.compile(
    r'([0-9a-f]{4}:[0-9a-f]{2}):([01][0-9a-f])\.([0-7])', re.IGNORECASE
)
_FUNCTIONS_PER_DEVICE = 8
_FUNCTIONS_PER_BUS = 256


def normalise(text: str) -> str | None:
    """Return an address in lower case, as the kernel writes it.

    Cyborg tells devices apart by the text of their addresses, so that one
    device must not have two.

    :param text: what may be an address.
    :returns: the address; None if it is none.
    """
    return text.lower() if _ADDRESS.fullmatch(text) else None


def following(address: str, count: int) -> tuple[str, ...]:
    """Return the addresses that follow one on its bus.

    Eight functions make a device: after ``0000:0c:00.7`` comes
    ``0000:0c:01.0``.

    :param address: a normalised address.
    :param count: how many are wanted.
    :returns: the addresses, the nearest first.
    :raises ValueError: if the bus ends before.
    """
    match = _ADDRESS.fullmatch(address)
    if match is None:
        raise ValueError(f'{address} is no PCI address')
    bus, device, function = match.groups()
    first = int(device, 16) * _FUNCTIONS_PER_DEVICE + int(function) + 1
    # On real cards virtual functions may go on on the next bus, but whether
    # they do is the card's choice, and a guess could hit another device.
    if first + count > _FUNCTIONS_PER_BUS:
        raise ValueError(f'bus {bus} ends before {count} functions')
    return tuple(
        f'{bus}:{n // _FUNCTIONS_PER_DEVICE:02x}.{n % _FUNCTIONS_PER_DEVICE}'
        for n in range(first, first + count)
    )

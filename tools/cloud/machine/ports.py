# SPDX-License-Identifier: Apache-2.0

"""Free TCP ports for the services."""

import random
import socket

# Below the range that Linux takes the ports of outgoing connections from
# (32768 and up), so that a port stays free between the choice and its use,
# and while its service is stopped. Asking the kernel for port 0 would give
# one from just that range.
_LOWEST = 20000
_HIGHEST = 32000

HOST = '127.0.0.1'


def is_free(port: int) -> bool:
    """Tell whether nothing listens on a port.

    :param port: the port's number.
    :returns: True if it can be bound.
    """
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as sock:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            sock.bind((HOST, port))
        except OSError:
            return False
    return True


def choose(count: int) -> list[int]:
    """Choose free ports, at random so that clouds seldom meet.

    :param count: how many.
    :returns: that many different ports.
    """
    found: list[int] = []
    for port in random.sample(range(_LOWEST, _HIGHEST), _HIGHEST - _LOWEST):
        if is_free(port):
            found.append(port)
        if len(found) == count:
            return found
    raise OSError(f'fewer than {count} free ports')

# SPDX-License-Identifier: Apache-2.0

"""Who may kill and start a service: one at a time."""

import threading


class Holds:
    """What is held just now, by all threads."""

    def __init__(self) -> None:
        self._held: set[str] = set()
        self._lock = threading.Lock()

    def take(self, *names: str) -> bool:
        """Hold something, unless any of it is held.

        :param names: its names.
        :returns: whether all of it is held now; else none of it is.
        """
        with self._lock:
            if self._held.intersection(names):
                return False
            self._held.update(names)
            return True

    def give(self, *names: str) -> None:
        """Hold something no more.

        :param names: its names.
        """
        with self._lock:
            self._held.difference_update(names)

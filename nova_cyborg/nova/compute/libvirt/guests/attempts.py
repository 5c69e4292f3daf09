# SPDX-License-Identifier: Apache-2.0

"""nova-compute: how often something is done for what guests can ask for.

A guest can have it done as often as it likes, and each time costs Nova's
database and Cyborg some calls.
"""

from __future__ import annotations

import collections
import collections.abc
import threading
import time


class Attempts:
    """Counts attempts, for each of many names, of the last while.

    :param times: how many there may be of a name.
    :param seconds: within which time.
    :param now: tells the time, in seconds.
    """

    def __init__(
        self,
        times: int,
        seconds: float,
        now: collections.abc.Callable[[], float] = time.monotonic,
    ) -> None:
        self._times = times
        self._seconds = seconds
        self._now = now
        self._lock = threading.Lock()
        self._begun: dict[str, collections.deque[float]] = {}

    def begin(self, name: str) -> bool:
        """Begin one, if there may be one more.

        :param name: what it is for.
        :returns: whether it is begun.
        """
        with self._lock:
            self._forget()
            begun = self._begun.setdefault(name, collections.deque())
            if len(begun) >= self._times:
                return False
            begun.append(self._now())
            return True

    def _forget(self) -> None:
        """Forget what is too long ago; then names that nothing is known of."""
        since = self._now() - self._seconds
        for name, begun in list(self._begun.items()):
            while begun and begun[0] <= since:
                begun.popleft()
            if not begun:
                del self._begun[name]

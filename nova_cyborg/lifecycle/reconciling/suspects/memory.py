# SPDX-License-Identifier: Apache-2.0

"""What a process that reconciles leaves to the one that goes on.

A process that dies would else take the age of all suspects with it: where one
is killed again and again, nothing would ever be seen twice. What is left is a
digest of each suspect and its age. Nothing is repaired for that alone: it must
be found again, just as it was.
"""

from __future__ import annotations

import collections.abc
import dataclasses
import hashlib
import time
import typing as ty

#: How many are left, the oldest ones. A row of the database has 64 KiB.
MOST = 500
# Seconds for which what is left is of use: who goes on looks at most of it at
# once, and may see what has come anew and looks the same after that.
_KEPT = 60
# Hexadecimal digits of a digest.
_DIGITS = 16

#: A suspect, and since when it is one.
Seen = tuple[collections.abc.Hashable, float]


class Memory:
    """What was left to this process.

    :param ages: for how many seconds suspects were known, by their digests,
        when they were left.
    :param passed: how many seconds ago that was.
    """

    def __init__(
        self,
        ages: collections.abc.Mapping[str, float] | None = None,
        passed: float = 0,
    ) -> None:
        now = time.monotonic()
        self._since = {
            digest: now - passed - age for digest, age in (ages or {}).items()
        }
        self._until = now + _KEPT

    def recall(self, suspect: collections.abc.Hashable) -> float | None:
        """Tell since when a suspect is known; each is told once.

        :param suspect: the suspect, as it is found now.
        :returns: the time, by this process's clock; None if it is not known.
        """
        if not self._since:
            return None
        if time.monotonic() > self._until:
            self._since = {}
        return self._since.pop(_digest(suspect), None)


def leave(
    seen: collections.abc.Iterable[Seen],
) -> dict[str, int]:
    """Return what is left to the process that goes on, for JSON.

    :param seen: all suspects.
    :returns: the ages of the oldest ones in seconds, by their digests.
    """
    now = time.monotonic()
    oldest = sorted(seen, key=lambda each: each[1])[:MOST]
    return {_digest(suspect): int(now - since) for suspect, since in oldest}


def _digest(suspect: collections.abc.Hashable) -> str:
    found = hashlib.sha256(repr(_plain(suspect)).encode())
    return found.hexdigest()[:_DIGITS]


def _plain(value: ty.Any) -> ty.Any:
    """Return what two that are equal have in common, in any process."""
    if dataclasses.is_dataclass(value):
        return (
            type(value).__qualname__,
            *(
                _plain(getattr(value, field.name))
                for field in dataclasses.fields(value)
                if field.compare
            ),
        )
    if isinstance(value, tuple):
        return tuple(_plain(each) for each in value)
    return value

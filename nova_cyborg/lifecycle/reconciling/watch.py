# SPDX-License-Identifier: Apache-2.0

"""Memory of what was seen, so that two looks a grace apart must agree.

It lives as long as a process reconciles: another one begins anew. Times are
those of the process's own clock, which only goes forward.
"""

from __future__ import annotations

import collections.abc
import dataclasses
import typing as ty

#: Seconds after which a server is looked at again, of which nothing becomes.
LATER = 30
#: The same, if nothing has become of it for long.
MUCH_LATER = 300
_LONG = 600

Fact = ty.TypeVar('Fact', bound=collections.abc.Hashable)


class Suspects(ty.Generic[Fact]):
    """What disagrees, among rows that are all read in each round.

    :param grace: seconds for which one must disagree to count.
    """

    def __init__(self, grace: float) -> None:
        self._grace = grace
        self._since: dict[Fact, float] = {}

    def confirmed(
        self,
        found: collections.abc.Iterable[Fact],
        now: float,
        grace_of: collections.abc.Callable[[Fact], float] | None = None,
    ) -> list[Fact]:
        """Take what is found now, and tell what of it counts.

        :param found: all that disagrees at this moment.
        :param now: the time.
        :param grace_of: the seconds for one of them, if it is more.
        :returns: what disagreed at an earlier moment, too, unchanged.
        """
        before = self._since
        self._since = {each: before.get(each, now) for each in found}
        return [
            each
            for each, since in self._since.items()
            if each in before
            and now - since
            >= max(self._grace, grace_of(each) if grace_of else 0)
        ]

    def __iter__(self) -> collections.abc.Iterator[Fact]:
        """Go through all that disagrees."""
        return iter(list(self._since))

    def begin_anew(self, fact: Fact, now: float) -> None:
        """Have one wait for its grace again.

        :param fact: what could not be repaired.
        :param now: the time.
        """
        self._since[fact] = now

    @property
    def oldest(self) -> float | None:
        """Since when the oldest of them disagrees; None if there is none."""
        return min(self._since.values(), default=None)


@dataclasses.dataclass
class Watched(ty.Generic[Fact]):
    """A server that is looked at until it is settled.

    :ivar fact: what the database says of it.
    :ivar since: when that was first seen.
    :ivar due: when Nova is to be asked again.
    :ivar listed: whether Nova has listed it as deleted.
    :ivar kind: what disagrees, by the last look; None if nothing.
    :ivar suspected: when that was first seen.
    """

    fact: Fact
    since: float
    due: float
    listed: bool = False
    kind: str | None = None
    suspected: float = 0

    def wait(self, now: float) -> None:
        """Look again later: nothing is wrong, or Nova does not say.

        :param now: the time.
        """
        self.kind = None
        is_old = now - self.since > _LONG
        self.due = now + (MUCH_LATER if is_old else LATER)

    def suspect(self, kind: str, now: float, grace: float) -> bool:
        """Take what a look has found.

        :param kind: what disagrees.
        :param now: the time.
        :param grace: seconds for which it must disagree to count.
        :returns: whether it counts; else it is looked at again.
        """
        if self.kind == kind and now - self.suspected >= grace:
            return True
        if self.kind != kind:
            self.kind, self.suspected = kind, now
        self.due = self.suspected + grace
        return False


class Watch(ty.Generic[Fact]):
    """All servers that are not settled.

    :param grace: seconds from a change to the first look, and between the two
        looks.
    """

    def __init__(self, grace: float) -> None:
        self.grace = grace
        self._watched: dict[str, Watched[Fact]] = {}
        self._is_begun = False

    def update(
        self,
        facts: collections.abc.Mapping[str, Fact],
        now: float,
        listed: collections.abc.Container[str],
    ) -> None:
        """Take what the database says now.

        :param facts: all that are not settled, by UUID of the server.
        :param now: the time.
        :param listed: UUIDs of servers that Nova has listed as deleted.
        """
        # Whoever begins does not know for how long they have been so.
        first = now + self.grace if self._is_begun else now
        self._is_begun = True
        before = self._watched
        self._watched = {}
        for server_id, fact in facts.items():
            each = before.get(server_id)
            if each is None or each.fact != fact:
                each = Watched(fact, now, first)
            if server_id in listed and not each.listed:
                each.listed, each.due = True, now
            self._watched[server_id] = each

    def __contains__(self, server_id: object) -> bool:
        """Tell whether a server is watched, by its UUID."""
        return server_id in self._watched

    def due(self, now: float) -> list[Watched[Fact]]:
        """Find what is to be looked at, those first that wait longest.

        :param now: the time.
        """
        found = [each for each in self._watched.values() if each.due <= now]
        return sorted(found, key=lambda each: each.due)

    @property
    def oldest(self) -> float | None:
        """Since when the oldest suspect is one; None if there is none."""
        return min(
            (each.suspected for each in self._watched.values() if each.kind),
            default=None,
        )

    @property
    def next_suspect(self) -> float | None:
        """When the next suspect is due; None if there is none."""
        return min(
            (each.due for each in self._watched.values() if each.kind),
            default=None,
        )

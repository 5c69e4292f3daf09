# SPDX-License-Identifier: Apache-2.0

"""What was seen, so that two looks a grace apart must agree.

Times are those of the process's own clock, which only goes forward. Another
process that goes on has the ages of the suspects; see :mod:`.memory`.
"""

from __future__ import annotations

import collections.abc
import dataclasses
import typing as ty

from nova_cyborg.lifecycle.reconciling.suspects import memory

#: Seconds after which a server is looked at again, of which nothing becomes.
LATER = 30
#: The same, if nothing has become of it for long.
MUCH_LATER = 300
_LONG = 600

Fact = ty.TypeVar('Fact', bound=collections.abc.Hashable)


class Suspects(ty.Generic[Fact]):
    """What disagrees, among rows that are all read in each round.

    :param grace: seconds for which one must disagree to count.
    :param remembered: what another process has seen.
    """

    def __init__(
        self, grace: float, remembered: memory.Memory | None = None
    ) -> None:
        self._grace = grace
        self._remembered = remembered or memory.Memory()
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
        self._since = {}
        counting = []
        for each in found:
            since = before.get(each, self._remembered.recall(each))
            self._since[each] = now if since is None else since
            if since is not None and now - since >= max(
                self._grace, grace_of(each) if grace_of else 0
            ):
                counting.append(each)
        return counting

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

    @property
    def seen(self) -> list[memory.Seen]:
        """Return all that disagrees, and since when."""
        return list(self._since.items())


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


class Watch(ty.Generic[Fact]):
    """All servers that are not settled.

    :param grace: seconds from a change to the first look, and between the two
        looks.
    :param remembered: what another process has seen.
    """

    def __init__(
        self, grace: float, remembered: memory.Memory | None = None
    ) -> None:
        self._grace = grace
        self._remembered = remembered or memory.Memory()
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
        first = now + self._grace if self._is_begun else now
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

    def suspect(self, one: Watched[Fact], kind: str, now: float) -> bool:
        """Take what a look at one of them has found.

        :param one: the server.
        :param kind: what disagrees.
        :param now: the time.
        :returns: whether it counts; else it is looked at again.
        """
        since: float | None = one.suspected
        if one.kind != kind:
            since = self._remembered.recall((one.fact, kind))
        one.kind, one.suspected = kind, now if since is None else since
        one.due = one.suspected + self._grace
        return since is not None and now >= one.due

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

    @property
    def seen(self) -> list[memory.Seen]:
        """Return all suspects, and since when they are."""
        return [
            ((each.fact, each.kind), each.suspected)
            for each in self._watched.values()
            if each.kind
        ]

# SPDX-License-Identifier: Apache-2.0

"""Finding the requirement that leaves no host, with few questions."""

from __future__ import annotations

import collections.abc
import contextlib
import dataclasses
import time
import typing as ty

from nova_cyborg.explaining import requirements

#: The most questions that Placement is asked for one explanation, and the
#: seconds after which it is asked no more.
MAX_QUESTIONS = 12
MAX_SECONDS = 5
#: Candidates that Placement names to somebody who is to read numbers.
MAX_COUNTED = 1000


class Placement(ty.Protocol):
    """What Placement is asked."""

    def resource_classes(self) -> frozenset[str]:
        """Return the names of all resource classes."""

    def offered_traits(self) -> frozenset[str]:
        """Return the traits that some resource provider has."""

    def hosts(self, query: str) -> list[str]:
        """Return the host of each candidate for a request."""


@dataclasses.dataclass(frozen=True)
class Left:
    """What requirements have left.

    :ivar hosts: how many hosts.
    :ivar more: whether there may be more, as not all were counted.
    """

    hosts: int
    more: bool = False


@dataclasses.dataclass(frozen=True)
class Found:
    """What was found.

    :ivar requirements: all of them, in order.
    :ivar failing: the index of the first that leaves no host; None if some
        host has it all.
    :ivar missing: whether that is a class or a trait that nothing has.
    :ivar apart: whether its group is free somewhere, if nothing else is asked
        for.
    :ivar known: whether it was found in time; if not, ``failing`` is the last
        one that it can be.
    :ivar left: what was left by the first so many requirements, of those
        that Placement was asked for.
    :ivar absent: indices of classes and traits that nothing has.
    :ivar pick: of which combination of alternatives all this is: the first
        that some host has, else the first.
    :ivar fits: of each combination, whether some host has it; None if that
        was not looked at.
    """

    requirements: tuple[requirements.Requirement, ...]
    failing: int | None = None
    missing: bool = False
    apart: bool = False
    known: bool = True
    left: collections.abc.Mapping[int, Left] = dataclasses.field(
        default_factory=dict
    )
    absent: frozenset[int] = frozenset()
    pick: int = 0
    fits: tuple[bool | None, ...] = (None,)

    def fits_any(self) -> bool | None:
        """Tell whether some host has some combination.

        :returns: whether one has; None if not all were looked at, and none
            has those that were.
        """
        if True in self.fits:
            return True
        return None if None in self.fits else False

    def is_met(self, index: int) -> bool | None:
        """Tell whether hosts are left with a requirement and all before it.

        :param index: its number.
        :returns: whether there are; None if that was not looked at.
        """
        if index in self.absent:
            return False
        if self.failing is not None and index >= self.failing:
            return False if self.known and index == self.failing else None
        if index + 1 in self.left:
            return self.left[index + 1].hosts > 0
        if any(n > index and left.hosts for n, left in self.left.items()):
            return True
        return None


class _Enough(Exception):
    """Placement has been asked enough."""


class _Search:
    """Asks Placement, and remembers what it has said."""

    def __init__(
        self,
        placement: Placement,
        counting: bool,
        given: frozenset[str] | None,
    ) -> None:
        self._placement = placement
        self._given = given
        self._limit = MAX_COUNTED if counting else 1
        self._asked = 0
        self._end = time.monotonic() + MAX_SECONDS
        self._answers: dict[str, Left] = {}
        self._found: list[requirements.Requirement] = []
        self.left: dict[int, Left] = {}

    def read_names(self) -> None:
        self._asked += 2
        self._classes = self._placement.resource_classes()
        self._traits = self._placement.offered_traits()

    def absent(self, wanted: list[requirements.Requirement]) -> frozenset[int]:
        """Return the indices of classes and traits that nothing has."""
        given = self._classes
        if self._given is not None:
            given &= self._given
        return frozenset(
            index
            for index, each in enumerate(wanted)
            if _is_absent(
                each,
                self._classes if each.group is None else given,
                self._traits,
            )
        )

    def begin(self, wanted: list[requirements.Requirement]) -> None:
        # Placement refuses to look for what it does not know.
        self._found = requirements.without_unknown(wanted, self._traits)
        self.left = {}

    def fits(self, count: int) -> bool:
        """Tell whether a host has the first so many requirements."""
        if not count:
            return True
        if count not in self.left:
            self.left[count] = self._ask(self._found[:count])
        return self.left[count].hosts > 0

    def is_first(self, index: int) -> bool:
        """Tell whether a requirement is of the first group, or of none."""
        return not self._found[index].group

    def failing_alone(self, index: int) -> int | None:
        """Find what fails of a group, if nothing else is asked for.

        :param index: a requirement of the group; there are hosts with those
            before it.
        :returns: the index of the requirement; None if none fails.
        """
        group = self._found[index].group
        alone = [n for n, e in enumerate(self._found) if e.group == group]

        def fits(count: int) -> bool:
            asked = [self._found[n] for n in alone[:count]]
            return self._ask(asked).hosts > 0

        low, high = alone.index(index), len(alone)
        return None if fits(high) else alone[_halve(fits, low, high)]

    def _ask(self, asked: list[requirements.Requirement]) -> Left:
        query = requirements.query(asked, self._limit)
        if query in self._answers:
            return self._answers[query]
        if self._asked >= MAX_QUESTIONS or time.monotonic() > self._end:
            raise _Enough
        self._asked += 1
        hosts = self._placement.hosts(query)
        left = Left(len(set(hosts)), len(hosts) >= self._limit)
        self._answers[query] = left
        return left


def find(
    picks: collections.abc.Sequence[list[requirements.Requirement]],
    placement: Placement,
    counting: bool,
    given: frozenset[str] | None = None,
) -> Found:
    """Find the first requirement that leaves no host.

    :param picks: the requirements, in order, with each combination of
        alternatives, in the order in which they are tried.
    :param placement: is asked.
    :param counting: whether numbers are wanted, and not only the reason.
    :param given: the resource classes that device contexts are given devices
        of; None for any.
    :returns: what was found of the first combination that some host has; if
        none has any, of the first.
    """
    search = _Search(placement, counting, given)
    search.read_names()
    fits = _first_that_fits(search, picks)
    pick = fits.index(True) if True in fits else 0
    found = _find_in(search, picks[pick], counting)
    if found.known:
        fits[pick] = found.failing is None
    elif len(picks[pick]) in found.left:
        # It is only not known why.
        fits[pick] = found.left[len(picks[pick])].hosts > 0
    return dataclasses.replace(found, pick=pick, fits=tuple(fits))


def _first_that_fits(
    search: _Search,
    picks: collections.abc.Sequence[list[requirements.Requirement]],
) -> list[bool | None]:
    """Look for a combination of alternatives that some host has.

    Whether there is one matters more than why the first is none: what is left
    of the questions is for that.

    :returns: of each whether some host has it, as far as that was looked at.
    """
    fits: list[bool | None] = [None] * len(picks)
    if len(picks) < 2:
        return fits
    for number, wanted in enumerate(picks):
        if search.absent(wanted):
            fits[number] = False
            continue
        search.begin(wanted)
        # Of what was asked before, the answer is known even then.
        with contextlib.suppress(_Enough):
            fits[number] = search.fits(len(wanted))
        if fits[number]:
            break
    return fits


def _find_in(
    search: _Search, wanted: list[requirements.Requirement], counting: bool
) -> Found:
    """Find the first requirement of one combination that leaves no host."""
    absent = search.absent(wanted)
    search.begin(wanted)
    end = min(absent, default=len(wanted))
    failing, known, apart = _failing(search, end)
    if counting:
        _count(search, end if failing is None else failing)
    if absent:
        failing, known, apart = min(absent), True, False
    return Found(
        tuple(wanted),
        failing,
        bool(absent),
        apart,
        known,
        search.left,
        absent,
    )


def _is_absent(
    each: requirements.Requirement,
    classes: frozenset[str],
    traits: frozenset[str],
) -> bool:
    kind = requirements.Kind
    if each.kind in (
        kind.RESOURCE_CLASS,
        kind.AMOUNT,
        kind.FLAVOR_RESOURCE,
    ):
        return each.name not in classes
    if each.kind in (kind.TRAIT, kind.HOST_TRAIT, kind.HOST_ABLE):
        return each.name not in traits
    if each.kind == kind.OTHER:
        return requirements.names_unknown(each, classes, traits)
    return False


def _failing(search: _Search, end: int) -> tuple[int | None, bool, bool]:
    """Return what fails, whether it is known, and whether only together."""
    try:
        if search.fits(end):
            return None, True, False
        failing = _halve(search.fits, 0, end)
        if search.is_first(failing):
            return failing, True, False
        alone = search.failing_alone(failing)
    except _Enough:
        return end - 1, False, False
    return (failing, True, True) if alone is None else (alone, True, False)


def _halve(
    fits: collections.abc.Callable[[int], bool], low: int, high: int
) -> int:
    """Find the last of the fewest that do not fit.

    :param fits: tells whether the first so many fit.
    :param low: so many do.
    :param high: so many do not.
    :returns: its index.
    """
    while high - low > 1:
        middle = (low + high) // 2
        if fits(middle):
            low = middle
        else:
            high = middle
    return high - 1


def _count(search: _Search, end: int) -> None:
    """Count what the other requirements leave, as far as there is time."""
    try:
        for count in range(1, end + 1):
            search.fits(count)
    except _Enough:
        return

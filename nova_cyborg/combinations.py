# SPDX-License-Identifier: Apache-2.0

"""How many combinations of devices Placement tries for a server.

Placement finds the resource providers that fit each request group, and on
each host goes through all ways to take one for each group, whether they have
room together or not. Groups that ask for the same can be given the same
devices in any order, and each order is another candidate to it: for six
groups and ten cards, it tries a million. No form of request makes these fewer:
all that one group asks for comes from one provider.

With its option ``optimize_for_wide_provider_trees`` it leaves a way out as
soon as a provider has no room, and with a limit ends when it has enough
candidates. It is at once at the end then, unless it goes astray: gives a
device away that only a later group can use, and tries all that follows from
that.
"""

from __future__ import annotations

import collections
import collections.abc
import dataclasses
import itertools
import math
import typing as ty

from nova_cyborg import model


@dataclasses.dataclass(frozen=True)
class Provider:
    """A resource provider of devices.

    :ivar host: the host that it is on.
    :ivar resource_class: its resource class.
    :ivar traits: its traits, those that are asked for.
    :ivar free: how many of its slots are free.
    """

    host: str
    resource_class: str
    traits: frozenset[str]
    free: int


@dataclasses.dataclass(frozen=True)
class Combinations:
    """How many combinations Placement tries, at most.

    :ivar plain: all that there are.
    :ivar pruned: those that it tries if it leaves out what has no room, and
        ends when it has enough candidates.
    """

    plain: int
    pruned: int

    def as_dict(self) -> dict[str, int]:
        """Return them in the form of the API."""
        return dataclasses.asdict(self)

    @classmethod
    def from_dict(
        cls, item: collections.abc.Mapping[str, ty.Any]
    ) -> Combinations:
        """Read what :meth:`as_dict` wrote.

        :param item: the numbers in the form of the API.
        :returns: the numbers.
        """
        return cls(int(item['plain']), int(item['pruned']))


#: Those of a server that asks for one group, or for none: there is nothing to
#: combine.
NONE = Combinations(0, 0)

_Fitting: ty.TypeAlias = dict[model.Group, frozenset[int]]


def count(
    groups: collections.abc.Sequence[model.Group],
    providers: collections.abc.Iterable[Provider],
) -> Combinations:
    """Count the combinations of devices for a server.

    :param groups: all that it asks for.
    :param providers: the resource providers of the classes that it asks for,
        those without a free slot too.
    :returns: the numbers of all hosts together, as Placement tries them all.
    """
    by_host: dict[str, list[Provider]] = collections.defaultdict(list)
    for provider in providers:
        by_host[provider.host].append(provider)
    known = {p.resource_class for each in by_host.values() for p in each}
    # What is not a device of Cyborg's is one provider of a host, or few.
    asked = [
        dataclasses.replace(group, config=())
        for group in groups
        if known.issuperset(name for name, _amount in group.resources)
    ]
    if len(asked) < 2:
        return NONE
    found = [_count_on_host(asked, each) for each in by_host.values()]
    return Combinations(
        sum(each.plain for each in found), sum(each.pruned for each in found)
    )


def ways(
    groups: collections.abc.Iterable[model.Group],
    providers: collections.abc.Iterable[Provider],
) -> int:
    """Count the ways to take a provider for each group, or for some of them.

    As if nobody asked for traits, or for more than one unit: a request that
    asks for less than another has more ways.

    :param groups: all that is asked for.
    :param providers: as for :func:`count`.
    :returns: the number of all hosts together; 0 if there is nothing to
        combine.
    """
    by_host: dict[str, collections.Counter[str]] = collections.defaultdict(
        collections.Counter
    )
    for each in providers:
        by_host[each.host][each.resource_class] += each.free > 0
    known = {name for found in by_host.values() for name in found}
    asked = [
        known.intersection(name for name, _amount in group.resources)
        for group in groups
    ]
    asked = [names for names in asked if names]
    if len(asked) < 2:
        return 0
    return sum(
        math.prod(max(1, *(found[name] for name in names)) for names in asked)
        for found in by_host.values()
    )


def most(found: collections.abc.Iterable[Combinations]) -> Combinations:
    """Return the most that Placement tries for any of several requests.

    :param found: the numbers of each.
    :returns: the numbers; none if there is no request.
    """
    plain, pruned = 0, 0
    for each in found:
        plain, pruned = max(plain, each.plain), max(pruned, each.pruned)
    return Combinations(plain, pruned)


def _count_on_host(
    groups: collections.abc.Sequence[model.Group],
    providers: collections.abc.Sequence[Provider],
) -> Combinations:
    fitting: _Fitting = {
        group: frozenset(
            number
            for number, provider in enumerate(providers)
            if _fits(group, provider)
        )
        for group in set(groups)
    }
    plain = math.prod(len(fitting[group]) for group in groups)
    if not plain:
        return NONE
    is_direct = _is_short(groups, providers, fitting) or not _goes_astray(
        groups, providers, fitting
    )
    return Combinations(plain, 0 if is_direct else plain)


def _fits(group: model.Group, provider: Provider) -> bool:
    [(name, amount), *others] = group.resources
    return (
        # Cyborg's providers have one class each.
        not others
        and name == provider.resource_class
        and amount <= provider.free
        and provider.traits.issuperset(group.required)
        and provider.traits.isdisjoint(group.forbidden)
    )


def _is_short(
    groups: collections.abc.Sequence[model.Group],
    providers: collections.abc.Sequence[Provider],
    fitting: _Fitting,
) -> bool:
    """Tell whether the host has less than what is asked for in all.

    Placement looks at that before it tries anything.
    """
    left: collections.Counter[str] = collections.Counter()
    for number in frozenset().union(*fitting.values()):
        left[providers[number].resource_class] += providers[number].free
    for group in groups:
        left.subtract(dict(group.resources))
    return min(left.values()) < 0


def _goes_astray(
    groups: collections.abc.Sequence[model.Group],
    providers: collections.abc.Sequence[Provider],
    fitting: _Fitting,
) -> bool:
    """Tell whether some way in ends where a later group finds no room."""
    by_devices = collections.defaultdict(list)
    for group in groups:
        by_devices[fitting[group]].append(group.resources)
    if any(
        not one.isdisjoint(other)
        for one, other in itertools.combinations(by_devices, 2)
    ):
        return True
    for numbers, (first, *others) in by_devices.items():
        [(_name, amount)] = first
        places = sum(providers[each].free // amount for each in numbers)
        if places <= len(others) or any(each != first for each in others):
            return True
    return False

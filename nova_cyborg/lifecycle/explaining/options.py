# SPDX-License-Identifier: Apache-2.0

"""What can be asked for, and how much of it is free."""

from __future__ import annotations

import collections
import collections.abc
import dataclasses
import functools

from cyborg import context as cyborg_context

from nova_cyborg import model
from nova_cyborg.db.offers import kinds
from nova_cyborg.lifecycle.explaining import zones

#: So many free units, or more, are many.
MANY = 10


@dataclasses.dataclass(frozen=True)
class Option:
    """A kind of devices that can be asked for.

    :ivar kind: what they are.
    :ivar traits: those that some of them have, perhaps not one all of them.
    :ivar units: how many units there are.
    :ivar zones: the same by availability zone; None is that of hosts of which
        Nova says nothing. None if it does not say where hosts are.
    """

    kind: kinds.Kind
    traits: tuple[str, ...]
    units: kinds.Units
    zones: collections.abc.Mapping[str | None, kinds.Units] | None


def find(
    context: cyborg_context.RequestContext, allowed: frozenset[str] | None
) -> list[Option]:
    """Find what can be asked for, with two statements.

    Nova is asked once in a while, see :mod:`zones`.

    :param allowed: the resource classes that may be asked for; None for any.
    :returns: the kinds of devices, in order of their resource classes.
    """
    traits = kinds.traits(context)
    zone_of = zones.of_hosts()
    return [
        Option(
            kind,
            tuple(traits.get(kind, ())),
            _sum(by_host.values()),
            None if zone_of is None else _by_zone(by_host, zone_of),
        )
        for kind, by_host in kinds.units(context).items()
        if allowed is None or kind.resource_class in allowed
    ]


def warnings(
    context: cyborg_context.RequestContext,
    groups: collections.abc.Iterable[model.Group],
) -> list[str]:
    """Say what groups ask for that no device of the cloud has, as yet.

    :param groups: the groups of a new device context.
    :returns: a sentence for each resource class and each trait.
    """
    wanted: dict[str, str] = {}
    for group in groups:
        for name, _amount in group.resources:
            wanted[f'is of class {name}'] = name
        for name in group.required:
            wanted[f'has trait {name}'] = name
    offered = kinds.offered(context, set(wanted.values()))
    return [
        f'No device of this cloud {words} as yet.'
        for words, name in wanted.items()
        if name not in offered
    ]


def word(units: kinds.Units) -> str:
    """Say how many units are free.

    :param units: the units.
    :returns: ``none``, ``some`` or ``many``.
    """
    if not units.free:
        return 'none'
    return 'many' if units.free >= MANY else 'some'


def _sum(counted: collections.abc.Iterable[kinds.Units]) -> kinds.Units:
    return functools.reduce(kinds.Units.__add__, counted, kinds.Units())


def _by_zone(
    by_host: collections.abc.Mapping[str, kinds.Units],
    zone_of: collections.abc.Mapping[str, str],
) -> dict[str | None, kinds.Units]:
    found: dict[str | None, kinds.Units] = collections.defaultdict(kinds.Units)
    for host, counted in by_host.items():
        found[zone_of.get(host)] += counted
    return dict(found)

# SPDX-License-Identifier: Apache-2.0

"""Explaining with what Placement and Cyborg's own tables say."""

from __future__ import annotations

import collections.abc
import dataclasses
import functools
import typing as ty

from cyborg import context as cyborg_context

from nova_cyborg import exception, model
from nova_cyborg.db import refusals
from nova_cyborg.db.inventory import taints
from nova_cyborg.db.offers import units
from nova_cyborg.explaining import (
    explanation,
    flavors,
    requirements,
    sentences,
)
from nova_cyborg.lifecycle import bounds
from nova_cyborg.lifecycle import placement as lifecycle_placement
from nova_cyborg.lifecycle.events import counting

# Ways to give a server its devices, of which Placement would try all. As much
# as Nova lets it try unless it is told otherwise.
_MOST_WAYS = 30_000
_TOO_MANY = (
    'There are so many ways to give a server these devices that they are not '
    'looked into: ask for fewer groups, or for a larger amount in one.'
)
# Of what is not Cyborg's, nothing is counted. A host has so many providers of
# it that a flavor may choose from, unless they are of what is the host's own.
_GUESSED = 8
_OF_HOST = frozenset({'VCPU', 'PCPU', 'MEMORY_MB', 'DISK_GB'})
# The most groups of a flavor, with each resource class that is in no numbered
# one: each costs Placement something, even if there is nothing to choose.
_MOST_OF_FLAVOR = 12
# In metrics, the reason of a refusal begins with it.
_NO_HOST = 'nova_cyborg.no_host'
# Names of groups in the query that are not of device contexts.
_OF_PROFILE = 'P'
# Seconds for which Placement is asked: somebody waits meanwhile.
_PATIENCE = 20


def of_request(
    context: cyborg_context.RequestContext,
    wanted: collections.abc.Sequence[model.DeviceContext],
    flavor: collections.abc.Mapping[str, ty.Any],
    image: collections.abc.Mapping[str, ty.Any],
    limits: bounds.Bounds,
    counting: bool,
) -> explanation.Explanation:
    """Explain what would become of a server with device contexts.

    Nothing is changed.

    :param wanted: the device contexts.
    :param flavor: the flavor of the server; empty for none.
    :param image: the properties of its image; empty for none.
    :param limits: what the device contexts of a server may ask for.
    :param counting: whether hosts are to be counted.
    :returns: the explanation.
    :raises InvalidRequest: if Placement takes what the flavor says for a
        mistake.
    :raises PlacementFailed: if Placement does not answer, or refuses.
    """
    try:
        limits.check(wanted)
    except exception.DeviceContextError as exc:
        is_unknown = isinstance(exc, exception.ResourceClassNotAllowed)
        if not is_unknown or limits.configured:
            return explanation.Explanation(False, str(exc))
    profile = flavors.profile(flavor)
    groups: list[model.Group] | None = []
    if profile:
        groups = bounds.groups_of_profile(context, profile)
    if groups is None:
        said = sentences.no_such_profile(str(profile))
        return explanation.Explanation(False, said)
    if _is_too_much(context, wanted, groups, flavors.groups(flavor)):
        return explanation.Explanation(False, _TOO_MANY)
    tainted = taints.keys(context)
    server = flavors.server(flavor, image)
    if groups:
        server = dataclasses.replace(
            server, others=(*server.others, *_parameters(groups, tainted))
        )
    return explanation.explain(
        _picks(wanted, tainted),
        server,
        lifecycle_placement.Placement(_PATIENCE),
        functools.partial(units.count, context),
        counting,
        limits.classes,
    )


def of_server(
    context: cyborg_context.RequestContext,
    server_id: str,
    query: str,
    names_host: bool,
    leaves_host: bool,
    no_other: bool,
) -> str:
    """Explain why Nova has found no host for a server, and record it.

    It is the fault of the server's device contexts from then on.

    :param server_id: UUID of the server, which holds them.
    :param query: what Nova's scheduler has asked Placement with, first.
    :param names_host: whether a certain host was asked for besides.
    :param leaves_host: whether it is to be another host than the server's.
    :param no_other: whether it has found none with other alternatives, either.
    :returns: a sentence.
    :raises AllocationNotFound: if the server holds no device contexts.
    :raises InvalidRequest: if the query cannot be read.
    :raises PlacementFailed: if Placement does not answer, or refuses.
    """
    names = refusals.names(context, server_id)
    asked, server = requirements.read(query, names)
    found = explanation.explain(
        [asked],
        server,
        lifecycle_placement.Placement(_PATIENCE),
        functools.partial(units.count, context),
    )
    sentence = found.sentence
    if found.fits:
        sentence = sentences.LEFT if leaves_host else sentences.REFUSED
        if names_host:
            sentence = sentences.NAMED
    if no_other:
        sentence += sentences.NO_OTHER
    refusals.record(context, server_id, sentence)
    counting.refusal(f'{_NO_HOST}.{found.reason}')
    return sentence


def _picks(
    wanted: collections.abc.Sequence[model.DeviceContext],
    tainted: collections.abc.Set[str],
) -> list[list[requirements.Asked]]:
    """Name what is asked for, with each combination of alternatives."""
    named = [
        (number, (each.name or each.uuid) if len(wanted) > 1 else None, group)
        for each in wanted
        for number, group in enumerate(each.groups)
    ]
    return [
        [
            requirements.Asked(
                requirements.label(number, alternative, name),
                group.alternatives[alternative].refusing(tainted),
            )
            for (number, name, group), alternative in zip(
                named, pick, strict=True
            )
        ]
        for pick in model.picks(group for _n, _name, group in named)
    ]


def _is_too_much(
    context: cyborg_context.RequestContext,
    wanted: collections.abc.Iterable[model.DeviceContext],
    of_profile: collections.abc.Iterable[model.Group],
    of_flavor: collections.abc.Sequence[model.Group],
) -> bool:
    """Tell whether Placement would try too much, with any of the questions.

    Somebody who asks writes the flavor, as it need not exist.
    """
    if len(of_flavor) > _MOST_OF_FLAVOR:
        return True
    chosen = [
        group
        for group in of_flavor
        if not _OF_HOST.issuperset(name for name, _amount in group.resources)
    ]
    ways, counted = bounds.ways_of(context, wanted, [*of_profile, *chosen])
    guessed = sum(
        counted.isdisjoint(name for name, _amount in group.resources)
        for group in chosen
    )
    return max(ways, 1) * _GUESSED**guessed > _MOST_WAYS


def _parameters(
    groups: collections.abc.Iterable[model.Group],
    tainted: collections.abc.Iterable[str],
) -> collections.abc.Iterator[tuple[str, str]]:
    for number, group in enumerate(groups):
        suffix = f'_{_OF_PROFILE}{number}'
        amounts = (f'{name}:{amount}' for name, amount in group.resources)
        yield f'resources{suffix}', ','.join(amounts)
        refusing = group.refusing(tainted)
        traits = [*group.required, *(f'!{t}' for t in refusing.forbidden)]
        if traits:
            yield f'required{suffix}', ','.join(traits)

# SPDX-License-Identifier: Apache-2.0

"""What the device contexts of a server may ask for together.

Read from Cyborg's own tables before Placement is asked, which would not end
before it has tried everything.
"""

from __future__ import annotations

import collections.abc
import dataclasses
import itertools
import logging

from cyborg import context as cyborg_context

from nova_cyborg import combinations, exception, language, model, names
from nova_cyborg.db import profiles
from nova_cyborg.db.inventory import providers

LOG = logging.getLogger(__name__)

#: In the list of allowed resource classes, stands for all.
ANY = '*'
_OPTION = 'allowed_resource_classes'
# Names of resource classes in a sentence.
_MOST_SHOWN = 8

_Contexts = collections.abc.Iterable[model.DeviceContext]


@dataclasses.dataclass(frozen=True)
class Bounds:
    """The bounds of a server that is to get device contexts.

    :ivar accelerators: the most accelerators that it may ask for.
    :ivar classes: the resource classes that it may ask for; None for any.
    :ivar configured: whether these are configured, and not only those that
        there are.
    """

    accelerators: int
    classes: frozenset[str] | None
    configured: bool = True

    def check(self, contexts: _Contexts) -> None:
        """Check the device contexts of a new server.

        :param contexts: the device contexts.
        :raises TooManyAccelerators: if they ask for too many.
        :raises TooManyAlternatives: if there is too much to be tried.
        :raises ResourceClassNotAllowed: if one asks for another class.
        """
        found = list(contexts)
        groups = [group for context in found for group in context.groups]
        count = model.accelerator_count(groups)
        if count > self.accelerators:
            raise exception.TooManyAccelerators(
                count=count, limit=self.accelerators
            )
        combined = model.pick_count(groups)
        if combined > model.MAX_PICKS:
            raise exception.TooManyAlternatives(
                count=combined, limit=model.MAX_PICKS
            )
        self.check_classes(found)

    def check_classes(self, contexts: _Contexts) -> None:
        """Check the resource classes that device contexts ask for.

        Of alternatives, one is enough that has no other: the devices of
        others may come, or be gone for good.

        :param contexts: the device contexts.
        :raises ResourceClassNotAllowed: if one asks for another class.
        """
        if self.classes is None:
            return
        for context in contexts:
            for group in context.groups:
                others = [
                    _others(each, self.classes) for each in group.alternatives
                ]
                if all(others):
                    raise exception.ResourceClassNotAllowed(
                        id=context.uuid,
                        name=others[0][0],
                        known=_shown(self.classes),
                    )


def listed(
    names_given: collections.abc.Iterable[str],
) -> frozenset[str] | None:
    """Read the list of allowed resource classes.

    :param names_given: what is configured.
    :returns: the names in Placement; None if any is allowed.
    :raises InvalidRequest: if one is no class of an accelerator.
    """
    given = list(names_given)
    if ANY in given:
        return None
    return frozenset(
        names.resource_class_name(name, f'[nova_cyborg] {_OPTION}')
        for name in given
    )


def of_cloud(
    context: cyborg_context.RequestContext,
    accelerators: int,
    names_given: collections.abc.Sequence[str],
) -> Bounds:
    """Find the bounds, with one statement at most.

    :param accelerators: the most accelerators of a server.
    :param names_given: the allowed resource classes as they are configured;
        if there are none, those that Cyborg knows are.
    :returns: the bounds.
    """
    if names_given:
        return Bounds(accelerators, listed(names_given))
    return Bounds(accelerators, providers.resource_classes(context), False)


def _others(group: model.Group, known: frozenset[str]) -> list[str]:
    return [name for name, _amount in group.resources if name not in known]


def _shown(known: frozenset[str]) -> str:
    shown = sorted(known)[:_MOST_SHOWN]
    if len(known) > len(shown):
        shown.append(f'{len(known) - len(shown)} more')
    return ', '.join(shown) or 'none'


def combinations_of(
    context: cyborg_context.RequestContext,
    contexts: collections.abc.Iterable[model.DeviceContext],
    profile: str | None,
    flavor_resources: collections.abc.Iterable[
        collections.abc.Mapping[str, int]
    ],
    tainted: collections.abc.Set[str],
) -> combinations.Combinations:
    """Count the combinations of devices that Placement tries for a server.

    :param contexts: its device contexts.
    :param profile: the name of the device profile of its flavor, if any.
    :param flavor_resources: what its flavor asks for by itself: amounts by
        resource class, for each provider that Placement chooses.
    :param tainted: the keys of all taints that devices have.
    :returns: the numbers; those of the alternatives that have the most.
    """
    choices = [
        model.Choice(
            tuple(group.refusing(tainted) for group in each.alternatives)
        )
        for context_ in contexts
        for each in context_.groups
    ]
    beside = [
        model.Group(tuple(sorted(each.items()))) for each in flavor_resources
    ]
    if profile:
        beside += (
            group.refusing(tainted)
            for group in groups_of_profile(context, profile) or ()
        )
    if len(choices) + len(beside) < 2:
        return combinations.NONE
    alternatives = [group for each in choices for group in each.alternatives]
    found = providers.free_for_groups(
        context, [*alternatives, *beside], tainted
    )
    picks = itertools.islice(model.picks(choices), model.MAX_PICKS)
    return combinations.most(
        combinations.count([*model.picked(choices, pick), *beside], found)
        for pick in picks
    )


def ways_of(
    context: cyborg_context.RequestContext,
    contexts: collections.abc.Iterable[model.DeviceContext],
    beside: collections.abc.Sequence[model.Group],
) -> tuple[int, frozenset[str]]:
    """Count the ways that Placement tries for any part of what is asked for.

    :param contexts: device contexts.
    :param beside: what is asked for beside them.
    :returns: the number, that of the alternatives that have the most; and the
        resource classes whose devices were counted.
    """
    choices = [group for each in contexts for group in each.groups]
    alternatives = [group for each in choices for group in each.alternatives]
    if len(choices) + len(beside) < 2:
        return 0, frozenset()
    found = providers.free_for_groups(
        context, [*alternatives, *beside], frozenset()
    )
    picks = itertools.islice(model.picks(choices), model.MAX_PICKS)
    ways = max(
        combinations.ways([*model.picked(choices, pick), *beside], found)
        for pick in picks
    )
    return ways, frozenset(each.resource_class for each in found)


def groups_of_profile(
    context: cyborg_context.RequestContext, name: str
) -> list[model.Group] | None:
    """Read the groups of a device profile, as far as they can be read.

    :param name: the name of the profile.
    :returns: its groups; None if there is no such profile.
    """
    said = profiles.groups_of(context, name)
    if said is None:
        return None
    found: list[model.Group] = []
    for group in said:
        try:
            found.append(language.group_from_profile(group))
        except exception.InvalidRequest as exc:
            # Nova says what becomes of it; Placement may take it.
            LOG.warning(
                'A group of device profile %s is not counted among what '
                'Placement is asked for: %s',
                name,
                exc,
            )
    return found

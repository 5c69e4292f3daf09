# SPDX-License-Identifier: Apache-2.0

"""What the device contexts of a server may ask for together."""

from __future__ import annotations

import collections.abc
import dataclasses

from cyborg import context as cyborg_context

from nova_cyborg import exception, model, names
from nova_cyborg.db.inventory import handles

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
    """

    accelerators: int
    classes: frozenset[str] | None

    def check(self, contexts: _Contexts) -> None:
        """Check the device contexts of a new server.

        :param contexts: the device contexts.
        :raises TooManyAccelerators: if they ask for too many.
        :raises ResourceClassNotAllowed: if one asks for another class.
        """
        found = list(contexts)
        count = model.accelerator_count(
            group for context in found for group in context.groups
        )
        if count > self.accelerators:
            raise exception.TooManyAccelerators(
                count=count, limit=self.accelerators
            )
        self.check_classes(found)

    def check_classes(self, contexts: _Contexts) -> None:
        """Check the resource classes that device contexts ask for.

        :param contexts: the device contexts.
        :raises ResourceClassNotAllowed: if one asks for another class.
        """
        if self.classes is None:
            return
        for context in contexts:
            for group in context.groups:
                for name, _amount in group.resources:
                    if name not in self.classes:
                        raise exception.ResourceClassNotAllowed(
                            id=context.uuid,
                            name=name,
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
    return Bounds(accelerators, handles.resource_classes(context))


def _shown(known: frozenset[str]) -> str:
    shown = sorted(known)[:_MOST_SHOWN]
    if len(known) > len(shown):
        shown.append(f'{len(known) - len(shown)} more')
    return ', '.join(shown) or 'none'

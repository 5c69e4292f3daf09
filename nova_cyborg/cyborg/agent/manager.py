# SPDX-License-Identifier: Apache-2.0

"""cyborg-agent: it cleans the slots that servers have given back."""

from __future__ import annotations

import collections.abc
import typing as ty

from cyborg import context as cyborg_context
from cyborg.agent import manager

from nova_cyborg import signatures
from nova_cyborg.cyborg import own_name, presence
from nova_cyborg.cyborg.agent import cleaning

_CALLED = {
    '__init__': 'topic host',
    'update_available_resource': 'context',
}


class AgentManager(presence.Presence, own_name.OwnName, manager.AgentManager):
    """Cyborg's agent, which cleans slots as well."""

    def __init__(self, *args: ty.Any, **kwargs: ty.Any) -> None:
        super().__init__(*args, **kwargs)
        self._cleaner = cleaning.Cleaner(self._rt.acc_drivers, self.cond_api)

    def clean_slots(
        self,
        context: cyborg_context.RequestContext,
        slots: collections.abc.Iterable[dict[str, str]],
    ) -> None:
        """Begin to clean slots; cyborg-conductor is told of the end.

        :param slots: the fields of a :class:`.cleaning.Slot` each.
        """
        for slot in slots:
            self._cleaner.begin(context, cleaning.Slot(**slot))


def install() -> str:
    """Put the class in the place of Cyborg's.

    :returns: what was done, for the log.
    :raises PluginActivationFailed: if this release of Cyborg has other
        methods.
    """
    signatures.check(manager.AgentManager, _CALLED)
    manager.AgentManager = AgentManager
    return 'cleaning of slots'

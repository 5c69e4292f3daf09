# SPDX-License-Identifier: Apache-2.0

"""Which of it is done with a server."""

import collections.abc
import random

from tools.seldom.chaos.actors import offer
from tools.seldom.chaos.operations import (
    attachments,
    evacuation,
    moves,
    states,
)

#: What is chosen from. A host fails for an evacuation: that is rare.
NAMES = (
    'nothing',
    'suspend',
    'shelve',
    'rebuild',
    'live_migrate',
    'live_migrate',
    'resize',
    'resize',
    'migrate',
    'migrate',
    'attach',
    'attach',
    'evacuate',
)


class Operations:
    """Does something with a server of one who boots them.

    :param chance: what the choices follow from.
    :param moving: moves it.
    :param changing: changes its state.
    :param attaching: attaches, and detaches.
    :param evacuating: evacuates it.
    """

    def __init__(
        self,
        chance: random.Random,
        moving: moves.Moves,
        changing: states.States,
        attaching: attachments.Attachments,
        evacuating: evacuation.Evacuation,
    ) -> None:
        self._random = chance
        self._moves = moving
        self._states = changing
        self._attachments = attaching
        self._evacuation = evacuating

    def do(
        self, server_id: str, arrived: collections.abc.Callable[[], None]
    ) -> str:
        """Do something with a server, perhaps.

        :param server_id: UUID of the server, which is ACTIVE.
        :param arrived: is called when its guest has other devices for a while.
        :returns: the status after it; ``stuck`` if something is still under
            way.
        :raises GaveUp: if an API does not answer.
        """
        deeds: dict[str, collections.abc.Callable[[], str]] = {
            'nothing': lambda: 'ACTIVE',
            'suspend': lambda: self._states.suspend(server_id),
            'shelve': lambda: self._states.shelve(server_id),
            'rebuild': lambda: self._states.rebuild(server_id),
            'live_migrate': lambda: self._moves.live_migrate(server_id),
            'resize': lambda: self._moves.resize(server_id, arrived),
            'migrate': lambda: self._moves.migrate(server_id, arrived),
            'attach': lambda: self._attachments.attach(
                server_id, self._random.choice(offer.RESOURCES), arrived
            ),
            'evacuate': lambda: self._evacuation.evacuate(server_id),
        }
        return deeds[self._random.choice(NAMES)]()

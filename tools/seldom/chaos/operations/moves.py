# SPDX-License-Identifier: Apache-2.0

"""A server moves, and stays there or comes back."""

import collections.abc
import random

from tools.seldom.chaos.operations import acting

_MOVED = 'VERIFY_RESIZE'


class Moves:
    """Moves servers of one who boots them.

    :param deeds: has it done.
    :param chance: what the choices follow from.
    :param flavor: UUID of the flavor that servers are resized to.
    """

    def __init__(
        self, deeds: acting.Acting, chance: random.Random, flavor: str
    ) -> None:
        self._deeds = deeds
        self._random = chance
        self._flavor = flavor

    def live_migrate(self, server_id: str) -> str:
        """Migrate a server while it runs.

        :returns: its status after that.
        """
        return self._deeds.act(
            self._deeds.admin,
            server_id,
            'os-migrateLive',
            arguments={'host': None, 'block_migration': 'auto'},
        )

    def resize(
        self, server_id: str, arrived: collections.abc.Callable[[], None]
    ) -> str:
        """Resize a server, and confirm that or revert it.

        :param arrived: is called when its guest runs elsewhere, and may come
            back.
        :returns: its status after that.
        """
        status = self._deeds.act(
            self._deeds.user,
            server_id,
            'resize',
            (_MOVED, *acting.ENDS),
            {'flavorRef': self._flavor},
        )
        return self._end(server_id, status, arrived)

    def migrate(
        self, server_id: str, arrived: collections.abc.Callable[[], None]
    ) -> str:
        """Migrate a server, and confirm that or revert it.

        :param arrived: is called when its guest runs elsewhere, and may come
            back.
        :returns: its status after that.
        """
        status = self._deeds.act(
            self._deeds.admin, server_id, 'migrate', (_MOVED, *acting.ENDS)
        )
        return self._end(server_id, status, arrived)

    def _end(
        self,
        server_id: str,
        status: str,
        arrived: collections.abc.Callable[[], None],
    ) -> str:
        if status != _MOVED:
            return status
        arrived()
        action = self._random.choice(('confirmResize', 'revertResize'))
        return self._deeds.act(self._deeds.user, server_id, action)

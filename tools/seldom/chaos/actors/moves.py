# SPDX-License-Identifier: Apache-2.0

"""What is done with a server that runs: it moves, or is suspended."""

import collections.abc
import http
import random
import typing as ty

from tools.seldom.chaos.actors import api, watching
from tools.seldom.chaos.damage import ledger

_SECONDS = 60.0
_REQUEST_SECONDS = 45.0
# The project's quota, or what is under way with the server.
_AGAIN = (403, 409)


class Mover:
    """Moves servers of one who boots them.

    :param user: whose they are.
    :param admin: the administrator, who alone may migrate them.
    :param chance: what the choices follow from.
    :param flavor: UUID of the flavor that servers are resized to.
    :param notes: where to note what comes of it.
    """

    def __init__(
        self,
        user: api.User,
        admin: api.User,
        chance: random.Random,
        flavor: str,
        notes: ledger.Ledger,
    ) -> None:
        self._user = user
        self._admin = admin
        self._random = chance
        self._flavor = flavor
        self._notes = notes

    def move(
        self, server_id: str, arrived: collections.abc.Callable[[], None]
    ) -> str:
        """Do something with a server, perhaps.

        :param server_id: UUID of the server, which is ACTIVE.
        :param arrived: is called when its guest runs elsewhere, and may come
            back.
        :returns: the status after it; ``stuck`` if something is still under
            way.
        """
        act = self._random.choice(
            (
                lambda: 'ACTIVE',
                lambda: self._suspend(server_id),
                lambda: self._live_migrate(server_id),
                lambda: self._resize(server_id, arrived),
                lambda: self._migrate(server_id, arrived),
            )
        )
        return act()

    def _suspend(self, server_id: str) -> str:
        status = self._act(self._user, server_id, 'suspend', 'SUSPENDED')
        if status == 'SUSPENDED':
            status = self._act(self._user, server_id, 'resume')
        return status

    def _live_migrate(self, server_id: str) -> str:
        arguments = {'host': None, 'block_migration': 'auto'}
        return self._act(
            self._admin, server_id, 'os-migrateLive', arguments=arguments
        )

    def _resize(
        self, server_id: str, arrived: collections.abc.Callable[[], None]
    ) -> str:
        arguments = {'flavorRef': self._flavor}
        status = self._act(
            self._user, server_id, 'resize', 'VERIFY_RESIZE', arguments
        )
        return self._end(server_id, status, arrived)

    def _migrate(
        self, server_id: str, arrived: collections.abc.Callable[[], None]
    ) -> str:
        status = self._act(self._admin, server_id, 'migrate', 'VERIFY_RESIZE')
        return self._end(server_id, status, arrived)

    def _end(
        self,
        server_id: str,
        status: str,
        arrived: collections.abc.Callable[[], None],
    ) -> str:
        if status != 'VERIFY_RESIZE':
            return status
        arrived()
        action = self._random.choice(('confirmResize', 'revertResize'))
        return self._act(self._user, server_id, action)

    def _act(
        self,
        who: api.User,
        server_id: str,
        action: str,
        status: str = '',
        arguments: ty.Any = None,
    ) -> str:
        """Ask for something, and wait until it is done, or is not done.

        :param status: that which the server is to have.
        """
        path = f'/servers/{server_id}/action'
        body = {action: arguments}
        answer = who.ask(
            'compute', 'POST', path, _REQUEST_SECONDS, _AGAIN, body
        )
        ends = (status, 'ACTIVE', 'ERROR') if status else ('ACTIVE', 'ERROR')
        server = watching.watch(who, server_id, ends, _SECONDS, idle=True)
        found = _status(server, ends)
        refused = answer.status_code >= http.HTTPStatus.BAD_REQUEST
        self._notes.note_action(action, 'refused' if refused else found)
        return found


def _status(server: watching.Server, ends: tuple[str, ...]) -> str:
    if server is None:
        return 'gone by itself'
    busy = server['OS-EXT-STS:task_state'] is not None
    found = str(server['status'])
    return 'stuck' if busy or found not in ends else found

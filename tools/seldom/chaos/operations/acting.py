# SPDX-License-Identifier: Apache-2.0

"""Asking for something to be done with a server, and waiting for its end."""

import http
import typing as ty

from tools.seldom.chaos.actors import api, watching
from tools.seldom.chaos.damage import ledger

#: How long something is waited for.
SECONDS = 60.0
#: How long it is asked for.
REQUEST_SECONDS = 45.0
#: The statuses of a server of which nothing more is to be expected.
ENDS = ('ACTIVE', 'ERROR')
# The project's quota, or what is under way with the server.
_AGAIN = (403, 409)


class Acting:
    """Has things done with servers.

    :param user: whose they are.
    :param admin: the administrator, who alone may do some of it.
    :param notes: where to note what comes of it.
    """

    def __init__(
        self, user: api.User, admin: api.User, notes: ledger.Ledger
    ) -> None:
        self.user = user
        self.admin = admin
        self.notes = notes

    def act(
        self,
        who: api.User,
        server_id: str,
        action: str,
        ends: tuple[str, ...] = ENDS,
        arguments: ty.Any = None,
    ) -> str:
        """Ask for something, and wait until it is done, or is not done.

        :param who: who asks.
        :param server_id: UUID of the server.
        :param action: what is asked for.
        :param ends: the statuses with which it may end.
        :param arguments: those of the action.
        :returns: the server's status after it; ``stuck`` if something is
            still under way.
        :raises GaveUp: if Nova does not answer.
        """
        path = f'/servers/{server_id}/action'
        answer = who.ask(
            'compute',
            'POST',
            path,
            REQUEST_SECONDS,
            _AGAIN,
            {action: arguments},
        )
        refused = answer.status_code >= http.HTTPStatus.BAD_REQUEST
        if refused:
            # It may stay as it was.
            ends = (*ends, 'ACTIVE')
        server = watching.watch(who, server_id, ends, SECONDS, idle=True)
        found = _status(server, ends)
        self.notes.note_action(action, 'refused' if refused else found)
        return found


def _status(server: watching.Server, ends: tuple[str, ...]) -> str:
    if server is None:
        return 'gone by itself'
    busy = server.get('OS-EXT-STS:task_state') is not None
    found = str(server['status'])
    return 'stuck' if busy or found not in ends else found

# SPDX-License-Identifier: Apache-2.0

"""The device contexts of one who boots servers."""

from tools.seldom.chaos.actors import api
from tools.seldom.chaos.damage import ledger
from tools.seldom.chaos.operations import acting


class Contexts:
    """Makes device contexts, and has those used again that are kept.

    :param user: whose they are.
    :param name: the name of each.
    :param notes: where to note which are kept.
    """

    def __init__(
        self, user: api.User, name: str, notes: ledger.Ledger
    ) -> None:
        self._user = user
        self._name = name
        self._notes = notes
        # Those that wait for their next server.
        self._waiting: list[str] = []

    def take(self, kind: str, keep: bool) -> str:
        """Return a device context that no server holds.

        :param kind: the accelerator of one that is made.
        :param keep: whether one that is made outlives its server.
        :returns: its UUID.
        :raises GaveUp: if Cyborg does not answer.
        """
        if self._waiting:
            return self._waiting.pop()
        body = {
            'name': self._name,
            'resources': {kind: 1},
            'delete_on_termination': not keep,
            'live_migration': 'detach',
        }
        answer = self._user.ask(
            'accelerator',
            'POST',
            '/device_contexts',
            acting.REQUEST_SECONDS,
            again=(400, 403, 409),
            json=body,
        )
        context_id = str(answer.json()['uuid'])
        if keep:
            self._notes.kept.add(context_id)
        return context_id

    def give_back(self, context_id: str) -> None:
        """Have a device context used again, if it is kept.

        :param context_id: its UUID; no server holds it.
        """
        if context_id in self._notes.kept:
            self._waiting.append(context_id)

# SPDX-License-Identifier: Apache-2.0

"""Project members who boot servers, have them moved, and delete them."""

import random
import typing as ty

from tools.cloud import cloud as cloud_module
from tools.seldom.chaos.actors import api, moves, offer, watching
from tools.seldom.chaos.damage import ledger

_BOOT_SECONDS = 60.0
_DELETE_SECONDS = 60.0
_REQUEST_SECONDS = 45.0
_KEEP = 0.3
_ENDS = ('ACTIVE', 'ERROR')


class Client:
    """One who boots a server, moves it and deletes it, over and over.

    :param user: the user it is.
    :param number: its number.
    :param seed: what its choices follow from.
    :param goods: what can be booted.
    :param notes: where to note what it sees.
    """

    def __init__(
        self,
        cloud: cloud_module.Cloud,
        user: str,
        number: int,
        seed: int,
        goods: offer.Offer,
        notes: ledger.Ledger,
    ) -> None:
        self._api = api.User(cloud, user)
        self._name = f'chaos-{number}'
        self._random = random.Random(f'{seed} {number}')  # noqa: S311
        self._guests = cloud.folder / 'domains'
        self._offer = goods
        self._notes = notes
        self._mover = moves.Mover(
            self._api,
            api.User(cloud, 'admin'),
            self._random,
            goods.larger,
            notes,
        )
        # Device contexts that wait for their next server.
        self._mine: list[str] = []

    def boot(self) -> str:
        """Boot a server, and delete it.

        :returns: how it ended.
        """
        kind = self._random.choice(offer.RESOURCES)
        keep = self._random.random() < _KEEP
        context_id = None
        try:
            if not self._offer.stock:
                context_id = self._context(kind, keep)
            server_id = self._ask_for_server(kind, context_id)
        except api.GaveUp:
            return 'refused'
        if server_id is None:
            return 'refused'
        try:
            return self._live(server_id, context_id)
        except api.GaveUp:
            return 'left to the administrator'

    def _live(self, server_id: str, context_id: str | None) -> str:
        outcome = self._wait_until_idle(server_id)
        if outcome == 'ACTIVE':
            self._notes.runs(self._guests, server_id)
            if not self._offer.stock:
                self._move(server_id)
        self._notes.leaves(server_id)
        self._delete(server_id)
        if context_id in self._notes.kept:
            self._mine.append(str(context_id))
        elif context_id and outcome == 'ACTIVE':
            self._notes.ended.add(context_id)
        return outcome

    def _move(self, server_id: str) -> None:
        """Do something with a server, and look at what it has then."""

        def look() -> None:
            self._notes.runs(self._guests, server_id)

        if self._mover.move(server_id, look) == 'ACTIVE':
            # What it has left may be another one's by now.
            self._notes.leaves(server_id)
            look()

    def _context(self, kind: str, keep: bool) -> str:
        if self._mine:
            return self._mine.pop()
        body = {
            'name': self._name,
            'resources': {kind: 1},
            'delete_on_termination': not keep,
            'live_migration': 'detach',
        }
        answer = self._ask('accelerator', 'POST', '/device_contexts', body)
        context_id = str(answer.json()['uuid'])
        if keep:
            self._notes.kept.add(context_id)
        return context_id

    def _ask_for_server(self, kind: str, context_id: str | None) -> str | None:
        body: dict[str, ty.Any] = {
            'server': {
                'name': self._name,
                'imageRef': self._offer.image,
                'flavorRef': self._offer.flavors[kind],
                'networks': 'none',
            }
        }
        if context_id:
            body['os:scheduler_hints'] = {'device_context_id': context_id}
        answer = self._ask('compute', 'POST', '/servers', body)
        if answer.status_code != 202:
            return None
        return str(answer.json()['server']['id'])

    def _ask(
        self, service: str, method: str, path: str, body: ty.Any
    ) -> ty.Any:
        return self._api.ask(
            service,
            method,
            path,
            _REQUEST_SECONDS,
            # Stock nova-api takes a device profile for wrong when Cyborg does
            # not answer. The quota may be used up by servers whose end is
            # under way, and these may still hold the device context.
            again=(400, 403, 409),
            json=body,
        )

    def _wait_until_idle(self, server_id: str) -> str:
        server = watching.watch(self._api, server_id, _ENDS, _BOOT_SECONDS)
        if server is None:
            return 'gone by itself'
        status = str(server['status'])
        return status if status in _ENDS else 'stuck'

    def _delete(self, server_id: str) -> None:
        path = f'/servers/{server_id}'
        self._api.ask('compute', 'DELETE', path, _REQUEST_SECONDS, (409,))
        if watching.watch(self._api, server_id, (), _DELETE_SECONDS):
            raise api.GaveUp(f'DELETE {path}', 'the server is still there')

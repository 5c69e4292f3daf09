# SPDX-License-Identifier: Apache-2.0

"""Project members who boot servers, do things with them, and delete them."""

import dataclasses
import random
import typing as ty

from tools.cloud import cloud as cloud_module
from tools.seldom.chaos.actors import api, holds, offer, watching
from tools.seldom.chaos.damage import ledger
from tools.seldom.chaos.operations import (
    acting,
    attachments,
    choice,
    contexts,
    evacuation,
    moves,
    states,
)

_BOOT_SECONDS = 60.0
_DELETE_SECONDS = 60.0
_REQUEST_SECONDS = 45.0
_KEEP = 0.3
_ENDS = ('ACTIVE', 'ERROR')
_LEFT = 'not ended in time'


@dataclasses.dataclass(frozen=True)
class Scene:
    """What all clients share.

    :ivar cloud: the cloud.
    :ivar seed: what their choices follow from.
    :ivar goods: what can be booted.
    :ivar notes: where they note what they see.
    :ivar held: which services nobody else may kill or start.
    """

    cloud: cloud_module.Cloud
    seed: int
    goods: offer.Offer
    notes: ledger.Ledger
    held: holds.Holds


class Client:
    """One who boots a server, uses it and deletes it, over and over.

    What takes long is left to the administrator.

    :param scene: what it shares with others.
    :param user: the user it is.
    :param number: its number.
    """

    def __init__(self, scene: Scene, user: str, number: int) -> None:
        self._api = api.User(scene.cloud, user)
        self._name = f'chaos-{number}'
        self._random = random.Random(f'{scene.seed} {number}')  # noqa: S311
        self._guests = scene.cloud.folder / 'domains'
        self._offer = scene.goods
        self._notes = scene.notes
        self._contexts = contexts.Contexts(self._api, self._name, scene.notes)
        self._operations = self._make_operations(scene)

    def _make_operations(self, scene: Scene) -> choice.Operations:
        admin = api.User(scene.cloud, 'admin')
        deeds = acting.Acting(self._api, admin, scene.notes)
        return choice.Operations(
            self._random,
            moves.Moves(deeds, self._random, scene.goods.larger),
            states.States(deeds, scene.goods.image),
            attachments.Attachments(deeds, self._contexts),
            evacuation.Evacuation(scene.cloud, deeds, scene.held),
        )

    def boot(self) -> str:
        """Boot a server, and delete it.

        :returns: how its boot ended.
        """
        kind = self._random.choice(offer.RESOURCES)
        keep = self._random.random() < _KEEP
        context_id = None
        try:
            if not self._offer.stock:
                context_id = self._contexts.take(kind, keep)
            server_id = self._ask_for_server(kind, context_id)
        except api.GaveUp:
            return 'refused'
        if server_id is None:
            return 'refused'
        asked = ledger.Left(ledger.BOOT)
        outcome = 'no answer'
        try:
            outcome = self._wait_until_idle(server_id)
            if outcome == _LEFT:
                self._notes.leave(server_id, asked)
            else:
                self._live(server_id, outcome, context_id)
        except api.GaveUp:
            self._notes.leave(server_id, ledger.Left(ledger.DELETE))
        return outcome

    def _live(
        self, server_id: str, outcome: str, context_id: str | None
    ) -> None:
        if outcome == 'ACTIVE':
            self._notes.runs(self._guests, server_id)
            if not self._offer.stock:
                self._use(server_id)
        self._notes.leaves(server_id)
        asked = ledger.Left(ledger.DELETE)
        if not self._delete(server_id):
            self._notes.leave(server_id, asked)
            return
        if context_id is None:
            return
        self._contexts.give_back(context_id)
        if context_id not in self._notes.kept and outcome == 'ACTIVE':
            self._notes.ended.add(context_id)

    def _use(self, server_id: str) -> None:
        """Do something with a server, and look at what it has then."""

        def look() -> None:
            self._notes.runs(self._guests, server_id)

        if self._operations.do(server_id, look) == 'ACTIVE':
            # What it has left may be another one's by now.
            self._notes.leaves(server_id)
            look()

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
        answer = self._api.ask(
            'compute',
            'POST',
            '/servers',
            _REQUEST_SECONDS,
            # Stock nova-api takes a device profile for wrong when Cyborg does
            # not answer. The quota may be used up by servers whose end is
            # under way, and these may still hold the device context.
            again=(400, 403, 409),
            json=body,
        )
        if answer.status_code != 202:
            return None
        return str(answer.json()['server']['id'])

    def _wait_until_idle(self, server_id: str) -> str:
        server = watching.watch(self._api, server_id, _ENDS, _BOOT_SECONDS)
        if server is None:
            return 'gone by itself'
        status = str(server['status'])
        return status if status in _ENDS else _LEFT

    def _delete(self, server_id: str) -> bool:
        """Delete a server, and tell whether it is gone in time."""
        path = f'/servers/{server_id}'
        self._api.ask('compute', 'DELETE', path, _REQUEST_SECONDS, (409,))
        return not watching.watch(self._api, server_id, (), _DELETE_SECONDS)

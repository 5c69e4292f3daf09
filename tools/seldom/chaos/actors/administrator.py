# SPDX-License-Identifier: Apache-2.0

"""The administrator, who looks after what the clients have left.

All that is done is asked for once, whatever comes of it: it is asked for
again at the next look.
"""

import dataclasses
import http
import time
import typing as ty

import requests

from tools.seldom.chaos.actors import api
from tools.seldom.chaos.damage import ledger

# Nova gives a call that is not answered up after 60 s, and then begins anew
# or fails: what ends within that and a start is slow, and no more.
SLOW_SECONDS = 150.0
_BUILT = ('ACTIVE', 'ERROR')
_BUILDING = 'BUILD'


@dataclasses.dataclass(frozen=True)
class Servers:
    """Servers that there are still.

    :ivar building: UUIDs of those that are being built, and were let be.
    :ivar unbuilt: UUIDs of those that were being built and were not.
    :ivar deleting: UUIDs of all others, which are to be deleted.
    """

    building: frozenset[str] = frozenset()
    unbuilt: frozenset[str] = frozenset()
    deleting: frozenset[str] = frozenset()

    def __bool__(self) -> bool:
        return bool(self.building or self.unbuilt or self.deleting)


class Administrator:
    """Sees how the clients' servers end that were left.

    :param user: the administrator's sessions with the APIs.
    :param notes: the clients' notes.
    """

    def __init__(self, user: api.User, notes: ledger.Ledger) -> None:
        self._user = user
        self._notes = notes

    def look_after(self) -> None:
        """Look at the servers that were left, and note which have ended."""
        for server_id, left in self._notes.left().items():
            answer = self._ask('GET', f'/servers/{server_id}')
            if answer is None:
                continue
            end = _end(left, answer)
            if end is not None:
                took = time.monotonic() - left.since
                word = 'slow' if took <= SLOW_SECONDS else 'late'
                self._notes.note_late(server_id, f'{word} {end}')
            if answer.status_code != http.HTTPStatus.OK:
                continue
            if end is not None:
                self._notes.leave(server_id, ledger.Left(ledger.DELETE))
            if end is not None or left.asked == ledger.DELETE:
                self._ask('DELETE', f'/servers/{server_id}')

    def clear(self, spare: bool) -> Servers | None:
        """Have all servers deleted.

        :param spare: whether to let those be that are being built.
        :returns: the servers that there were; None if Nova has not said.
        """
        path = '/servers/detail?all_tenants=true'
        answer = self._ask('GET', path)
        if answer is None or answer.status_code != http.HTTPStatus.OK:
            return None
        statuses = {
            str(each['id']): str(each['status'])
            for each in answer.json()['servers']
        }
        building = {
            server_id
            for server_id, status in statuses.items()
            if status == _BUILDING
        }
        spared = building if spare else set()
        asked = statuses.keys() - spared
        # One that Nova lists, and does not find, is not being built.
        known = {
            server_id
            for server_id in asked
            if not _is_unknown(self._ask('DELETE', f'/servers/{server_id}'))
        }
        unbuilt = building & asked & known
        return Servers(
            frozenset(spared), frozenset(unbuilt), frozenset(asked - unbuilt)
        )

    def _ask(self, method: str, path: str) -> requests.Response | None:
        try:
            return self._user.ask('compute', method, path, seconds=0)
        except api.GaveUp:
            return None


def _is_unknown(answer: requests.Response | None) -> bool:
    return (
        answer is not None and answer.status_code == http.HTTPStatus.NOT_FOUND
    )


def _end(left: ledger.Left, answer: requests.Response) -> str | None:
    """Tell how what a server was left with has ended, if it has."""
    if answer.status_code == http.HTTPStatus.NOT_FOUND:
        return 'gone'
    if left.asked == ledger.DELETE or answer.status_code != http.HTTPStatus.OK:
        return None
    server: dict[str, ty.Any] = answer.json()['server']
    status = str(server['status'])
    return status if status in _BUILT else None

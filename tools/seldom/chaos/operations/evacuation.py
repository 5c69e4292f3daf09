# SPDX-License-Identifier: Apache-2.0

"""A host fails, and a server is evacuated from it.

Whoever evacuates must know that the host is down, or one server runs twice.
So its nova-compute is killed for it, and is not started by anybody until the
evacuation has ended. The guests of the host are as dead as nova-compute is:
nobody can use what they have until it is back, and has removed them.
"""

import collections.abc
import operator
import typing as ty

import tenacity

from tools.cloud import cloud as cloud_module
from tools.seldom.chaos.actors import api, holds
from tools.seldom.chaos.damage import slots
from tools.seldom.chaos.operations import acting

# One host at a time: another one of its cell must be there.
_ONE = 'evacuation'
_EVACUATED = 'SHUTOFF'
_HOST = 'OS-EXT-SRV-ATTR:host'
# Until nova-compute is up again, and has looked at its guests.
_SECONDS = 90.0
_PAUSE = 1.0


class Evacuation:
    """Evacuates servers of one who boots them.

    :param cloud: the cloud, whose hosts fail.
    :param deeds: has it done.
    :param held: which services nobody else may kill or start.
    """

    def __init__(
        self,
        cloud: cloud_module.Cloud,
        deeds: acting.Acting,
        held: holds.Holds,
    ) -> None:
        self._cloud = cloud
        self._deeds = deeds
        self._holds = held

    def evacuate(self, server_id: str) -> str:
        """Have the host of a server fail, and evacuate it; start it there.

        Nothing is done while another host has failed, or if Nova does not say
        where the server is.

        :param server_id: UUID of the server.
        :returns: its status after that; ``stuck`` if something is still under
            way.
        """
        host = self._host(server_id)
        program = f'nova-compute-{host}'
        if host is None or not self._holds.take(_ONE, program):
            return 'ACTIVE'
        try:
            status = self._evacuate(server_id, host, program)
        finally:
            self._holds.give(_ONE, program)
        if status != _EVACUATED:
            return status
        if not _comes(lambda: not self._has_guest(server_id, host)):
            return 'stuck'
        return self._deeds.act(self._deeds.user, server_id, 'os-start')

    def _evacuate(self, server_id: str, host: str, program: str) -> str:
        self._cloud.kill_service(program)
        try:
            _force_down(self._deeds.admin, host, True)
            status = self._deeds.act(
                self._deeds.admin,
                server_id,
                'evacuate',
                # It is ACTIVE before, and may be for a moment in between.
                (_EVACUATED, 'ERROR'),
                {},
            )
            # Nova says last where it is.
            if status == _EVACUATED and not _comes(
                lambda: self._host(server_id) not in (None, host)
            ):
                return 'stuck'
            return status
        finally:
            self._cloud.launch_service(program)
            _force_down(self._deeds.admin, host, False)

    def _host(self, server_id: str) -> str | None:
        path = f'/servers/{server_id}'
        answer = self._deeds.admin.ask('compute', 'GET', path).json()
        found: str | None = answer.get('server', {}).get(_HOST)
        return found

    def _has_guest(self, server_id: str, host: str) -> bool:
        found = slots.guests(self._cloud.folder / 'domains', server_id)
        return any(each.runs and each.host == host for each in found)


def _comes(condition: collections.abc.Callable[[], bool]) -> bool:
    """Wait for something, and tell whether it came."""
    found: bool = tenacity.Retrying(
        retry=tenacity.retry_if_result(operator.not_),
        wait=tenacity.wait_fixed(_PAUSE),
        stop=tenacity.stop_after_delay(_SECONDS),
        retry_error_callback=lambda _state: False,
    )(condition)
    return found


def restore(admin: api.User) -> None:
    """Have Nova use all hosts again, whatever has become of evacuations.

    :param admin: the administrator.
    :raises GaveUp: if Nova does not answer.
    """
    for each in _computes(admin):
        if each['forced_down']:
            _force_down(admin, str(each['host']), False)


def _force_down(admin: api.User, host: str, down: bool) -> None:
    """Tell Nova that a host is down, or up."""
    (found,) = _computes(admin, f'&host={host}')
    admin.ask(
        'compute',
        'PUT',
        f'/os-services/{found["id"]}',
        json={'forced_down': down},
    )


def _computes(admin: api.User, query: str = '') -> list[dict[str, ty.Any]]:
    path = f'/os-services?binary=nova-compute{query}'
    found: list[dict[str, ty.Any]] = []

    def are_known() -> bool:
        found[:] = admin.ask('compute', 'GET', path).json()['services']
        # Of a cell whose database is down, Nova says next to nothing.
        return all('id' in each for each in found)

    if not _comes(are_known):
        raise api.GaveUp(f'GET {path}', f'{found}')
    return found

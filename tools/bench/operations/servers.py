# SPDX-License-Identifier: Apache-2.0

"""Asking for something to be done with a server, and waiting for its end."""

from __future__ import annotations

import collections.abc
import http
import typing as ty

from tools.bench import exception
from tools.bench.clouds import system as system_module
from tools.cloud import exception as cloud_exception
from tools.cloud import waiting

#: How long anything may take: stock Cyborg reads all accelerator requests of
#: a project for a call, ten thousand of them in minutes.
SECONDS = 1800.0
_ACTIVE, _ERROR = 'ACTIVE', 'ERROR'
_SHELVED, _MOVED = 'SHELVED_OFFLOADED', 'VERIFY_RESIZE'


class Servers:
    """Does things with servers of a system.

    Each is done when the server shows it, and nothing is under way with it.

    :param system: the system.
    """

    def __init__(self, system: system_module.System) -> None:
        self._system = system
        self._member, self._admin = system.member, system.admin

    def boot(
        self, flavor: str, context_ids: list[str], request: str | None = None
    ) -> str:
        """Boot a server; see :meth:`.System.boot`.

        :returns: its UUID; it is active.
        :raises NotDone: if it is not built.
        """
        server_id = self._system.boot(flavor, context_ids, request)
        self._wait(server_id, _ACTIVE, 'boot')
        return server_id

    def reboot(self, server_id: str, request: str | None = None) -> None:
        """Reboot a server, the hard way.

        :param server_id: its UUID.
        :param request: the id by which the request is followed.
        :raises NotDone: if it does not run after that.
        """
        self._act(server_id, 'reboot', {'type': 'HARD'}, request)
        self._wait(server_id, _ACTIVE, 'reboot')

    def shelve(self, server_id: str, request: str | None = None) -> None:
        """Shelve a server, which gives its devices back.

        :raises NotDone: if it is not shelved after that.
        """
        self._act(server_id, 'shelve', None, request)
        self._wait(server_id, _SHELVED, 'shelve')

    def unshelve(self, server_id: str, request: str | None = None) -> None:
        """Unshelve a server.

        :raises NotDone: if it does not run after that.
        """
        self._act(server_id, 'unshelve', None, request)
        self._wait(server_id, _ACTIVE, 'unshelve')

    def migrate(self, server_id: str, request: str | None = None) -> None:
        """Migrate a server to the other host, and confirm that.

        :raises NotDone: if it does not run there after that.
        """
        path = f'/servers/{server_id}/action'
        # By default, an administrator's alone.
        self._admin.do('compute', 'POST', path, {'migrate': None}, request)
        self._wait(server_id, _MOVED, 'migrate')
        self._act(server_id, 'confirmResize', None, request)
        self._wait(server_id, _ACTIVE, 'confirm')

    def attach(
        self, server_id: str, context_id: str, request: str | None = None
    ) -> None:
        """Attach a device context to a server.

        :param context_id: UUID of the device context.
        :raises NotDone: if it is not bound after that.
        """
        path = f'/servers/{server_id}/os-device-contexts'
        body = {'deviceContextAttachment': {'device_context_id': context_id}}
        self._member.do('compute', 'POST', path, body, request)
        self._wait_for_context(context_id, 'bound')

    def detach(
        self, server_id: str, context_id: str, request: str | None = None
    ) -> None:
        """Detach a device context from a server, which keeps it.

        :param context_id: UUID of the device context.
        :raises NotDone: if it is not available after that.
        """
        path = f'/servers/{server_id}/os-device-contexts/{context_id}'
        self._member.do('compute', 'DELETE', path, None, request)
        self._wait_for_context(context_id, 'available')

    def delete(self, server_id: str, request: str | None = None) -> None:
        """Delete a server.

        :raises NotDone: if it is there after that.
        """
        path = f'/servers/{server_id}'
        self._member.do('compute', 'DELETE', path, None, request)

        def is_gone() -> bool:
            answer = self._member.ask('compute', 'GET', path)
            return answer.status_code == http.HTTPStatus.NOT_FOUND

        _until(f'server {server_id} to be deleted', is_gone)

    def _act(
        self, server_id: str, action: str, arguments: ty.Any, request: ty.Any
    ) -> None:
        path = f'/servers/{server_id}/action'
        self._member.do('compute', 'POST', path, {action: arguments}, request)

    def _wait(self, server_id: str, status: str, what: str) -> None:
        path = f'/servers/{server_id}'

        def is_done() -> bool:
            server = self._member.do('compute', 'GET', path)['server']
            if server['status'] == _ERROR:
                fault = server.get('fault', {}).get('message', 'no fault')
                raise exception.NotDone(f'{what} of {server_id}: {fault}')
            busy = server['OS-EXT-STS:task_state'] is not None
            return bool(server['status'] == status and not busy)

        _until(f'{what} of {server_id}', is_done)

    def _wait_for_context(self, context_id: str, status: str) -> None:
        path = f'/device_contexts/{context_id}'

        def is_done() -> bool:
            found = self._member.do('accelerator', 'GET', path)
            if found['status'] == 'error':
                raise exception.NotDone(f'{context_id}: {found["fault"]}')
            return bool(found['status'] == status)

        _until(f'device context {context_id} to be {status}', is_done)


def _until(what: str, condition: collections.abc.Callable[[], bool]) -> None:
    try:
        waiting.until(what, condition, SECONDS)
    except cloud_exception.StepFailed as error:
        raise exception.NotDone(str(error)) from error

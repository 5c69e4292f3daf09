# SPDX-License-Identifier: Apache-2.0

"""The device contexts of servers, as Nova has them, over HTTP."""

import typing as ty

from nova_cyborg.cli import http
from nova_cyborg.cli.servers import calls, waiting

_KEY = 'deviceContextAttachment'


class Attachments:
    """Calls about the device contexts of a server.

    Each raises ``CommandError`` with a sentence if it fails.

    :param send: sends a request to Nova.
    :param server_id: UUID of the server.
    """

    def __init__(self, send: calls.Send, server_id: str) -> None:
        self._send = send
        self._path = f'/servers/{server_id}/os-device-contexts'

    def list(self) -> list[http.Resource]:
        """Return the device contexts of the server."""
        found: list[http.Resource] = self._call('GET', self._path)[f'{_KEY}s']
        return found

    def show(self, context_id: str) -> http.Resource:
        """Return a device context of the server.

        :param context_id: its UUID.
        :returns: the attachment.
        :raises CommandError: if the server does not hold it, or as above.
        """
        path = f'{self._path}/{context_id}'
        shown: http.Resource = self._call('GET', path)[_KEY]
        return shown

    def attach(self, context_id: str, tag: str | None) -> http.Resource:
        """Begin to attach a device context.

        :param context_id: its UUID.
        :param tag: what the guest is to know it by; None for the device
            context's own.
        :returns: the attachment.
        :raises CommandError: if Nova refuses, or as above.
        """
        asked = {'device_context_id': context_id}
        if tag is not None:
            asked['tag'] = tag
        begun: http.Resource = self._call(
            'POST', self._path, json={_KEY: asked}
        )[_KEY]
        return begun

    def detach(self, context_id: str) -> None:
        """Begin to detach a device context.

        :param context_id: its UUID.
        :raises CommandError: if Nova refuses, or as above.
        """
        self._call('DELETE', f'{self._path}/{context_id}')

    def _call(self, method: str, path: str, **kwargs: ty.Any) -> ty.Any:
        return calls.call(self._send, method, path, **kwargs)


def detach(
    clients: ty.Any, server_id: str, given: str, and_wait: bool
) -> None:
    """Detach a device context from a server.

    :param clients: as of :func:`.calls.of` and
        :class:`nova_cyborg.cli.http.DeviceContexts`.
    :param server_id: UUID of the server.
    :param given: name or UUID of the device context, as the user typed it.
    :param and_wait: whether to wait until it is detached.
    :raises CommandError: if there is no such device context, if Nova refuses,
        or if it was not detached.
    """
    context_id = http.DeviceContexts(clients).find(given)
    Attachments(calls.of(clients), server_id).detach(context_id)
    if and_wait:
        waiting.detached(clients, context_id, server_id)

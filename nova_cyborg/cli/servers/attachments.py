# SPDX-License-Identifier: Apache-2.0

"""The device contexts of servers, as Nova has them, over HTTP."""

import collections.abc
import typing as ty

from osc_lib import exceptions as osc_exc

from nova_cyborg import exception
from nova_cyborg.cli import errors, http, ids
from nova_cyborg.cli.servers import refusals

_KEY = 'deviceContextAttachment'


class Response(errors.Response, ty.Protocol):
    """What is needed of a ``requests.Response``."""

    def json(self) -> ty.Any:
        """Return what the body says."""


#: Sends a request to Nova: a path, a method, and arguments of ``requests``.
Send = collections.abc.Callable[..., Response]


class Attachments:
    """Calls about the device contexts of a server.

    Each raises ``CommandError`` with a sentence if it fails.

    :param send: sends a request to Nova. It raises nothing because of the
        status of the answer.
    :param server_id: UUID of the server.
    """

    def __init__(self, send: Send, server_id: str) -> None:
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
        try:
            response = self._send(path, method, raise_exc=False, **kwargs)
        except errors.CALL_FAILURES as failure:
            raise errors.from_failure(failure, refusals.SERVICE) from failure
        if response.status_code >= 400:
            raise refusals.from_response(response)
        return response.json() if response.text else None


def context_id(text: str) -> str:
    """Return the UUID of a device context.

    :param text: what the user typed.
    :returns: the UUID, as the APIs have it.
    :raises CommandError: if it is no UUID.
    """
    try:
        return ids.canonical(text)
    except exception.DeviceContextNotFound as error:
        raise osc_exc.CommandError(str(error)) from error

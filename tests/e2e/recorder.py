# SPDX-License-Identifier: Apache-2.0


"""An HTTP server that writes down what it is asked for."""

import contextlib
import http.server
import threading
import types
import typing as ty
from urllib import parse

import requests

_HOP_BY_HOP = {'connection', 'host', 'keep-alive', 'transfer-encoding'}


class Recorder:
    """Listens while a block runs.

    :param port: where to listen; by default anywhere.
    :param target: the service whose answers are passed on, if any; without
        one, all that is asked for is answered with 503.
    :ivar calls: method and path of each request.
    """

    def __init__(self, port: int = 0, target: str | None = None) -> None:
        self.calls: list[tuple[str, str]] = []
        self._target = target
        recorder = self

        class Handler(_Handler):
            owner = recorder

        self._server = http.server.ThreadingHTTPServer(
            ('127.0.0.1', port), Handler
        )
        self._thread = threading.Thread(
            target=self._server.serve_forever, daemon=True
        )

    @property
    def url(self) -> str:
        """Where it listens: with the path of the service's own address."""
        path = parse.urlsplit(self._target).path if self._target else ''
        return f'http://127.0.0.1:{self._server.server_port}{path}'

    def __enter__(self) -> 'Recorder':
        """Begin to listen."""
        self._thread.start()
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: types.TracebackType | None,
    ) -> None:
        """Stop listening."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(10)

    def answer(
        self, method: str, path: str, headers: dict[str, str], body: bytes
    ) -> requests.Response | None:
        """Write a request down, and pass it on.

        :returns: the service's answer, if there is a service.
        """
        self.calls.append((method, parse.urlsplit(path).path))
        if self._target is None:
            return None
        base = parse.urlsplit(self._target)._replace(path='').geturl()
        return requests.request(
            method, base + path, headers=headers, data=body, timeout=120
        )


class _Handler(http.server.BaseHTTPRequestHandler):
    """One connection; made by http.server."""

    owner: ty.ClassVar[Recorder]
    protocol_version = 'HTTP/1.1'

    def _pass_on(self) -> None:
        length = int(self.headers.get('Content-Length') or 0)
        answer = self.owner.answer(
            self.command,
            self.path,
            _end_to_end(self.headers.items()),
            self.rfile.read(length),
        )
        if answer is None:
            self.send_error(503)
            return
        self.send_response(answer.status_code)
        headers = _end_to_end(answer.headers.items())
        # requests has unpacked it.
        headers.pop('content-encoding', None)
        headers['content-length'] = str(len(answer.content))
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        with contextlib.suppress(BrokenPipeError):
            self.wfile.write(answer.content)

    do_GET = do_PUT = do_POST = do_PATCH = do_DELETE = _pass_on  # noqa: N815

    def log_message(self, format: str, *args: ty.Any) -> None:  # noqa: A002
        """Print nothing."""


def _end_to_end(items: ty.Any) -> dict[str, str]:
    return {
        name.lower(): value
        for name, value in items
        if name.lower() not in _HOP_BY_HOP
    }

# SPDX-License-Identifier: Apache-2.0

"""The network between Nova and Cyborg: remembers requests, makes faults."""

import collections.abc
import dataclasses
import io
import os
import re
import signal
import socket
import threading
import time
import typing as ty

_WSGIApp = collections.abc.Callable[..., collections.abc.Iterable[bytes]]


@dataclasses.dataclass
class Fault:
    """What is to happen to requests.

    :ivar method: method of the requests, a regular expression.
    :ivar path: what their path contains, a regular expression.
    :ivar action: ``answer`` with the HTTP status of ``value``; ``drop`` the
        connection; do the work and ``lose`` the answer, ``garble`` it, or
        answer ``late`` by ``value`` seconds; ``delay`` the work itself by so
        many; ``die``, which kills the process, or ``die_after`` the work.
    :ivar skip: how many requests pass before the first that is hit.
    :ivar times: how many are hit.
    :ivar met: whether one was hit.
    """

    method: str
    path: str
    action: str
    value: float = 0
    skip: int = 0
    times: int = 1000
    met: bool = False

    def hits(self, method: str, path: str) -> bool:
        """Tell whether a request is hit, and count it."""
        if not re.fullmatch(self.method, method):
            return False
        if not re.search(self.path, path):
            return False
        if self.skip > 0:
            self.skip -= 1
            return False
        self.times -= 1
        self.met = True
        return self.times >= 0


class Edge:
    """Stands before an application.

    :ivar app: the application.
    :ivar requests: method, path and query of the requests so far.
    """

    def __init__(self, app: _WSGIApp) -> None:
        self.app = app
        self.requests: list[tuple[str, str, str]] = []
        self.faults: list[Fault] = []
        self._lock = threading.Lock()
        #: How many requests are being answered.
        self.under_way = 0

    def __call__(
        self, environ: dict[str, ty.Any], start_response: ty.Any
    ) -> collections.abc.Iterable[bytes]:
        method, path = environ['REQUEST_METHOD'], environ['PATH_INFO']
        with self._lock:
            self.requests.append((method, path, environ['QUERY_STRING']))
            hits = [fault for fault in self.faults if fault.hits(method, path)]
            self.under_way += 1
        try:
            if not hits:
                return self.app(environ, start_response)
            return getattr(self, f'_{hits[0].action}')(
                hits[0].value, environ, start_response
            )
        finally:
            with self._lock:
                self.under_way -= 1

    def _answer(
        self, status: int, environ: dict[str, ty.Any], start_response: ty.Any
    ) -> list[bytes]:
        body = b'made by the test'
        start_response(f'{status} Fault', [('Content-Length', str(len(body)))])
        return [body]

    def _drop(
        self, _value: float, environ: dict[str, ty.Any], start_response: ty.Any
    ) -> list[bytes]:
        environ['test.socket'].shutdown(socket.SHUT_RDWR)
        return self._answer(500, environ, start_response)

    def _lose(
        self, _value: float, environ: dict[str, ty.Any], start_response: ty.Any
    ) -> list[bytes]:
        list(self.app(environ, lambda *_args: None))
        return self._drop(0, environ, start_response)

    def _garble(
        self, _value: float, environ: dict[str, ty.Any], start_response: ty.Any
    ) -> list[bytes]:
        list(self.app(environ, lambda *_args: None))
        return self._answer(200, environ, start_response)

    def _delay(
        self,
        seconds: float,
        environ: dict[str, ty.Any],
        start_response: ty.Any,
    ) -> collections.abc.Iterable[bytes]:
        # The caller may hang up meanwhile: the request is on its way.
        body = environ['wsgi.input'].read(
            int(environ.get('CONTENT_LENGTH') or 0)
        )
        environ['wsgi.input'] = io.BytesIO(body)
        time.sleep(seconds)
        return self.app(environ, start_response)

    def _late(
        self,
        seconds: float,
        environ: dict[str, ty.Any],
        start_response: ty.Any,
    ) -> list[bytes]:
        body = list(self.app(environ, start_response))
        time.sleep(seconds)
        return body

    def _die(
        self, _value: float, environ: dict[str, ty.Any], start_response: ty.Any
    ) -> ty.NoReturn:
        die()

    def _die_after(
        self, _value: float, environ: dict[str, ty.Any], start_response: ty.Any
    ) -> ty.NoReturn:
        list(self.app(environ, lambda *_args: None))
        die()


def die() -> ty.NoReturn:
    """Kill this process, which can do nothing about it."""
    os.kill(os.getpid(), signal.SIGKILL)
    raise AssertionError('not killed')

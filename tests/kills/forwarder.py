# SPDX-License-Identifier: Apache-2.0

"""Stands before cyborg-api, and kills somebody when a request comes."""

import collections.abc
import contextlib
import dataclasses
import http.client
import http.server
import re
import threading
import urllib.parse

# Headers that are about one connection, or that are written anew.
_OWN_HEADERS = {'connection', 'content-length', 'date', 'server'}
_SECONDS = 120


@dataclasses.dataclass
class Trap:
    """Waits for a request, and goes off once.

    :ivar method: the method of the request.
    :ivar path: what its path contains, a regular expression.
    :ivar after: whether it goes off when the request has been answered.
    :ivar muted: whether whoever has answered is killed with the answer.
    :ivar kill: what it does.
    :ivar sprung: set when it has gone off.
    """

    method: str
    path: str
    after: bool
    muted: bool
    kill: collections.abc.Callable[[], None]
    sprung: threading.Event = dataclasses.field(
        default_factory=threading.Event
    )

    def catches(self, method: str, path: str) -> bool:
        """Tell whether a request is the one."""
        return method == self.method and bool(re.search(self.path, path))

    def spring(self) -> None:
        """Kill."""
        self.kill()
        self.sprung.set()


class Forwarder(http.server.ThreadingHTTPServer):
    """Forwards requests.

    :param url: where to.
    """

    daemon_threads = True

    def __init__(self, url: str) -> None:
        super().__init__(('127.0.0.1', 0), _Handler)
        self.target = urllib.parse.urlsplit(url)
        self._lock = threading.Lock()
        self._trap: Trap | None = None
        threading.Thread(target=self.serve_forever, daemon=True).start()

    @property
    def url(self) -> str:
        """Its own address."""
        return self.target._replace(
            netloc=f'127.0.0.1:{self.server_port}'
        ).geturl()

    def set_trap(self, trap: Trap) -> None:
        """Lay a trap, in the place of an earlier one."""
        with self._lock:
            self._trap = trap

    def caught(self, method: str, path: str) -> Trap | None:
        """Return the trap that a request goes into, which is then gone."""
        with self._lock:
            trap = self._trap
            if trap is None or not trap.catches(method, path):
                return None
            self._trap = None
            return trap


class _Handler(http.server.BaseHTTPRequestHandler):
    server: Forwarder

    def _forward(self) -> None:
        length = int(self.headers.get('Content-Length') or 0)
        body = self.rfile.read(length) if length else None
        trap = self.server.caught(self.command, self.path.partition('?')[0])
        if trap and not trap.after:
            trap.spring()
        try:
            status, headers, answer = self._ask(body)
        except (OSError, http.client.HTTPException):
            # As if nobody stood in between: the connection is closed.
            return
        if trap and trap.after:
            trap.spring()
            if trap.muted:
                return
        with contextlib.suppress(OSError):
            self._reply(status, headers, answer)

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = _forward  # noqa: N815

    def _ask(
        self, body: bytes | None
    ) -> tuple[int, list[tuple[str, str]], bytes]:
        connection = http.client.HTTPConnection(
            self.server.target.netloc, timeout=_SECONDS
        )
        with contextlib.closing(connection):
            connection.request(
                self.command,
                self.path,
                body,
                {
                    name: value
                    for name, value in self.headers.items()
                    if name.lower() not in _OWN_HEADERS
                },
            )
            response = connection.getresponse()
            return response.status, response.getheaders(), response.read()

    def _reply(
        self, status: int, headers: list[tuple[str, str]], answer: bytes
    ) -> None:
        self.send_response(status)
        for name, value in headers:
            if name.lower() not in {*_OWN_HEADERS, 'transfer-encoding'}:
                self.send_header(name, value)
        self.send_header('Content-Length', str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *args: object) -> None:
        """Say nothing."""

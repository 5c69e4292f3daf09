# SPDX-License-Identifier: Apache-2.0

"""A small HTTP server for WSGI applications, used on both sides."""

import socket
import socketserver
import threading
import typing as ty
from wsgiref import simple_server

# How long it takes at most to notice that it is to stop.
_LOOK_SECONDS = 0.05


class _Handler(simple_server.WSGIRequestHandler):
    def get_environ(self) -> dict[str, ty.Any]:
        # For who wants to close it without an answer; see edge.py.
        return super().get_environ() | {'test.socket': self.connection}

    def log_message(self, *args: object) -> None:
        """Say nothing; edge.py remembers the requests."""


class HTTPServer(socketserver.ThreadingMixIn, simple_server.WSGIServer):
    """Serves an application on a port of the loopback interface."""

    daemon_threads = True
    request_queue_size = 64

    def __init__(self, app: ty.Any, port: int = 0) -> None:
        super().__init__(('127.0.0.1', port), _Handler)
        self.set_app(app)
        self._stopped = threading.Event()
        # Not serve_forever(): with some releases of eventlet, the selector
        # that it waits with blocks all green threads.
        self.socket.settimeout(_LOOK_SECONDS)
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _serve(self) -> None:
        while not self._stopped.is_set():
            # It takes a time-out of the socket for no connection.
            self._handle_request_noblock()

    @property
    def port(self) -> int:
        return self.server_address[1]

    @property
    def url(self) -> str:
        return f'http://127.0.0.1:{self.port}'

    def stop(self) -> None:
        """Serve no more; connections are refused from now on."""
        self._stopped.set()
        self._thread.join()
        self.server_close()

    def handle_error(self, request: ty.Any, client_address: ty.Any) -> None:
        """Keep quiet of clients that did not wait for the answer."""


def free_port() -> int:
    """Return a port of the loopback interface that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(('127.0.0.1', 0))
        return probe.getsockname()[1]

# SPDX-License-Identifier: Apache-2.0

"""Serving WSGI applications."""

import collections.abc
import shutil
import tempfile
import threading
import traceback
from typing import Any

from cheroot import wsgi

from tools.cloud.machine import ports
from tools.cloud.model import state as cloud_state

Application = collections.abc.Callable[..., Any]

_THREADS = 12
# Clients keep connections for later; closing them early would race with
# their next request.
_IDLE_SECONDS = 600


def _buffered(application: Application) -> Application:
    """Read requests of unknown length before the application does.

    Glance closes the body that it has read, and with it cheroot would lose
    the connection's next request.

    :param application: what to serve.
    :returns: what to serve in its place.
    """

    def read_first(environ: dict[str, Any], start_response: Any) -> Any:
        if environ.get('HTTP_TRANSFER_ENCODING', '').lower() != 'chunked':
            return application(environ, start_response)
        with tempfile.TemporaryFile() as body:
            shutil.copyfileobj(environ['wsgi.input'], body)
            environ['CONTENT_LENGTH'] = str(body.tell())
            body.seek(0)
            environ['wsgi.input'] = body
            del environ['HTTP_TRANSFER_ENCODING']
            return application(environ, start_response)

    return read_first


class _Server(wsgi.Server):
    """cheroot's server, which tells what went wrong in its threads."""

    def error_log(
        self, msg: str = '', level: int = 20, traceback: bool = False
    ) -> None:
        print(msg, flush=True)
        if traceback:
            _print_traceback()


def _print_traceback() -> None:
    traceback.print_exc()


def serve(
    state: cloud_state.State, service: str, application: Application
) -> None:
    """Serve an application until the process ends.

    :param service: the service whose port to listen on.
    :param application: what to serve.
    """
    server = _prepare(state, service, application)
    state.ready(service).touch()
    server.serve()


def serve_in_background(
    state: cloud_state.State, service: str, application: Application
) -> None:
    """Serve an application in a thread, and return once it listens.

    :param service: the service whose port to listen on.
    :param application: what to serve.
    """
    server = _prepare(state, service, application)
    threading.Thread(target=server.serve, name='api', daemon=True).start()


def _prepare(
    state: cloud_state.State, service: str, application: Application
) -> _Server:
    server = _Server(
        (ports.HOST, state.settings.ports[service]),
        _buffered(application),
        numthreads=_THREADS,
        request_queue_size=128,
        timeout=_IDLE_SECONDS,
    )
    server.prepare()
    return server

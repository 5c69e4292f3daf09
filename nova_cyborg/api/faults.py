# SPDX-License-Identifier: Apache-2.0

"""Error responses, made in one place, and the bound on request bodies.

The bodies are what the API-SIG's guideline on errors describes. They are
served outside Cyborg's own error middleware, which would put them as a
string into another object.
"""

import collections.abc
import http
import json
import logging
import typing as ty

from cyborg.api import middleware

from nova_cyborg import exception
from nova_cyborg.api import requests, routes

LOG = logging.getLogger(__name__)

_WSGIApp = collections.abc.Callable[
    [dict[str, ty.Any], ty.Any], collections.abc.Iterable[bytes]
]
# But for the document of the API, answers are of one project, and may have its
# config data in them.
_OF_ALL = ('Cache-Control', 'no-store')
# Where pecan leaves what it has answered an error with.
_OF_PECAN = 'pecan.original_exception'


def body(
    error: exception.DeviceContextError, environ: dict[str, ty.Any]
) -> dict[str, ty.Any]:
    """Describe an error.

    :param error: what is wrong.
    :param environ: the WSGI environment of the request.
    :returns: the JSON body of the response.
    """
    return {
        'errors': [
            {
                'status': error.status,
                'code': error.error_code,
                'title': http.HTTPStatus(error.status).phrase,
                'detail': str(error),
                'request_id': environ.get('openstack.request_id'),
            }
        ]
    }


class FaultMiddleware:
    """Send requests for our resources past Cyborg's error middleware.

    :param app: Cyborg's application with our controllers in it.
    """

    def __init__(self, app: _WSGIApp) -> None:
        self._app = app
        self._stock = middleware.ParsableErrorMiddleware(app)

    def __call__(
        self, environ: dict[str, ty.Any], start_response: ty.Any
    ) -> collections.abc.Iterable[bytes]:
        """Answer a request."""
        if not routes.is_ours(environ.get('PATH_INFO', '')):
            return ty.cast(
                collections.abc.Iterable[bytes],
                self._stock(environ, start_response),
            )
        method = environ['REQUEST_METHOD']
        answer = self._answer(environ)
        # Of what is around us, some looks at the method later.
        environ['REQUEST_METHOD'] = method
        headers = answer.headers
        if not any(name.lower() == 'cache-control' for name, _text in headers):
            headers = [*headers, _OF_ALL]
        start_response(answer.status, headers)
        return [] if method == 'HEAD' else [answer.content]

    def _answer(self, environ: dict[str, ty.Any]) -> '_Answer':
        try:
            requests.prepare(environ)
            answer = _Answer.of(self._app, environ)
            if environ.get(_OF_PECAN):
                raise _of_pecan(environ[_OF_PECAN], environ)
            return answer
        except exception.DeviceContextError as exc:
            return _refusal(exc, environ)
        except Exception:
            # Whatever is not foreseen becomes a 500 here, once, and says
            # nothing of its cause to the project.
            LOG.exception('A request for device contexts failed')
            return _refusal(exception.DeviceContextError(), environ)


class _Answer(ty.NamedTuple):
    status: str
    headers: list[tuple[str, str]]
    content: bytes

    @classmethod
    def of(cls, app: _WSGIApp, environ: dict[str, ty.Any]) -> '_Answer':
        begun: list[tuple[str, list[tuple[str, str]]]] = []

        def start(
            status: str,
            headers: list[tuple[str, str]],
            _exc_info: object = None,
        ) -> None:
            begun[:] = [(status, headers)]

        parts = app(environ, start)
        try:
            content = b''.join(parts)
        finally:
            # As PEP 3333 says.
            getattr(parts, 'close', lambda: None)()
        return cls(*begun[0], content)


def _of_pecan(
    error: ty.Any, environ: dict[str, ty.Any]
) -> exception.DeviceContextError:
    """Say in our words what pecan or Cyborg have refused before a handler."""
    if error.status_int == http.HTTPStatus.NOT_ACCEPTABLE:
        return exception.NotAcceptable(
            header='OpenStack-API-Version', reason=error.detail
        )
    return exception.RouteNotFound(path=requests.path_of(environ))


def _refusal(
    error: exception.DeviceContextError, environ: dict[str, ty.Any]
) -> _Answer:
    content = json.dumps(body(error, environ)).encode()
    status = http.HTTPStatus(error.status)
    headers = [
        ('Content-Type', 'application/json'),
        ('Content-Length', str(len(content))),
    ]
    if isinstance(error, exception.MethodNotAllowed):
        headers.append(('Allow', str(error.kwargs['allowed'])))
    return _Answer(f'{status.value} {status.phrase}', headers, content)

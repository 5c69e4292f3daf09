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
import re
import typing as ty
from urllib import parse

from cyborg.api import middleware

from nova_cyborg import exception

LOG = logging.getLogger(__name__)

#: Bytes of the largest body that is read.
MAX_BODY_SIZE = 64 * 1024

_WSGIApp = collections.abc.Callable[
    [dict[str, ty.Any], ty.Any], collections.abc.Iterable[bytes]
]
_LENGTH = re.compile('[0-9]{1,9}')
_METHOD = '_method'
_PREFIXES = (
    'device_contexts',
    'device_context_limits',
    'device_context_options',
    'device_allocations',
    'device_taints',
    'reconciler',
)


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
        if not _is_ours(environ.get('PATH_INFO', '')):
            return ty.cast(
                collections.abc.Iterable[bytes],
                self._stock(environ, start_response),
            )
        try:
            _check_size(environ)
            _check_readable(environ)
            # Whatever it says, handlers read JSON. pecan would read a form,
            # or JSON before it calls a controller.
            environ['CONTENT_TYPE'] = 'application/octet-stream'
            return self._app(environ, start_response)
        except exception.DeviceContextError as exc:
            return _respond(exc, environ, start_response)
        except Exception:
            # Whatever is not foreseen becomes a 500 here, once, and says
            # nothing of its cause to the project.
            LOG.exception('A request for device contexts failed')
            unknown = exception.DeviceContextError()
            return _respond(unknown, environ, start_response)


def _is_ours(path: str) -> bool:
    # As pecan finds controllers: empty parts and an extension do not count.
    parts = [part for part in path.split('/') if part]
    if parts[:1] == ['v2']:
        parts = parts[1:]
    return bool(parts) and parts[0].partition('.')[0] in _PREFIXES


def _check_size(environ: dict[str, ty.Any]) -> None:
    # A body of unknown length would be read to its end, wherever that is.
    if environ.get('HTTP_TRANSFER_ENCODING'):
        raise exception.InvalidRequest(
            field='Transfer-Encoding', reason='a Content-Length is needed.'
        )
    length = environ.get('CONTENT_LENGTH') or '0'
    if not _LENGTH.fullmatch(length) or int(length) > MAX_BODY_SIZE:
        raise exception.RequestTooLarge(limit=MAX_BODY_SIZE)


def _check_readable(environ: dict[str, ty.Any]) -> None:
    """Check what pecan reads before it calls a controller."""
    query = environ.get('QUERY_STRING', '')
    try:
        field = 'path'
        # PEP 3333: bytes as Latin-1.
        environ['PATH_INFO'].encode('latin-1').decode()
        field = 'query'
        parse.unquote_to_bytes(query).decode()
    except UnicodeDecodeError as exc:
        raise exception.InvalidRequest(
            field=field, reason='it must be UTF-8.'
        ) from exc
    if any(part.startswith('_') for part in environ['PATH_INFO'].split('/')):
        # pecan looks for an attribute of that name.
        raise exception.InvalidRequest(
            field='path', reason='no part of it begins with "_".'
        )
    # It would be done in the place of the request's own method.
    if _METHOD in parse.parse_qs(query, keep_blank_values=True):
        raise exception.InvalidRequest(
            field=_METHOD, reason='there is no such field.'
        )


def _respond(
    error: exception.DeviceContextError,
    environ: dict[str, ty.Any],
    start_response: ty.Any,
) -> list[bytes]:
    content = json.dumps(body(error, environ)).encode()
    status = http.HTTPStatus(error.status)
    start_response(
        f'{status.value} {status.phrase}',
        [
            ('Content-Type', 'application/json'),
            ('Content-Length', str(len(content))),
        ],
    )
    return [content]

# SPDX-License-Identifier: Apache-2.0

"""What is looked at of a request for our resources before pecan sees it.

pecan reads the query, the headers that say what is wanted, and sometimes the
body, before it calls a controller. What it could not read, or would read in
another way than is documented, is refused or put right here.
"""

import collections.abc
import importlib
import io
import logging
import re
import typing as ty

import webob

from nova_cyborg import exception
from nova_cyborg.api import routes

LOG = logging.getLogger(__name__)

#: Bytes of the largest body that is read, of one device context for instance.
MAX_BODY_SIZE = 64 * 1024
#: Bytes of the largest one that makes several device contexts.
MAX_SIZE_OF_SEVERAL = 1024 * 1024

_LENGTH = re.compile('[0-9]{1,9}')
_VERSION = re.compile(r'[0-9]{1,9}\.[0-9]{1,9}|latest', re.IGNORECASE)
_VERSION_HEADER = 'HTTP_OPENSTACK_API_VERSION'
_SERVICE_TYPE = 'accelerator'
_JSON = 'application/json'
_METHOD = '_method'
# Where several are made. Who reads it looks whether it is for several.
_OF_SEVERAL = ('POST', ('device_contexts',))
_PIECE = 16 * 1024


def prepare(environ: dict[str, ty.Any]) -> None:
    """Check a request, and have pecan read it as it is meant.

    :param environ: the WSGI environment; changed in place. Its body is read.
    :raises DeviceContextError: if the request cannot be handled.
    """
    _check_text(environ)
    path = path_of(environ)
    method = routes.check(environ['REQUEST_METHOD'], path)
    environ['REQUEST_METHOD'] = method
    # pecan would take it for the beginning of another part.
    environ['PATH_INFO'] = environ['PATH_INFO'].removesuffix('/')
    _choose_version(environ)
    _check_wanted(environ)
    is_larger = (method, routes.parts(path)) == _OF_SEVERAL
    body = _body(environ, MAX_SIZE_OF_SEVERAL if is_larger else MAX_BODY_SIZE)
    environ['wsgi.input'] = io.BytesIO(body)
    environ['CONTENT_LENGTH'] = str(len(body))
    # Whatever it says, handlers read JSON. pecan would read a form, or JSON
    # before it calls a controller.
    environ['CONTENT_TYPE'] = 'application/octet-stream'


def path_of(environ: dict[str, ty.Any]) -> str:
    """Return the path of a request.

    :param environ: the WSGI environment.
    :returns: the path below the application's root.
    :raises UnicodeDecodeError: if it is no UTF-8.
    """
    # PEP 3333: bytes as Latin-1.
    return str(environ.get('PATH_INFO', '')).encode('latin-1').decode()


def _check_text(environ: dict[str, ty.Any]) -> None:
    try:
        field = 'path'
        path = path_of(environ)
        field = 'query'
        query = webob.Request(environ).GET
    except UnicodeDecodeError as exc:
        raise exception.InvalidRequest(
            field=field, reason='it must be UTF-8.'
        ) from exc
    if any(part.startswith('_') for part in path.split('/')):
        # pecan looks for an attribute of that name.
        raise exception.InvalidRequest(
            field='path', reason='no part of it begins with "_".'
        )
    # It would be done in the place of the request's own method. Looked for in
    # what pecan reads: it takes a semicolon for an ampersand.
    if _METHOD in query:
        raise exception.InvalidRequest(
            field=_METHOD, reason='there is no such field.'
        )


def _choose_version(environ: dict[str, ty.Any]) -> None:
    """Leave of the versions that are asked for the one of this service."""
    found = None
    for each in environ.pop(_VERSION_HEADER, '').split(','):
        service, *words = each.split() or ['']
        # Cyborg takes a version without the name of a service, too.
        if not words and _VERSION.fullmatch(service):
            found = service
        elif service.lower() == _SERVICE_TYPE:
            if len(words) != 1 or not _VERSION.fullmatch(words[0]):
                raise exception.NotAcceptable(
                    header='OpenStack-API-Version',
                    reason=f'"{_SERVICE_TYPE}" is followed by a version such '
                    'as 2.0, or by "latest".',
                )
            found = f'{_SERVICE_TYPE} {words[0]}'
    if found:
        environ[_VERSION_HEADER] = found


def _check_wanted(environ: dict[str, ty.Any]) -> None:
    wanted = webob.Request(environ).accept
    if environ.get('HTTP_ACCEPT') and not wanted.acceptable_offers([_JSON]):
        raise exception.NotAcceptable(
            header='Accept', reason=f'there is {_JSON} only.'
        )
    environ['HTTP_ACCEPT'] = _JSON


def check_size(size: int, limit: int = MAX_BODY_SIZE) -> None:
    """Check how large a body is.

    :param size: its bytes.
    :param limit: the most that there may be.
    :raises RequestTooLarge: if it has more.
    """
    if size > limit:
        raise exception.RequestTooLarge(limit=limit)


def _body(environ: dict[str, ty.Any], limit: int) -> bytes:
    encoding = environ.pop('HTTP_TRANSFER_ENCODING', '').strip().lower()
    if encoding:
        _check_chunked(environ, encoding)
        body = _read(environ, limit + 1)
        check_size(len(body), limit)
        return body
    length = environ.get('CONTENT_LENGTH') or '0'
    if not _LENGTH.fullmatch(length):
        raise exception.RequestTooLarge(limit=limit)
    size = int(length)
    check_size(size, limit)
    body = _read(environ, size)
    if len(body) < size:
        raise _incomplete(f'{len(body)} of {size} bytes are there')
    return body


def _check_chunked(environ: dict[str, ty.Any], encoding: str) -> None:
    reason = None
    if encoding != 'chunked':
        reason = 'only "chunked" is known.'
    elif uwsgi := _uwsgi():
        environ['wsgi.input'] = _Chunks(uwsgi.chunked_read)
    # Of a server that does not say so, a body of unknown length might be read
    # to the end of the connection, wherever that is. eventlet's says so in a
    # way of its own.
    elif not environ.get('wsgi.input_terminated') and not getattr(
        environ['wsgi.input'], 'chunked_input', False
    ):
        reason = (
            'the web server of this cloud does not put chunks together. Send '
            'a Content-Length.'
        )
    if reason:
        raise exception.InvalidRequest(
            field='Transfer-Encoding', reason=reason
        )


class _Chunks:
    """A body that uWSGI gives chunk by chunk, and not as ``wsgi.input``.

    :param read_chunk: returns the next chunk; an empty one is the last.
    """

    def __init__(
        self, read_chunk: collections.abc.Callable[[], bytes]
    ) -> None:
        self._read_chunk = read_chunk
        # uWSGI itself bounds how large it is (``chunked-input-limit``).
        self._chunk = b''

    def read(self, size: int) -> bytes:
        """Return at most so many bytes; none if there are no more."""
        if not self._chunk:
            self._chunk = self._read_chunk()
        found, self._chunk = self._chunk[:size], self._chunk[size:]
        return found


def _uwsgi() -> ty.Any:
    """Return uWSGI's module, which there is in its processes only."""
    try:
        return importlib.import_module('uwsgi')
    except ImportError:
        return None


def _read(environ: dict[str, ty.Any], size: int) -> bytes:
    """Read so many bytes, or as many as there are."""
    found = b''
    try:
        while len(found) < size:
            piece = environ['wsgi.input'].read(min(size - len(found), _PIECE))
            if not piece:
                break
            found += piece
    except Exception as exc:
        # Each server has an error of its own for a client that is gone, or
        # sends no chunks.
        raise _incomplete(f'{type(exc).__name__} after {len(found)}') from exc
    return found


def _incomplete(reason: str) -> exception.BodyIncomplete:
    error = exception.BodyIncomplete(reason=reason)
    LOG.info('%s', error)
    return error

# SPDX-License-Identifier: Apache-2.0

"""What stands before an application, and holds its answers to the document."""

import collections.abc
import io
import typing as ty
import urllib.parse

from webob import headers as webob_headers

from tests.functional import documented

App: ty.TypeAlias = collections.abc.Callable[
    ..., collections.abc.Iterable[bytes]
]


class Watched:
    """An application whose answers are as the document says, or which fails.

    :param app: the application.
    """

    def __init__(self, app: App) -> None:
        self._app = app

    def __call__(
        self, environ: dict[str, ty.Any], start_response: ty.Any
    ) -> collections.abc.Iterable[bytes]:
        """Answer a request, and look at the answer."""
        body = environ['wsgi.input'].read(
            int(environ.get('CONTENT_LENGTH') or 0)
        )
        environ['wsgi.input'] = io.BytesIO(body)
        request = request_of(environ, body)
        begun: list[tuple[str, list[tuple[str, str]]]] = []
        parts = self._app(
            environ,
            lambda status, headers, _exc=None: begun.append((status, headers)),
        )
        content = b''.join(parts)
        ((status, headers),) = begun
        self.look(
            request,
            documented.Answer(
                int(status.split()[0]),
                webob_headers.ResponseHeaders(headers),
                content,
            ),
        )
        start_response(status, headers)
        return [content]

    def look(
        self, request: documented.Request, answer: documented.Answer
    ) -> None:
        """Look at an answer.

        :raises AssertionError: if it is not as the document says.
        :raises ValidationError: if its body is not.
        """
        documented.check(request, answer)


def request_of(environ: dict[str, ty.Any], body: bytes) -> documented.Request:
    """Read a request from a WSGI environment."""
    path = urllib.parse.quote(environ['PATH_INFO'].encode('latin-1'))
    query = environ.get('QUERY_STRING')
    headers = {
        name.removeprefix('HTTP_').replace('_', '-').title(): text
        for name, text in environ.items()
        if name.startswith('HTTP_')
    }
    return documented.Request(
        environ['REQUEST_METHOD'],
        f'{path}?{query}' if query else path,
        headers,
        body,
    )

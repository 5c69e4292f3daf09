# SPDX-License-Identifier: Apache-2.0

"""What stands before the API: it says who calls, and looks at each answer."""

import collections
import collections.abc
import json
import typing as ty

import jsonschema

from tests.functional import documented, watched
from tests.functional.api import cyborg
from tests.fuzz import world

#: What Keystone knows: tokens of whoever calls, and of their service.
TOKEN, SERVICE_TOKEN = 'a-good-token', 'a-good-token-of-a-service'
_REFUSAL = {
    'error': {
        'code': 401,
        'title': 'Unauthorized',
        'message': 'The request you have made requires authentication.',
    }
}


class Gate(watched.Watched):
    """A WSGI application before that of cyborg-api.

    :param app: the API.
    :param persona: who calls.
    :ivar answered: how often each status was answered, by what was asked.
    :ivar findings: what is wrong with answers.
    """

    def __init__(self, app: watched.App, persona: world.Persona) -> None:
        super().__init__(_Keystone(app, persona))
        self._secret = (
            persona.others and (world.SECRET % persona.others).encode()
        )
        self.answered: collections.Counter[tuple[str, int]] = (
            collections.Counter()
        )
        self.findings: list[str] = []

    @property
    def requests(self) -> int:
        """How many requests there were."""
        return self.answered.total()

    def look(
        self, request: documented.Request, answer: documented.Answer
    ) -> None:
        """Count an answer, and keep what is wrong with it."""
        self.answered[documented.name_of(request), answer.status] += 1
        if answer.status >= 500:
            self._find(request, f'{answer.status}: {answer.body!r}')
        if self._secret and self._secret in answer.body:
            self._find(request, f"it is shown another's: {answer.body!r}")
        try:
            super().look(request, answer)
        except (AssertionError, jsonschema.ValidationError) as exc:
            self._find(request, str(exc))

    def _find(self, request: documented.Request, what: str) -> None:
        self.findings.append(f'{request.method} {request.url}: {what}')


class _Keystone:
    """Does what Keystone's middleware does: one user is known to it."""

    def __init__(self, app: watched.App, persona: world.Persona) -> None:
        self._app = app
        self._persona = persona

    def __call__(
        self, environ: dict[str, ty.Any], start_response: ty.Any
    ) -> collections.abc.Iterable[bytes]:
        if environ.get('HTTP_X_AUTH_TOKEN') != TOKEN:
            return _turn_away(environ, start_response)
        is_service = environ.get('HTTP_X_SERVICE_TOKEN') == SERVICE_TOKEN
        # Whatever they say themselves.
        for name in [name for name in environ if name.startswith('HTTP_X_')]:
            del environ[name]
        for name, text in cyborg.headers(
            self._persona.project,
            self._persona.roles,
            self._persona.service and is_service,
        ).items():
            environ[f'HTTP_{name.upper().replace("-", "_")}'] = text
        return self._app(environ, start_response)


def _turn_away(
    environ: dict[str, ty.Any], start_response: ty.Any
) -> collections.abc.Iterable[bytes]:
    content = json.dumps(_REFUSAL).encode()
    start_response(
        '401 Unauthorized',
        [
            ('Content-Type', 'application/json'),
            ('Content-Length', str(len(content))),
            ('WWW-Authenticate', 'Keystone uri="http://keystone.test"'),
            (
                'X-Openstack-Request-Id',
                'req-00000000-0000-4000-8000-000000000000',
            ),
        ],
    )
    return [] if environ['REQUEST_METHOD'] == 'HEAD' else [content]

# SPDX-License-Identifier: Apache-2.0

"""Answers of our routes, held against the document of the API."""

import collections.abc
import functools
import json
import re
import typing as ty
import urllib.parse

import jsonschema
from oslo_utils import uuidutils

from nova_cyborg.api import routes
from nova_cyborg.api.document import building

DOCUMENT = building.document()

_UUID = re.compile('[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}')
_TIME = re.compile(r'\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ')
_PLACE = re.compile('{[^}]*}')
# Of any answer with a body.
_OF_BODIES = {'content-type', 'content-length'}
_Parts = tuple[str, ...]

_ANSWERED = jsonschema.FormatChecker(formats=())
_ASKED = jsonschema.FormatChecker(formats=())


@_ANSWERED.checks('uuid')
def _is_uuid(value: object) -> bool:
    return not isinstance(value, str) or bool(_UUID.fullmatch(value))


@_ANSWERED.checks('date-time')
def _is_time(value: object) -> bool:
    return not isinstance(value, str) or bool(_TIME.fullmatch(value))


@_ANSWERED.checks('uri')
def _is_uri(value: object) -> bool:
    return not isinstance(value, str) or value.startswith('http')


@_ASKED.checks('uuid')
def _is_like_a_uuid(value: object) -> bool:
    # Requests may have any spelling of one.
    return not isinstance(value, str) or uuidutils.is_uuid_like(value)


class Answer(ty.NamedTuple):
    """An answer, whatever client has got it."""

    status: int
    headers: collections.abc.Mapping[str, str]
    body: bytes


class Request(ty.NamedTuple):
    """A request, whatever client has sent it."""

    method: str
    url: str
    headers: collections.abc.Mapping[str, str]
    body: ty.Any = None

    @property
    def path(self) -> str:
        path = urllib.parse.urlsplit(f'http://cyborg{self.url}').path
        return urllib.parse.unquote(path, errors='replace')

    @property
    def query(self) -> dict[str, list[str]]:
        query = self.url.partition('?')[2].partition('#')[0]
        return urllib.parse.parse_qs(query, keep_blank_values=True)


def check(request: Request, answer: Answer) -> None:
    """Hold an answer against the document.

    :raises AssertionError: saying what is not as the document says.
    """
    if not routes.is_ours(request.path):
        return
    methods = _methods(request.path)
    method = request.method.lower()
    if method in methods:
        _check_answer(method, methods[method], request, answer)
        return
    codes = {400: 'invalid_request', 404: 'route_not_found'}
    if methods:
        codes[405] = 'method_not_allowed'
        assert answer.status != 405 or answer.headers.get('Allow')
    assert answer.status in codes, f'{request}: {answer}'
    if method != 'head':
        _validate(answer, {'$ref': '#/components/schemas/Errors'})
        (error,) = json.loads(answer.body)['errors']
        assert error['code'] == f'nova_cyborg.{codes[answer.status]}'


def name_of(request: Request) -> str:
    """Tell what the document calls what is asked for; empty if it does not."""
    operation = _methods(request.path).get(request.method.lower(), {})
    name: str = operation.get('operationId', '')
    return name


def _check_answer(
    method: str,
    operation: dict[str, ty.Any],
    request: Request,
    answer: Answer,
) -> None:
    name = operation['operationId']
    responses = operation['responses']
    assert str(answer.status) in responses, (
        f'{name} does not answer with {answer.status}: {answer.body!r}'
    )
    response = _resolved(responses[str(answer.status)])
    _check_headers(name, response, answer)
    content = response.get('content')
    if content and method != 'head':
        assert answer.headers['Content-Type'] == 'application/json'
        _validate(answer, content['application/json']['schema'])
    else:
        assert not answer.body, f'{name} has a body: {answer.body!r}'
    if answer.status < 300:
        _check_request(name, operation, request)


def _check_headers(
    name: str, response: dict[str, ty.Any], answer: Answer
) -> None:
    given = {key.lower(): text for key, text in answer.headers.items()}
    headers = {
        key.lower(): _resolved(header)
        for key, header in response.get('headers', {}).items()
    }
    for key, header in headers.items():
        text = given.get(key)
        assert text is not None or not header.get('required'), (
            f'{name} has no header {key}, and answers {answer.status}'
        )
        if text is not None:
            _validator(json.dumps(header['schema']), True).validate(text)
    unknown = given.keys() - headers.keys()
    assert unknown <= _OF_BODIES, f'{name} has headers: {unknown}'


def _check_request(
    name: str, operation: dict[str, ty.Any], request: Request
) -> None:
    """Look whether what was taken is what the document says may be asked."""
    parameters = {
        (each['in'], each['name']) for each in operation['parameters']
    }
    unknown = {('query', each) for each in request.query} - parameters
    assert not unknown, f'{name} takes {unknown}'
    if 'requestBody' in operation:
        schema = operation['requestBody']['content']['application/json']
        body = request.body
        if isinstance(body, bytes):
            body = json.loads(body)
        _validator(json.dumps(schema['schema']), False).validate(body)


def _validate(answer: Answer, schema: dict[str, ty.Any]) -> None:
    _validator(json.dumps(schema), True).validate(json.loads(answer.body))


@functools.cache
def _validator(schema: str, answered: bool) -> ty.Any:
    return jsonschema.Draft202012Validator(
        json.loads(schema) | {'components': DOCUMENT['components']},
        format_checker=_ANSWERED if answered else _ASKED,
    )


def _methods(path: str) -> dict[str, ty.Any]:
    """Find what the document has of a path, in each spelling that there is."""
    if not path.startswith('/v2/'):
        path = f'/v2{path}'
    return next(
        (
            methods
            for pattern, methods in _patterns()
            if pattern.fullmatch(path.removesuffix('/'))
        ),
        {},
    )


@functools.cache
def _patterns() -> list[tuple[re.Pattern[str], dict[str, ty.Any]]]:
    # Those without parameters first, as the service looks for them.
    return [
        (_pattern(path), DOCUMENT['paths'][path])
        for path in sorted(DOCUMENT['paths'], key=lambda path: '{' in path)
    ]


def _pattern(path: str) -> re.Pattern[str]:
    # A UUID that is none may be anything but an extension.
    path = path.replace('{tag}', '[^/]+')
    return re.compile(_PLACE.sub('[^/.]+', path), re.DOTALL)


def _resolved(item: dict[str, ty.Any]) -> dict[str, ty.Any]:
    if '$ref' not in item:
        return item
    found: ty.Any = DOCUMENT
    for part in item['$ref'].removeprefix('#/').split('/'):
        found = found[part]
    return _resolved(found)

# SPDX-License-Identifier: Apache-2.0

"""The document, made of what is declared of each operation."""

import collections.abc
import functools
import hashlib
import json
import re
import typing as ty

from nova_cyborg.api.document import converting, headers, nouns, refusing
from nova_cyborg.api.document.operations import Answer, Operation, Schema
from nova_cyborg.api.schemas import lists

#: Of the API of device contexts. The second number rises when something is
#: added; the first one, when something is changed or taken away that clients
#: may rely on.
VERSION = '1.0'

_TITLE = 'Device contexts'
_DESCRIPTION = (
    'What nova_cyborg adds to the Accelerator service (Cyborg) of OpenStack. '
    'A body is JSON in UTF-8 of at most 65536 bytes, and no object in it has '
    'two fields of one name. Fields and parameters that are not listed are '
    'refused. A parameter is given once. Another method than those of a path '
    'is answered with 405, `nova_cyborg.method_not_allowed`, and the header '
    '`Allow`; another path with 404, `nova_cyborg.route_not_found`. A path '
    'may end with a slash.'
)
_PARAMETER = re.compile('{(.*?)}')
_JSON = 'application/json'
_PATH_PARAMETERS: dict[str, Schema] = {
    'uuid': {
        'type': 'string',
        'format': 'uuid',
        'description': 'What the thing is known by.',
    },
    'server_id': {
        'type': 'string',
        'format': 'uuid',
        'description': 'UUID of the server.',
    },
    'tag': lists.TAG['properties']['tag'],
}


@functools.cache
def text() -> bytes:
    """Write the document; once in a process, as it is the same for all.

    :returns: its JSON.
    """
    return json.dumps(document(), ensure_ascii=False).encode()


@functools.cache
def digest() -> str:
    """Name this version of the document.

    :returns: a word that is another one for each.
    """
    return hashlib.sha256(text()).hexdigest()[:32]


def document() -> dict[str, ty.Any]:
    """Make the document.

    :returns: an object of OpenAPI 3.1.
    """
    components = converting.Components()
    of_all = _references(headers.ANSWERED_BY_ALL)
    responses = refusing.common(components, of_all)
    responses['Unauthorized'] = refusing.no_token(
        _references(('WWW-Authenticate',))
    )
    return {
        'openapi': '3.1.0',
        'info': {
            'title': _TITLE,
            'version': VERSION,
            'description': _DESCRIPTION,
            'license': {'name': 'Apache 2.0', 'identifier': 'Apache-2.0'},
        },
        # From where the document is: wherever Cyborg is mounted.
        'servers': [{'url': '../', 'description': 'This cloud.'}],
        'tags': [
            {'name': name, 'description': description}
            for name, description in nouns.TAGS.items()
        ],
        'paths': _paths(components),
        'components': {
            'schemas': components.schemas,
            'responses': responses,
            'headers': headers.ANSWERED,
            'securitySchemes': headers.TOKENS,
        },
    }


def _paths(components: converting.Components) -> dict[str, ty.Any]:
    paths: dict[str, ty.Any] = {}
    for operation in nouns.operations():
        path = paths.setdefault(operation.path, {})
        path[operation.method.lower()] = _operation(operation, components)
        if operation.method == 'GET':
            path['head'] = _head(path['get'])
    return paths


def _operation(
    operation: Operation, components: converting.Components
) -> dict[str, ty.Any]:
    tokens: dict[str, list[str]] = {'token': []}
    if operation.service_only:
        tokens['service_token'] = []
    written: dict[str, ty.Any] = {
        'operationId': operation.name,
        'tags': [operation.tag],
        'summary': operation.summary,
        'description': _description(operation),
        'security': [tokens],
        'parameters': list(_parameters(operation, components)),
    }
    if operation.body is not None:
        written['requestBody'] = {
            'required': True,
            'content': {_JSON: {'schema': components.of(operation.body)}},
        }
    written['responses'] = dict(
        sorted(
            {
                **{
                    str(answer.status): _response(answer, components)
                    for answer in operation.answers
                },
                '401': {'$ref': '#/components/responses/Unauthorized'},
                **refusing.responses(
                    operation.refusals,
                    components,
                    _references(headers.ANSWERED_BY_ALL),
                ),
            }.items()
        )
    )
    return written


def _description(operation: Operation) -> str:
    policies = ', '.join(f'`{name}`' for name in operation.policies)
    word = 'Policies' if len(operation.policies) > 1 else 'Policy'
    said = operation.description.replace('``', '`')
    return f'{said}\n\n{word}: {policies}.'.lstrip()


def _parameters(
    operation: Operation, components: converting.Components
) -> collections.abc.Iterator[dict[str, ty.Any]]:
    for name in _PARAMETER.findall(operation.path):
        yield {
            **_parameter(name, 'path', _PATH_PARAMETERS[name], components),
            'required': True,
        }
    for name, schema in operation.query['properties'].items():
        yield _parameter(name, 'query', schema, components)
    for name in (*operation.headers, *headers.ASKED_OF_ALL):
        yield {'name': name, 'in': 'header', **headers.ASKED[name]}


def _parameter(
    name: str, place: str, schema: Schema, components: converting.Components
) -> dict[str, ty.Any]:
    converted = components.of(schema)
    description = converted.pop('description')
    return {
        'name': name,
        'in': place,
        'description': description,
        'schema': converted,
    }


def _response(
    answer: Answer, components: converting.Components
) -> dict[str, ty.Any]:
    written: dict[str, ty.Any] = {
        'description': answer.description,
        'headers': _references((*headers.ANSWERED_BY_ALL, *answer.headers))
        | {
            name: {**headers.ANSWERED[name], 'required': False}
            for name in answer.maybe
        },
    }
    if answer.schema is not None:
        written['content'] = {_JSON: {'schema': components.of(answer.schema)}}
    if answer.links:
        written['links'] = {
            name: {
                'operationId': name,
                'parameters': {'uuid': f'$response.body#{pointer}'},
            }
            for name, pointer in answer.links.items()
        }
    return written


def _references(names: collections.abc.Iterable[str]) -> dict[str, Schema]:
    return {name: {'$ref': f'#/components/headers/{name}'} for name in names}


def _head(get: dict[str, ty.Any]) -> dict[str, ty.Any]:
    """Write what HEAD does where GET is: the same, without the body."""
    return {
        **get,
        'operationId': f'{get["operationId"]}_head',
        'summary': f'{get["summary"]}: the headers',
        'responses': {
            status: response
            if '$ref' in response
            else {
                key: value
                for key, value in response.items()
                if key in ('description', 'headers')
            }
            for status, response in get['responses'].items()
        },
    }

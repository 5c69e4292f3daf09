# SPDX-License-Identifier: Apache-2.0

"""The operations of the document, by path and method."""

import collections.abc
import re
import typing as ty

from nova_cyborg.api.document import converting, headers, nouns, refusing
from nova_cyborg.api.document.operations import Answer, Operation, Schema
from nova_cyborg.api.schemas import lists

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


def paths(components: converting.Components) -> dict[str, ty.Any]:
    """Write all operations.

    :param components: where the schemas of the document are.
    :returns: the operations, by path and method.
    """
    found: dict[str, ty.Any] = {}
    for operation in nouns.operations():
        path = found.setdefault(operation.path, {})
        path[operation.method.lower()] = _operation(operation, components)
        if operation.method == 'GET':
            path['head'] = _head(path['get'])
    return found


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
                    references(headers.ANSWERED_BY_ALL),
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
        'headers': references((*headers.ANSWERED_BY_ALL, *answer.headers))
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


def references(names: collections.abc.Iterable[str]) -> dict[str, Schema]:
    """Refer to headers of answers.

    :param names: the names of the headers.
    :returns: the references.
    """
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

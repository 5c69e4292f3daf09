# SPDX-License-Identifier: Apache-2.0

"""Refusals, as the document has them."""

import collections.abc
import http
import re

from nova_cyborg import exception
from nova_cyborg.api.document import converting
from nova_cyborg.api.document.operations import OF_ALL, Errors, Schema
from nova_cyborg.api.schemas.answers import error

_ARGUMENT = re.compile(r'%\((\w+)\)[sd]')
# Keystone's middleware stands before us, and has a form of its own.
_UNKNOWN_CALLER = 'there is no token, or one that is not valid'

_Classes = collections.abc.Mapping[int, Errors]


def sentence(cls: type[exception.DeviceContextError]) -> str:
    """Write the sentence of an error, whatever is named in it.

    :param cls: the error.
    :returns: the sentence, with words in the place of what it names.
    """
    return _ARGUMENT.sub(r'<\1>', cls.message)


def by_status(errors: Errors) -> _Classes:
    """Sort errors by the status that they are answered with.

    :param errors: the errors, each with when it is answered.
    :returns: the same, by status, in its order.
    """
    found: dict[int, dict[type[exception.DeviceContextError], str]] = {}
    for cls, when in errors.items():
        found.setdefault(cls.status, {})[cls] = when
    return {status: found[status] for status in sorted(found)}


def no_token(components: converting.Components, headers: Schema) -> Schema:
    """Write what is answered to a request without a token.

    :param components: where the schemas of the document are.
    :param headers: the headers of that.
    :returns: the response.
    """
    schema = components.of(error.OF_KEYSTONE)
    return {
        'description': f'{_UNKNOWN_CALLER}.',
        'headers': headers,
        'content': {'application/json': {'schema': schema}},
    }


def responses(
    errors: Errors, components: converting.Components, headers: Schema
) -> dict[str, Schema]:
    """Write what an operation may refuse requests with.

    :param errors: the errors, each with when it is answered.
    :param components: where the schemas of the document are.
    :param headers: the headers of all answers.
    :returns: the responses, by status.
    """
    return {
        str(status): _response(status, found, components, headers)
        for status, found in by_status(errors).items()
    }


def common(
    components: converting.Components, headers: Schema
) -> dict[str, Schema]:
    """Write what all operations may refuse requests with.

    :param components: where the schemas of the document are.
    :param headers: the headers of all answers.
    :returns: the responses, by name.
    """
    return {
        _name(status): _written(errors, components, headers)
        for status, errors in by_status(OF_ALL).items()
    }


def _name(status: int) -> str:
    return http.HTTPStatus(status).phrase.replace(' ', '')


def _response(
    status: int,
    errors: Errors,
    components: converting.Components,
    headers: Schema,
) -> Schema:
    if errors == by_status(OF_ALL).get(status):
        return {'$ref': f'#/components/responses/{_name(status)}'}
    return _written(errors, components, headers)


def _written(
    errors: Errors, components: converting.Components, headers: Schema
) -> Schema:
    lines = [
        f'* `{cls.error_code}`: {when or sentence(cls)}'
        for cls, when in errors.items()
    ]
    codes = [cls.error_code for cls in errors]
    return {
        'description': '\n'.join(lines),
        'headers': headers,
        'content': {
            'application/json': {
                'schema': {
                    **components.of(error.ERRORS),
                    # Beside the reference: one of these, and no other.
                    'properties': {
                        'errors': {
                            'items': {'properties': {'code': {'enum': codes}}}
                        }
                    },
                }
            }
        },
    }

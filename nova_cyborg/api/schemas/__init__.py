# SPDX-License-Identifier: Apache-2.0

"""Checks of requests against JSON schemas."""

import re
import typing as ty

import jsonschema
from oslo_utils import uuidutils

from nova_cyborg import exception, names
from nova_cyborg.api.schemas import times

#: What a number in a query is; a format's name stands in the refusal.
NUMBER = 'number of at most nine digits'
#: What a description is, in any script.
TEXT = 'text of printable characters'
#: What a name is, in any script.
NAME = f'{TEXT}, with no space at either end'
#: What a tag is, as Nova has those of ports and volumes.
TAG = f'{TEXT}, without "/" and ","'

#: What a tag is that a device context is found by: a path may end with it.
CONTEXT_TAG = f'{NAME}, without "/" and ",", and not ".", ".." or "_..."'
#: What a time is in a query.
TIME = times.TIME

#: Pattern of a text. It ends with \Z: a $ would let a newline pass behind it.
PRINTABLE = r'^[\x20-\x7e]*\Z'

#: Of a query that has no parameters.
NO_QUERY: dict[str, ty.Any] = {
    'type': 'object',
    'properties': {},
    'additionalProperties': False,
}

_FORMATS = jsonschema.FormatChecker(formats=())
_NUMBER = re.compile('[0-9]{1,9}')


@_FORMATS.checks('uuid')
def _is_uuid(value: object) -> bool:
    return not isinstance(value, str) or uuidutils.is_uuid_like(value)


@_FORMATS.checks(NUMBER)
def _is_number(value: object) -> bool:
    return not isinstance(value, str) or bool(_NUMBER.fullmatch(value))


@_FORMATS.checks(TEXT)
def _is_text(value: object) -> bool:
    return not isinstance(value, str) or names.is_printable(value)


@_FORMATS.checks(NAME)
def _is_name(value: object) -> bool:
    return not isinstance(value, str) or (
        names.is_printable(value) and value == value.strip()
    )


@_FORMATS.checks(TAG)
def _is_tag(value: object) -> bool:
    return not isinstance(value, str) or (
        names.is_printable(value) and not set('/,').intersection(value)
    )


@_FORMATS.checks(CONTEXT_TAG)
def _is_context_tag(value: object) -> bool:
    return not isinstance(value, str) or (
        _is_name(value)
        and _is_tag(value)
        and value not in ('.', '..')
        and not value.startswith('_')
    )


@_FORMATS.checks(TIME)
def _is_time(value: object) -> bool:
    return not isinstance(value, str) or times.is_time(value)


def validate(
    document: object, schema: dict[str, ty.Any], whole: str = 'body'
) -> None:
    """Check a request against a schema.

    :param document: the parsed body, or the query's parameters.
    :param schema: a JSON schema.
    :param whole: what error messages call the document itself.
    :raises InvalidRequest: naming the field that is wrong.
    """
    validator = jsonschema.Draft202012Validator(
        schema, format_checker=_FORMATS
    )
    error = jsonschema.exceptions.best_match(validator.iter_errors(document))
    if error is None:
        return
    field = '.'.join(str(part) for part in error.absolute_path) or whole
    if error.validator == 'additionalProperties':
        known = error.schema.get('properties', {})
        unknown = sorted(set(error.instance).difference(known))
        parts = [*map(str, error.absolute_path), *unknown[:1]]
        raise exception.InvalidRequest(
            field='.'.join(parts) or whole, reason='there is no such field.'
        )
    raise exception.InvalidRequest(field=field, reason=_reason(error))


def _reason(error: jsonschema.ValidationError) -> str:
    # The library's own sentences show the value, which may be config data,
    # and patterns, which say little to a person.
    expected = error.validator_value
    if isinstance(expected, list) and error.validator in ('type', 'enum'):
        *others, last = map(str, expected)
        expected = f'{", ".join(others)} or {last}'
    return {
        'type': f'must be of type {expected}.',
        'format': f'must be a {expected}.',
        'pattern': 'must be printable ASCII, with no space at either end.',
        'enum': f'must be {expected}.',
        'required': f'{expected} are needed.',
        'minLength': 'must not be empty.',
        'maxLength': f'must be at most {expected} characters.',
        'minItems': f'must have at least {expected} items.',
        'maxItems': f'must have at most {expected} items.',
        'minProperties': f'must have at least {expected} fields.',
        'maxProperties': f'must have at most {expected} fields.',
        'minimum': f'must be at least {expected}.',
        'maximum': f'must be at most {expected}.',
    }.get(str(error.validator), f'fails the check "{error.validator}".')

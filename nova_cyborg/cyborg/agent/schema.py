# SPDX-License-Identifier: Apache-2.0

"""The JSON schema of a devices file's entry, and sentences of what is wrong.

A schema's own messages show values and keywords. An operator needs a sentence,
and YAML its own hints: to YAML 1.1, 8086 and 0000:12:00.0 are numbers (the
latter to base 60), and which text was meant cannot be told any more.
"""

import collections.abc
import reprlib
import typing as ty

import jsonschema
from cyborg.common import constants

from nova_cyborg import exception, language
from nova_cyborg.cyborg.agent import pci_address

#: How many slots a device may have: the functions of a PCI bus.
MAX_SLOTS = 256
#: How long a program may take to clean a slot, in seconds.
MAX_SECONDS = 3600
#: How many arguments a program may have, and characters each of them.
MAX_ARGUMENTS = 32
MAX_ARGUMENT = 1024

#: What an entry has that says nothing of it. Cyborg before 2026.2 has no type
#: PCI: there, it has to be given.
DEFAULTS: dict[str, ty.Any] = {'type': 'PCI', 'traits': [], 'handles': {}}

# By YAML's aliases a small file can hold a huge value. jsonschema would write
# all of it into its messages; few levels are shown in ours.
_MOST_VALUES = 10000
_REPR = reprlib.Repr()
_REPR.maxlevel = 2

_FORMATS = jsonschema.FormatChecker(formats=())
# What is said of a text that has not the form.
_ADDRESS = (
    'is no PCI address. Write it as lspci -D shows it, as in "0000:0c:00.0".'
)
_PCI_ID = 'is not four hexadecimal digits, as lspci -n shows them.'
_PATH = 'is no absolute path.'
_ARGUMENT = {
    'type': 'string',
    'examples': ['--force'],
    'maxLength': MAX_ARGUMENT,
    'pattern': r'^[^\0]*\Z',
}


def check(item: object) -> dict[str, ty.Any]:
    """Check an entry against the schema.

    :param item: the entry, as YAML has it.
    :returns: its values by field, with those that are there by default.
    :raises InvalidRequest: naming the first field that is wrong.
    """
    if isinstance(item, dict):
        item = {**DEFAULTS, **item}
    _check_size(item)
    validator = _Validator(_entry(), format_checker=_FORMATS)
    found = next(validator.iter_errors(item), None)
    if found is not None:
        raise _refusal(found)
    return ty.cast(dict[str, ty.Any], item)


def shown(value: object) -> str:
    """Return a value for an error message.

    :param value: what was given.
    :returns: its beginning.
    """
    return _REPR.repr(value)


def invalid(field: str, reason: str) -> exception.InvalidRequest:
    """Make the exception for a wrong field.

    :param field: the field.
    :param reason: what is wrong with it, as a sentence.
    :returns: the exception.
    """
    return exception.InvalidRequest(field=field, reason=reason)


@_FORMATS.checks(_ADDRESS)
def _is_address(value: object) -> bool:
    return not isinstance(value, str) or bool(pci_address.normalise(value))


@_FORMATS.checks(_PCI_ID)
def _is_pci_id(value: object) -> bool:
    return not isinstance(value, str) or (
        len(value) == 4 and not set(value.lower()) - set('0123456789abcdef')
    )


@_FORMATS.checks(_PATH)
def _is_path(value: object) -> bool:
    return not isinstance(value, str) or value.startswith('/')


def _is_integer(_checker: object, value: object) -> bool:
    # To JSON, 2.0 is a whole number.
    return isinstance(value, int) and not isinstance(value, bool)


_Validator = jsonschema.validators.extend(
    jsonschema.Draft202012Validator,
    type_checker=jsonschema.Draft202012Validator.TYPE_CHECKER.redefine(
        'integer', _is_integer
    ),
)


def _entry() -> dict[str, ty.Any]:
    """Return the schema of an entry; keywords are looked at in this order."""
    address = _text('0000:0c:00.0', _ADDRESS)
    handles = {
        'type': {'enum': sorted(constants.ATTACH_HANDLE_TYPES)},
        'mdev_type': _text('nvidia-35'),
        'number': _number(MAX_SLOTS),
        'addresses': {
            'type': 'array',
            'description': 'a list of one PCI address or more',
            'minItems': 1,
            'maxItems': MAX_SLOTS,
            'items': address,
        },
    }
    cleaning = {
        'program': {
            'type': 'array',
            'description': 'a list: the path of a program, and its arguments',
            'minItems': 1,
            'maxItems': MAX_ARGUMENTS,
            'prefixItems': [{**_ARGUMENT, 'format': _PATH}],
            'items': _ARGUMENT,
        },
        'timeout': _number(MAX_SECONDS, ' seconds'),
    }
    fields = {
        'address': address,
        'vendor': _text('8086', _PCI_ID),
        'product': _text('8086', _PCI_ID),
        # It depends on the release of Cyborg.
        'type': {'enum': sorted(constants.DEVICE_TYPE)},
        # Names are read as those of requests.
        'resource_class': {'not': {'type': 'null'}},
        'traits': {
            'type': 'array',
            'description': 'a list of traits',
            'maxItems': language.MAX_TRAITS,
        },
        'handles': _fields(handles),
        'unhealthy': _text('ECC errors'),
        'cleaning': _fields(cleaning, 'program'),
    }
    return _fields(fields, 'address', 'vendor', 'product', 'resource_class')


def _fields(known: dict[str, ty.Any], *required: str) -> dict[str, ty.Any]:
    return {
        'type': 'object',
        'additionalProperties': False,
        'required': list(required),
        'properties': known,
    }


def _text(example: str, form: str | None = None) -> dict[str, ty.Any]:
    found: dict[str, ty.Any] = {'type': 'string', 'examples': [example]}
    return found if form is None else found | {'format': form}


def _number(most: int, unit: str = '') -> dict[str, ty.Any]:
    return {
        'type': 'integer',
        'minimum': 1,
        'maximum': most,
        'description': f'between 1 and {most}{unit}',
    }


def _check_size(item: object) -> None:
    left, count = [item], 0
    while left:
        value = left.pop()
        count += 1
        if count > _MOST_VALUES:
            raise invalid('entry', f'has more than {_MOST_VALUES} values.')
        if isinstance(value, dict):
            left += [*value, *value.values()]
        elif isinstance(value, list | tuple | set):
            left += value


def _refusal(error: jsonschema.ValidationError) -> exception.InvalidRequest:
    path = list(error.absolute_path)
    if error.instance is None and path and isinstance(path[-1], str):
        return invalid(_name(path[:-1]), f'the field {path[-1]} has no value.')
    return invalid(_name(path), _SENTENCES[str(error.validator)](error))


def _name(path: collections.abc.Iterable[str | int]) -> str:
    name = ''
    for part in path:
        if isinstance(part, int):
            name += f', item {part + 1}'
        else:
            name += f'.{part}' if name else part
    return name or 'entry'


def _of_type(error: jsonschema.ValidationError) -> str:
    value, schema = error.instance, error.schema
    if error.validator_value == 'object':
        return 'must be fields with their values.'
    if error.validator_value == 'array':
        return f'must be {schema["description"]}.'
    if error.validator_value == 'integer':
        return f'{shown(value)} is not a whole number.'
    return (
        f'YAML reads it as {type(value).__name__} {shown(value)}, not as '
        f'text. Write it in quotes, as in "{schema["examples"][0]}".'
    )


def _unknown(error: jsonschema.ValidationError) -> str:
    known = error.schema['properties']
    unknown = sorted(set(map(str, error.instance)) - set(known))
    return (
        f'there is no field {shown(unknown[0])}; there are '
        f'{", ".join(sorted(known))}.'
    )


def _missing(error: jsonschema.ValidationError) -> str:
    missing = [
        name for name in error.validator_value if name not in error.instance
    ]
    return f'the field {missing[0]} is missing.'


def _no_word(error: jsonschema.ValidationError) -> str:
    return (
        f'{shown(error.instance)} is not one of those this release of Cyborg '
        f'has: {", ".join(error.validator_value)}.'
    )


def _too_many(error: jsonschema.ValidationError) -> str:
    return (
        f'{len(error.instance)} are given, {error.validator_value} are '
        'allowed.'
    )


def _out_of_bounds(error: jsonschema.ValidationError) -> str:
    return f'{shown(error.instance)} is not {error.schema["description"]}.'


def _no_argument(_error: jsonschema.ValidationError) -> str:
    return f'must have at most {MAX_ARGUMENT} characters, none of them NUL.'


_SENTENCES: dict[
    str, collections.abc.Callable[[jsonschema.ValidationError], str]
] = {
    'type': _of_type,
    'additionalProperties': _unknown,
    'required': _missing,
    'enum': _no_word,
    'minItems': lambda error: f'must be {error.schema["description"]}.',
    'maxItems': _too_many,
    'minimum': _out_of_bounds,
    'maximum': _out_of_bounds,
    'maxLength': _no_argument,
    'pattern': _no_argument,
    'format': lambda error: f'{shown(error.instance)} {error.validator_value}',
}

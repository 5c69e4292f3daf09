# SPDX-License-Identifier: Apache-2.0

"""Readers of the values of a devices file's entry.

Each checks a value and normalises it, or raises ``InvalidRequest`` with the
field and what is wrong with it, as those of :mod:`nova_cyborg.model` do. They
are written out instead of a JSON schema, because an operator needs a
sentence, and YAML its own hints (see :func:`text`).
"""

import collections.abc
import re
import reprlib
import typing as ty

from nova_cyborg import exception, language, names
from nova_cyborg.cyborg.agent import pci_address

#: How many slots a device may have: the functions of a PCI bus.
MAX_SLOTS = 256
#: How long a program may take to clean a slot, in seconds.
MAX_SECONDS = 3600
#: How many arguments a program may have, and characters each of them.
MAX_ARGUMENTS = 32
MAX_ARGUMENT = 1024

#: An entry's values by field.
Fields: ty.TypeAlias = collections.abc.Mapping[str, ty.Any]

# By YAML's aliases a small file can hold a huge value: few levels are shown.
_REPR = reprlib.Repr()
_REPR.maxlevel = 2

_PCI_ID = re.compile(r'[0-9a-f]{4}', re.IGNORECASE)


def fields(
    item: object,
    name: str,
    known: frozenset[str],
    required: collections.abc.Iterable[str] = (),
) -> Fields:
    """Check which fields there are.

    :param item: what should be a mapping of values by field.
    :param name: what error messages call it.
    :param known: all fields there may be.
    :param required: the fields there must be.
    :returns: the item.
    :raises InvalidRequest: if a field is unknown, missing or without value.
    """
    if not isinstance(item, collections.abc.Mapping):
        raise invalid(name, 'must be fields with their values.')
    unknown = sorted(set(map(str, item)) - known)
    if unknown:
        raise invalid(
            name,
            f'there is no field {shown(unknown[0])}; there are '
            f'{", ".join(sorted(known))}.',
        )
    missing = [field for field in required if field not in item]
    if missing:
        raise invalid(name, f'the field {missing[0]} is missing.')
    empty = [field for field, value in item.items() if value is None]
    if empty:
        raise invalid(name, f'the field {empty[0]} has no value.')
    return item


def text(value: object, field: str, example: str) -> str:
    """Check that a value is text to YAML too.

    To YAML 1.1, 8086 and 0000:12:00.0 are numbers (the latter to base 60),
    and which text was meant cannot be told any more.

    :param value: what was given.
    :param field: what error messages call it.
    :param example: a good value.
    :returns: the text.
    :raises InvalidRequest: if it is something else.
    """
    if not isinstance(value, str):
        raise invalid(
            field,
            f'YAML reads it as {type(value).__name__} {shown(value)}, not '
            f'as text. Write it in quotes, as in "{example}".',
        )
    return value


def address(value: object, field: str) -> str:
    """Read a PCI address.

    :param value: what was given.
    :param field: what error messages call it.
    :returns: the address, normalised.
    :raises InvalidRequest: if it is none.
    """
    given = text(value, field, '0000:0c:00.0')
    normal = pci_address.normalise(given)
    if normal is None:
        raise invalid(
            field,
            f'{shown(given)} is no PCI address. Write it as lspci -D shows '
            'it, as in "0000:0c:00.0".',
        )
    return normal


def addresses(value: object, field: str) -> tuple[str, ...]:
    """Read a list of PCI addresses.

    :param value: what was given.
    :param field: what error messages call it.
    :returns: the addresses, normalised, in the given order.
    :raises InvalidRequest: if it is no list, or one is wrong or repeated.
    """
    if not isinstance(value, list) or not value:
        raise invalid(field, 'must be a list of one PCI address or more.')
    if len(value) > MAX_SLOTS:
        raise invalid(
            field, f'{len(value)} are given, {MAX_SLOTS} are allowed.'
        )
    read: dict[str, None] = {}
    for number, item in enumerate(value, 1):
        normal = address(item, f'{field}, item {number}')
        if normal in read:
            raise invalid(field, f'{normal} is given twice.')
        read[normal] = None
    return tuple(read)


def pci_id(value: object, field: str) -> str:
    """Read a PCI vendor id or product id.

    :param value: what was given.
    :param field: what error messages call it.
    :returns: the id, in lower case.
    :raises InvalidRequest: if it is none.
    """
    given = text(value, field, '8086')
    if not _PCI_ID.fullmatch(given):
        raise invalid(
            field,
            f'{shown(given)} is not four hexadecimal digits, as lspci -n '
            'shows them.',
        )
    return given.lower()


def choice(
    value: object, choices: collections.abc.Collection[str], field: str
) -> str:
    """Read one of Cyborg's words.

    :param value: what was given.
    :param choices: the words there are in this release of Cyborg.
    :param field: what error messages call it.
    :returns: the word.
    :raises InvalidRequest: if it is another.
    """
    if not isinstance(value, str) or value not in choices:
        raise invalid(
            field,
            f'{shown(value)} is not one of those this release of Cyborg '
            f'has: {", ".join(sorted(choices))}.',
        )
    return value


def count(value: object, field: str) -> int:
    """Read how many slots there are.

    :param value: what was given.
    :param field: what error messages call it.
    :returns: the number.
    :raises InvalidRequest: if it is no number from 1 to 256.
    """
    return _whole_number(value, field, MAX_SLOTS)


def seconds(value: object, field: str) -> int:
    """Read how long something may take.

    :param value: what was given.
    :param field: what error messages call it.
    :returns: the number of seconds.
    :raises InvalidRequest: if it is no number from 1 to 3600.
    """
    return _whole_number(value, field, MAX_SECONDS, ' seconds')


def _whole_number(value: object, field: str, most: int, unit: str = '') -> int:
    # A bool is an int in Python, and no number.
    if not isinstance(value, int) or isinstance(value, bool):
        raise invalid(field, f'{shown(value)} is not a whole number.')
    if not 1 <= value <= most:
        raise invalid(
            field, f'{shown(value)} is not between 1 and {most}{unit}.'
        )
    return value


def program(value: object, field: str) -> tuple[str, ...]:
    """Read a program and its arguments, which no shell looks at.

    :param value: what was given.
    :param field: what error messages call it.
    :returns: the program's path, and its arguments.
    :raises InvalidRequest: if it is no list of texts, or does not begin with
        an absolute path.
    """
    if not isinstance(value, list) or not value:
        raise invalid(
            field, 'must be a list: the path of a program, and its arguments.'
        )
    if len(value) > MAX_ARGUMENTS:
        raise invalid(
            field, f'{len(value)} are given, {MAX_ARGUMENTS} are allowed.'
        )
    read = tuple(
        _argument(item, f'{field}, item {number}')
        for number, item in enumerate(value, 1)
    )
    if not read[0].startswith('/'):
        raise invalid(
            f'{field}, item 1', f'{shown(read[0])} is no absolute path.'
        )
    return read


def _argument(value: object, field: str) -> str:
    given = text(value, field, '--force')
    if len(given) > MAX_ARGUMENT or '\0' in given:
        raise invalid(
            field,
            f'must have at most {MAX_ARGUMENT} characters, none of them NUL.',
        )
    return given


def traits(value: object, field: str) -> tuple[str, ...]:
    """Read a list of traits.

    :param value: what was given.
    :param field: what error messages call it.
    :returns: the traits' names in Placement, sorted, each once.
    :raises InvalidRequest: if it is no list, or one is no trait.
    """
    if not isinstance(value, list):
        raise invalid(field, 'must be a list of traits.')
    if len(value) > language.MAX_TRAITS:
        raise invalid(
            field,
            f'{len(value)} are given, {language.MAX_TRAITS} are allowed.',
        )
    found = {
        names.trait_name(item, f'{field}, item {number}')
        for number, item in enumerate(value, 1)
    }
    return tuple(sorted(found))


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

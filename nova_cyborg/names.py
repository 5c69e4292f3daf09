# SPDX-License-Identifier: Apache-2.0

"""Names of resource classes, traits and taints, and texts of a request."""

import functools
import re
import unicodedata

import os_resource_classes
import os_traits

from nova_cyborg import exception

#: Placement's longest name of a resource class or a trait, in characters.
MAX_NAME_LENGTH = 255

#: The standard resource classes that stand for accelerators. The others
#: (VCPU, MEMORY_MB ...) are the flavor's business.
ACCELERATOR_CLASSES = frozenset(
    (
        os_resource_classes.FPGA,
        os_resource_classes.PGPU,
        os_resource_classes.VGPU,
    )
)

#: The longest key of a taint, in characters.
MAX_TAINT_KEY_LENGTH = 64

_NAME = re.compile(r'[A-Za-z0-9_]+')
_TAINT_KEY = re.compile(r'[a-z0-9]+(-[a-z0-9]+)*')
_PRINTABLE = re.compile(r'[\x20-\x7e]*')


def resource_class_name(name: object, field: str) -> str:
    """Return a resource class's name in Placement.

    :param name: a standard accelerator class, or a custom one with or
        without ``CUSTOM_``.
    :param field: what error messages call it.
    :returns: the name; other than standard ones begin with ``CUSTOM_``.
    :raises InvalidRequest: if it is no name of an accelerator's class.
    """
    text = _checked_name(name, field)
    if text in ACCELERATOR_CLASSES:
        return text
    if text in os_resource_classes.STANDARDS:
        known = ', '.join(sorted(ACCELERATOR_CLASSES))
        raise invalid(
            field,
            f'{text} is not the resource class of an accelerator. Use one '
            f'of {known}, or a custom one.',
        )
    return _custom(text, os_resource_classes.CUSTOM_NAMESPACE, field)


def trait_name(name: object, field: str) -> str:
    """Return a trait's name in Placement.

    :param name: a standard trait, or a custom one with or without
        ``CUSTOM_``.
    :param field: what error messages call it.
    :returns: the name; other than standard ones begin with ``CUSTOM_``.
    :raises InvalidRequest: if it is no name of a trait.
    """
    text = _checked_name(name, field)
    if text in _standard_traits():
        return text
    return _custom(text, os_traits.CUSTOM_NAMESPACE, field)


def taint_key(key: object, field: str) -> str:
    """Check the key of a taint.

    :param key: what was given.
    :param field: what error messages call it.
    :returns: the key.
    :raises InvalidRequest: if it is no key of a taint.
    """
    text = check_text(key, field, MAX_TAINT_KEY_LENGTH, empty=False)
    if not _TAINT_KEY.fullmatch(text):
        raise invalid(
            field,
            f'"{text}" is not of small letters, digits and single hyphens '
            'between them, as in ecc-errors.',
        )
    return text


def check_text(value: object, field: str, limit: int, empty: bool) -> str:
    """Check a text of printable ASCII.

    :param value: what was given.
    :param field: what error messages call it.
    :param limit: the longest text allowed, in characters.
    :param empty: whether it may be empty.
    :returns: the text.
    :raises InvalidRequest: if it is not such a text.
    """
    if not isinstance(value, str):
        raise invalid(field, 'must be a string.')
    if not value.strip() and not empty:
        raise invalid(field, 'must not be empty.')
    if len(value) > limit:
        raise invalid(
            field, f'is {len(value)} characters long, {limit} are allowed.'
        )
    if not _PRINTABLE.fullmatch(value):
        raise invalid(field, 'must be printable ASCII characters.')
    return value


def is_printable(text: str) -> bool:
    """Tell whether a text is of characters that can be printed, and spaces.

    As Nova has it for the names of its servers. Neither a line's end nor what
    changes the direction of writing can be printed.

    :param text: the text, in any script.
    :returns: whether it is.
    """
    return all(
        char.isprintable() or unicodedata.category(char) == 'Zs'
        for char in text
    )


def invalid(field: str, reason: str) -> exception.InvalidRequest:
    """Make the exception for a field that is wrong.

    :param field: what the message calls the field.
    :param reason: what is wrong with it, a sentence.
    :returns: the exception.
    """
    return exception.InvalidRequest(field=field, reason=reason)


@functools.cache
def _standard_traits() -> frozenset[str]:
    # Collecting them walks all modules of os-traits: once a process.
    return frozenset(os_traits.get_traits())


def _checked_name(name: object, field: str) -> str:
    text = check_text(name, field, MAX_NAME_LENGTH, empty=False)
    if not _NAME.fullmatch(text):
        raise invalid(
            field,
            f'"{text}" has characters other than letters, digits and '
            'underscores.',
        )
    return text.upper()


def _custom(text: str, namespace: str, field: str) -> str:
    if not text.startswith(namespace):
        text = namespace + text
    if text == namespace:
        raise invalid(field, f'"{text}" has no name after its prefix.')
    if len(text) > MAX_NAME_LENGTH:
        raise invalid(
            field, f'is longer than {MAX_NAME_LENGTH} characters as {text}.'
        )
    return text

# SPDX-License-Identifier: Apache-2.0

"""JSON schemas of what is answered; each field says what it means.

No answer is checked against them while the service runs: the document of the
API has them, and its tests hold every answer to it. A schema with a title is
one of the document's own, and is there once.
"""

import collections.abc
import typing as ty

_Schema = dict[str, ty.Any]


def answer(
    properties: collections.abc.Mapping[str, _Schema],
    title: str | None = None,
    description: str | None = None,
    optional: collections.abc.Collection[str] = (),
) -> _Schema:
    """Make the schema of an object that has these fields, and no others.

    :param properties: the fields, with a schema for each.
    :param title: its name in the document; None if it has none.
    :param description: what the object is.
    :param optional: those of the fields that may be left out.
    :returns: the schema.
    """
    named = {
        key: text
        for key, text in (('title', title), ('description', description))
        if text
    }
    return {
        **named,
        'type': 'object',
        'properties': dict(properties),
        'required': [name for name in properties if name not in optional],
        'additionalProperties': False,
    }


def text(description: str, null: bool = False, **more: ty.Any) -> _Schema:
    """Make the schema of a string.

    :param description: what it means.
    :param null: whether null may be in its place.
    :param more: what else is known of it.
    :returns: the schema.
    """
    kind = ['string', 'null'] if null else 'string'
    return {'type': kind, 'description': description, **more}


def uuid(description: str, null: bool = False) -> _Schema:
    """Make the schema of a UUID, in lower case and with hyphens.

    :param description: what it is of.
    :param null: whether null may be in its place.
    :returns: the schema.
    """
    return text(description, null, format='uuid')


def time(description: str, null: bool = False) -> _Schema:
    """Make the schema of a time.

    :param description: what happened then.
    :param null: whether null may be in its place.
    :returns: the schema.
    """
    description = f'{description} As ``2026-11-22T11:06:05Z``, in UTC.'
    return text(description, null, format='date-time')


def number(
    description: str, null: bool = False, minimum: int | None = 0
) -> _Schema:
    """Make the schema of a whole number.

    :param description: what it means.
    :param null: whether null may be in its place.
    :param minimum: the least one; None if there is none.
    :returns: the schema.
    """
    kind = ['integer', 'null'] if null else 'integer'
    found = {'type': kind, 'description': description}
    return found if minimum is None else {**found, 'minimum': minimum}


def boolean(description: str) -> _Schema:
    """Make the schema of what is true or false.

    :param description: what is, if it is true.
    :returns: the schema.
    """
    return {'type': 'boolean', 'description': description}


def items(of: _Schema, description: str) -> _Schema:
    """Make the schema of a list.

    :param of: the schema of an item.
    :param description: what the list is.
    :returns: the schema.
    """
    return {'type': 'array', 'items': of, 'description': description}


def by_name(of: _Schema, description: str) -> _Schema:
    """Make the schema of an object whose fields are not known before.

    :param of: the schema of a field.
    :param description: what the object is.
    :returns: the schema.
    """
    return {
        'type': 'object',
        'additionalProperties': of,
        'description': description,
    }


_LINK = answer(
    {
        'rel': text('What is there: ``self``, ``next`` or ``service-desc``.'),
        'href': text('The URL.', format='uri-reference'),
    },
    'Link',
    'Where something is.',
)

LINKS = items(_LINK, 'Where it is: ``self``.')


def page(name: str, of: _Schema, description: str) -> _Schema:
    """Make the schema of a page of a list.

    :param name: the field with the list.
    :param of: the schema of an item.
    :param description: what the list is.
    :returns: the schema.
    """
    links = f'{name}_links'
    return answer(
        {
            name: items(of, description),
            links: items(
                _LINK,
                'Where the next page is: ``next``, with the same parameters. '
                'Not there on the last page.',
            ),
        },
        optional=(links,),
    )

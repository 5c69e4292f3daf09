# SPDX-License-Identifier: Apache-2.0

"""JSON schemas of what lists are narrowed to and sorted by, and of tags."""

import typing as ty

from nova_cyborg.api import schemas
from nova_cyborg.db.lists import tags

SORT_KEYS = ('created_at', 'updated_at', 'name', 'uuid')
SORT_DIRS = ('asc', 'desc')

_TAG = {
    'type': 'string',
    'minLength': 1,
    'maxLength': 60,
    'format': schemas.CONTEXT_TAG,
    'description': 'What it is found by in lists. Compared exactly: case and '
    'accents matter.',
}
#: Of a device context, which it is found by.
ALL_TAGS = {
    'type': 'array',
    'maxItems': tags.MOST,
    'items': _TAG,
    'description': 'What it is found by in lists.',
}

TAG: dict[str, ty.Any] = {'type': 'object', 'properties': {'tag': _TAG}}
TAGS: dict[str, ty.Any] = {
    'type': 'object',
    'properties': {'tags': ALL_TAGS},
    'required': ['tags'],
    'additionalProperties': False,
}

#: How long a page is.
LIMIT = {
    'type': 'string',
    'format': schemas.NUMBER,
    # As Nova and Cinder have it; to Neutron, 0 is no limit.
    'description': 'At most this many, and none if it is 0; as many as there '
    'may be if left out or larger.',
}


def _text(description: str) -> dict[str, ty.Any]:
    return {
        'type': 'string',
        'minLength': 1,
        'maxLength': 255,
        'pattern': schemas.PRINTABLE,
        'description': description,
    }


def _time(description: str) -> dict[str, ty.Any]:
    return {
        'type': 'string',
        'maxLength': 40,
        'format': schemas.TIME,
        'description': description,
    }


def _tags(description: str) -> dict[str, ty.Any]:
    return {
        'type': 'string',
        'minLength': 1,
        # As long as so many tags, and what is between them; they are read
        # later.
        'maxLength': tags.MOST * 61,
        'description': f'{description}, separated by commas; 50 at most.',
    }


#: Parameters of a query that narrow and sort a list.
QUERY: dict[str, ty.Any] = {
    'resource_class': _text(
        'Only those of which a group, or an alternative of one, asks for this '
        'resource class. Written as at create: ``FPGA_GZIP`` is '
        '``CUSTOM_FPGA_GZIP``.'
    ),
    'trait': _text(
        'Only those of which a group, or an alternative of one, requires this '
        'trait. Written as at create.'
    ),
    'device_profile': _text(
        'Only those whose groups were copied from this device profile (name '
        'or UUID); by its UUID, even if the profile is gone.'
    ),
    'host': _text(
        'Only those with devices on this node, exactly: case matters.'
    ),
    'created_after': _time('Only those that were made then or later.'),
    'created_before': _time('Only those that were made before.'),
    'updated_after': _time(
        'Only those whose ``updated_at`` is this time or later. Those that '
        'were never changed are not among them.'
    ),
    'updated_before': _time(
        'Only those whose ``updated_at`` is before. Those that were never '
        'changed are not among them.'
    ),
    'changes-since': _time(
        'Only those that have changed then or later: that were made, or '
        'changed, or whose server or devices were. What is deleted is not '
        'shown. That a device is missing, or back, does not count; and one '
        'may be shown of which nothing that is shown has changed.'
    ),
    'tags': _tags('Only those that have all of these tags'),
    'tags-any': _tags('Only those that have one of these tags or more'),
    'not-tags': _tags('Only those that do not have all of these tags'),
    'not-tags-any': _tags('Only those that have none of these tags'),
    'sort_key': {
        'enum': list(SORT_KEYS),
        'description': 'What they are sorted by; ``created_at`` if left out. '
        'Those without a value come last.',
    },
    'sort_dir': {
        'enum': list(SORT_DIRS),
        'description': 'In which direction; ``asc`` if left out.',
    },
    'sort': {
        'type': 'string',
        'minLength': 1,
        'maxLength': 100,
        'description': 'Several keys, the first one first, each with or '
        'without a direction, as in ``sort=name:asc,created_at:desc``; in '
        'place of ``sort_key`` and ``sort_dir``. Those that are equal in all '
        'of them are in the order in which they were made, or against it if '
        "the last key's is ``desc``.",
    },
}


def tags_of(name: str) -> dict[str, ty.Any]:
    """Return the schema of the tags that a list is narrowed to.

    :param name: the parameter that names them.
    :returns: the schema of an object with their list.
    """
    return {'type': 'object', 'properties': {name: ALL_TAGS}}

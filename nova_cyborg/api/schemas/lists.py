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
}
#: Of a device context, which it is found by.
ALL_TAGS = {'type': 'array', 'maxItems': tags.MOST, 'items': _TAG}

TAG: dict[str, ty.Any] = {'type': 'object', 'properties': {'tag': _TAG}}
TAGS: dict[str, ty.Any] = {
    'type': 'object',
    'properties': {'tags': ALL_TAGS},
    'required': ['tags'],
    'additionalProperties': False,
}

_TEXT = {
    'type': 'string',
    'minLength': 1,
    'maxLength': 255,
    'pattern': schemas.PRINTABLE,
}
_TIME = {'type': 'string', 'maxLength': 40, 'format': schemas.TIME}
# As long as so many tags, and what is between them; they are read later.
_TAGS = {'type': 'string', 'minLength': 1, 'maxLength': tags.MOST * 61}

#: Parameters of a query that narrow and sort a list.
QUERY: dict[str, ty.Any] = {
    'resource_class': _TEXT,
    'trait': _TEXT,
    'device_profile': _TEXT,
    'host': _TEXT,
    'created_after': _TIME,
    'created_before': _TIME,
    'updated_after': _TIME,
    'updated_before': _TIME,
    'changes-since': _TIME,
    'tags': _TAGS,
    'tags-any': _TAGS,
    'not-tags': _TAGS,
    'not-tags-any': _TAGS,
    'sort_key': {'enum': list(SORT_KEYS)},
    'sort_dir': {'enum': list(SORT_DIRS)},
    'sort': {'type': 'string', 'minLength': 1, 'maxLength': 100},
}


def tags_of(name: str) -> dict[str, ty.Any]:
    """Return the schema of the tags that a list is narrowed to.

    :param name: the parameter that names them.
    :returns: the schema of an object with their list.
    """
    return {'type': 'object', 'properties': {name: ALL_TAGS}}

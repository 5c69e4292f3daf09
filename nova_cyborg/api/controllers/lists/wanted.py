# SPDX-License-Identifier: Apache-2.0

"""What a list is narrowed to and sorted by, read from the query."""

import collections.abc

from oslo_utils import uuidutils

from nova_cyborg import exception, names
from nova_cyborg.api import schemas
from nova_cyborg.api.controllers import handler
from nova_cyborg.api.schemas import lists, times
from nova_cyborg.db import profiles
from nova_cyborg.db.lists import filters as db_filters
from nova_cyborg.db.lists import order

# Is the UUID of no device profile.
_NO_PROFILE = ''

_Query = collections.abc.Mapping[str, str]


def filters(query: _Query) -> db_filters.Filters:
    """Read what a list is narrowed to; with one statement at most.

    :param query: the parameters of the request.
    :returns: what it is narrowed to.
    :raises InvalidRequest: if a value is wrong.
    """
    resource_class, trait = query.get('resource_class'), query.get('trait')
    return db_filters.Filters(
        resource_class=resource_class
        and names.resource_class_name(resource_class, 'resource_class'),
        trait=trait and names.trait_name(trait, 'trait'),
        device_profile_id=_profile_id(query.get('device_profile')),
        host=query.get('host'),
        created=db_filters.Times(
            times.read(query, 'created_after'),
            times.read(query, 'created_before'),
        ),
        updated=db_filters.Times(
            times.read(query, 'updated_after'),
            times.read(query, 'updated_before'),
        ),
        changed_since=times.read(query, 'changes-since'),
        tags=db_filters.Tags(
            all_of=_tags(query, 'tags'),
            any_of=_tags(query, 'tags-any'),
            not_all_of=_tags(query, 'not-tags'),
            not_any_of=_tags(query, 'not-tags-any'),
        ),
    )


def sort(query: _Query) -> order.Keys:
    """Read what a list is sorted by.

    :param query: the parameters of the request.
    :returns: the keys.
    :raises InvalidRequest: if there is no such key or direction.
    """
    if 'sort' not in query:
        key = query.get('sort_key', 'created_at')
        return [(key, query.get('sort_dir', 'asc'))]
    for other in ('sort_key', 'sort_dir'):
        if other in query:
            raise names.invalid(
                'sort', f'it cannot be given together with {other}.'
            )
    found: dict[str, str] = {}
    for item in query['sort'].split(','):
        key, colon, direction = item.strip().partition(':')
        wanted = direction if colon else 'asc'
        if key not in lists.SORT_KEYS or wanted not in lists.SORT_DIRS:
            raise names.invalid(
                'sort',
                f'"{exception.shown(item)}" is not one of '
                f'{", ".join(lists.SORT_KEYS)}, with or without ":asc" or '
                '":desc" behind it.',
            )
        if key in found:
            raise names.invalid('sort', f'{key} is given twice.')
        found[key] = wanted
    return list(found.items())


def _profile_id(name_or_id: str | None) -> str | None:
    if name_or_id is None:
        return None
    if uuidutils.is_uuid_like(name_or_id):
        # Of one that may be gone: what was copied from it is still there.
        return handler.canonical(name_or_id)
    found = profiles.find(handler.request_context(), [name_or_id])
    known = found.get(name_or_id)
    return known.uuid if known else _NO_PROFILE


def _tags(query: _Query, name: str) -> tuple[str, ...]:
    if name not in query:
        return ()
    # Each once, in the order in which they are given.
    found = list(dict.fromkeys(query[name].split(',')))
    schemas.validate({name: found}, lists.tags_of(name))
    return tuple(found)

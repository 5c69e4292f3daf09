# SPDX-License-Identifier: Apache-2.0

"""Device contexts in the form of the API, in full or in part."""

import collections.abc
import contextlib
import json
import threading
import typing as ty
import urllib.parse

import pecan

from nova_cyborg import exception, model

#: Bytes of the device contexts of a page; one alone may take more.
MAX_SIZE = 2**18

FIELDS = (
    'uuid',
    'name',
    'description',
    'project_id',
    'user_id',
    'status',
    'fault',
    'delete_on_termination',
    'live_migration',
    'tag',
    'tags',
    'groups',
    'device_profile_id',
    'server_id',
    'host',
    'devices',
    'bindings',
    'revision',
    'created_at',
    'updated_at',
    'links',
)
# Nova is not told what users find them by.
_FOR_NOVA = tuple(name for name in FIELDS if name != 'tags')
_COLLECTION = 'device_contexts'
# Bytes from which on a page waits for its turn.
_LARGE = 2**17
_one_at_a_time = threading.Lock()


def as_dict(
    context: model.DeviceContext,
    fields: collections.abc.Sequence[str],
) -> dict[str, ty.Any]:
    """Return a device context in the form of the API.

    :param context: the device context.
    :param fields: those of its fields that are wanted.
    :returns: its JSON object.
    """
    # In this order.
    read: dict[str, collections.abc.Callable[[], ty.Any]] = {
        'tags': lambda: list(context.tags),
        'groups': lambda: [
            group.as_dict(context.chosen.get(number))
            for number, group in enumerate(context.groups)
        ],
        'devices': lambda: [device.as_dict() for device in context.devices],
        'bindings': lambda: [each.as_dict() for each in context.bindings],
        'created_at': lambda: time(context.created_at),
        'updated_at': lambda: time(context.updated_at),
        'links': lambda: [
            {'rel': 'self', 'href': url(_COLLECTION, context.uuid)}
        ],
    }
    return {
        name: read[name]() if name in read else getattr(context, name)
        for name in fields
    }


def for_nova(context: model.DeviceContext) -> dict[str, ty.Any]:
    """Return a device context as Nova's side reads it.

    :param context: the device context.
    :returns: its JSON object.
    """
    shown = as_dict(context, _FOR_NOVA)
    return shown | {'groups': [each.as_record() for each in context.groups]}


def chosen(
    query: collections.abc.Mapping[str, str],
) -> collections.abc.Sequence[str]:
    """Read which fields a request wants.

    :param query: the parameters of the request.
    :returns: the fields; all if it does not say.
    :raises InvalidRequest: if there is no such field.
    """
    if 'fields' not in query:
        return FIELDS
    wanted = [name.strip() for name in query['fields'].split(',')]
    for name in wanted:
        if name not in FIELDS:
            raise exception.InvalidRequest(
                field='fields',
                reason=f'there is no field "{exception.shown(name)}". There '
                f'are: {", ".join(FIELDS)}.',
            )
    return [name for name in FIELDS if name in wanted]


@contextlib.contextmanager
def turn(size: int) -> collections.abc.Iterator[None]:
    """Wait for the turn of a page, if it is a large one.

    In a process one large page is made at a time: many that are asked for at
    once would be no faster, take memory together, and have small ones wait
    for all of them.

    :param size: about how many bytes its device contexts take.
    :returns: a context manager; the turn ends with it.
    """
    with _one_at_a_time if size > _LARGE else contextlib.nullcontext():
        yield


def encoded(
    contexts: collections.abc.Iterable[model.DeviceContext],
    fields: collections.abc.Sequence[str],
) -> list[bytes]:
    """Write as many device contexts as have room in a page, one at least.

    :param contexts: the device contexts.
    :param fields: those of their fields that are wanted.
    :returns: the JSON of each.
    """
    found: list[bytes] = []
    size = 0
    for context in contexts:
        item = as_dict(context, fields)
        text = json.dumps(item, ensure_ascii=False).encode()
        size += len(text)
        if found and size > MAX_SIZE:
            break
        found.append(text)
    return found


def page(
    items: collections.abc.Iterable[bytes],
    link: dict[str, str] | None = None,
) -> bytes:
    """Return a page of device contexts.

    :param items: what :func:`encoded` has made.
    :param link: the link to the next page; None if there is none.
    :returns: its JSON.
    """
    links = b''
    if link:
        links = b', "device_contexts_links": [%s]' % json.dumps(link).encode()
    return b'{"device_contexts": [%s]%s}' % (b', '.join(items), links)


def next_link(
    query: collections.abc.Mapping[str, str],
    marker: str,
    collection: str = _COLLECTION,
) -> dict[str, str]:
    """Return the link to the page that follows.

    :param query: the parameters of the request.
    :param marker: UUID of the last one of the page.
    :param collection: what the page is of, as in the path.
    :returns: the link.
    """
    parameters = urllib.parse.urlencode({**query, 'marker': marker})
    return {'rel': 'next', 'href': f'{url(collection)}?{parameters}'}


def time(value: ty.Any) -> str | None:
    """Write a time in UTC as the API has it.

    :param value: a datetime; None for none.
    :returns: such as ``2026-11-28T17:39:02Z``.
    """
    return None if value is None else value.strftime('%Y-%m-%dT%H:%M:%SZ')


def url(collection: str, uuid: str = '') -> str:
    """Write the URL of a resource.

    :param collection: what it is one of, as in the path.
    :param uuid: its UUID; empty for the collection itself.
    :returns: the URL.
    """
    # Where the application is mounted: not all clouds have it at the root.
    public = pecan.request.cfg.api.public_endpoint
    base = public or pecan.request.application_url
    base = f'{base.rstrip("/")}/v2/{collection}'
    return f'{base}/{uuid}' if uuid else base

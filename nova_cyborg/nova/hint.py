# SPDX-License-Identifier: Apache-2.0

"""The scheduler hint that names a server's device contexts.

nova-api, nova-conductor and nova-compute read it here, and so agree on which
servers it concerns: those whose hint names something. Nova's API takes any
JSON for a hint, and Nova keeps it as a list. A comma separates what is named,
as in the values of other hints.
"""

from __future__ import annotations

import collections.abc
import typing as ty
import uuid

from nova import context as nova_context
from nova import exception as nova_exception
from nova import objects
from oslo_utils import uuidutils

from nova_cyborg import exception, model
from nova_cyborg.nova import groups

# In place of what is not known here; no UUID of a device context.
_HELD = 'held'


def named(
    hints: collections.abc.Mapping[str, ty.Any] | None,
) -> list[ty.Any]:
    """Return what the hints of a server name as its device contexts.

    :param hints: the scheduler hints, of a request to Nova's API or of a
        server's request spec.
    :returns: what is named, whatever it is; empty if nothing is.
    """
    if not hints or model.HINT not in hints:
        return []
    value = hints[model.HINT]
    values = value if isinstance(value, list) else [value]
    return [name for each in values for name in _split(each)]


def check_given(hints: collections.abc.Mapping[str, ty.Any] | None) -> None:
    """Check that the hints of new servers name something, if they are there.

    Who asks for a list of no device contexts would get servers without any,
    and not be told. Not checked of servers that exist: some were made so.

    :param hints: the scheduler hints of a request to Nova's API.
    :raises InvalidRequest: if the hint names nothing.
    """
    if hints and model.HINT in hints and not named(hints):
        raise exception.InvalidRequest(
            field=model.HINT,
            reason='it names no device context. Name one at least, or leave '
            'the hint out.',
        )


def of_request(request_spec: objects.RequestSpec | None) -> list[ty.Any]:
    """Return what a server's request names as its device contexts.

    :param request_spec: the server's request, if there is one.
    :returns: what is named; empty if nothing is.
    """
    if request_spec is None or 'scheduler_hints' not in request_spec:
        return []
    return named(request_spec.scheduler_hints)


def of_unmapped(
    context: nova_context.RequestContext, server_id: str
) -> list[ty.Any]:
    """Return what the request of a server names that is in no cell yet.

    Such a server bears no mark; its request is in Nova's API database.

    :param context: the request's context.
    :param server_id: UUID of the server.
    :returns: as :func:`of_request`; empty if there is no request.
    """
    try:
        request_spec = objects.RequestSpec.get_by_instance_uuid(
            context, server_id
        )
    except nova_exception.RequestSpecNotFound:
        return []
    return of_request(request_spec)


def note_held(request_spec: objects.RequestSpec) -> None:
    """Have the hooks see a server that holds device contexts.

    Which ones it holds, Cyborg knows: those that it was given since it was
    made are in the hint, unless somebody has stored the request just then.

    :param request_spec: the server's request; changed in place.
    """
    if not of_request(request_spec):
        _set(request_spec, [_HELD])


def name_held(
    request_spec: objects.RequestSpec,
    context_ids: collections.abc.Sequence[str],
) -> bool:
    """Name in a server's request the device contexts that it holds.

    And no others: one that could not be attached in the end is named until
    the next one is.

    :param request_spec: the server's request; changed in place.
    :param context_ids: UUIDs of the device contexts.
    :returns: whether others were named before.
    """
    before = of_request(request_spec)
    if set(before) == set(context_ids):
        return False
    _set(request_spec, list(context_ids))
    return True


def remove(request_spec: objects.RequestSpec, context_id: str) -> bool:
    """Name a device context in a server's request no more.

    :param request_spec: the server's request; changed in place.
    :param context_id: UUID of the device context.
    :returns: whether it was named before.
    """
    before = of_request(request_spec)
    if context_id not in before:
        return False
    _set(request_spec, [each for each in before if each != context_id])
    return True


def checked_ids(
    hint: collections.abc.Sequence[ty.Any], servers: int
) -> list[str]:
    """Check a hint by itself.

    :param hint: what the hint names.
    :param servers: how many servers are asked for.
    :returns: the UUIDs, in lower case and with hyphens.
    :raises TooManyGroups: if it names more than can be looked at.
    :raises InvalidRequest: if it names nothing at the side of a comma.
    :raises DeviceContextNotFound: if one cannot be a device context's UUID.
    :raises DeviceContextRepeated: if one is named twice.
    :raises DeviceContextShared: if there is more than one server.
    """
    groups.check_context_count(len(hint))
    context_ids: list[str] = []
    for given in hint:
        if given == '':
            raise exception.InvalidRequest(
                field=model.HINT, reason=model.NOTHING_NAMED
            )
        if not uuidutils.is_uuid_like(given):
            # It is anything that a user may send.
            raise exception.DeviceContextNotFound(id=str(given))
        context_id = str(uuid.UUID(given))
        if context_id in context_ids:
            raise exception.DeviceContextRepeated(id=context_id)
        if servers > 1:
            raise exception.DeviceContextShared(id=context_id, count=servers)
        context_ids.append(context_id)
    return context_ids


def _set(request_spec: objects.RequestSpec, value: list[ty.Any]) -> None:
    hints = {
        key: each
        for key, each in (request_spec.scheduler_hints or {}).items()
        if key != model.HINT
    }
    # Another dict: Nova stores what was set anew.
    request_spec.scheduler_hints = hints | (
        {model.HINT: value} if value else {}
    )


def _split(value: ty.Any) -> list[ty.Any]:
    if not isinstance(value, str):
        return [value]
    return [name.strip() for name in value.split(',')]

# SPDX-License-Identifier: Apache-2.0

"""Names and UUIDs, as users type them."""

import collections.abc
import uuid

from nova_cyborg import exception, model, names

# As the API has names.
_LONGEST_NAME = 255


def canonical(text: str) -> str | None:
    """Return a UUID in the form that the APIs use.

    :param text: what the user typed.
    :returns: the UUID, in lower case and with hyphens; None if it is none.
    """
    try:
        return str(uuid.UUID(text))
    except ValueError:
        return None


def required(text: str, error: type[exception.DeviceContextError]) -> str:
    """Return a UUID of what has no name.

    :param text: what the user typed.
    :param error: what there is not if it is no UUID, as of a device.
    :returns: the UUID, as the APIs have it.
    :raises DeviceContextError: that error, if it is no UUID; there is no need
        to ask a server then.
    """
    found = canonical(text)
    if found is None:
        raise error(id=text)
    return found


def may_be_name(text: str) -> bool:
    """Tell whether a device context can have a name.

    :param text: what the user typed.
    :returns: whether there is any use in asking the API for it.
    """
    return (
        0 < len(text) <= _LONGEST_NAME
        and text == text.strip()
        and names.is_printable(text)
    )


def for_one_server(
    texts: collections.abc.Iterable[str],
    count: int,
    find: collections.abc.Callable[[str], str],
) -> list[str]:
    """Find the device contexts of a request for servers.

    :param texts: what the user typed; a comma separates device contexts.
    :param count: the largest number of servers the request may make.
    :param find: finds the UUID of the device context with a name or UUID.
    :returns: the UUIDs, in the given order.
    :raises InvalidRequest: if nothing is at the side of a comma.
    :raises DeviceContextRepeated: if one is named twice.
    :raises DeviceContextShared: if there is more than one server.
    """
    given = [each.strip() for text in texts for each in text.split(',')]
    if not all(given):
        raise exception.InvalidRequest(
            field=model.HINT, reason=model.NOTHING_NAMED
        )
    if given and count > 1:
        raise exception.DeviceContextShared(id=given[0], count=count)
    found: list[str] = []
    for text in given:
        context_id = find(text)
        if context_id in found:
            raise exception.DeviceContextRepeated(id=context_id)
        found.append(context_id)
    return found

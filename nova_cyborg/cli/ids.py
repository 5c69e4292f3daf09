# SPDX-License-Identifier: Apache-2.0

"""UUIDs, as users type them."""

import collections.abc
import uuid

from nova_cyborg import exception, model


def canonical(
    text: str,
    error: type[exception.DeviceContextError] = (
        exception.DeviceContextNotFound
    ),
) -> str:
    """Return a UUID in the form that the APIs use.

    :param text: what the user typed.
    :param error: what there is not if it is no UUID, as of a device context.
    :returns: the UUID, in lower case and with dashes.
    :raises DeviceContextError: that error, if it is no UUID; there is no need
        to ask a server then.
    """
    try:
        return str(uuid.UUID(text))
    except ValueError:
        raise error(id=text) from None


def for_one_server(
    texts: collections.abc.Iterable[str], count: int
) -> list[str]:
    """Check the device contexts of a request for servers.

    :param texts: what the user typed; a comma separates device contexts.
    :param count: the largest number of servers the request may make.
    :returns: the UUIDs, in the given order.
    :raises InvalidRequest: if nothing is at the side of a comma.
    :raises DeviceContextNotFound: if one is no UUID.
    :raises DeviceContextRepeated: if one is named twice.
    :raises DeviceContextShared: if there is more than one server.
    """
    ids: list[str] = []
    for text in (each for given in texts for each in given.split(',')):
        if not text.strip():
            raise exception.InvalidRequest(
                field=model.HINT, reason=model.NOTHING_NAMED
            )
        context_id = canonical(text.strip())
        if context_id in ids:
            raise exception.DeviceContextRepeated(id=context_id)
        ids.append(context_id)
    if ids and count > 1:
        raise exception.DeviceContextShared(id=ids[0], count=count)
    return ids

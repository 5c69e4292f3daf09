# SPDX-License-Identifier: Apache-2.0

"""Waiting until a device context is attached to a server, or detached."""

import sys
import time
import typing as ty

from nova_cyborg import model
from nova_cyborg.cli import errors, http

#: Seconds. Nova waits for devices, and for a guest that is to let go of one,
#: for less by default.
LONGEST = 600
_BETWEEN = 2

_TRANSITIONS = (model.Status.ATTACHING, model.Status.DETACHING)
# As those that are of a server that is built.
_UNDER_WAY = (*_TRANSITIONS, model.Status.RESERVED, model.Status.BINDING)
_STILL = (
    'Device context %(id)s is still %(status)s after %(seconds)d seconds. It '
    'goes on by itself: look with "openstack accelerator device context show '
    '%(id)s".'
)
_NO_LONGER = (
    '\nNo longer waiting. It goes on by itself: look with "openstack '
    'accelerator device context show %(id)s".\n'
)
_NOT_ATTACHED = (
    'Device context %(id)s was not attached to server %(server_id)s. The '
    'actions of the server say more: "openstack server event list '
    '%(server_id)s".'
)
_NOT_DETACHED = (
    'Device context %(id)s was not detached from server %(server_id)s. The '
    'actions of the server say more: "openstack server event list '
    '%(server_id)s".'
)


def attached(clients: ty.Any, context_id: str, server_id: str) -> None:
    """Wait until a device context is attached to a server.

    :param clients: as of :class:`nova_cyborg.cli.http.DeviceContexts`.
    :param context_id: UUID of the device context.
    :param server_id: UUID of the server.
    :raises CommandError: if it was not attached, saying why; or if that takes
        too long.
    """
    context = _settled(clients, context_id, 'Attaching')
    held = context['server_id'] == server_id
    if not held or context['status'] == model.Status.ERROR:
        raise _failed(_NOT_ATTACHED, context, server_id)


def detached(clients: ty.Any, context_id: str, server_id: str) -> None:
    """Wait until a device context is detached from a server.

    :param clients: as of :class:`nova_cyborg.cli.http.DeviceContexts`.
    :param context_id: UUID of the device context.
    :param server_id: UUID of the server.
    :raises CommandError: if it was not detached, saying why; or if that takes
        too long.
    """
    context = _settled(clients, context_id, 'Detaching')
    if context['server_id'] == server_id:
        raise _failed(_NOT_DETACHED, context, server_id)


def settled(clients: ty.Any, context: http.Context) -> http.Context:
    """Wait until nothing is under way with a device context.

    :param clients: as of :class:`nova_cyborg.cli.http.DeviceContexts`.
    :param context: the device context, as it was seen.
    :returns: the device context, as it is.
    :raises CommandError: if that takes too long, or it is gone.
    """
    if context['status'] not in _UNDER_WAY:
        return context
    return _settled(clients, context['uuid'], 'Waiting', _UNDER_WAY)


def _failed(
    sentence: str, context: http.Context, server_id: str
) -> errors.CommandError:
    names = {'id': context['uuid'], 'server_id': server_id}
    return errors.CommandError(context.get('fault') or sentence % names)


def _settled(
    clients: ty.Any,
    context_id: str,
    what: str,
    under_way: tuple[str, ...] = _TRANSITIONS,
) -> http.Context:
    """Return a device context as soon as nothing is under way with it."""
    calls = http.DeviceContexts(clients)
    # Not on the standard output, which scripts read.
    sys.stderr.write(f'{what} ')
    try:
        return _poll(calls, context_id, under_way)
    except KeyboardInterrupt:
        sys.stderr.write(_NO_LONGER % {'id': context_id})
        raise
    finally:
        sys.stderr.write('\n')


def _is_left(context: http.Context) -> bool:
    """Tell whether it stays as it is: it could not be detached this time."""
    return bool(
        context['status'] == model.Status.DETACHING
        and context.get('fault')
        and not context.get('bindings')
    )


def _poll(
    calls: http.DeviceContexts, context_id: str, under_way: tuple[str, ...]
) -> http.Context:
    end = time.monotonic() + LONGEST
    while True:
        context = calls.show(context_id)
        if context['status'] not in under_way or _is_left(context):
            return context
        if time.monotonic() >= end:
            raise errors.CommandError(
                _STILL
                % {
                    'id': context_id,
                    'status': context['status'],
                    'seconds': LONGEST,
                }
            )
        sys.stderr.write('.')
        sys.stderr.flush()
        time.sleep(_BETWEEN)

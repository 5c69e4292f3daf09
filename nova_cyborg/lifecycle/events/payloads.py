# SPDX-License-Identifier: Apache-2.0

"""Events as versioned notifications, in the form of Nova's.

A field that is added raises the minor version; one that is removed, or means
something else, the major one.
"""

import typing as ty

from nova_cyborg.db.events import actions, recording

VERSION = '1.0'

_NAMESPACE = 'nova_cyborg'
_OBJECT = f'{_NAMESPACE}_object'
_PHASES = {
    actions.Outcome.STARTED: '.start',
    actions.Outcome.SUCCESS: '.end',
    actions.Outcome.ERROR: '.error',
}


def event_type(event: recording.Event) -> str:
    """Name the kind of notification that an event is sent as.

    :param event: the event.
    :returns: such as ``device_context.bind.end``.
    """
    what = event.what
    phase = ''
    if what.action in actions.Action.LONG:
        phase = _PHASES[what.outcome]
    return f'device_context.{what.action}{phase}'


def priority(event: recording.Event) -> str:
    """Say how urgent an event is.

    :param event: the event.
    :returns: ``info`` or ``error``.
    """
    failed = event.what.outcome == actions.Outcome.ERROR
    return 'error' if failed else 'info'


def payload(event: recording.Event) -> dict[str, ty.Any]:
    """Write an event for a notification.

    Nothing of what the device context asks for: it may be large, and its
    config data are nobody else's.

    :param event: the event.
    :returns: the payload.
    """
    what = event.what
    is_update = what.action == actions.Action.UPDATE
    message = what.message
    return {
        f'{_OBJECT}.name': 'DeviceContextPayload',
        f'{_OBJECT}.namespace': _NAMESPACE,
        f'{_OBJECT}.version': VERSION,
        f'{_OBJECT}.data': {
            **(event.context or {}),
            'server_id': what.server_id,
            'host': what.host,
            'fault': None if is_update else message,
            'updated_fields': (message or '').split(', ') if is_update else [],
            'action_initiator_user': event.user_id,
            'action_initiator_project': event.project_id,
            'request_id': event.request_id,
            'event_id': event.uuid,
            'occurred_at': event.created_at.strftime('%Y-%m-%dT%H:%M:%SZ'),
        },
    }

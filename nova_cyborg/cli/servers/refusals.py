# SPDX-License-Identifier: Apache-2.0

"""What a user is told when the Compute service (Nova) cannot do it."""

import json
import typing as ty

from nova_cyborg.cli import errors

#: What errors call the service.
SERVICE = 'Compute service (Nova)'

_NOT_SERVED = (
    f'The {SERVICE} of this cloud cannot attach device contexts to servers '
    'that exist. Ask its operators to install nova-cyborg there, or a later '
    'release of it.'
)
_FAILED = f'The {SERVICE} answered with HTTP status %d.'


class NotServed(errors.CommandError):
    """Nova has no routes for device contexts of servers."""


def from_response(response: errors.Response) -> errors.CommandError:
    """Say why Nova refused.

    :param response: an answer with an HTTP status of 400 or more.
    :returns: the error to raise.
    """
    sentence = _own_sentence(response.text)
    if sentence:
        return errors.CommandError(sentence)
    # A Nova without the routes answers with what its web library makes.
    if response.status_code in (404, 405):
        return NotServed(_NOT_SERVED)
    return errors.CommandError(_FAILED % response.status_code)


def _own_sentence(text: str) -> str | None:
    # {"conflictingRequest": {"code": 409, "message": "..."}}, and other words
    # than "conflictingRequest" for other statuses.
    try:
        body: ty.Any = json.loads(text)
    except ValueError:
        return None
    if not isinstance(body, dict) or len(body) != 1:
        return None
    (error,) = body.values()
    if not isinstance(error, dict) or not error.get('message'):
        return None
    # What its web library makes has line ends.
    return ' '.join(str(error['message']).split())

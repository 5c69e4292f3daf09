# SPDX-License-Identifier: Apache-2.0

"""What a user is told when the Accelerator service cannot do it.

The one place where the failures of a call become a sentence; what Nova
refuses is in :mod:`.servers.refusals`.
"""

import json
import re
import typing as ty

from keystoneauth1 import exceptions as ksa_exc
from openstack import exceptions as sdk_exc
from osc_lib import exceptions as osc_exc

from nova_cyborg import names
from nova_cyborg.cli.listing import filters

#: What a call raises; whatever else is a bug, and shows a traceback.
CALL_FAILURES = (ksa_exc.ClientException, sdk_exc.SDKException)

# By which the clients say, each release in another way, that the catalog has
# no endpoint.
_NO_ENDPOINT = (
    ksa_exc.EndpointNotFound,
    ksa_exc.EmptyCatalog,
    sdk_exc.NotSupported,
    sdk_exc.ServiceDisabledException,
)
_NOT_SERVED = (
    'The Accelerator service (Cyborg) of this cloud does not serve device '
    'contexts. Ask its operators to install nova-cyborg there.'
)
_SERVICE = 'Accelerator service (Cyborg)'
_NO_SERVICE = (
    'This cloud has no %(service)s that you can reach: %(reason)s. Check the '
    'region and the interface with "openstack catalog list".'
)
_UNREACHABLE = 'The cloud did not answer: %(reason)s'
_UNAUTHORIZED = (
    'The Accelerator service (Cyborg) did not accept your token. Log in '
    'again; if that does not help, ask its operators to check '
    '[keystone_authtoken] of cyborg.conf.'
)
_FORBIDDEN = (
    'The Accelerator service (Cyborg) does not allow you to do this%(reason)s.'
)
_FAILED = (
    'The Accelerator service (Cyborg) answered with HTTP status '
    '%(status)d%(reason)s.'
)
_LONGEST_REASON = 300


# How the API refuses a field, and what the user typed for it.
_OF_SEVERAL = re.compile(r'device_contexts\[\d+\]\.')
_INVALID_CODE = 'nova_cyborg.invalid_request'
# A key of an extra spec has colons of its own.
_INVALID = re.compile(r'Invalid (.+?): (.*)', re.DOTALL)
_TYPED = {
    'all_projects': '--all-projects',
    'delete_on_termination': '--delete-on-termination',
    'description': '--description',
    'device_contexts': '--count',
    'flavor': '--flavor',
    'groups': '--group',
    'image': '--image',
    'key': '--key',
    'limit': '--limit',
    'live_migration': '--live-migration',
    'marker': '--marker',
    'name': '--name',
    'project_id': '--project-id',
    'reason': '--reason',
    'resources': '--resources',
    'server_id': '--server',
    'sort': '--sort',
    'sort_dir': '--sort',
    'sort_key': '--sort',
    'status': '--status',
    'tag': '--tag',
    **filters.TYPED,
}


class CommandError(osc_exc.CommandError):
    """What went wrong, in a sentence that any terminal can show.

    :param sentence: the sentence. It may repeat what somebody has typed, or
        what a service has answered: what in it would move the cursor, or do
        more, is written as Python would write it.
    """

    def __init__(self, sentence: str) -> None:
        super().__init__(printable(sentence))


class Refused(CommandError):
    """The API does not take the value of a field.

    :param field: the field, as the API has it.
    :param reason: why, in a sentence.
    """

    def __init__(self, field: str, reason: str) -> None:
        # Of several device contexts the options are the same; of what is in a
        # field, the field was typed.
        own = _OF_SEVERAL.sub('', field, count=1)
        typed = _TYPED.get(own.partition('.')[0], own)
        super().__init__(f'{typed}: {reason}')
        self.field = field
        self.reason = reason


class Response(ty.Protocol):
    """What is needed of a ``requests.Response``."""

    @property
    def status_code(self) -> int:
        """The HTTP status."""

    @property
    def text(self) -> str:
        """The body."""


def printable(text: str) -> str:
    """Write a text so that a terminal shows it, and does nothing else.

    :param text: the text, in any script.
    :returns: the same, with ``\\x1b`` in the place of an escape character.
    """
    return ''.join(
        char
        if names.is_printable(char)
        else char.encode('unicode_escape').decode('ascii')
        for char in text
    )


def from_failure(failure: Exception, service: str = _SERVICE) -> CommandError:
    """Say why a call got no answer.

    :param failure: one of :data:`CALL_FAILURES`.
    :param service: what was called.
    :returns: the error to raise.
    """
    reason = str(failure).rstrip('.')
    if isinstance(failure, _NO_ENDPOINT):
        return CommandError(
            _NO_SERVICE % {'service': service, 'reason': reason}
        )
    if isinstance(failure, ksa_exc.ConnectionError):
        return CommandError(_UNREACHABLE % {'reason': reason})
    return CommandError(str(failure))


def from_response(response: Response) -> CommandError:
    """Say why the Accelerator service refused.

    :param response: an answer with an HTTP status of 400 or more.
    :returns: the error to raise.
    """
    status = response.status_code
    own = _own_error(response)
    if own:
        return own
    # Stock Cyborg's answers to GET, and to all other methods.
    if status in (404, 405):
        return CommandError(_NOT_SERVED)
    if status == 401:
        return CommandError(_UNAUTHORIZED)
    reason = _foreign_reason(response.text)
    text = _FORBIDDEN if status == 403 else _FAILED
    return CommandError(
        text % {'status': status, 'reason': f': {reason}' if reason else ''}
    )


def _own_error(response: Response) -> CommandError | None:
    # The form that device_contexts' errors have, and no other part of
    # Cyborg's.
    body = _json(response.text)
    errors = body.get('errors') if isinstance(body, dict) else None
    if not isinstance(errors, list) or not errors:
        return None
    error = errors[0]
    if not isinstance(error, dict) or not error.get('detail'):
        return None
    sentence = ' '.join(str(error['detail']).split())
    refusal = _INVALID.fullmatch(sentence)
    if refusal and error.get('code') == _INVALID_CODE:
        return Refused(*refusal.groups())
    if response.status_code >= 500 and error.get('request_id'):
        # For the operator, who finds it in the service's log.
        sentence += f' (request {error["request_id"]})'
    return CommandError(sentence)


def _foreign_reason(text: str) -> str:
    # Cyborg's own errors are {"error_message": ...}, where the message is an
    # object with a "faultstring", often as a string of JSON again.
    body = _json(text)
    message = body.get('error_message') if isinstance(body, dict) else text
    if isinstance(message, str):
        message = _json(message) or message
    if isinstance(message, dict):
        message = message.get('faultstring') or message.get('detail')
    reason = ' '.join(str(message or '').split()).rstrip('.')
    # A web server's page says nothing to a user.
    return '' if reason.startswith('<') else reason[:_LONGEST_REASON]


def _json(text: str) -> ty.Any:
    try:
        return json.loads(text)
    except ValueError:
        return None

# SPDX-License-Identifier: Apache-2.0

"""What a user is told when the Accelerator service cannot do it.

The one place where the failures of a call become a sentence; what Nova
refuses is in :mod:`.servers.refusals`.
"""

import json
import typing as ty

from keystoneauth1 import exceptions as ksa_exc
from openstack import exceptions as sdk_exc
from osc_lib import exceptions as osc_exc

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


class Response(ty.Protocol):
    """What is needed of a ``requests.Response``."""

    @property
    def status_code(self) -> int:
        """The HTTP status."""

    @property
    def text(self) -> str:
        """The body."""


def from_failure(
    failure: Exception, service: str = _SERVICE
) -> osc_exc.CommandError:
    """Say why a call got no answer.

    :param failure: one of :data:`CALL_FAILURES`.
    :param service: what was called.
    :returns: the error to raise.
    """
    reason = str(failure).rstrip('.')
    if isinstance(failure, _NO_ENDPOINT):
        return osc_exc.CommandError(
            _NO_SERVICE % {'service': service, 'reason': reason}
        )
    if isinstance(failure, ksa_exc.ConnectionError):
        return osc_exc.CommandError(_UNREACHABLE % {'reason': reason})
    return osc_exc.CommandError(str(failure))


def from_response(response: Response) -> osc_exc.CommandError:
    """Say why the Accelerator service refused.

    :param response: an answer with an HTTP status of 400 or more.
    :returns: the error to raise.
    """
    status = response.status_code
    sentence = _own_sentence(response)
    if sentence:
        return osc_exc.CommandError(sentence)
    # Stock Cyborg's answers to GET, and to all other methods.
    if status in (404, 405):
        return osc_exc.CommandError(_NOT_SERVED)
    if status == 401:
        return osc_exc.CommandError(_UNAUTHORIZED)
    reason = _foreign_reason(response.text)
    text = _FORBIDDEN if status == 403 else _FAILED
    return osc_exc.CommandError(
        text % {'status': status, 'reason': f': {reason}' if reason else ''}
    )


def _own_sentence(response: Response) -> str | None:
    # The form that device_contexts' errors have, and no other part of
    # Cyborg's.
    body = _json(response.text)
    errors = body.get('errors') if isinstance(body, dict) else None
    if not isinstance(errors, list) or not errors:
        return None
    error = errors[0]
    if not isinstance(error, dict) or not error.get('detail'):
        return None
    sentence = str(error['detail'])
    if response.status_code >= 500 and error.get('request_id'):
        # For the operator, who finds it in the service's log.
        sentence += f' (request {error["request_id"]})'
    return sentence


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

# SPDX-License-Identifier: Apache-2.0

"""Calls to the Compute service, and which of its servers is meant."""

import collections.abc
import re
import typing as ty

from nova_cyborg.cli import errors, ids
from nova_cyborg.cli.servers import refusals

# Of servers of one name.
_MOST_NAMED = 10
_NONE = (
    'Server %(name)s was not found in the project. List the ones there are '
    'with "openstack server list".'
)
_SEVERAL = (
    'Several servers have the name "%(name)s": %(ids)s. Say the UUID of the '
    'one that is meant.'
)


class Response(errors.Response, ty.Protocol):
    """What is needed of a ``requests.Response``."""

    def json(self) -> ty.Any:
        """Return what the body says."""


#: Sends a request to Nova: a path, a method, and arguments of ``requests``.
#: It raises nothing because of the status of the answer.
Send = collections.abc.Callable[..., Response]


def of(clients: ty.Any) -> Send:
    """Return what sends requests to Nova.

    :param clients: osc-lib's client manager, or one like it.
    :returns: the function. Nova is looked for when it is called.
    """

    def send(path: str, method: str, **kwargs: ty.Any) -> Response:
        # "compute" of the client manager is python-novaclient's in old
        # releases.
        return clients.sdk_connection.compute.request(path, method, **kwargs)

    return send


def call(send: Send, method: str, path: str, **kwargs: ty.Any) -> ty.Any:
    """Send a request to Nova.

    :param send: sends it.
    :param method: the HTTP method.
    :param path: the path after the endpoint.
    :param kwargs: as ``requests`` takes them.
    :returns: what the body of the answer says.
    :raises CommandError: if Nova refuses or does not answer.
    """
    try:
        response = send(path, method, raise_exc=False, **kwargs)
    except errors.CALL_FAILURES as failure:
        raise errors.from_failure(failure, refusals.SERVICE) from failure
    if response.status_code >= 400:
        raise refusals.from_response(response)
    return response.json() if response.text else None


def server_id(send: Send, given: str, all_projects: bool = False) -> str:
    """Find the UUID of a server, with one call for a name.

    :param send: sends a request to Nova.
    :param given: its name or UUID, as the user typed it. What may be a UUID
        is no name.
    :param all_projects: whether it may be in another project than the user's.
    :returns: the UUID.
    :raises CommandError: if there is no server with the name, or several; or
        if Nova refuses or does not answer.
    """
    found = ids.canonical(given)
    if found is not None:
        return found
    matches = _with_name(send, given, all_projects)
    if not matches:
        raise errors.CommandError(_NONE % {'name': given})
    if len(matches) > 1:
        shown = matches[:_MOST_NAMED]
        if len(matches) > len(shown):
            shown.append('and others')
        names = {'name': given, 'ids': ', '.join(shown)}
        raise errors.CommandError(_SEVERAL % names)
    return matches[0]


def _with_name(send: Send, name: str, all_projects: bool) -> list[str]:
    # Nova looks for names by a regular expression, and some of its databases
    # take capitals and small letters for the same.
    query = {'name': f'^{re.escape(name)}$'}
    if all_projects:
        query['all_tenants'] = '1'
    found = call(send, 'GET', '/servers', params=query)['servers']
    return [each['id'] for each in found if each['name'] == name]

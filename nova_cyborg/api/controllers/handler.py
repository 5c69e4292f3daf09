# SPDX-License-Identifier: Apache-2.0

"""What every handler of ours does first and last, in one order.

A handler authorizes, validates, acts, and returns what is the response's
body; whatever it raises becomes an error body here.
"""

import collections.abc
import functools
import json
import logging
import re
import typing as ty
import uuid

import pecan
from cyborg import context as cyborg_context
from cyborg.common import authorize_wsgi, service_token_utils
from cyborg.common import exception as cyborg_exception
from oslo_utils import uuidutils

from nova_cyborg import exception
from nova_cyborg.api import faults, requests, schemas
from nova_cyborg.db.repeated import keys
from nova_cyborg.lifecycle.events import counting

LOG = logging.getLogger(__name__)

_Handler = collections.abc.Callable[..., ty.Any]

#: Objects and lists that may be in each other in a body: more than twice as
#: many as there are in any that is taken.
MAX_DEPTH = 20
# A condition that is not looked at would count as met. When a GET says
# If-None-Match, it may be answered in full.
_IF_MATCH = 'If-Match'
_CONDITIONS = (_IF_MATCH, 'If-Unmodified-Since')
_CONDITIONS_OF_CHANGES = (*_CONDITIONS, 'If-None-Match')
# An ETag as RFC 9110 has it, and a list of them. A weak one matches nothing.
_ETAG = r'(?:W/)?"[\x21\x23-\x7e\x80-\xff]*"'
_ETAGS = re.compile(rf'{_ETAG}(?:[ \t]*,[ \t]*{_ETAG})*')
_REVISION = re.compile(r'(?<!W/)"(0|[1-9][0-9]{0,8})"')
_KEY = re.compile(r'[\x21-\x7e]{1,255}')


def handle(
    action: str,
    status: int = 200,
    service_only: bool = False,
    query: dict[str, ty.Any] = schemas.NO_QUERY,
    if_match: bool = False,
    any_token: bool = False,
) -> collections.abc.Callable[[_Handler], _Handler]:
    """Decorate a controller's method as the handler of an action.

    :param action: the policy that must allow it.
    :param status: the HTTP status when it succeeds.
    :param service_only: whether a service token is needed.
    :param query: the JSON schema of the query, for :func:`read_query`.
    :param if_match: whether it looks at :func:`wanted_revisions`.
    :param any_token: whether a token of no project will do.
    :returns: a decorator for methods that take the parts of the path, and
        return the JSON body as a dict, or as bytes; or None for an empty one.
    """

    def decorate(method: _Handler) -> _Handler:
        @functools.wraps(method)
        def run(self: object, *parts: str) -> ty.Any:
            try:
                authorize(action, any_token)
                if service_only:
                    _require_service_token()
                _check_conditions(if_match)
                pecan.request.checked_query = _checked_query(query)
                # The method may set another one.
                pecan.response.status = status
                result = method(self, *parts)
            except exception.DeviceContextError as exc:
                counting.refusal(exc.error_code)
                if isinstance(exc, exception.PlacementFailed):
                    LOG.error(
                        'Request %s has failed: %s',
                        pecan.request.environ.get('openstack.request_id'),
                        exc.in_full(),
                    )
                pecan.response.status = exc.status
                return faults.body(exc, pecan.request.environ)
            if result is None:
                # No body at all: one behind a 204 would be taken for the
                # beginning of the connection's next response.
                pecan.override_template(None)
                return ''
            if isinstance(result, bytes):
                pecan.override_template(None, 'application/json')
            return result

        # pecan looks at the signature for the parts of the path it passes.
        return pecan.expose('json')(run)

    return decorate


def request_context() -> cyborg_context.RequestContext:
    """Return the context of the request that is being handled."""
    return pecan.request.context


def visible_project() -> str | None:
    """Return the project whose device contexts a request may see.

    :returns: its ID; None if it may see those of any.
    """
    context = request_context()
    return None if context.is_admin else context.project_id


def authorize(action: str, any_token: bool = False) -> None:
    """Check the policy of an action for the request's own project.

    :param action: the name of the policy.
    :param any_token: whether the token may be of no project.
    :raises Forbidden: if it does not allow the action, or the token is of no
        project.
    """
    context = request_context()
    if not context.project_id and not any_token:
        # Policies compare it with itself, and would find them the same.
        raise exception.Forbidden(action=action)
    credentials = context.to_policy_values()
    credentials['is_admin'] = context.is_admin
    target = {'project_id': context.project_id, 'user_id': context.user_id}
    try:
        authorize_wsgi.authorize(action, target, credentials, do_raise=True)
    except cyborg_exception.HTTPForbidden as exc:
        raise exception.Forbidden(action=action) from exc


def is_allowed(action: str) -> bool:
    """Tell whether the policy of an action allows it.

    :param action: the name of the policy.
    :returns: whether it does.
    """
    try:
        authorize(action)
    except exception.Forbidden:
        return False
    return True


def _check_conditions(if_match: bool) -> None:
    is_read = pecan.request.method == 'GET'
    for name in _CONDITIONS if is_read else _CONDITIONS_OF_CHANGES:
        if name in pecan.request.headers and not (
            if_match and name == _IF_MATCH
        ):
            raise exception.InvalidRequest(
                field=name, reason='no such condition can be set here.'
            )


def _require_service_token() -> None:
    if not service_token_utils.is_service_request(request_context()):
        raise exception.ServiceTokenRequired()


def read_body(
    schema: dict[str, ty.Any],
    otherwise: tuple[str, dict[str, ty.Any]] | None = None,
) -> dict[str, ty.Any]:
    """Read the request's body.

    :param schema: the JSON schema it must follow.
    :param otherwise: a field, and the schema of what has it, if there are
        two forms.
    :returns: the parsed body.
    :raises InvalidRequest: if it is not JSON, too deep, or not what the
        schema says.
    :raises RequestTooLarge: if it is as large as only one of the second form
        may be.
    """
    body = pecan.request.body
    try:
        document = _parsed(body)
    except ValueError as exc:
        raise exception.InvalidRequest(
            field='body', reason='it must be JSON in UTF-8.'
        ) from exc
    except RecursionError as exc:
        raise _too_deep() from exc
    # What says what is wrong with a document goes down into it, and no deeper
    # than Python lets it.
    if _is_too_deep(document):
        raise _too_deep()
    if otherwise and isinstance(document, dict) and otherwise[0] in document:
        schema = otherwise[1]
    else:
        requests.check_size(len(body))
    schemas.validate(document, schema)
    return ty.cast(dict[str, ty.Any], document)


def _too_deep() -> exception.InvalidRequest:
    return exception.InvalidRequest(
        field='body',
        reason=f'it must not be nested deeper than {MAX_DEPTH} levels.',
    )


def _is_too_deep(document: ty.Any) -> bool:
    level = [document]
    for _depth in range(MAX_DEPTH):
        level = [child for each in level for child in _children(each)]
    return any(isinstance(each, dict | list) for each in level)


def _children(value: ty.Any) -> collections.abc.Iterable[ty.Any]:
    if isinstance(value, dict):
        return value.values()
    return value if isinstance(value, list) else ()


def _parsed(body: bytes) -> ty.Any:
    # Not as bytes: it would be taken in other encodings, too.
    return json.loads(body.decode(), object_pairs_hook=_object)


def _object(pairs: list[tuple[str, ty.Any]]) -> dict[str, ty.Any]:
    found: dict[str, ty.Any] = {}
    for name, value in pairs:
        if name in found:
            raise exception.InvalidRequest(
                field='body',
                reason=f'it has "{exception.shown(name)}" more than once in '
                'an object.',
            )
        found[name] = value
    return found


def read_query() -> dict[str, str]:
    """Return the parameters of the request's query.

    :returns: the parameters, which are what the handler's schema says.
    """
    return ty.cast(dict[str, str], pecan.request.checked_query)


def _checked_query(schema: dict[str, ty.Any]) -> dict[str, str]:
    query: dict[str, str] = {}
    for name, value in pecan.request.GET.items():
        if name in query:
            raise exception.InvalidRequest(
                field=name, reason='it is given more than once.'
            )
        query[name] = value
    schemas.validate(query, schema, 'query')
    return query


def wanted_revisions() -> frozenset[int] | None:
    """Return the revisions that a resource must be at.

    :returns: those that If-Match names; None if any will do.
    :raises InvalidRequest: if it is no list of ETags.
    """
    given = pecan.request.headers.get(_IF_MATCH, '*').strip()
    if given == '*':
        return None
    if not _ETAGS.fullmatch(given):
        raise exception.InvalidRequest(
            field=_IF_MATCH,
            reason='it must be "*", or ETags with their quotes, separated by '
            'commas.',
        )
    # Of what is no revision, nothing is the ETag.
    return frozenset(map(int, _REVISION.findall(given)))


def show_revision(revision: int) -> None:
    """Have the answer say what revision the resource is at.

    :param revision: the revision.
    """
    pecan.response.headers['ETag'] = f'"{revision}"'


def idempotency_key(body: dict[str, ty.Any]) -> keys.Key | None:
    """Return what the request is known by when it is repeated.

    :param body: the body of the request.
    :returns: the key; None if the request has none.
    :raises InvalidRequest: if the header is no key.
    """
    given = pecan.request.headers.get('Idempotency-Key')
    if given is None:
        return None
    if not _KEY.fullmatch(given):
        raise exception.InvalidRequest(
            field='Idempotency-Key',
            reason='it must be 1 to 255 printable ASCII characters without '
            'a space.',
        )
    # The order of fields does not matter.
    asked = json.dumps(body, sort_keys=True)
    return keys.Key(request_context().project_id, given, asked)


def canonical_uuid(text: str, error: Exception) -> str:
    """Check a UUID of a path.

    :param text: the part of the path.
    :param error: what to raise if it is no UUID: not found, so that what
        cannot exist and what does not exist look the same.
    :returns: the UUID in lower case, with hyphens.
    """
    if not uuidutils.is_uuid_like(text):
        raise error
    return canonical(text)


def context_id(text: str) -> str:
    """Check the UUID of a device context of a path.

    :param text: the part of the path.
    :returns: the UUID in lower case, with hyphens.
    :raises DeviceContextNotFound: if it is no UUID.
    """
    return canonical_uuid(text, exception.DeviceContextNotFound(id=text))


def canonical(text: str) -> str:
    """Spell a UUID as the database does.

    :param text: a UUID, which a schema has let pass.
    :returns: the UUID in lower case, with hyphens.
    """
    return str(uuid.UUID(text))

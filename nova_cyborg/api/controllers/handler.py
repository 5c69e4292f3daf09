# SPDX-License-Identifier: Apache-2.0

"""What every handler of ours does first and last, in one order.

A handler authorizes, validates, acts, and returns what is the response's
body; whatever it raises becomes an error body here.
"""

import collections.abc
import functools
import inspect
import json
import typing as ty
import uuid

import pecan
from cyborg import context as cyborg_context
from cyborg.common import authorize_wsgi, service_token_utils
from cyborg.common import exception as cyborg_exception
from oslo_utils import uuidutils

from nova_cyborg import exception
from nova_cyborg.api import faults, schemas
from nova_cyborg.lifecycle.events import counting

_Handler = collections.abc.Callable[..., ty.Any]


def handle(
    action: str, status: int = 200, service_only: bool = False
) -> collections.abc.Callable[[_Handler], _Handler]:
    """Decorate a controller's method as the handler of an action.

    :param action: the policy that must allow it.
    :param status: the HTTP status when it succeeds.
    :param service_only: whether a service token is needed.
    :returns: a decorator for methods that take the parts of the path, and
        return the JSON body as a dict, or as bytes; or None for an empty one.
    """

    def decorate(method: _Handler) -> _Handler:
        signature = inspect.signature(method)

        @functools.wraps(method)
        def run(self: object, *parts: str) -> ty.Any:
            _check_path(signature, self, *parts)
            try:
                authorize(action)
                if service_only:
                    _require_service_token()
                result = method(self, *parts)
            except exception.DeviceContextError as exc:
                counting.refusal(exc.error_code)
                pecan.response.status = exc.status
                return faults.body(exc, pecan.request.environ)
            pecan.response.status = status
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


def _check_path(signature: inspect.Signature, *parts: object) -> None:
    # pecan passes on as many parts as the path has.
    try:
        signature.bind(*parts)
    except TypeError:
        pecan.abort(404)


def request_context() -> cyborg_context.RequestContext:
    """Return the context of the request that is being handled."""
    return pecan.request.context


def authorize(action: str) -> None:
    """Check the policy of an action for the request's own project.

    :param action: the name of the policy.
    :raises Forbidden: if it does not allow the action, or the token is of no
        project.
    """
    context = request_context()
    if not context.project_id:
        # Policies compare it with itself, and would find them the same.
        raise exception.Forbidden(action=action)
    credentials = context.to_policy_values()
    credentials['is_admin'] = context.is_admin
    target = {'project_id': context.project_id, 'user_id': context.user_id}
    try:
        authorize_wsgi.authorize(action, target, credentials, do_raise=True)
    except cyborg_exception.HTTPForbidden as exc:
        raise exception.Forbidden(action=action) from exc


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
    :raises InvalidRequest: if it is not JSON, or not what the schema says.
    """
    try:
        document = json.loads(pecan.request.body)
    except (ValueError, RecursionError) as exc:
        raise exception.InvalidRequest(
            field='body', reason='it must be JSON.'
        ) from exc
    if otherwise and isinstance(document, dict) and otherwise[0] in document:
        schema = otherwise[1]
    schemas.validate(document, schema)
    return ty.cast(dict[str, ty.Any], document)


def read_query(schema: dict[str, ty.Any]) -> dict[str, str]:
    """Read the request's query.

    :param schema: the JSON schema its parameters must follow.
    :returns: the parameters.
    :raises InvalidRequest: if they are not what the schema says.
    """
    query: dict[str, str] = {}
    for name, value in pecan.request.GET.items():
        if name in query:
            raise exception.InvalidRequest(
                field=name, reason='it is given more than once.'
            )
        query[name] = value
    schemas.validate(query, schema, 'query')
    return query


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


def canonical(text: str) -> str:
    """Spell a UUID as the database does.

    :param text: a UUID, which a schema has let pass.
    :returns: the UUID in lower case, with hyphens.
    """
    return str(uuid.UUID(text))

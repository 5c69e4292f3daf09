# SPDX-License-Identifier: Apache-2.0

"""What is said of an operation: a method of a path."""

import collections.abc
import dataclasses
import typing as ty

from nova_cyborg import exception
from nova_cyborg.api import schemas

Schema: ty.TypeAlias = dict[str, ty.Any]
#: When each error is answered; empty where its sentence says it.
Errors: ty.TypeAlias = collections.abc.Mapping[
    type[exception.DeviceContextError], str
]

#: What every request may be refused with.
OF_ALL: Errors = {
    exception.InvalidRequest: 'a field, a parameter or a condition is wrong, '
    'unknown or missing, or the body is no JSON, or is nested too deeply',
    exception.RequestTooLarge: '',
    exception.BodyIncomplete: 'the body ends too early',
    exception.Forbidden: 'policy does not allow it',
    exception.NotAcceptable: '',
    exception.DeviceContextError: 'the log of cyborg-api says why',
}
# What a request of a path with a parameter may be refused with, by the
# parameter.
_OF_PATHS: dict[str, Errors] = {
    '{': {exception.RouteNotFound: 'no part of a path can be so'},
    '/device_contexts/{uuid}': {
        exception.DeviceContextNotFound: 'no device context of the project '
        'has the UUID, or the path has no UUID'
    },
    '{server_id}': {
        exception.AllocationNotFound: 'the server holds no device contexts, '
        'or the path has no UUID'
    },
    '/device_taints/{uuid}': {exception.DeviceTaintNotFound: ''},
}
_FOR_SERVICES: Errors = {
    exception.ServiceTokenRequired: 'the request has no service token'
}


@dataclasses.dataclass(frozen=True)
class Answer:
    """What is answered when all is well.

    :ivar status: the HTTP status.
    :ivar description: what that says.
    :ivar schema: the schema of the body; None if there is none.
    :ivar headers: headers that it has besides those of all answers.
    :ivar maybe: headers that it may have.
    :ivar links: where the UUID of a path of other operations is in the body,
        by the names of these operations.
    """

    status: int
    description: str
    schema: Schema | None = None
    headers: tuple[str, ...] = ()
    maybe: tuple[str, ...] = ()
    links: collections.abc.Mapping[str, str] = dataclasses.field(
        default_factory=dict
    )


@dataclasses.dataclass(frozen=True)
class Operation:
    """A method of a path.

    :ivar name: what it is known by in the document.
    :ivar method: the method, in upper case.
    :ivar path: the path, as its policies have it.
    :ivar summary: what it does, in a few words.
    :ivar policies: the policy that must allow it; then, those for a part.
    :ivar answers: what is answered when all is well.
    :ivar description: what else is to be known of it.
    :ivar query: the schema of its query.
    :ivar body: the schema of its body; None if it has none.
    :ivar headers: headers of the request that it looks at, besides those that
        all do.
    :ivar errors: what it may be refused with, besides what all may be.
    :ivar service_only: whether a service token is needed.
    """

    name: str
    method: str
    path: str
    summary: str
    policies: tuple[str, ...]
    answers: tuple[Answer, ...]
    description: str = ''
    query: Schema = dataclasses.field(default_factory=lambda: schemas.NO_QUERY)
    body: Schema | None = None
    headers: tuple[str, ...] = ()
    errors: Errors = dataclasses.field(default_factory=dict)
    service_only: bool = False

    @property
    def refusals(self) -> Errors:
        """What it may be refused with."""
        found = dict(OF_ALL)
        for part, errors in _OF_PATHS.items():
            if part in self.path:
                found |= errors
        if self.service_only:
            found |= _FOR_SERVICES
        return found | dict(self.errors)

    @property
    def tag(self) -> str:
        """The noun that it is of: the collection that its path begins with."""
        return self.path.split('/')[2]

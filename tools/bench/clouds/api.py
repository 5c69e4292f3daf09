# SPDX-License-Identifier: Apache-2.0

"""The APIs of a cloud, with requests that can be followed."""

import http
import typing as ty
import uuid

import requests
from keystoneauth1 import adapter

from tools.bench import exception
from tools.cloud import running
from tools.cloud.model import credentials

#: What the ids of requests begin with that are followed.
FOLLOWED = 'req-be9c4be9-'
# Longer than anything takes that is measured, but no more than that.
_SECONDS = 1200
_COMPUTE_VERSION = '2.100'
_VERSIONS = {
    'accelerator': None,
    'compute': _COMPUTE_VERSION,
    'identity': None,
    'image': None,
}


def new_request() -> str:
    """Return the id of a request that is to be followed."""
    return FOLLOWED + str(uuid.uuid4()).partition('-')[2]


class Api:
    """A user's sessions with the APIs of a cloud.

    :param user: who it is: admin, demo or other.
    """

    def __init__(self, cloud: running.RunningCloud, user: str) -> None:
        session = credentials.log_in(cloud.environment(user), _SECONDS)
        self._apis = {
            service: adapter.Adapter(
                session,
                service_type=service,
                default_microversion=version,
                raise_exc=False,
            )
            for service, version in _VERSIONS.items()
        }
        # None of what is measured has to wait for this.
        self.project = str(session.get_project_id())

    def ask(
        self,
        service: str,
        method: str,
        path: str,
        body: ty.Any = None,
        request: str | None = None,
    ) -> requests.Response:
        """Send a request, once.

        :param service: the API's type.
        :param method: the HTTP method.
        :param path: the path.
        :param body: the body, if it has one.
        :param request: the id by which it is followed.
        :returns: the answer, which may be a refusal.
        """
        return self._apis[service].request(
            path, method, json=body, global_request_id=request
        )

    def do(
        self,
        service: str,
        method: str,
        path: str,
        body: ty.Any = None,
        request: str | None = None,
    ) -> ty.Any:
        """Send a request that is not to be refused; see :meth:`ask`.

        :returns: what the answer has; None if it has nothing.
        :raises Refused: if it is refused.
        """
        answer = self.ask(service, method, path, body, request)
        if answer.status_code >= http.HTTPStatus.BAD_REQUEST:
            raise exception.Refused(
                f'{method} {service} {path}', answer.status_code, answer.text
            )
        return answer.json() if answer.content else None

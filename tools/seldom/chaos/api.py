# SPDX-License-Identifier: Apache-2.0

"""The APIs, as one sees them who goes on when they are down."""

import time
import typing as ty

import requests
from keystoneauth1 import adapter, session
from keystoneauth1 import exceptions as ks_exc
from keystoneauth1.identity import v3

from tools.cloud import cloud as cloud_module

# One request; a service that is killed may leave a connection open.
_REQUEST_SECONDS = 90
_PAUSE = 1.0
_COMPUTE_VERSION = '2.100'


class GaveUp(Exception):
    """An API has not served a request in time.

    :param what: the request.
    :param last: what came of its last try.
    """

    def __init__(self, what: str, last: str) -> None:
        super().__init__(f'{what}: {last}')


class User:
    """A user's sessions with the APIs.

    :param cloud: the cloud.
    :param name: who it is.
    """

    def __init__(self, cloud: cloud_module.Cloud, name: str) -> None:
        variables = cloud.environment(name)
        its_session = session.Session(
            auth=v3.Password(
                auth_url=variables['OS_AUTH_URL'],
                username=variables['OS_USERNAME'],
                password=variables['OS_PASSWORD'],
                project_name=variables['OS_PROJECT_NAME'],
                user_domain_name=variables['OS_USER_DOMAIN_NAME'],
                project_domain_name=variables['OS_PROJECT_DOMAIN_NAME'],
            ),
            timeout=_REQUEST_SECONDS,
        )
        self._apis = {
            service: adapter.Adapter(
                its_session,
                service_type=service,
                default_microversion=version,
                raise_exc=False,
            )
            for service, version in (
                ('accelerator', None),
                ('compute', _COMPUTE_VERSION),
                ('identity', None),
                ('image', None),
            )
        }

    def ask(
        self,
        service: str,
        method: str,
        path: str,
        seconds: float = 60,
        again: tuple[int, ...] = (),
        json: ty.Any = None,
    ) -> requests.Response:
        """Send a request, again and again while it is not served.

        :param service: the API's type.
        :param method: the HTTP method.
        :param path: the path.
        :param seconds: how long to try.
        :param again: what is a reason to try again, beside server errors.
        :param json: the body.
        :returns: the answer, which may be a refusal.
        :raises GaveUp: if there is none in time.
        """
        end = time.monotonic() + seconds
        while True:
            last = self._try(service, method, path, json)
            if not isinstance(last, str):
                status = last.status_code
                if status < 500 and status not in again:
                    return last
                last = f'{status} {last.text[:300]}'
            if time.monotonic() > end:
                raise GaveUp(f'{method} {service} {path}', last)
            time.sleep(_PAUSE)

    def _try(
        self, service: str, method: str, path: str, json: ty.Any
    ) -> requests.Response | str:
        try:
            answer: requests.Response = self._apis[service].request(
                path, method, json=json
            )
        except ks_exc.ClientException as error:
            # No connection, or one that was cut.
            return str(error)
        return answer

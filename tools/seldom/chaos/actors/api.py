# SPDX-License-Identifier: Apache-2.0

"""The APIs, as one sees them who goes on when they are down."""

import typing as ty

import requests
import tenacity
from keystoneauth1 import adapter
from keystoneauth1 import exceptions as ks_exc

from tools.cloud import cloud as cloud_module
from tools.cloud.model import credentials

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

    :param name: who it is.
    """

    def __init__(self, cloud: cloud_module.Cloud, name: str) -> None:
        session = credentials.log_in(cloud.environment(name), _REQUEST_SECONDS)
        self._apis = {
            service: adapter.Adapter(
                session,
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

        def is_reason(answer: requests.Response) -> bool:
            return answer.status_code >= 500 or answer.status_code in again

        retrying = tenacity.Retrying(
            # No connection, or one that was cut.
            retry=tenacity.retry_if_exception_type(ks_exc.ClientException)
            | tenacity.retry_if_result(is_reason),
            wait=tenacity.wait_fixed(_PAUSE),
            stop=tenacity.stop_after_delay(seconds),
        )
        try:
            return retrying(
                self._apis[service].request, path, method, json=json
            )
        except tenacity.RetryError as error:
            what = f'{method} {service} {path}'
            raise GaveUp(what, _outcome(error.last_attempt)) from None


def _outcome(attempt: tenacity.Future) -> str:
    if attempt.failed:
        return str(attempt.exception())
    answer = attempt.result()
    return f'{answer.status_code} {answer.text[:300]}'

# SPDX-License-Identifier: Apache-2.0

"""Waiting for conditions, never without an end."""

import collections.abc
import http
import operator

import requests
import tenacity

from tools.cloud import exception

_PAUSE = 0.2


def _nothing() -> None:
    pass


def until(
    what: str,
    condition: collections.abc.Callable[[], bool],
    seconds: float,
    check: collections.abc.Callable[[], None] = _nothing,
) -> None:
    """Wait until a condition holds.

    :param what: the condition, to complete "waited for ...".
    :param condition: tells whether it holds.
    :param seconds: how long to wait at most.
    :param check: called before each try; it raises when waiting is no use.
    :raises StepFailed: if the condition does not hold in time.
    """

    def holds() -> bool:
        check()
        return condition()

    try:
        tenacity.Retrying(
            retry=tenacity.retry_if_result(operator.not_),
            wait=tenacity.wait_fixed(_PAUSE),
            stop=tenacity.stop_after_delay(seconds),
        )(holds)
    except tenacity.RetryError:
        raise exception.StepFailed(
            f'Waited {seconds:.0f} s in vain for {what}.'
        ) from None


def answers(url: str) -> bool:
    """Tell whether an API answers.

    :param url: its address.
    :returns: True if it does, be it with a refusal.
    """
    try:
        response = requests.get(url, timeout=5)
    except requests.RequestException:
        return False
    return response.status_code < http.HTTPStatus.INTERNAL_SERVER_ERROR

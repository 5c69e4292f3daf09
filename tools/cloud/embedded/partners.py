# SPDX-License-Identifier: Apache-2.0

"""Waiting for the services that a service needs before it starts."""

import functools

from tools.cloud import waiting
from tools.cloud.model import state as cloud_state

_SECONDS = 120


def wait_for(state: cloud_state.State, *services: str) -> None:
    """Wait until services answer.

    :param services: their names.
    :raises StepFailed: if one does not, in good time.
    """
    for service in services:
        waiting.until(
            f'{service} to answer',
            functools.partial(waiting.answers, state.url(service)),
            _SECONDS,
        )

# SPDX-License-Identifier: Apache-2.0

"""Looking at a server until something has become of it."""

import typing as ty

import tenacity

from tools.seldom.chaos.actors import api

_PAUSE = 0.5

Server: ty.TypeAlias = 'dict[str, ty.Any] | None'


def watch(
    user: api.User,
    server_id: str,
    ends: tuple[str, ...],
    seconds: float,
    idle: bool = False,
) -> Server:
    """Look until a server is gone or has a status, or for so long.

    :param user: who looks.
    :param ends: the statuses.
    :param idle: whether nothing must be under way with it, either.
    :returns: the server as it was when it was last looked at; None if it is
        gone.
    """

    def look() -> Server:
        answer = user.ask('compute', 'GET', f'/servers/{server_id}')
        if answer.status_code == 404:
            return None
        found: dict[str, ty.Any] = answer.json()['server']
        return found

    def goes_on(server: Server) -> bool:
        if server is None:
            return False
        # Of a cell whose database is down, Nova says no more than UNKNOWN.
        busy = idle and server.get('OS-EXT-STS:task_state') is not None
        return busy or server['status'] not in ends

    found: Server = tenacity.Retrying(
        retry=tenacity.retry_if_result(goes_on),
        wait=tenacity.wait_fixed(_PAUSE),
        stop=tenacity.stop_after_delay(seconds),
        retry_error_callback=_last,
    )(look)
    return found


def _last(calls: tenacity.RetryCallState) -> ty.Any:
    return calls.outcome and calls.outcome.result()

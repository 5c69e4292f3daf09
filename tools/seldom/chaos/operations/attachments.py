# SPDX-License-Identifier: Apache-2.0

"""A server gets a second device context while it runs, and loses it."""

import collections.abc
import http
import typing as ty

import tenacity

from tools.seldom.chaos.operations import acting, contexts

_PAUSE = 0.5
_BOUND, _AVAILABLE = 'bound', 'available'
# Nothing becomes of these by themselves.
_ENDS = (_BOUND, _AVAILABLE, 'error')


class Attachments:
    """Attaches and detaches, for one who boots servers.

    :param deeds: has it done.
    :param mine: the device contexts.
    """

    def __init__(self, deeds: acting.Acting, mine: contexts.Contexts) -> None:
        self._deeds = deeds
        self._contexts = mine

    def attach(
        self,
        server_id: str,
        kind: str,
        arrived: collections.abc.Callable[[], None],
    ) -> str:
        """Attach a device context to a server, and detach it.

        :param server_id: UUID of the server.
        :param kind: the accelerator of one that is made for it.
        :param arrived: is called when its guest has both.
        :returns: the server's status after that; ``stuck`` if something is
            still under way.
        """
        context_id = self._contexts.take(kind, keep=True)
        path = f'/servers/{server_id}/os-device-contexts'
        body = {'deviceContextAttachment': {'device_context_id': context_id}}
        status = self._ask('attach', 'POST', path, context_id, body)
        if status == _BOUND:
            arrived()
            # What it loses may be another one's at once.
            self._deeds.notes.leaves(server_id)
            path = f'{path}/{context_id}'
            status = self._ask('detach', 'DELETE', path, context_id)
        if status == _AVAILABLE:
            self._contexts.give_back(context_id)
        return 'ACTIVE' if status in (_BOUND, _AVAILABLE) else 'stuck'

    def _ask(
        self,
        what: str,
        method: str,
        path: str,
        context_id: str,
        body: ty.Any = None,
    ) -> str:
        """Ask for something; return what the device context is after it."""
        answer = self._deeds.user.ask(
            'compute', method, path, acting.REQUEST_SECONDS, json=body
        )
        # A refusal may be that of a second try, after a first that was taken.
        status = self._wait(context_id)
        refused = answer.status_code >= http.HTTPStatus.BAD_REQUEST
        self._deeds.notes.note_action(what, 'refused' if refused else status)
        return status

    def _wait(self, context_id: str) -> str:
        """Wait until nothing is done with a device context any more."""

        def look() -> str:
            answer = self._deeds.user.ask(
                'accelerator', 'GET', f'/device_contexts/{context_id}'
            )
            return str(answer.json().get('status'))

        found: str = tenacity.Retrying(
            retry=tenacity.retry_if_result(lambda each: each not in _ENDS),
            wait=tenacity.wait_fixed(_PAUSE),
            stop=tenacity.stop_after_delay(acting.SECONDS),
            retry_error_callback=lambda _state: 'stuck',
        )(look)
        return found

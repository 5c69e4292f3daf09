# SPDX-License-Identifier: Apache-2.0

"""Whether every nova-conductor has the plugin.

Nova's databases name them, and each is asked on the message bus of its cell;
:mod:`nova_cyborg.nova.conductor.presence` says why they are asked.
"""

from __future__ import annotations

import collections.abc
import threading
import time
import typing as ty

import oslo_messaging as messaging
from nova import context as nova_context
from nova import objects, rpc, servicegroup
from oslo_messaging._drivers import impl_fake

from nova_cyborg.checks import answers, results
from nova_cyborg.nova.conductor import presence

_BINARY = 'nova-conductor'
_GRACE = 5
# Conductors of one host name share a queue, and take turns at it.
_TIMES = 4


def check() -> results.Result:
    """Ask all of them."""
    found = answers.Found()
    asked: dict[answers.Conductor, _Asking] = {}
    admin = nova_context.get_admin_context()
    for cell in objects.CellMappingList.get_all(admin):
        with nova_context.target_cell(admin, cell) as context:
            asked.update(_ask_cell(context, cell, found))
    end = time.monotonic() + answers.SECONDS + _GRACE
    for conductor, asking in asked.items():
        asking.join(max(0, end - time.monotonic()))
        asking.record(conductor, found)
    return answers.judge(found)


def _ask_cell(
    context: nova_context.RequestContext,
    cell: objects.CellMapping,
    found: answers.Found,
) -> collections.abc.Iterator[tuple[answers.Conductor, _Asking]]:
    # Super-conductors keep their records in cell0, which has no bus; theirs
    # is that of the API, and of this configuration.
    transport = context.mq_connection or rpc.create_transport(None)
    groups = servicegroup.API()
    for service in objects.ServiceList.get_by_binary(
        context, _BINARY, include_disabled=True
    ):
        conductor = answers.Conductor(service.host, cell.name or cell.uuid)
        if groups.service_is_up(service):
            asking = _Asking(transport, service.host)
            asking.start()
            yield conductor, asking
        else:
            found.down.append(conductor)


class _Asking(threading.Thread):
    """Asks one conductor; left behind if it takes too long.

    oslo.messaging tries for ever to connect to a bus that is down, whatever
    time-out a call has.
    """

    def __init__(
        self, transport: messaging.transport.Transport, host: str
    ) -> None:
        super().__init__(daemon=True)
        self._transport = transport
        self._host = host
        self._answer: dict[str, ty.Any] | None = None
        self._problem = 'no connection'

    def run(self) -> None:
        """Ask, until one at the queue has not the plugin."""
        try:
            for _time in range(_TIMES):
                self._answer = presence.ask(
                    self._transport, self._host, answers.SECONDS
                )
                if self._answer is None:
                    break
            self._problem = ''
        except messaging.MessagingException as exc:
            self._problem = type(exc).__name__

    def record(
        self, conductor: answers.Conductor, found: answers.Found
    ) -> None:
        """Say what became of it.

        :param conductor: the conductor.
        :param found: where to say it.
        """
        if not self._problem and self._answer is None:
            found.without.append(conductor)
        elif not self._problem:
            found.answers[conductor] = self._answer or {}
        elif isinstance(self._transport._driver, impl_fake.FakeDriver):
            found.unheard.append(conductor)
        else:
            found.silent[conductor] = self._problem

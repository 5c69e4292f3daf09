# SPDX-License-Identifier: Apache-2.0

"""Asking services on a message bus, all at the same time."""

from __future__ import annotations

import collections.abc
import threading
import time
import typing as ty

import oslo_messaging as messaging
from oslo_messaging._drivers import impl_fake

#: Seconds for an answer.
SECONDS = 10
_GRACE = 5
#: How often to ask, to hear all: services of one queue take turns at it.
TIMES = 4

#: What a service says; None if it has not the plugin.
Answer: ty.TypeAlias = 'dict[str, ty.Any] | None'


class Asking(threading.Thread):
    """Asks at one queue; left behind if it takes too long.

    oslo.messaging tries for ever to connect to a bus that is down, whatever
    time-out a call has.

    :param transport: the message bus.
    :param ask: asks once, and waits :data:`SECONDS` at most.
    :param times: how often to ask.
    :ivar answers: what was answered.
    :ivar problem: why there is no answer; empty if there is one each time.
    """

    def __init__(
        self,
        transport: messaging.transport.Transport,
        ask: collections.abc.Callable[[], Answer],
        times: int = TIMES,
    ) -> None:
        super().__init__(daemon=True)
        self._transport = transport
        self._ask = ask
        self._times = times
        self.answers: list[Answer] = []
        self.problem = 'no connection'

    def run(self) -> None:
        """Ask, as often as it is to be."""
        try:
            for _time in range(self._times):
                self.answers.append(self._ask())
            self.problem = ''
        except messaging.MessagingException as exc:
            self.problem = type(exc).__name__

    @property
    def is_of_another_process(self) -> bool:
        """Whether the bus is the memory of a process, perhaps of another."""
        return isinstance(self._transport._driver, impl_fake.FakeDriver)


def wait(
    askings: collections.abc.Iterable[Asking], seconds: int | None = None
) -> None:
    """Wait until all have an answer, or will have none.

    :param askings: what was asked, and is being waited for.
    :param seconds: how long each waits; :data:`SECONDS` if None.
    """
    seconds = SECONDS if seconds is None else seconds
    end = time.monotonic() + seconds + _GRACE
    for asking in askings:
        asking.join(max(0, end - time.monotonic()))

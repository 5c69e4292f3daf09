# SPDX-License-Identifier: Apache-2.0

"""Counting what happens, for metrics.

Each process counts in its memory, and adds that to the database from time to
time: it costs a request nothing. What is not added when it is killed is lost.
"""

import atexit
import bisect
import logging
import threading

from cyborg import context as cyborg_context

from nova_cyborg.db.events import actions, recording
from nova_cyborg.db.metrics import counts

LOG = logging.getLogger(__name__)

_Key = tuple[str, str]


class Counter:
    """What was counted, and is not added to the database yet.

    :param interval: seconds until it is; 0 counts nothing.
    """

    def __init__(self, interval: float) -> None:
        self._interval = interval
        self._lock = threading.Lock()
        self._timer: threading.Timer | None = None
        self._found: dict[_Key, counts.Count] = {}

    def event(self, event: recording.Event) -> None:
        """Count an event.

        :param event: the event.
        """
        what = event.what
        self.add(counts.EVENTS, f'{what.action}/{what.outcome}')
        bound = (what.action, what.outcome) == (
            actions.Action.BIND,
            actions.Outcome.SUCCESS,
        )
        if bound and what.seconds is not None:
            index = bisect.bisect_left(counts.SECONDS, what.seconds)
            self.add(
                counts.BINDINGS, counts.SECONDS_LABELS[index], what.seconds
            )

    def refusal(self, code: str) -> None:
        """Count a request that is refused, or a server without a host.

        :param code: the code of the error, or the reason.
        """
        self.add(counts.REFUSALS, code)

    def add(self, name: str, label: str, seconds: float = 0) -> None:
        """Count something.

        :param name: what is counted.
        :param label: which of them it was.
        :param seconds: how long it took.
        """
        if not self._interval:
            return
        with self._lock:
            self._add((name, label), counts.Count(1, seconds))
            # One of a process that was forked since is not alive.
            if self._timer is None or not self._timer.is_alive():
                self._timer = threading.Timer(self._interval, self.flush)
                self._timer.daemon = True
                self._timer.start()

    def flush(self) -> None:
        """Add what was counted to the database; raise nothing."""
        with self._lock:
            found, self._found, self._timer = self._found, {}, None
        if not found:
            return
        try:
            counts.add(cyborg_context.get_admin_context(), found)
        except Exception as exc:  # noqa: BLE001
            LOG.warning('What was counted is added later: %s', exc)
            with self._lock:
                for key, count in found.items():
                    self._add(key, count)

    def stop(self) -> None:
        """Add what is left, and count no more."""
        self._interval = 0
        with self._lock:
            timer = self._timer
        if timer is not None:
            timer.cancel()
        self.flush()

    def _add(self, key: _Key, count: counts.Count) -> None:
        self._found[key] = self._found.get(key, counts.Count()) + count


_counter = Counter(0)


def start(interval: float) -> None:
    """Count in this process, from now on.

    :param interval: seconds until what was counted is added to the database;
        0 counts nothing.
    """
    global _counter
    _counter.stop()
    _counter = Counter(interval)
    recording.subscribe('metrics', _counter.event if interval else None)


def refusal(code: str) -> None:
    """Count a request that is refused, or a server without a host.

    It costs the request nothing.

    :param code: the code of the error, or the reason.
    """
    _counter.refusal(code)


def flush() -> None:
    """Add what was counted to the database now."""
    _counter.flush()


atexit.register(flush)

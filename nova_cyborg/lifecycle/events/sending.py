# SPDX-License-Identifier: Apache-2.0

"""Sending events as notifications.

The message bus may be slow, or down, and no request waits for it, or fails:
a thread sends what others leave to it. It leaves out what it cannot send.
"""

import logging
import queue
import threading
import time
import typing as ty

import oslo_messaging
from cyborg.common import rpc

from nova_cyborg.db.events import recording
from nova_cyborg.lifecycle.events import payloads

LOG = logging.getLogger(__name__)

#: How many may wait to be sent: some megabytes.
MOST = 5000
# Seconds between two lines of the log that say that some were left out.
_SAID_EVERY = 60


class Sender:
    """Sends events, each once at most; it is called with them.

    :param service: the service that sends them.
    :param host: the host that it is known by.
    :param topics: where to.
    """

    def __init__(self, service: str, host: str, topics: list[str]) -> None:
        self._publisher = f'{service}:{host}'
        self._topics = topics
        self._waiting: queue.Queue[recording.Event] = queue.Queue(MOST)
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._said_at: float | None = None

    def __call__(self, event: recording.Event) -> None:
        """Leave an event to the thread, unless too many wait already.

        :param event: the event.
        """
        try:
            self._waiting.put_nowait(event)
        except queue.Full:
            self._say_full()
            return
        with self._lock:
            # Not when it is made: the process may be forked after that.
            if self._thread is None or not self._thread.is_alive():
                self._thread = threading.Thread(
                    target=self._run, name='device-context-events', daemon=True
                )
                self._thread.start()

    def drain(self) -> None:
        """Wait until all that was left to the thread is sent."""
        self._waiting.join()

    def _say_full(self) -> None:
        now = time.monotonic()
        if self._said_at is None or now - self._said_at >= _SAID_EVERY:
            self._said_at = now
            LOG.warning(
                'Notifications are left out, because %d wait to be sent', MOST
            )

    def _run(self) -> None:
        notifier: oslo_messaging.Notifier | None = None
        while True:
            event = self._waiting.get()
            try:
                if notifier is None:
                    notifier = self._notifier()
                _send(notifier, event)
            except Exception as exc:  # noqa: BLE001
                # Whatever the bus raises; the next one may get through.
                LOG.warning('A notification could not be sent: %s', exc)
            finally:
                self._waiting.task_done()

    def _notifier(self) -> oslo_messaging.Notifier:
        return oslo_messaging.Notifier(
            rpc.NOTIFICATION_TRANSPORT,
            publisher_id=self._publisher,
            topics=self._topics,
            # By default, for ever: the others would wait behind it.
            retry=0,
        )


def _send(notifier: ty.Any, event: recording.Event) -> None:
    send = getattr(notifier, payloads.priority(event))
    # Without the context of the request, which has its token.
    send({}, payloads.event_type(event), payloads.payload(event))

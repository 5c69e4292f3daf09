# SPDX-License-Identifier: Apache-2.0

"""Watching a device context go through its states.

Some last for a fraction of a second, less than a command takes to start: so
the API is asked by a thread, again and again.
"""

import collections.abc
import threading
import time
import types

from tools.cloud import exception
from tools.cloud.model import credentials

_PAUSE = 0.02


class Watcher:
    """Records the states of a device context while a block runs.

    :param environment: the variables with which the clients log in.
    :param context_id: UUID of the device context.
    :ivar seen: seconds since the beginning, and the state, of each change.
    """

    def __init__(
        self,
        environment: collections.abc.Mapping[str, str],
        context_id: str,
    ) -> None:
        self.seen: list[tuple[float, str]] = []
        self._session = credentials.log_in(environment)
        endpoint = self._session.get_endpoint(service_type='accelerator')
        self._url = f'{str(endpoint).rstrip("/")}/device_contexts/{context_id}'
        self._started = time.monotonic()
        self._done = threading.Event()
        self._changed = threading.Condition()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> 'Watcher':
        """Begin to watch."""
        self._look()
        self._thread.start()
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: types.TracebackType | None,
    ) -> None:
        """Stop watching."""
        self._done.set()
        self._thread.join(10)

    def wait_for(self, status: str, seconds: float) -> None:
        """Wait for a state.

        :param status: the state.
        :param seconds: how long it may take.
        :raises StepFailed: if it does not come in time.
        """
        with self._changed:
            if not self._changed.wait_for(
                lambda: self.seen[-1][1] == status, seconds
            ):
                raise exception.StepFailed(
                    f'the device context is {self.seen[-1][1]}, not {status}'
                )

    def _watch(self) -> None:
        while not self._done.wait(_PAUSE):
            self._look()

    def _look(self) -> None:
        status = self._session.get(self._url).json()['status']
        with self._changed:
            if not self.seen or self.seen[-1][1] != status:
                seconds = time.monotonic() - self._started
                self.seen.append((seconds, status))
                self._changed.notify_all()

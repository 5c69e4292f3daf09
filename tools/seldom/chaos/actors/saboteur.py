# SPDX-License-Identifier: Apache-2.0

"""Kills services, and starts them again."""

import collections
import random
import threading

from tools.cloud import cloud as cloud_module
from tools.cloud import exception
from tools.command_line import progress

# Programs whose names begin so are victims.
_VICTIMS = (
    'nova-conductor-',
    'nova-compute-',
    'cyborg-api',
    'cyborg-conductor',
)
_MOST_AT_ONCE = 2
# With more of them down or on their way up, next to nothing would be booted:
# on a slow machine they need longer, and so there are fewer faults.
_MOST_NOT_READY = 2
_PAUSE = 1.0
_DOWN_SECONDS = (0.5, 8.0)
_UP_SECONDS = (1.0, 6.0)


class Saboteur(threading.Thread):
    """Kills random services with SIGKILL, until it is told to stop.

    It does not wait until one that it starts is ready: some are killed again
    on their way up.

    :param seed: what its choices follow from.
    :param report: where to tell what it does.
    """

    def __init__(
        self,
        cloud: cloud_module.Cloud,
        seed: int,
        report: progress.Progress,
    ) -> None:
        super().__init__(name='saboteur', daemon=True)
        self.faults: collections.Counter[str] = collections.Counter()
        self._cloud = cloud
        # Numbers decide, no cryptography.
        self._random = random.Random(f'{seed} saboteur')  # noqa: S311
        self._report = report
        self._stop_now = threading.Event()
        self._victims = victims(cloud)
        self._error: exception.CloudError | None = None

    def run(self) -> None:
        """Kill and start, until :meth:`finish`."""
        try:
            while not self._stop_now.is_set():
                if self._may_strike():
                    self._strike()
                else:
                    self._stop_now.wait(_PAUSE)
        except exception.CloudError as error:
            self._error = error

    def finish(self) -> None:
        """End it, and start all that it has killed.

        :raises CloudError: if it has not done its work, or something does not
            start.
        """
        self._stop_now.set()
        self.join()
        for name in self._victims:
            self._cloud.start_service(name)
        if self._error:
            raise self._error

    def _may_strike(self) -> bool:
        ready = [self._cloud.is_ready(name) for name in self._victims]
        return ready.count(False) <= _MOST_NOT_READY

    def _strike(self) -> None:
        number = self._random.randint(1, _MOST_AT_ONCE)
        chosen = self._random.sample(self._victims, number)
        for name in chosen:
            with self._report.step(f'kill -9 {name}'):
                self._cloud.kill_service(name)
            self.faults[_kind(name)] += 1
        self._stop_now.wait(self._random.uniform(*_DOWN_SECONDS))
        for name in chosen:
            with self._report.step(f'start {name}'):
                self._cloud.launch_service(name)
        self._stop_now.wait(self._random.uniform(*_UP_SECONDS))


def victims(cloud: cloud_module.Cloud) -> list[str]:
    """Return the programs that may be killed.

    :returns: their names.
    """
    return [
        each.name for each in cloud.status() if each.name.startswith(_VICTIMS)
    ]


def _kind(name: str) -> str:
    return next(kind for kind in _VICTIMS if name.startswith(kind)).rstrip('-')

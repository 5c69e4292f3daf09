# SPDX-License-Identifier: Apache-2.0

"""Kills services, and starts them again."""

import collections
import collections.abc
import dataclasses
import random
import threading

from tools.cloud import cloud as cloud_module
from tools.cloud import exception
from tools.cloud.model import programs
from tools.command_line import progress
from tools.seldom.chaos.actors import holds

#: Whom it may be told to kill. Programs whose names begin so are meant.
VICTIMS = (
    'nova-conductor',
    'nova-compute',
    'cyborg-api',
    'cyborg-conductor',
    'cyborg-agent',
    'placement',
    'database',
    'rabbitmq',
)
# Without one of these there is no cloud to speak of: they are killed rarely,
# and nothing is beside them.
_RARE = ('database', 'rabbitmq')
_RARELY = 0.05
# With more of them down or on their way up, next to nothing would be booted:
# on a slow machine they need longer, and so there are fewer faults.
_MOST_NOT_READY = 2
_PAUSE = 1.0


@dataclasses.dataclass(frozen=True)
class Rhythm:
    """How often, how many, and for how long.

    :ivar most: how many are killed at once, at most.
    :ivar down: for how many seconds they are down, at least and at most.
    :ivar up: after how many seconds the next ones are killed.
    """

    most: int
    down: tuple[float, float]
    up: tuple[float, float]


RANDOM = Rhythm(2, (0.5, 8.0), (1.0, 6.0))
#: One each ten seconds.
STEADY = Rhythm(1, (1.0, 1.0), (9.0, 9.0))


class Saboteur(threading.Thread):
    """Kills services with SIGKILL, until it is told to stop.

    It does not wait until one that it starts is ready: some are killed again
    on their way up. What ends by itself, as what it needs is down, it starts
    again, as an operator's supervisor would.

    :param names: the programs that it may kill.
    :param seed: what its choices follow from.
    :param held: which services nobody else may kill or start.
    :param report: where to tell what it does.
    :param rhythm: how often it kills.
    """

    def __init__(
        self,
        cloud: cloud_module.Cloud,
        names: collections.abc.Sequence[str],
        seed: int,
        held: holds.Holds,
        report: progress.Progress,
        rhythm: Rhythm = RANDOM,
    ) -> None:
        super().__init__(name='saboteur', daemon=True)
        self.faults: collections.Counter[str] = collections.Counter()
        self._cloud = cloud
        self._names = names
        # Numbers decide, no cryptography.
        self._random = random.Random(f'{seed} saboteur')  # noqa: S311
        self._holds = held
        self._report = report
        self._rhythm = rhythm
        self._stop_now = threading.Event()
        self._error: exception.CloudError | None = None

    def run(self) -> None:
        """Kill and start, until :meth:`finish`."""
        try:
            while not self._stop_now.is_set():
                self._revive()
                if self._may_strike():
                    self._strike()
                else:
                    self._stop_now.wait(_PAUSE)
        except exception.CloudError as error:
            self._error = error

    def finish(self) -> None:
        """End it; what it has killed was told to start.

        :raises CloudError: if it has not done its work.
        """
        self._stop_now.set()
        self.join()
        if self._error:
            raise self._error

    def _may_strike(self) -> bool:
        ready = [self._cloud.is_ready(name) for name in self._names]
        return ready.count(False) <= _MOST_NOT_READY

    def _revive(self) -> None:
        for each in self._cloud.status():
            if each.name not in self._names or (
                each.state not in programs.ENDED
            ):
                continue
            if self._holds.take(each.name):
                with self._report.step(f'start {each.name}, which had ended'):
                    self._cloud.launch_service(each.name)
                self._holds.give(each.name)

    def _strike(self) -> None:
        chosen = [name for name in self._choose() if self._holds.take(name)]
        try:
            for name in chosen:
                with self._report.step(f'kill -9 {name}'):
                    self._cloud.kill_service(name)
                self.faults[_kind(name)] += 1
            self._stop_now.wait(self._random.uniform(*self._rhythm.down))
            for name in chosen:
                with self._report.step(f'start {name}'):
                    self._cloud.launch_service(name)
        finally:
            self._holds.give(*chosen)
        self._stop_now.wait(self._random.uniform(*self._rhythm.up))

    def _choose(self) -> list[str]:
        rare = [name for name in self._names if name in _RARE]
        usual = [name for name in self._names if name not in _RARE]
        if rare and (not usual or self._random.random() < _RARELY):
            return [self._random.choice(rare)]
        most = min(self._rhythm.most, len(usual))
        return self._random.sample(usual, self._random.randint(1, most))


def start_all(cloud: cloud_module.Cloud) -> None:
    """Start all that is down, and first what the others need.

    :raises StepFailed: if something does not start.
    """
    names = [each.name for each in cloud.status()]
    for name in sorted(names, key=lambda name: name not in _RARE):
        cloud.start_service(name)


def find(
    cloud: cloud_module.Cloud, kinds: collections.abc.Iterable[str]
) -> list[str]:
    """Find the programs of some kinds of victims.

    :param kinds: the kinds, of :data:`VICTIMS`.
    :returns: the programs' names.
    """
    wanted = tuple(kinds)
    return [
        each.name for each in cloud.status() if each.name.startswith(wanted)
    ]


def _kind(name: str) -> str:
    return next(kind for kind in VICTIMS if name.startswith(kind))

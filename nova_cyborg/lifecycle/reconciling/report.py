# SPDX-License-Identifier: Apache-2.0

"""What reconciling has found, repaired, and could not repair."""

from __future__ import annotations

import collections
import collections.abc
import dataclasses
import logging
import time
import typing as ty

from nova_cyborg import exception

LOG = logging.getLogger(__name__)

# Of one and the same, before a person is told.
_FAILURES = 3
# Seconds until one that has failed is tried again: after as often as above,
# twice as long each time, up to the longest.
_FIRST, _LONGEST = 30, 600
# Servers of which Placement is to be asked before their turn.
_MOST_TOUCHED = 10_000
# Somebody has begun something with it: it is looked at anew.
_CHANGED = (
    exception.AlreadyBegun,
    exception.OtherAttempt,
    exception.StaleGeneration,
    exception.StillBound,
)

#: Puts something right. Looks again first, and returns whether it was so.
Repair = collections.abc.Callable[[], bool]


class Budget:
    """How long a tick may take; what has begun is ended.

    :param seconds: how long.
    """

    def __init__(self, seconds: float) -> None:
        self._end = time.monotonic() + seconds

    @property
    def left(self) -> bool:
        """Whether there is time for more."""
        return time.monotonic() < self._end


@dataclasses.dataclass
class _Failure:
    """What could not be repaired.

    :ivar times: how often that has failed.
    :ivar due: when it is tried again.
    """

    times: int = 0
    due: float = 0


class Report:
    """Counts by kind, since the process has begun to reconcile.

    :param touched: UUIDs of servers that another process has put something
        right of, and has not asked Placement about.
    """

    def __init__(self, touched: collections.abc.Iterable[str] = ()) -> None:
        self.found: collections.Counter[str] = collections.Counter()
        self.repaired: collections.Counter[str] = collections.Counter()
        self.failed: collections.Counter[str] = collections.Counter()
        # In order, and each once.
        self._touched: dict[str, None] = {}
        for server_id in touched:
            self.touch(server_id)
        self._failures: dict[tuple[str, str], _Failure] = {}

    @property
    def touched(self) -> list[str]:
        """UUIDs of servers of which Placement may say what is not so."""
        return list(self._touched)

    def touch(self, server_id: str) -> None:
        """Have Placement asked about a server.

        Of those that are too many, what is left is found in turn.

        :param server_id: its UUID.
        """
        if len(self._touched) < _MOST_TOUCHED:
            self._touched[server_id] = None

    def forget_touched(self, server_id: str) -> None:
        """Say that Placement was asked about a server.

        :param server_id: its UUID.
        """
        self._touched.pop(server_id, None)

    def as_dict(self) -> dict[str, ty.Any]:
        """Return the counts, for JSON."""
        return {
            'found': dict(self.found),
            'repaired': dict(self.repaired),
            'failed': dict(self.failed),
        }

    def carry_out(self, kind: str, subject: str, repair: Repair) -> bool:
        """Put something right that was seen twice.

        :param kind: what disagrees.
        :param subject: what it is about: a UUID, or a name.
        :param repair: puts it right.
        :returns: whether that is done with; if not, it is tried again.
        """
        failure = self._failures.get((kind, subject))
        if failure is None:
            self.found[kind] += 1
        elif time.monotonic() < failure.due:
            return False
        try:
            done = repair()
        except _CHANGED as exc:
            LOG.debug('%s %s: %s', kind, subject, exc)
            done = False
        except Exception as exc:  # noqa: BLE001 - the others are repaired all the same
            self._count_failure(kind, subject, exc)
            return False
        self._failures.pop((kind, subject), None)
        if done:
            self.repaired[kind] += 1
            LOG.info('Repaired %s: %s', kind, subject)
        return True

    def _count_failure(
        self, kind: str, subject: str, error: Exception
    ) -> None:
        self.failed[kind] += 1
        now = time.monotonic()
        self._forget(now)
        failure = self._failures.setdefault((kind, subject), _Failure())
        failure.times += 1
        times = failure.times
        failure.due = now + _pause(times)
        if times == _FAILURES:
            LOG.warning(
                'Could not be repaired, %d times: %s %s: %s',
                times,
                kind,
                subject,
                error,
            )
        else:
            # A person has been told.
            level = logging.DEBUG if times > _FAILURES else logging.INFO
            LOG.log(level, 'Not repaired yet: %s %s: %s', kind, subject, error)

    def _forget(self, now: float) -> None:
        """Forget what is not found any more: it was due long ago."""
        self._failures = {
            key: failure
            for key, failure in self._failures.items()
            if now - failure.due < _LONGEST
        }


def _pause(times: int) -> float:
    """Return the seconds until what has failed so often is tried again."""
    if times < _FAILURES:
        return 0
    return min(_FIRST * 2.0 ** min(times - _FAILURES, 10), _LONGEST)

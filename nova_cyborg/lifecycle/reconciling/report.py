# SPDX-License-Identifier: Apache-2.0

"""What reconciling has found, repaired, and could not repair."""

import collections
import collections.abc
import logging
import time
import typing as ty

from nova_cyborg import exception

LOG = logging.getLogger(__name__)

# Of one and the same, before a person is told.
_FAILURES = 3
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


class Report:
    """Counts by kind, since the process has begun to reconcile."""

    def __init__(self) -> None:
        self.found: collections.Counter[str] = collections.Counter()
        self.repaired: collections.Counter[str] = collections.Counter()
        self.failed: collections.Counter[str] = collections.Counter()
        #: UUIDs of servers, of which Placement may say what is not so.
        self.touched: set[str] = set()
        self._failures: collections.Counter[tuple[str, str]] = (
            collections.Counter()
        )

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
        if (kind, subject) not in self._failures:
            self.found[kind] += 1
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
        self._failures[kind, subject] += 1
        times = self._failures[kind, subject]
        if times == _FAILURES:
            LOG.warning(
                'Could not be repaired, %d times: %s %s: %s',
                times,
                kind,
                subject,
                error,
            )
        else:
            LOG.info('Not repaired yet: %s %s: %s', kind, subject, error)

# SPDX-License-Identifier: Apache-2.0

"""Rounds of one process, as long as it has the lease."""

from __future__ import annotations

import collections.abc
import dataclasses
import functools
import logging
import time
import typing as ty

from nova_cyborg.lifecycle import bind, nova
from nova_cyborg.lifecycle.events import keeping
from nova_cyborg.lifecycle.reconciling import (
    allocations,
    changes,
    demands,
    holders,
    leftovers,
    pending,
    profile_arqs,
    report,
    subjects,
)
from nova_cyborg.lifecycle.reconciling.suspects import looks, memory

LOG = logging.getLogger(__name__)

# Seconds between two ticks, if there is more to do.
_AT_ONCE = 1
# Seconds for which there may be more to do, before a person is told.
_BEHIND = 300
# Seconds that one answer of Nova's is waited for: less than the lease lasts.
_PATIENCE = 10


@dataclasses.dataclass(frozen=True)
class Settings:
    """What the options say.

    :ivar interval: seconds between two ticks.
    :ivar grace: seconds between the two looks.
    :ivar budget: seconds that a tick may take.
    :ivar resync: how many settled servers a tick asks about.
    :ivar event_days: how old events may be.
    :ivar deleted_events: how many of device contexts that are deleted a
        project may have.
    """

    interval: float
    grace: float
    budget: float
    resync: int
    event_days: int = 30
    deleted_events: int = 100_000


class Rounds:
    """What is remembered from tick to tick, and what a tick does.

    :param settings: what the options say.
    :param conductor: binds.
    :param remembered: what another process has seen.
    :param first: which step is the first one.
    :param touched: UUIDs of servers that another process has put something
        right of, and has not asked Placement about.
    :ivar first: the same of the next tick: one that takes all the time would
        leave none to those behind it.
    :ivar is_well: whether no step of the last tick has failed.
    """

    def __init__(
        self,
        settings: Settings,
        conductor: bind.Conductor,
        remembered: memory.Memory,
        first: int = 0,
        touched: collections.abc.Iterable[str] = (),
    ) -> None:
        self._settings = settings
        self._report = report.Report(touched)
        shared = looks.Looks(settings.grace, self._report, remembered)
        self._pending = pending.Pending(shared, conductor)
        self._leftovers = leftovers.Leftovers(shared)
        self._allocations = allocations.Allocations(shared)
        self._keeping = keeping.Keeping(
            settings.event_days, settings.deleted_events
        )
        self._demands = demands.Demands()
        self._changes = changes.Changes(
            (holders.Holders(), profile_arqs.ProfileArqs())
        )
        self._subjects: tuple[subjects.Subjects[ty.Any], ...] = (
            subjects.Subjects(holders.Holders(), shared),
            subjects.Subjects(profile_arqs.ProfileArqs(), shared),
        )
        # Which of them is looked at in turn.
        self._turn = 0
        # What a tick does, behind listing what has changed.
        self._looks: tuple[
            collections.abc.Callable[[report.Budget], None], ...
        ] = (
            *(self._looking(each) for each in self._subjects),
            self._pending.look,
            self._leftovers.look,
            self._allocations.look,
            self._look_again,
            self._keeping.look,
            self._demands.look,
        )
        self.first = first % (1 + len(self._looks))
        self.is_well = False
        self._hurry = False
        # Since when there is more to do than a tick may, and whether that
        # was told.
        self._behind_since: float | None = None
        self._is_told = False

    def tick(
        self,
        now: int,
        good_at: int | None,
        goes_on: collections.abc.Callable[[], bool],
    ) -> int | None:
        """Do as much as a tick may.

        :param now: the time, in seconds since 1970.
        :param good_at: until when it is known what Nova has changed; None if
            it is not.
        :param goes_on: has the lease last longer, and tells whether this
            process has it still; asked between two steps.
        :returns: until when it is known now, if it is another time; else
            None.
        """
        with nova.waiting_at_most(_PATIENCE):
            return self._tick(now, good_at, goes_on)

    def _tick(
        self,
        now: int,
        good_at: int | None,
        goes_on: collections.abc.Callable[[], bool],
    ) -> int | None:
        budget = report.Budget(self._settings.budget)
        reached: list[int | None] = [None]

        def list_changes() -> None:
            reached[0] = self._changes.take(budget, now, good_at)

        steps = [
            list_changes,
            *(functools.partial(look, budget) for look in self._looks),
        ]
        self.is_well = True
        self._hurry = False
        for index in (*range(self.first, len(steps)), *range(self.first)):
            self.is_well = _run(steps[index]) and self.is_well
            if not (budget.left and goes_on()):
                self.first = (index + 1) % len(steps)
                self._hurry = True
                break
        else:
            self.first = 0
        self._note_haste()
        self._forget_deleted()
        # The rows say by now what has changed: no other step is needed.
        return reached[0]

    def _note_haste(self) -> None:
        """Tell a person if a tick is too short for long."""
        now = time.monotonic()
        if not self._hurry:
            if self._is_told:
                LOG.info('A round of reconciling gets through again')
            self._behind_since, self._is_told = None, False
            return
        if self._behind_since is None:
            self._behind_since = now
        if now - self._behind_since >= _BEHIND and not self._is_told:
            self._is_told = True
            LOG.warning(
                'Reconciling takes too long: for %d s, no round has got '
                'through in the %s s of reconcile_budget; what is left is '
                'done in the next one',
                now - self._behind_since,
                self._settings.budget,
            )

    def _forget_deleted(self) -> None:
        """Forget servers of which nothing is left, once all are looked at."""
        if not self._hurry:
            deleted = self._changes.deleted
            deleted.intersection_update(
                server_id
                for server_id in set(deleted)
                if any(server_id in each.watch for each in self._subjects)
            )

    @property
    def pause(self) -> float:
        """How many seconds pass until the next tick."""
        interval = self._settings.interval
        if self._hurry:
            return min(_AT_ONCE, interval)
        due = [
            each.watch.next_suspect
            for each in self._subjects
            if each.watch.next_suspect is not None
        ]
        if not due:
            return interval
        soon = max(min(due) - time.monotonic(), _AT_ONCE)
        return min(soon, interval)

    def as_dict(self) -> dict[str, ty.Any]:
        """Return what was found, for JSON."""
        known = [
            self._leftovers.oldest,
            self._allocations.oldest,
            *(each.watch.oldest for each in self._subjects),
        ]
        since = min((each for each in known if each is not None), default=None)
        return {
            'interval': self._settings.interval,
            'oldest_suspect': (
                None if since is None else round(time.monotonic() - since)
            ),
            **self._report.as_dict(),
        }

    def leave(self) -> dict[str, int]:
        """Return what the process that goes on is to remember, for JSON."""
        return memory.leave(
            [
                *self._pending.seen,
                *self._leftovers.seen,
                *self._allocations.seen,
                *(seen for each in self._subjects for seen in each.watch.seen),
            ]
        )

    def leave_touched(self) -> list[str]:
        """Return the servers that it is to ask Placement about, for JSON.

        :returns: UUIDs of those that it would have to wait for the turn of,
            as many as are recorded.
        """
        known = dict.fromkeys(
            [*self._allocations.suspected, *self._report.touched]
        )
        return list(known)[: memory.MOST]

    def _looking(
        self, one: subjects.Subjects[ty.Any]
    ) -> collections.abc.Callable[[report.Budget], None]:
        return lambda budget: one.look(budget, self._changes.deleted)

    def _look_again(self, budget: report.Budget) -> None:
        limit = self._settings.resync
        if not limit:
            return
        one = self._subjects[self._turn]
        if one.look_again(budget, limit):
            self._turn = (self._turn + 1) % len(self._subjects)


def _run(step: collections.abc.Callable[[], None]) -> bool:
    """Do a step, whatever becomes of it; tell whether all is well."""
    try:
        step()
    except nova.NotSaid:
        # The log says why.
        return False
    except Exception:
        LOG.exception('A step of reconciling failed; it is done again')
        return False
    return True

# SPDX-License-Identifier: Apache-2.0

"""The loop: one of all cyborg-conductors at a time reconciles.

Cyborg calls it by a timer, and waits as long as it says until the next time.
The lease saves work and requests; what two do at once is done once.
"""

from __future__ import annotations

import logging
import math
import time
import typing as ty
import uuid

from cyborg import context as cyborg_context

from nova_cyborg.cyborg.conductor.reconciler import rounds
from nova_cyborg.db.reconciler import leases
from nova_cyborg.lifecycle import bind
from nova_cyborg.lifecycle.reconciling.suspects import memory

LOG = logging.getLogger(__name__)

_NAME = leases.RECONCILER
# Seconds for which the lease lasts at least, and by which a tick may be late.
_LEAST = 20
_LATE = 5
# What another process has seen longer ago is not remembered.
_FORGOTTEN = 120
# Seconds after which the lease is taken again, between two steps.
_RENEWED = 3
# Keys of what is recorded beside the report: see memory.Memory.
_SUSPECTS, _LEFT_AT = 'suspects', 'suspects_at'
# The same: servers that Placement is to be asked about before their turn.
_TOUCHED = 'touched'
# The same: which step is the first one; and when the last round began in which
# no step has failed.
_STEP, _WELL_AT = 'first_step', leases.WELL_AT


class Loop:
    """Reconciles, as long as this process has the lease.

    :param host: the host that this process is known by.
    :param settings: what the options say.
    :param conductor: binds.
    """

    def __init__(
        self,
        host: str,
        settings: rounds.Settings,
        conductor: bind.Conductor,
    ) -> None:
        self._host = host
        self._conductor = conductor
        self._settings = settings
        self._holder = str(uuid.uuid4())
        self._rounds: rounds.Rounds | None = None
        self._taken_at = 0.0

    def tick(self) -> float:
        """Reconcile for a while, if it is this process that does.

        Raises nothing: the timer would stop.

        :returns: seconds until the next time.
        """
        try:
            return self._tick()
        except Exception:
            LOG.exception('Reconciling failed; it is tried again')
            return self._settings.interval

    def _tick(self) -> float:
        context = cyborg_context.get_admin_context()
        lease = self._take(context)
        if lease.holder != self._holder:
            # What another one has not found meanwhile, it finds itself.
            self._rounds = None
            return min(self._settings.interval, lease.seconds_left + 1)
        if self._rounds is None:
            LOG.info('This process reconciles Cyborg with Nova from now on')
            # The one before may have hung in the step that it began with.
            first = lease.report.get(_STEP, -1) + 1
            leases.record(
                context,
                _NAME,
                self._holder,
                {**lease.report, _STEP: first},
                None,
            )
            self._rounds = rounds.Rounds(
                self._settings,
                self._conductor,
                _remembered(lease),
                first,
                lease.report.get(_TOUCHED, ()),
            )
        good_at = self._rounds.tick(
            lease.now, lease.good_at, lambda: self._goes_on(context)
        )
        well_at = lease.report.get(_WELL_AT, lease.now)
        found: dict[str, ty.Any] = {
            **self._rounds.as_dict(),
            _SUSPECTS: self._rounds.leave(),
            _TOUCHED: self._rounds.leave_touched(),
            _LEFT_AT: lease.now,
            _STEP: self._rounds.first,
            _WELL_AT: lease.now if self._rounds.is_well else well_at,
        }
        leases.record(context, _NAME, self._holder, found, good_at)
        return self._rounds.pause

    def _take(self, context: cyborg_context.RequestContext) -> leases.Lease:
        """Take the lease, or have it last longer."""
        self._taken_at = time.monotonic()
        return leases.take(
            context, _NAME, self._holder, self._host, self._seconds
        )

    def _goes_on(self, context: cyborg_context.RequestContext) -> bool:
        """Have the lease last longer; tell whether this process has it."""
        if time.monotonic() - self._taken_at < _RENEWED:
            return True
        return self._take(context).holder == self._holder

    @property
    def _seconds(self) -> int:
        """How long one that has the lease keeps it: from tick to tick."""
        settings = self._settings
        tick = settings.interval + 2 * settings.budget
        return max(_LEAST, math.ceil(tick) + _LATE)


def _remembered(lease: leases.Lease) -> memory.Memory:
    """Return what the process has left that had the lease before."""
    ages = lease.report.get(_SUSPECTS)
    passed = lease.now - lease.report.get(_LEFT_AT, 0)
    if not ages or passed > _FORGOTTEN:
        return memory.Memory()
    return memory.Memory(ages, passed)

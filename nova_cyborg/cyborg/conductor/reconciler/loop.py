# SPDX-License-Identifier: Apache-2.0

"""The loop: one of all cyborg-conductors at a time reconciles.

Cyborg calls it by a timer, and waits as long as it says until the next time.
The lease saves work and requests; what two do at once is done once.
"""

from __future__ import annotations

import logging
import typing as ty
import uuid

from cyborg import context as cyborg_context

from nova_cyborg.cyborg.conductor.reconciler import rounds
from nova_cyborg.db.reconciler import leases
from nova_cyborg.lifecycle import bind

LOG = logging.getLogger(__name__)

_NAME = leases.RECONCILER
#: Seconds after which another process goes on, if one does not.
LEASE = 30


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
        lease = leases.take(
            context, _NAME, self._holder, self._host, self._seconds
        )
        if lease is None:
            # What another one has not found meanwhile, it finds itself.
            self._rounds = None
            return self._settings.interval
        if self._rounds is None:
            LOG.info('This process reconciles Cyborg with Nova from now on')
            self._rounds = rounds.Rounds(self._settings, self._conductor)
        good_at = self._rounds.tick(lease.now, lease.good_at)
        found: dict[str, ty.Any] = self._rounds.as_dict()
        leases.record(context, _NAME, self._holder, found, good_at)
        return self._rounds.pause

    @property
    def _seconds(self) -> int:
        # One that has it keeps it from tick to tick.
        settings = self._settings
        return max(LEASE, int(3 * (settings.interval + settings.budget)) + 1)

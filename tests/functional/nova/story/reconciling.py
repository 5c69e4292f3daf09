# SPDX-License-Identifier: Apache-2.0

"""A reconciler beside all that happens, in Cyborg's process.

It waits for nothing between its two looks, so that what is under way is all
that it could take for damage.
"""

import threading
import typing as ty

import sqlalchemy as sa
from cyborg.conductor import rpcapi
from nova_cyborg.cyborg.conductor.reconciler import loop, rounds
from nova_cyborg.db import session, tables
from nova_cyborg.db.reconciler import leases

from cyborg import context as cyborg_context


class Reconciler:
    """Ticks in a thread, until it is stopped.

    :param interval: seconds between two ticks.
    """

    def __init__(self, interval: float) -> None:
        settings = rounds.Settings(
            interval=interval, grace=0, budget=60, resync=20
        )
        self._loop = loop.Loop('beside', settings, rpcapi.ConductorAPI())
        self._interval = interval
        self._ticks = 0
        self._over = threading.Event()
        self._context = cyborg_context.get_admin_context()
        # One that was killed has it, and would be waited for.
        with session.writing(self._context) as db:
            db.execute(sa.delete(tables.Lease))
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        while not self._over.wait(self._interval):
            self._loop.tick()
            self._ticks += 1

    def stop(self) -> None:
        """End with the tick that it is at."""
        self._over.set()
        self._thread.join()

    @property
    def report(self) -> dict[str, ty.Any]:
        """How many ticks there were, and what was found and repaired."""
        lease = leases.read(self._context, leases.RECONCILER)
        return {'ticks': self._ticks, **(lease.report if lease else {})}

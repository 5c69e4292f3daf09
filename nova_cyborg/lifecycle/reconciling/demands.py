# SPDX-License-Identifier: Apache-2.0

"""Recording what device contexts ask for that a release before has made."""

import time

from cyborg import context as cyborg_context

from nova_cyborg.db.lists import demands
from nova_cyborg.lifecycle.reconciling import report

# Seconds between two looks that find nothing. Until then, each list that is
# narrowed to what is asked for looks into them.
_EVERY = 60


class Demands:
    """Records it, a portion at a time, when it is time."""

    def __init__(self) -> None:
        self._next = time.monotonic()

    def look(self, budget: report.Budget) -> None:
        """Record as much as there is time for; most times, do nothing.

        :param budget: how long that may take.
        """
        if time.monotonic() < self._next:
            return
        while demands.record_some(cyborg_context.get_admin_context()):
            if not budget.left:
                return
        self._next = time.monotonic() + _EVERY

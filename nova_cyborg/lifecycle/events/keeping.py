# SPDX-License-Identifier: Apache-2.0

"""Deleting events that are too old, and those that are too many."""

import datetime
import time

from cyborg import context as cyborg_context

from nova_cyborg.db.events import bounds
from nova_cyborg.lifecycle.reconciling import report

# Seconds between two looks that find nothing.
_EVERY = 600


class Keeping:
    """Deletes them, a portion at a time, when it is time.

    :param days: how old events may be.
    :param of_deleted: how many of device contexts that are deleted a project
        may have.
    """

    def __init__(self, days: int, of_deleted: int) -> None:
        self._age = datetime.timedelta(days=days)
        self._of_deleted = of_deleted
        self._next = time.monotonic()

    def look(self, budget: report.Budget) -> None:
        """Delete as many as there is time for; most times, do nothing.

        :param budget: how long that may take.
        """
        if time.monotonic() < self._next:
            return
        context = cyborg_context.get_admin_context()
        while bounds.forget_old(context, self._age):
            if not budget.left:
                return
        while bounds.trim_all(context):
            if not budget.left:
                return
        for owner, last in bounds.crowded(context, self._of_deleted).items():
            while bounds.forget_deleted(context, owner, last):
                if not budget.left:
                    return
        self._next = time.monotonic() + _EVERY

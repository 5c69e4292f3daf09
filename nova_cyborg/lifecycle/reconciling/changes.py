# SPDX-License-Identifier: Apache-2.0

"""What Nova says has changed, since it was listed the last time."""

from __future__ import annotations

import collections.abc
import datetime
import logging
import time
import typing as ty

from nova_cyborg.lifecycle import nova
from nova_cyborg.lifecycle.reconciling import report

LOG = logging.getLogger(__name__)

# Seconds after which it is asked again whether all cells answer: Nova looks at
# all services for that.
_EVERY = 60
# Seconds that the clocks of Nova's hosts and of the database may differ. What
# they differ by more is found when all are looked at in turn.
_APART = 120


class _Source(ty.Protocol):
    def unsettle(self, server_ids: collections.abc.Iterable[str]) -> None:
        """Have Nova asked about servers."""


class Changes:
    """Lists what has changed, page by page, over as many ticks as it takes.

    :param sources: are told of servers that have changed.
    :ivar deleted: UUIDs of servers that Nova has listed as deleted.
    """

    def __init__(self, sources: collections.abc.Iterable[_Source]) -> None:
        self._sources = list(sources)
        self.deleted: set[str] = set()
        self._listing: collections.abc.Iterator[list[nova.Change]] | None = (
            None
        )
        self._begun_at = 0
        # Whether this list is to tell until when all changes are known.
        self._is_asked = False
        self._asked_at: float | None = None
        self._cells_answer = True
        # What was listed the last time, as the next list has most of it, too.
        self._known: set[nova.Change] = set()
        self._seen: set[nova.Change] = set()

    def take(
        self, budget: report.Budget, now: int, good_at: int | None
    ) -> int | None:
        """Go on with the list.

        :param budget: how long that may take.
        :param now: the time, in seconds since 1970.
        :param good_at: when the last list was begun that came to its end, and
            had the changes of all cells; None if there was none.
        :returns: when this one was begun, if it is known to be such a one;
            else None.
        :raises NotSaid: if Nova does not answer.
        """
        if good_at is None:
            # Nothing is settled yet.
            self._asked_at = time.monotonic()
            return now
        if self._listing is None:
            self._is_asked = self._is_due and self._is_whole()
            since = datetime.datetime.fromtimestamp(
                good_at - _APART, datetime.UTC
            )
            self._listing, self._begun_at = nova.changes(since), now
            self._seen = set()
        try:
            for page in self._listing:
                self._take_page(page)
                if not budget.left:
                    return None
        except nova.NotSaid:
            self._listing = None
            raise
        self._listing = None
        self._known = self._seen
        # A cell may have gone meanwhile.
        if self._is_asked and self._is_whole():
            return self._begun_at
        return None

    @property
    def _is_due(self) -> bool:
        """Whether it is time to ask whether all cells answer."""
        return (
            self._asked_at is None
            or time.monotonic() - self._asked_at >= _EVERY
        )

    def _is_whole(self) -> bool:
        """Ask whether Nova's lists have what is in each cell.

        They leave out a cell that is down, and do not say so: what changes in
        one is listed when it is back only if the list goes back as far.
        """
        self._asked_at = time.monotonic()
        answer = nova.Nova().all_cells_answer
        if not answer and self._cells_answer:
            LOG.warning(
                'Changes of servers are listed anew until all cells of Nova '
                'answer: it does not say that they do'
            )
        elif answer and not self._cells_answer:
            LOG.info('All cells of Nova answer again')
        self._cells_answer = answer
        return answer

    def _take_page(self, page: list[nova.Change]) -> None:
        new = [each for each in page if each not in self._known]
        self._seen.update(page)
        changed = [each.server_id for each in new]
        self.deleted.update(each.server_id for each in new if each.deleted)
        if changed:
            for source in self._sources:
                source.unsettle(changed)

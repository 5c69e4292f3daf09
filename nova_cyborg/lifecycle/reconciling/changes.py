# SPDX-License-Identifier: Apache-2.0

"""What Nova says has changed, since it was listed the last time."""

from __future__ import annotations

import collections.abc
import datetime
import typing as ty

from nova_cyborg.lifecycle import nova
from nova_cyborg.lifecycle.reconciling import report

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
        # What was listed the last time, as the next list has most of it, too.
        self._known: set[nova.Change] = set()
        self._seen: set[nova.Change] = set()

    def take(
        self, budget: report.Budget, now: int, good_at: int | None
    ) -> int | None:
        """Go on with the list.

        :param budget: how long that may take.
        :param now: the time, in seconds since 1970.
        :param good_at: when the last list was begun that came to its end;
            None if there was none.
        :returns: when this one was begun, if it has come to its end; else
            None.
        :raises NotSaid: if Nova does not answer.
        """
        if good_at is None:
            # Nothing is settled yet.
            return now
        if self._listing is None:
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
        return self._begun_at

    def _take_page(self, page: list[nova.Change]) -> None:
        new = [each for each in page if each not in self._known]
        self._seen.update(page)
        changed = [each.server_id for each in new]
        self.deleted.update(each.server_id for each in new if each.deleted)
        if changed:
            for source in self._sources:
                source.unsettle(changed)

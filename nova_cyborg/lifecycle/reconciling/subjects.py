# SPDX-License-Identifier: Apache-2.0

"""Servers, looked at until they are settled, and then in turn."""

from __future__ import annotations

import collections.abc
import time
import typing as ty

from nova_cyborg.lifecycle import nova, servers
from nova_cyborg.lifecycle.reconciling import report
from nova_cyborg.lifecycle.reconciling.suspects import looks, watch

# After as many that Nova does not say anything of, a tick asks of no other:
# Nova may be down, and each takes time.
_MOST_UNKNOWN = 3


class _Fact(ty.Protocol):
    """What the database says of a server."""

    @property
    def row_id(self) -> int:
        """What they are in order of."""

    @property
    def server_id(self) -> str:
        """UUID of the server."""

    def __hash__(self) -> int:
        """They are remembered."""


_F = ty.TypeVar('_F', bound=_Fact)


class Source(ty.Protocol[_F]):
    """Servers of one kind; see :mod:`.holders` and :mod:`.profile_arqs`."""

    gone: str

    def unsettled(self) -> list[_F]:
        """Find those that Nova is to be asked about."""

    def settled(self, after: int, limit: int) -> tuple[list[_F], bool]:
        """Find some of the others, in turn; tell whether they are the last."""

    def settle(self, fact: _F, /) -> None:
        """Say that one is as Nova says."""

    def unsettle(self, server_ids: collections.abc.Iterable[str]) -> None:
        """Have Nova asked about servers."""

    def kind_of(self, fact: _F, server: servers.Server, /) -> str | None:
        """Tell what disagrees."""

    def is_settled(self, fact: _F, server: servers.Server, /) -> bool:
        """Tell whether nothing is being done, and all is as it should be."""

    def repair(self, kind: str, fact: _F, /, listed: bool) -> bool:
        """Put right what disagrees, if it still does."""


class Subjects(ty.Generic[_F]):
    """Servers of one kind, and what is remembered of them.

    :param source: what is read, decided and done about them.
    :param shared: what all looks have in common.
    """

    def __init__(self, source: Source[_F], shared: looks.Looks) -> None:
        self._source = source
        self._report = shared.report
        self.watch: watch.Watch[_F] = shared.watch()
        self._cursor = 0

    def look(
        self,
        budget: report.Budget,
        listed: collections.abc.MutableSet[str],
    ) -> None:
        """Ask Nova about those that are not settled, and due.

        :param budget: how long that may take.
        :param listed: UUIDs of servers that Nova has listed as deleted; those
            that exist all the same are taken from it.
        """
        found = {each.server_id: each for each in self._source.unsettled()}
        self.watch.update(found, time.monotonic(), listed)
        unknown = 0
        for each in self.watch.due(time.monotonic()):
            if not budget.left or unknown >= _MOST_UNKNOWN:
                return
            if each.listed:
                unknown += not self._look_at_listed(each, listed)
            else:
                unknown += not self._look_at(each)

    def _look_at_listed(
        self,
        each: watch.Watched[_F],
        listed: collections.abc.MutableSet[str],
    ) -> bool:
        """Look at one that Nova has listed as deleted.

        It may exist all the same: what a resize to another cell leaves in the
        one before is deleted there.

        :returns: whether Nova says anything of it.
        """
        # To repair it is to look.
        if self._repair(each, self._source.gone):
            return True
        server_id = each.fact.server_id
        state = nova.Nova().server(server_id).state
        if state not in (servers.State.GONE, servers.State.UNKNOWN):
            each.listed = False
            listed.discard(server_id)
        return state is not servers.State.UNKNOWN

    def _look_at(self, each: watch.Watched[_F]) -> bool:
        """Look at one; tell whether Nova says anything of it."""
        server = nova.Nova().server(each.fact.server_id)
        kind = self._source.kind_of(each.fact, server)
        now = time.monotonic()
        if kind is None:
            if self._source.is_settled(each.fact, server):
                self._source.settle(each.fact)
            each.wait(now)
        elif self.watch.suspect(each, kind, now):
            self._repair(each, kind)
        return server.state is not servers.State.UNKNOWN

    def _repair(self, each: watch.Watched[_F], kind: str) -> bool:
        """Repair one; tell whether there was, or is, something to repair."""
        was_so = True

        def repair() -> bool:
            nonlocal was_so
            was_so = self._source.repair(kind, each.fact, listed=each.listed)
            return was_so

        server_id = each.fact.server_id
        self._report.touch(server_id)
        if self._report.carry_out(kind, server_id, repair):
            each.wait(time.monotonic())
        else:
            each.due = time.monotonic() + watch.LATER
        return was_so

    def look_again(self, budget: report.Budget, limit: int) -> bool:
        """Ask Nova about some of those that are settled, in turn.

        :param budget: how long that may take.
        :param limit: how many at most.
        :returns: whether these were the last of them.
        """
        found, are_last = self._source.settled(self._cursor, limit)
        for each in found:
            if not budget.left:
                return False
            server = nova.Nova().server(each.server_id)
            self._cursor = max(self._cursor, each.row_id)
            if server.state is servers.State.UNKNOWN:
                return False
            if not self._source.is_settled(each, server):
                self._source.unsettle([each.server_id])
        if are_last:
            self._cursor = 0
        return are_last

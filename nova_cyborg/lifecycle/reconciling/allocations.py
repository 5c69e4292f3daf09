# SPDX-License-Identifier: Apache-2.0

"""Placement's allocations of devices, some resource providers at a time."""

from __future__ import annotations

import collections.abc
import dataclasses
import functools
import logging
import time

from cyborg import context as cyborg_context

from nova_cyborg import exception
from nova_cyborg.db.reconciler import providers
from nova_cyborg.lifecycle import heal, nova, placement, servers
from nova_cyborg.lifecycle.reconciling import report
from nova_cyborg.lifecycle.reconciling.suspects import looks, memory, watch

LOG = logging.getLogger(__name__)

# Resource providers of a look, in turn.
_AT_ONCE = 20
# Servers of a look that something was put right of.
_MOST_TOUCHED = 200
# Servers of a look that more is allocated to than they have devices: most have
# it by their flavor, for good. What is suspected comes before them.
_MOST_WITH_MORE = 20
# Migrations whose servers are remembered, those that were met last.
_MOST_NOTED = 10_000
_UNALLOCATED = 'no-placement-allocation'
_OF_NO_SERVER = 'allocation-of-no-server'
_ELSEWHERE = 'allocation-on-another-host'
_TOO_MUCH = 'no-device'
# By the state of a server that has no use for any allocation.
_UNUSED = {
    servers.State.GONE: _OF_NO_SERVER,
    servers.State.OFFLOADED: 'allocation-of-offloaded-server',
    servers.State.NEVER_BUILT: 'allocation-of-failed-server',
}


@dataclasses.dataclass(frozen=True)
class _Fact:
    """What disagrees.

    :ivar kind: as the audit has it.
    :ivar provider: UUID of the resource provider.
    :ivar server: of whom an allocation is there, or is not.
    :ivar count: how many devices it has there.
    """

    kind: str
    provider: str
    server: servers.Server
    count: int


class Allocations:
    """What is remembered of them.

    :param shared: what all looks have in common.
    """

    def __init__(self, shared: looks.Looks) -> None:
        self._report = shared.report
        self._remembered = shared.remembered
        self._suspects: watch.Suspects[_Fact] = shared.suspects()
        self._pause = max(shared.grace, heal.MOVE_ENDS_WITHIN)
        # Since when it is known that moves are over, by UUID of the migration:
        # with the server as it was then.
        self._over: dict[str, tuple[servers.Server, float]] = {}
        self._until: dict[_Fact, float] = {}
        # Until when consumers are left alone of which nobody can tell that
        # they were servers, by their UUIDs.
        self._unknown: dict[str, float] = {}
        # Those that were servers, among what is found.
        self._were: set[str] = set()
        # The servers of migrations, by the UUIDs of these, as far as they are
        # known: Nova lists them all to tell of one.
        self._migrations: dict[str, str] = {}
        # What may be of a migration, and when that is to be looked at again.
        self._later: dict[_Fact, float] = {}
        # When it was asked what else they have who have more than devices, by
        # resource provider and server; those first that wait longest.
        self._asked: dict[tuple[str, str], float] = {}
        # A device does not go from host to host under one resource provider.
        self._nodes: dict[str, str | None] = {}
        self._cursor = 0
        self._turn = 0
        self._answers = True

    @property
    def oldest(self) -> float | None:
        """Since when the oldest of them is known; None if there is none."""
        return self._suspects.oldest

    @property
    def seen(self) -> list[memory.Seen]:
        """Return all that are known, and since when."""
        over = [
            ((consumer, server), since)
            for consumer, (server, since) in self._over.items()
        ]
        return [*self._suspects.seen, *over]

    @property
    def suspected(self) -> list[str]:
        """UUIDs of whom is suspected; Placement is to be asked about them."""
        return [each.server.server_id for each in self._suspects]

    def look(self, budget: report.Budget) -> None:
        """Look at some, and put those right that were found before.

        :param budget: how long that may take.
        """
        self._turn += 1
        in_turn = not self._turn % 2
        if not (in_turn or self._report.touched or any(self._suspects)):
            return
        try:
            self._look(budget, in_turn)
        except exception.PlacementFailed as exc:
            if self._answers:
                LOG.warning(
                    'Allocations of devices are not looked at until Placement '
                    'answers: %s',
                    exc.in_full(),
                )
            self._answers = False
        else:
            self._answers = True

    def _look(self, budget: report.Budget, in_turn: bool) -> None:
        context = cyborg_context.get_admin_context()
        client, says = placement.Placement(), nova.Nova()
        touched = self._touched(client, budget)
        again = {each.provider for each in self._suspects}.union(
            *touched.values()
        )
        chosen = providers.of_uuids(context, again)
        if in_turn:
            chosen += self._following(context)
        found: set[_Fact] = set()
        now = time.monotonic()
        declined = self._declined(now)
        # Before anything is asked about what is due: what Nova did not say,
        # it may say by now.
        self._later = {
            each: due for each, due in self._later.items() if due > now
        }
        looked = set(again)
        with_more: list[tuple[str, str]] = []
        for each in chosen:
            if not budget.left:
                looked.discard(each.uuid)
                continue
            looked.add(each.uuid)
            allocated = client.consumers(each.uuid)
            found.update(
                fact
                for fact in self._about(client, each, allocated, says, budget)
                if fact not in declined and not _is_moving(client, says, fact)
            )
            with_more += _with_more(each, allocated)
            if not budget.left:
                # Perhaps not at all of its consumers.
                looked.discard(each.uuid)
        found.update(
            fact
            for fact in self._with_too_much(
                client, says, self._in_turn(with_more, touched), budget
            )
            if fact not in declined
        )
        found = {
            each
            for each in found
            if each.kind != _OF_NO_SERVER or self._is_to_end(each, says)
        }
        for server_id, of_server in touched.items():
            if looked.issuperset(of_server):
                self._report.forget_touched(server_id)
        kept = {each for each in self._suspects if each.provider not in looked}
        # Both waits begin at the first look.
        waiting = {
            each for each in found if not self._is_long_over(each, says)
        }
        now = time.monotonic()
        confirmed = self._suspects.confirmed(found | kept, now)
        self._were.intersection_update(
            each.server.server_id for each in found | kept
        )
        for fact in sorted(confirmed, key=_order):
            if fact in found - waiting and budget.left:
                self._carry_out(client, fact)

    def _touched(
        self, client: placement.Placement, budget: report.Budget
    ) -> dict[str, list[str]]:
        """Read of what servers have something that was put right.

        :returns: UUIDs of resource providers, by that of the server.
        """
        found = {}
        for server_id in self._report.touched[:_MOST_TOUCHED]:
            if not budget.left:
                break
            found[server_id] = client.providers_of(server_id)
        return found

    def _following(
        self, context: cyborg_context.RequestContext
    ) -> list[providers.Provider]:
        found = providers.following(context, self._cursor, _AT_ONCE)
        self._cursor = found[-1].row_id if len(found) == _AT_ONCE else 0
        return found

    def _carry_out(self, client: placement.Placement, fact: _Fact) -> None:
        server_id = fact.server.server_id
        repair = functools.partial(_repair, client, fact)
        self._report.carry_out(fact.kind, server_id, repair)
        # It is repaired, or has a reason that does not go away at once.
        self._until[fact] = time.monotonic() + watch.MUCH_LATER

    def _is_to_end(self, fact: _Fact, says: nova.Nova) -> bool:
        """Tell whether what Nova shows no server of is to be forgotten.

        Not what is of a migration that goes on, for days if it waits to be
        confirmed; nor what Nova never knew, as an operator may have made.
        """
        consumer = fact.server.server_id
        if fact in self._later:
            return True
        if consumer not in self._migrations:
            if says.migrations is None:
                # It is not known yet.
                return True
            if consumer not in says.migrations:
                return self._was_server(consumer, says)
            self._note_migration(consumer, says.migrations[consumer].server_id)
        moved = says.server(self._migrations[consumer])
        if heal.is_over(says, moved):
            return True
        self._over.pop(consumer, None)
        return False

    def _note_migration(self, consumer: str, server_id: str) -> None:
        self._migrations[consumer] = server_id
        if len(self._migrations) > _MOST_NOTED:
            del self._migrations[next(iter(self._migrations))]

    def _was_server(self, consumer: str, says: nova.Nova) -> bool:
        if consumer in self._were:
            return True
        was = heal.was_server(says, consumer)
        if was:
            self._were.add(consumer)
        elif was is False:
            self._unknown[consumer] = time.monotonic() + watch.MUCH_LATER
        return was is not False

    def _is_long_over(self, fact: _Fact, says: nova.Nova) -> bool:
        """Tell whether nothing may be of a migration that goes on.

        Nova is not asked again for a while about what may be.
        """
        if fact.kind != _OF_NO_SERVER:
            return True
        if fact in self._later:
            return False
        if not self._is_over(fact, says):
            self._later[fact] = time.monotonic() + self._pause
            return False
        return True

    def _is_over(self, fact: _Fact, says: nova.Nova) -> bool:
        """Tell whether what has allocated is no migration, or is long over.

        :param fact: what is to be forgotten, as :meth:`_is_to_end` says.
        :param says: what Nova says.
        """
        consumer = fact.server.server_id
        if consumer not in self._migrations:
            return consumer in self._were
        moved = says.server(self._migrations[consumer])
        now = time.monotonic()
        before, since = self._over.get(consumer, (None, now))
        if before is None:
            known = self._remembered.recall((consumer, moved))
            if known is not None:
                before, since = moved, known
        if before != moved:
            since = now
        # Those that Nova has ended itself are not asked about again.
        self._over = {
            each: (server, seen)
            for each, (server, seen) in self._over.items()
            if now - seen < watch.MUCH_LATER
        }
        self._over[consumer] = moved, since
        return before == moved and now - since >= self._pause

    def _declined(self, now: float) -> set[_Fact]:
        """Return what is left alone for a while."""
        self._until = {
            fact: until for fact, until in self._until.items() if until > now
        }
        return set(self._until)

    def _about(
        self,
        client: placement.Placement,
        provider: providers.Provider,
        allocated: collections.abc.Mapping[str, dict[str, int]],
        says: nova.Nova,
        budget: report.Budget,
    ) -> collections.abc.Iterator[_Fact]:
        """Compare what Placement and Cyborg say of a resource provider."""
        consumers = allocated.keys()
        for consumer in sorted(consumers - provider.uses.keys()):
            if not budget.left:
                return
            if self._is_left_alone(consumer, says):
                continue
            server = says.server(consumer)
            kind = _UNUSED.get(server.state)
            if kind is None and self._is_elsewhere(client, provider, server):
                kind = _ELSEWHERE
            if kind:
                yield _Fact(kind, provider.uuid, server, 0)
        for server_id in sorted(provider.uses.keys() - consumers):
            if not budget.left:
                return
            server, use = says.server(server_id), provider.uses[server_id]
            if server.state in servers.AT_REST and server.node == use.node:
                yield _Fact(_UNALLOCATED, provider.uuid, server, use.count)

    def _in_turn(
        self,
        with_more: collections.abc.Collection[tuple[str, str]],
        touched: collections.abc.Container[str],
    ) -> list[tuple[str, str]]:
        """Choose who is asked about, of those who have more than devices.

        :param with_more: UUIDs of the resource provider and of the server, of
            each.
        :param touched: UUIDs of servers that something was put right of.
        :returns: those first that there is a reason for; and some others,
            who wait longest.
        """
        suspected = self._suspected_of_too_much
        first = [
            each
            for each in with_more
            if each in suspected or each[1] in touched
        ]
        others = sorted(
            set(with_more).difference(first),
            key=lambda each: (self._asked.get(each, 0), each),
        )
        return first + others[:_MOST_WITH_MORE]

    @property
    def _suspected_of_too_much(self) -> dict[tuple[str, str], _Fact]:
        return {
            (each.provider, each.server.server_id): each
            for each in self._suspects
            if each.kind == _TOO_MUCH
        }

    def _with_too_much(
        self,
        client: placement.Placement,
        says: nova.Nova,
        asked: collections.abc.Iterable[tuple[str, str]],
        budget: report.Budget,
    ) -> collections.abc.Iterator[_Fact]:
        """Find who has more than devices and flavor account for.

        :param asked: who is asked about.
        :returns: those of them who have; and who is suspected, if there is no
            time to ask.
        """
        suspected = self._suspected_of_too_much
        for each in asked:
            if budget.left:
                self._note_asked(each)
                provider, server = each[0], says.server(each[1])
                if _has_too_much(client, provider, server):
                    yield _Fact(_TOO_MUCH, provider, server, 0)
            elif each in suspected:
                yield suspected[each]

    def _note_asked(self, one: tuple[str, str]) -> None:
        self._asked.pop(one, None)
        self._asked[one] = time.monotonic()
        if len(self._asked) > _MOST_NOTED:
            del self._asked[next(iter(self._asked))]

    def _is_left_alone(self, consumer: str, says: nova.Nova) -> bool:
        """Tell whether it is known that a consumer is no server.

        Nova is asked nothing, or about one server.
        """
        now = time.monotonic()
        self._unknown = {
            each: until for each, until in self._unknown.items() if until > now
        }
        if consumer in self._unknown:
            return True
        if consumer not in self._migrations:
            return False
        return not heal.is_over(says, says.server(self._migrations[consumer]))

    def _is_elsewhere(
        self,
        client: placement.Placement,
        provider: providers.Provider,
        server: servers.Server,
    ) -> bool:
        """Tell whether a server is at rest on another host.

        Of one on this host, a flavor may ask for what is allocated.
        """
        if server.state not in servers.AT_REST or server.node is None:
            return False
        if provider.uuid not in self._nodes:
            self._nodes[provider.uuid] = client.node(provider.uuid)
        return self._nodes[provider.uuid] not in (None, server.node)


def _with_more(
    provider: providers.Provider,
    allocated: collections.abc.Mapping[str, dict[str, int]],
) -> list[tuple[str, str]]:
    """Return who has more of a resource provider than devices.

    :returns: UUIDs of the resource provider and of the server, of each.
    """
    uses = provider.uses
    return [
        (provider.uuid, consumer)
        for consumer, resources in sorted(allocated.items())
        if sum(resources.values())
        > (uses[consumer].count if consumer in uses else 0)
    ]


def _has_too_much(
    client: placement.Placement, provider: str, server: servers.Server
) -> bool:
    """Tell whether more is allocated than devices and flavor account for."""
    if (
        server.state is not servers.State.RESTING
        or server.node is None
        or not server.tells_flavor
    ):
        return False
    found = client.allocations(server.server_id)
    wanted = heal.more_than_devices(client, server, found)
    return found.get(provider) != wanted.get(provider)


def _order(fact: _Fact) -> tuple[bool, str, str, str]:
    """Return in which order they are repaired, as a key to sort by.

    What migrations have comes first: a server is given that, in the place of
    all that it has itself.
    """
    return (
        fact.kind != _OF_NO_SERVER,
        fact.kind,
        fact.provider,
        fact.server.server_id,
    )


def _is_moving(
    client: placement.Placement, says: nova.Nova, fact: _Fact
) -> bool:
    """Tell whether what a server lacks, its migration may have."""
    return fact.kind == _UNALLOCATED and heal.is_moving(
        client, says, fact.server.server_id
    )


def _repair(client: placement.Placement, fact: _Fact) -> bool:
    """Put right what disagrees, if it still does."""
    says = nova.Nova()
    server = says.server(fact.server.server_id)
    if server != fact.server:
        return False
    if fact.kind == _UNALLOCATED:
        return heal.allocate(client, fact.provider, server, fact.count)
    if fact.kind == _TOO_MUCH:
        return heal.lower(client, server)
    if fact.kind == _OF_NO_SERVER:
        return _forget(client, says, fact)
    if fact.kind != _ELSEWHERE:
        heal.forget_unused(client, server)
    elif _is_left(client, says, fact):
        heal.forget_on_host(client, fact.provider, server)
    else:
        return False
    return True


def _forget(client: placement.Placement, says: nova.Nova, fact: _Fact) -> bool:
    """Forget what is of no server, or of a migration that is over."""
    consumer = fact.server.server_id
    if says.migrations is None:
        return False
    if consumer not in says.migrations:
        client.forget(consumer)
        return True
    moved = says.server(says.migrations[consumer].server_id)
    if not heal.is_over(says, moved):
        return False
    heal.end_move(client, fact.provider, consumer, moved)
    return True


def _is_left(
    client: placement.Placement, says: nova.Nova, fact: _Fact
) -> bool:
    """Tell whether a server has nothing to do with another host any more."""
    server = fact.server
    # Nova keeps what an evacuated server has on its old host until that is
    # back.
    if says.is_evacuated(server.server_id):
        return False
    return not heal.may_use_elsewhere(client, says, server)

# SPDX-License-Identifier: Apache-2.0

"""Servers that hold device contexts, against what Nova says of them."""

import collections.abc

from cyborg import context as cyborg_context

from nova_cyborg.db.reconciler import holders
from nova_cyborg.lifecycle import (
    heal,
    nova,
    placement,
    release,
    servers,
    unbind,
)

#: The server is gone.
GONE = 'held-by-no-server'
_FAILED = 'held-by-failed-server'
_OFFLOADED = 'devices-of-offloaded-server'
_LEFT_BEHIND = 'devices-left-behind'
_ELSEWHERE = 'devices-on-another-host'

# Nothing becomes of it by itself.
_STABLE = servers.AT_REST | {servers.State.MOVED}


class Holders:
    """What is read, decided and done about them.

    :ivar gone: the kind of what is left of a server that is gone.
    """

    gone = GONE

    @staticmethod
    def unsettled() -> list[holders.Holder]:
        """Find those that are not settled."""
        return holders.unsettled(cyborg_context.get_admin_context())

    @staticmethod
    def settled(after: int, limit: int) -> tuple[list[holders.Holder], bool]:
        """Find some that are settled, in turn.

        :param after: the row id of the last one of those before.
        :param limit: how many at most.
        :returns: the holders, and whether these are the last ones.
        """
        context = cyborg_context.get_admin_context()
        found = holders.settled(context, after, limit)
        return found, len(found) < limit

    @staticmethod
    def settle(holder: holders.Holder) -> None:
        """Say that one is as Nova says.

        :param holder: the holder.
        """
        holders.settle(cyborg_context.get_admin_context(), holder)

    @staticmethod
    def unsettle(server_ids: collections.abc.Iterable[str]) -> None:
        """Have Nova asked about servers.

        :param server_ids: their UUIDs.
        """
        holders.unsettle(cyborg_context.get_admin_context(), server_ids)

    @staticmethod
    def kind_of(holder: holders.Holder, server: servers.Server) -> str | None:
        """Tell what disagrees.

        :param holder: the holder.
        :param server: what Nova says of it.
        :returns: the kind, as the audit has it; None if nothing disagrees
            that can be put right without a person.
        """
        state = server.state
        if state is servers.State.GONE:
            return GONE
        if state is servers.State.NEVER_BUILT:
            return _FAILED
        if state is servers.State.OFFLOADED:
            return _OFFLOADED if holder.has_arqs else None
        if server.node is None:
            return None
        if state is servers.State.RESTING and holder.is_moving:
            return _LEFT_BEHIND
        if state is servers.State.FAILED and (
            holder.node not in (None, server.node)
        ):
            return _ELSEWHERE
        return None

    @staticmethod
    def is_settled(holder: holders.Holder, server: servers.Server) -> bool:
        """Tell whether nothing is being done, and all is as it should be.

        :param holder: the holder.
        :param server: what Nova says of it.
        """
        if holder.is_changing:
            return False
        if server.state is servers.State.OFFLOADED:
            return not holder.has_arqs
        if server.state is servers.State.LEAVING:
            # It is soft-deleted, for days; or it is listed when it is gone.
            return True
        failed = server.state is servers.State.FAILED
        if failed and not holder.has_arqs:
            # Nothing is repaired of it until Nova lists a change.
            return True
        if server.state not in _STABLE or not holder.has_arqs:
            return False
        # What moves has bindings on two nodes, and Nova says when it is over.
        if server.state is servers.State.MOVED:
            return holder.is_bound
        return (
            holder.is_bound
            and (failed or not holder.is_moving)
            and (server.node is None or server.node == holder.node)
        )

    @staticmethod
    def repair(kind: str, holder: holders.Holder, listed: bool) -> bool:
        """Put right what disagrees, if it still does.

        :param kind: what disagrees.
        :param holder: the holder, as it was seen.
        :param listed: whether Nova has listed it as deleted.
        :returns: whether it did.
        :raises StaleGeneration: if something has begun with it.
        """
        says = nova.Nova()
        server = says.server(holder.server_id)
        if Holders.kind_of(holder, server) != kind:
            return False
        server_id, generation = holder.server_id, holder.generation
        if kind == GONE:
            # What a cell does not tell that is down is no absence.
            if not (listed or says.all_cells_answer):
                return False
            release.unless_begun(server_id, generation, terminated=True)
        elif kind == _FAILED:
            # Not knowing is no reason to delete what a project has made.
            release.unless_begun(server_id, generation, terminated=False)
        elif kind == _OFFLOADED:
            unbind.everything(server_id, generation)
        elif kind == _ELSEWHERE and _may_be_there(says, server, holder):
            return False
        else:
            return heal.elsewhere(says, server_id, generation)
        return True


def _may_be_there(
    says: nova.Nova, server: servers.Server, holder: holders.Holder
) -> bool:
    """Tell whether a guest may run where its devices are, or is to.

    Nova has it there as long as it has an allocation there.
    """
    if says.may_run_elsewhere(server):
        return True
    client = placement.Placement()
    return any(
        client.node(provider) == holder.node
        for provider in client.providers_of(holder.server_id)
    )

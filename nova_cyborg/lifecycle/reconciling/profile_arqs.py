# SPDX-License-Identifier: Apache-2.0

"""Servers with ARQs of device profiles alone, against what Nova says."""

import collections.abc

from cyborg import context as cyborg_context

from nova_cyborg.db.reconciler import profile_arqs
from nova_cyborg.lifecycle import nova, servers, unbind

#: The server is gone.
GONE = 'arqs-of-no-server'

# Nothing becomes of it by itself. How many ARQs it should have is Nova's
# business.
_STABLE = servers.AT_REST | {
    servers.State.MOVED,
    servers.State.OFFLOADED,
    servers.State.LEAVING,
}


class ProfileArqs:
    """What is read, decided and done about them.

    :ivar gone: the kind of what is left of a server that is gone.
    """

    gone = GONE

    @staticmethod
    def unsettled() -> list[profile_arqs.User]:
        """Find those that are not settled."""
        return profile_arqs.unsettled(cyborg_context.get_admin_context())

    @staticmethod
    def settled(
        after: int, limit: int
    ) -> tuple[list[profile_arqs.User], bool]:
        """Find some that are settled, in turn.

        :param after: the row id of the last one of those before.
        :param limit: how many ARQs at most.
        :returns: the servers, and whether these are the last ones.
        """
        context = cyborg_context.get_admin_context()
        return profile_arqs.settled(context, after, limit)

    @staticmethod
    def settle(user: profile_arqs.User) -> None:
        """Say that one is as Nova says.

        :param user: the server.
        """
        profile_arqs.settle(cyborg_context.get_admin_context(), user)

    @staticmethod
    def unsettle(server_ids: collections.abc.Iterable[str]) -> None:
        """Have Nova asked about servers.

        :param server_ids: their UUIDs.
        """
        profile_arqs.unsettle(cyborg_context.get_admin_context(), server_ids)

    @staticmethod
    def kind_of(user: profile_arqs.User, server: servers.Server) -> str | None:
        """Tell what disagrees.

        :param user: the server, as Cyborg has it.
        :param server: what Nova says of it.
        :returns: the kind, as the audit has it; None if nothing does.
        """
        return GONE if server.state is servers.State.GONE else None

    @staticmethod
    def is_settled(user: profile_arqs.User, server: servers.Server) -> bool:
        """Tell whether nothing is being done.

        :param user: the server, as Cyborg has it.
        :param server: what Nova says of it.
        """
        return user.is_bound and server.state in _STABLE

    @staticmethod
    def repair(kind: str, user: profile_arqs.User, listed: bool) -> bool:
        """Put right what disagrees, if it still does.

        :param kind: what disagrees.
        :param user: the server, as it was seen.
        :param listed: whether Nova has listed it as deleted.
        :returns: whether it did.
        """
        says = nova.Nova()
        server = says.server(user.server_id)
        if ProfileArqs.kind_of(user, server) != kind:
            return False
        if not (listed or says.all_cells_answer):
            return False
        # Of these, and of none that it gets meanwhile.
        unbind.devices(user.arq_ids)
        return True

# SPDX-License-Identifier: Apache-2.0

"""Healing: unbinding and releasing for servers that vanished.

It is done when their devices or device contexts are in the way.

A server can vanish without Cyborg being told: Nova does not wait for Cyborg
when it deletes one.
"""

import collections
import collections.abc
import contextlib
import typing as ty

from cyborg import context as cyborg_context

from nova_cyborg import exception, model
from nova_cyborg.db import arqs
from nova_cyborg.db.bindings import links, moves, transitions
from nova_cyborg.db.events import servers as events
from nova_cyborg.db.inventory import handles
from nova_cyborg.lifecycle import nova, placement, release, servers, unbind

_Result = ty.TypeVar('_Result')
# How many servers are asked for when a device seems to be full: each is a
# call of Nova's API.
_MOST_ASKED = 64
# With a server that is gone, or is so, nothing is being done.
_MOVE_IS_OVER = frozenset(
    (servers.State.GONE, servers.State.RESTING, servers.State.OFFLOADED)
)
#: Seconds for which a move must be over: Nova says so some moments before it
#: gives back what the migration has, and puts the server in error if that has
#: changed while it does.
MOVE_ENDS_WITHIN = 10


def contexts_in_use(
    says: nova.Nova, work: collections.abc.Callable[[], _Result]
) -> _Result:
    """Do something again as long as only servers that are gone are in the way.

    :param says: what Nova says.
    :param work: what is to be done; raises DeviceContextInUse if a server
        is in the way.
    :returns: what it returns.
    :raises DeviceContextInUse: if the server is not gone.
    """
    asked: set[str] = set()
    while True:
        try:
            return work()
        except exception.DeviceContextInUse as exc:
            holder = exc.server_id
            if holder is None or holder in asked:
                raise
            if says.server(holder).state not in servers.NEVER_TO_USE:
                raise
        asked.add(holder)
        # Somebody is asking for them: they are not deleted, as they might
        # have been with their server.
        release.contexts(holder, terminated=False)


def elsewhere(
    says: nova.Nova, server_id: str, generation: int | None = None
) -> bool:
    """Unbind what a server has on nodes that it is not on; safe to repeat.

    :param says: what Nova says.
    :param server_id: UUID of the server.
    :param generation: that of its allocation, which nothing is done for if it
        is another by then; None for any.
    :returns: whether nothing is being done with the server.
    """
    server = says.server(server_id)
    # Nova may have begun something with it, or not say where it is: it is
    # asked again another time.
    if server.state not in servers.AT_REST or server.node is None:
        return False
    if says.may_be_moving(server):
        return False
    failed = server.state is servers.State.FAILED
    unbind.elsewhere(server_id, server.node, failed, generation)
    return True


def make_room(
    says: nova.Nova, providers: collections.abc.Iterable[str]
) -> None:
    """Unbind what servers that are gone have left of devices that are full.

    Placement had room there, and has it again as soon as Nova deletes a
    server. Cyborg has not if it could not be reached then.

    :param says: what Nova says.
    :param providers: UUID of the resource provider of each device that is
        about to be bound, as often as it is.
    """
    context = cyborg_context.get_admin_context()
    full = handles.without_room(context, collections.Counter(providers))
    if not full:
        return
    # Read before Nova is asked, which may begin something with the server
    # right after it has said that nothing is being done.
    found = links.servers(context, full, _MOST_ASKED)
    for server_id, generation in found.items():
        server = says.server(server_id)
        if server.state is servers.State.RESTING:
            with contextlib.suppress(exception.StaleGeneration):
                elsewhere(says, server_id, generation)
    for server_id in handles.users(context, full, _MOST_ASKED):
        state = says.server(server_id).state
        if state is servers.State.GONE:
            release.contexts(server_id, terminated=True)
        elif state is servers.State.UNKNOWN:
            # Nova may be down: asking for the others would only take time.
            return


def was_server(says: nova.Nova, consumer: str) -> bool | None:
    """Tell whether what allocates, and is gone, was a server.

    An operator may allocate by hand, to keep a device from servers.

    :param says: what Nova says.
    :param consumer: UUID of a consumer of Placement's, of which Nova shows
        neither a server nor a migration.
    :returns: whether Nova or an event of ours tells of it; None if neither
        does, and Nova does not answer.
    """
    told = says.was_server(consumer)
    if told:
        return True
    context = cyborg_context.get_admin_context()
    return events.is_told_of(context, consumer) or told


def forget_unused(client: placement.Placement, server: servers.Server) -> None:
    """Forget the allocations of a server that is as it was.

    :param client: Placement.
    :param server: the server, which has no use for them.
    """
    # Nova says that it is unshelved before it chooses a host.
    if nova.Nova().server(server.server_id).state is server.state:
        client.forget(server.server_id)


def forget_on_host(
    client: placement.Placement, provider: str, server: servers.Server
) -> None:
    """Forget the allocations of a server on a host that it is not on.

    :param client: Placement.
    :param provider: UUID of a resource provider of that host.
    :param server: the server.
    """

    def is_unused() -> bool:
        asked = nova.Nova()
        now = asked.server(server.server_id)
        if now.state not in servers.AT_REST or now.node != server.node:
            return False
        return not may_use_elsewhere(client, asked, now)

    client.forget_on_host(provider, server.server_id, is_unused)


def may_use_elsewhere(
    client: placement.Placement, says: nova.Nova, server: servers.Server
) -> bool:
    """Tell whether a server may use what it has on a host it is not on.

    :param client: Placement.
    :param says: what Nova says.
    :param server: the server, with which nothing is being done.
    :returns: whether it may: of one in error, the guest may run where it was
        brought to; and what a move has that was not ended is put right with
        that.
    """
    failed = server.state is servers.State.FAILED
    if failed and says.may_run_elsewhere(server):
        return True
    return is_moving(client, says, server.server_id)


def is_over(says: nova.Nova, server: servers.Server) -> bool:
    """Tell whether all moves of a server are over.

    :param says: what Nova says.
    :param server: the server.
    :returns: whether they are; not if Nova does not say.
    """
    if server.state is servers.State.GONE:
        return True
    return server.state in _MOVE_IS_OVER and not says.may_be_moving(server)


def is_moving(
    client: placement.Placement, says: nova.Nova, server_id: str
) -> bool:
    """Tell whether a server has something of a move that was not ended.

    Its own allocations are those of the host that it was to go to then.

    :param client: Placement.
    :param says: what Nova says.
    :param server_id: UUID of the server.
    :returns: whether it has devices on another host, or one of its migrations
        has allocations; True as well if Nova does not say.
    """
    if moves.unused(cyborg_context.get_admin_context(), server_id):
        return True
    found = says.migrations_of(server_id)
    return found is None or any(map(client.providers_of, found))


def allocate(
    client: placement.Placement,
    provider: str,
    server: servers.Server,
    count: int,
) -> bool:
    """Have Placement's allocations of a server say that it has devices.

    :param client: Placement.
    :param provider: UUID of the devices' resource provider.
    :param server: the server, which is on the host of the provider.
    :param count: how many it has.
    :returns: whether they do; not if it is not as it was.
    """

    def is_wanting() -> bool:
        asked = nova.Nova()
        now = asked.server(server.server_id)
        if now.state not in servers.AT_REST or now.node != server.node:
            return False
        return not is_moving(client, asked, server.server_id)

    return client.allocate(provider, server.server_id, count, is_wanting)


def more_than_devices(
    client: placement.Placement,
    server: servers.Server,
    allocated: model.Amounts,
) -> model.Amounts:
    """Tell what is to be allocated to a server that has its devices.

    :param client: Placement.
    :param server: the server, which is on a host.
    :param allocated: what is allocated to it, read just before.
    :returns: the same, less what its devices and its flavor do not account
        for; the same if that cannot be told, or changes now.
    """
    context = cyborg_context.get_admin_context()
    # What is attached from now on changes the allocations once more.
    if not server.tells_flavor or transitions.are_any(
        context, server.server_id
    ):
        return allocated
    left = arqs.amounts(context, server.server_id, sorted(allocated))
    here = {
        provider: devices
        for provider, devices in left.items()
        if client.node(provider) == server.node
    }
    return model.lowered(allocated, here, server.flavor_resources)


def lower(client: placement.Placement, server: servers.Server) -> bool:
    """Have Placement's allocations of a server say what it has of devices.

    :param client: Placement.
    :param server: the server, which is on a host.
    :returns: whether something is forgotten; not if the server is not as it
        was, or what it has changes.
    """

    def wanted(allocated: model.Amounts) -> model.Amounts:
        asked = nova.Nova()
        now = asked.server(server.server_id)
        if (
            now.state is not servers.State.RESTING
            or now.node is None
            or now.node != server.node
            or is_moving(client, asked, server.server_id)
        ):
            return allocated
        return more_than_devices(client, now, allocated)

    return client.lower(server.server_id, wanted)


def end_move(
    client: placement.Placement,
    provider: str,
    migration_id: str,
    server: servers.Server,
) -> None:
    """Forget the allocations of a migration that is over.

    A server that stayed where it was has them, in the place of its own.

    :param client: Placement.
    :param provider: UUID of a resource provider of them.
    :param migration_id: UUID of the migration.
    :param server: its server.
    """

    def is_still_over() -> bool:
        asked = nova.Nova()
        now = asked.server(server.server_id)
        if now.state is not server.state or now.node != server.node:
            return False
        return is_over(asked, now)

    came_back = server.node is not None and (
        client.node(provider) == server.node
    )
    client.end_move(
        provider, migration_id, server.server_id, is_still_over, came_back
    )

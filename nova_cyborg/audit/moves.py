# SPDX-License-Identifier: Apache-2.0

"""Servers that were moved, or could not be, and their devices."""

import collections.abc
import datetime
import functools

from oslo_utils import timeutils

from nova_cyborg.audit import look
from nova_cyborg.db import allocations
from nova_cyborg.db.bindings import moves
from nova_cyborg.lifecycle import heal, nova, servers


def find_left_behind(
    view: look.Look,
) -> collections.abc.Iterator[look.Finding]:
    """Find servers that have devices on a host which they are not on.

    :param view: the look of the audit.
    :returns: what disagrees.
    """
    for server_id, nodes in moves.unused(view.context).items():
        server = view.nova.server(server_id)
        if server.state is not servers.State.RESTING or server.node is None:
            # What is on its way may come back.
            continue
        if view.nova.may_be_moving(server):
            # Its state was reset while libvirt migrates it.
            continue
        yield look.Finding(
            'devices-left-behind',
            server_id,
            f'The server is on {server.node}, and has devices of a move that '
            f'is over on {", ".join(nodes)}.',
            functools.partial(_unbind_elsewhere, server_id),
        )


def find_on_another_host(
    view: look.Look,
) -> collections.abc.Iterator[look.Finding]:
    """Find servers whose devices are where they could not be evacuated to.

    :param view: the look of the audit.
    :returns: what disagrees.
    """
    for server_id in sorted(on_another_host(view)):
        server = view.nova.server(server_id)
        runs = view.nova.may_run_elsewhere(server) or view.nova.may_be_moving(
            server
        )
        yield look.Finding(
            'devices-on-another-host',
            server_id,
            'The server could not be evacuated to the host that devices are '
            'bound on for it'
            + (', and its guest may run there' if runs else '')
            + '. Evacuate it again.',
            # The device would be given to another guest while it runs.
            None if runs else functools.partial(_unbind_elsewhere, server_id),
        )


def _unbind_elsewhere(server_id: str) -> None:
    """Repair ``devices-left-behind`` and ``devices-on-another-host``."""
    heal.elsewhere(nova.Nova(), server_id)


def on_another_host(view: look.Look) -> set[str]:
    """Find the servers of which ``devices-on-another-host`` is said.

    :param view: the look of the audit.
    :returns: their UUIDs.
    """
    providers = view.providers
    # After the allocations in Placement: who has one holds by now.
    holders = {each.server_id for each in allocations.holders(view.context)}
    found = set()
    for provider in providers:
        for server_id in provider.in_cyborg.keys() & holders:
            if server_id in provider.in_placement:
                continue
            server = view.nova.server(server_id)
            use = provider.in_cyborg[server_id]
            if server.state is servers.State.FAILED and (
                server.node not in (None, use.node)
            ):
                found.add(server_id)
    return found


def find_unended(view: look.Look) -> collections.abc.Iterator[look.Finding]:
    """Find migrations that have allocations, and are over.

    While a server is moved, Nova allocates what it has on the host that it
    leaves to the migration, and what it is to have to the server. A process
    that is killed meanwhile leaves that so.

    :param view: the look of the audit.
    :returns: what disagrees.
    """
    for provider, consumer, server in _moved(view):
        if _is_ending(view, consumer, server):
            continue
        yield look.Finding(
            'allocation-of-a-move',
            consumer,
            'Placement has an allocation of the migration, of which nothing '
            f'becomes any more, of server {server.server_id}.',
            functools.partial(
                heal.end_move, view.placement, provider, consumer, server
            ),
        )


def of_unended(view: look.Look) -> set[str]:
    """Find servers that exist, of which migrations have allocations still.

    What they have themselves is put right with those, by Nova or by repairing
    ``allocation-of-a-move``.

    :param view: the look of the audit.
    :returns: their UUIDs.
    """
    return {
        server.server_id
        for _provider, _consumer, server in _moved(view)
        if server.state is not servers.State.GONE
    }


def _moved(
    view: look.Look,
) -> collections.abc.Iterator[tuple[str, str, servers.Server]]:
    """Find migrations that have allocations, of servers that do not move.

    :returns: UUID of a resource provider, UUID of the migration, and the
        server, of each.
    """
    seen: set[str] = set()
    for provider in view.providers:
        for consumer in sorted(provider.in_placement.keys() - seen):
            seen.add(consumer)
            # All are asked for only if one of them may be.
            if view.nova.server(consumer).state is not servers.State.GONE:
                continue
            server_id = server_of(view, consumer)
            if server_id is None:
                continue
            server = view.nova.server(server_id)
            if heal.is_over(view.nova, server):
                yield provider.uuid, consumer, server


def server_of(view: look.Look, consumer: str) -> str | None:
    """Tell whose migration has an allocation.

    :param view: the look of the audit.
    :param consumer: UUID of who has it, which is no server.
    :returns: UUID of the server; None if it is no migration, or Nova does not
        say.
    """
    migration = (view.nova.migrations or {}).get(consumer)
    return migration.server_id if migration else None


def _is_ending(
    view: look.Look, migration_id: str, server: servers.Server
) -> bool:
    """Tell whether Nova may be about to forget an allocation itself."""
    migration = (view.nova.migrations or {})[migration_id]
    return _has_just_changed(migration.updated_at) or _has_just_changed(
        server.updated_at
    )


def _has_just_changed(time: datetime.datetime | None) -> bool:
    if time is None:
        return False
    age = timeutils.delta_seconds(
        timeutils.normalize_time(time), timeutils.utcnow()
    )
    return age < heal.MOVE_ENDS_WITHIN

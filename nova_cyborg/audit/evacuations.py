# SPDX-License-Identifier: Apache-2.0

"""Servers that were evacuated, or could not be, and their devices."""

import collections.abc
import functools

from nova_cyborg.audit import look
from nova_cyborg.db import allocations, links
from nova_cyborg.lifecycle import nova, servers, unbind


def find_left_behind(
    view: look.Look,
) -> collections.abc.Iterator[look.Finding]:
    """Find servers that have devices on the host they were evacuated from.

    :param view: the look of the audit.
    :returns: what disagrees.
    """
    for server_id, old_node in links.servers_left_behind(view.context).items():
        server = view.nova.server(server_id)
        if server.state is not servers.State.RESTING:
            # What is not on its new host may stay on the old one.
            continue
        if server.node not in (None, old_node):
            yield look.Finding(
                'devices-left-behind',
                server_id,
                f'The server was evacuated from {old_node}, and has devices '
                'there.',
                functools.partial(_unbind_left_behind, server_id, server.node),
            )


def _unbind_left_behind(server_id: str, node: str) -> None:
    """Repair ``devices-left-behind``."""
    unbind.left_behind(server_id, node)


def find_on_another_host(
    view: look.Look,
) -> collections.abc.Iterator[look.Finding]:
    """Find servers whose devices are where they could not be evacuated to.

    :param view: the look of the audit.
    :returns: what disagrees.
    """
    for server_id, generation in on_another_host(view).items():
        runs = view.nova.may_run_elsewhere(view.nova.server(server_id))
        yield look.Finding(
            'devices-on-another-host',
            server_id,
            'The server could not be evacuated to the host that devices are '
            'bound on for it'
            + (', and its guest may run there' if runs else '')
            + '. Evacuate it again.',
            # The device would be given to another guest while it runs.
            None
            if runs
            else functools.partial(_unbind_elsewhere, server_id, generation),
        )


def _unbind_elsewhere(server_id: str, generation: int) -> None:
    """Repair ``devices-on-another-host``."""
    unbind.elsewhere(nova.Nova(), server_id, generation)


def on_another_host(view: look.Look) -> dict[str, int]:
    """Find the servers of which ``devices-on-another-host`` is said.

    :param view: the look of the audit.
    :returns: the generation of their allocations, by their UUIDs.
    """
    providers = view.providers
    # After the allocations in Placement: who has one holds by now.
    generations = {
        holder.server_id: holder.generation
        for holder in allocations.holders(view.context)
    }
    found: dict[str, int] = {}
    for provider in providers:
        for server_id in sorted(
            provider.in_cyborg.keys() - provider.in_placement.keys()
        ):
            if server_id not in generations:
                continue
            server = view.nova.server(server_id)
            use = provider.in_cyborg[server_id]
            if server.state is servers.State.FAILED and (
                server.node not in (None, use.node)
            ):
                found[server_id] = generations[server_id]
    return found

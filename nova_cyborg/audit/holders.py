# SPDX-License-Identifier: Apache-2.0

"""Servers that hold device contexts, and what Nova says of them."""

import collections.abc
import datetime
import functools

from nova_cyborg.audit import look
from nova_cyborg.db import allocations
from nova_cyborg.db.bindings import transitions
from nova_cyborg.lifecycle import nova, release, servers, unbind

#: How long attaching or detaching one may take.
MOST = datetime.timedelta(minutes=10)


def find(
    view: look.Look,
) -> collections.abc.Iterator[look.Finding]:
    """Find servers that hold what they should not, or lack what they hold.

    :param view: the look of the audit.
    :returns: what disagrees.
    """
    for holder in allocations.holders(view.context):
        state = view.nova.server(holder.server_id).state
        finding = _about(holder, state)
        if finding:
            yield finding


def _about(
    holder: allocations.Holder, state: servers.State
) -> look.Finding | None:
    server_id = holder.server_id
    if state is servers.State.GONE:
        return look.Finding(
            'held-by-no-server',
            server_id,
            'Nova does not know the server that holds device contexts.',
            functools.partial(_release, server_id),
        )
    if state is servers.State.UNKNOWN:
        return look.Finding(
            'unknown-server',
            server_id,
            'Nova does not say whether there is the server that holds '
            'device contexts. The log says why, unless its cell is down.',
        )
    if state is servers.State.NEVER_BUILT:
        return look.Finding(
            'held-by-failed-server',
            server_id,
            'The server could not be built, and holds device contexts.',
            functools.partial(_release_and_keep, server_id),
        )
    if state is servers.State.OFFLOADED and holder.has_arqs:
        return look.Finding(
            'devices-of-offloaded-server',
            server_id,
            'The server is on no host, and devices are bound for it.',
            functools.partial(_unbind, server_id, holder.generation),
        )
    if holder.is_changing:
        # It may have none before one is attached, and after one is detached.
        return None
    if state is servers.State.RESTING and not holder.has_arqs:
        return look.Finding(
            'server-without-devices',
            server_id,
            'The server is on a host, and no device is bound for it. Shelve '
            'it with offloading, and unshelve it.',
        )
    return None


def find_changing(view: look.Look) -> collections.abc.Iterator[look.Finding]:
    """Find device contexts whose transition has not ended.

    Nothing is repaired from here: the guest may have the device, or not, and
    the call that is made again looks.

    :param view: the look of the audit.
    :returns: what disagrees.
    """
    for each in transitions.begun_before(view.context, MOST):
        if view.nova.server(each.server_id).state in servers.NEVER_TO_USE:
            # It is released with the rest of what that server holds.
            continue
        verb = (
            'attached to'
            if each.transition == transitions.ATTACHING
            else 'detached from'
        )
        yield look.Finding(
            'attach-not-ended',
            each.context_id,
            f'The device context is being {verb} server {each.server_id} '
            f'for more than {MOST.seconds // 60} minutes. Repeat the request.',
        )


def _release(server_id: str) -> None:
    """Repair ``held-by-no-server``."""
    release.of_server(nova.Nova(), server_id)


def _release_and_keep(server_id: str) -> None:
    """Repair ``held-by-failed-server``: no device context is deleted."""
    release.contexts(server_id, terminated=False)


def _unbind(server_id: str, generation: int) -> None:
    """Repair ``devices-of-offloaded-server``."""
    unbind.everything(server_id, generation)

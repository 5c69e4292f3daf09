# SPDX-License-Identifier: Apache-2.0

"""Releasing device contexts: their servers do not hold them any more.

What is bound is unbound with them. Each function is safe to repeat.
"""

import logging

from cyborg import context as cyborg_context

from nova_cyborg import exception
from nova_cyborg.db import arqs, profiles
from nova_cyborg.db.bindings import releasing
from nova_cyborg.lifecycle import nova, servers, unbind

LOG = logging.getLogger(__name__)

_ATTEMPTS = 5


def of_server(
    says: nova.Nova,
    server_id: str,
    caller: str | None = None,
    terminated: bool = False,
) -> None:
    """Release the device contexts of a server.

    If it is being deleted, as Nova says, or was, those that live as long as
    their server are deleted.

    :param says: what Nova says.
    :param server_id: UUID of the server.
    :param caller: UUID of the attempt that has reserved them; None for any.
    :param terminated: whether that is known; Nova is asked unless it is.
    :raises AlreadyBegun: if another caller has.
    """
    # Not knowing is no reason to delete what a project has made.
    if not terminated:
        terminated = says.server(server_id).state in servers.LEAVING
    contexts(server_id, terminated, caller)


def contexts(
    server_id: str, terminated: bool, caller: str | None = None
) -> None:
    """Release the device contexts of a server.

    :param server_id: UUID of the server.
    :param terminated: whether those that live as long as their server are
        deleted.
    :param caller: UUID of the attempt that has reserved them; None for any.
    :raises AlreadyBegun: if another caller has.
    :raises StillBound: if something is done with the server again and again
        meanwhile.
    """
    context = cyborg_context.get_admin_context()
    _release(server_id, releasing.read(context, server_id), terminated, caller)


def _release(
    server_id: str,
    held: releasing.Held | None,
    terminated: bool,
    caller: str | None = None,
) -> None:
    """Release what a server holds.

    :param held: that, as it was read.
    """
    context = cyborg_context.get_admin_context()
    for attempts_left in reversed(range(_ATTEMPTS)):
        if held is None:
            # Those of the flavor's profile: Nova has asked for it in vain,
            # or will not any more.
            unbind.devices(arqs.of_server(context, server_id))
            break
        if caller not in (None, held.caller):
            raise exception.AlreadyBegun(server_id=server_id)
        try:
            _release_once(held, terminated)
            break
        except exception.StillBound:
            # An attempt was begun since it was read.
            if not attempts_left:
                raise
        held = releasing.read(context, server_id)
    LOG.info('Server %s has released its device contexts', server_id)


def _release_once(held: releasing.Held, terminated: bool) -> None:
    context = cyborg_context.get_admin_context()
    unbind.given_back(releasing.release(context, held, terminated))
    profiles.remove_unused_of(context, held.contexts.values())


def unless_begun(server_id: str, generation: int, terminated: bool) -> None:
    """Release the device contexts of a server that is not brought anywhere.

    :param server_id: UUID of the server.
    :param generation: that of its allocation.
    :param terminated: whether those that live as long as their server are
        deleted.
    :raises StaleGeneration: if an attempt was begun in between.
    :raises StillBound: if one is begun meanwhile, or a device context is
        attached.
    """
    context = cyborg_context.get_admin_context()
    held = releasing.read(context, server_id)
    if held is None:
        unbind.devices(arqs.of_server(context, server_id))
    elif held.generation != generation:
        raise exception.StaleGeneration(
            server_id=server_id, current=held.generation, given=generation
        )
    else:
        _release_once(held, terminated)
    LOG.info('Server %s has released its device contexts', server_id)


def for_stock_nova(says: nova.Nova, server_id: str) -> None:
    """Unbind all ARQs of a server, and release its contexts if it leaves.

    Stock Nova asks for its ARQs to be deleted when a server is deleted, and
    as well when it only leaves its host: shelved, evacuated, or to be built
    on another host. Then the server keeps its device contexts.

    :param says: what Nova says.
    :param server_id: UUID of the server.
    :raises ServerNotLeaving: if it holds device contexts, and does nothing
        of that.
    """
    context = cyborg_context.get_admin_context()
    held = releasing.read(context, server_id)
    if held is None:
        unbind.devices(arqs.of_server(context, server_id))
        return
    state = says.server(server_id).state
    if state in servers.STAYING:
        # A request of an operation that is over: what is bound now is not
        # what was to be unbound then, and is in the guest.
        raise exception.ServerNotLeaving(server_id=server_id)
    if state in servers.LEAVING:
        _release(server_id, held, terminated=True)
    else:
        unbind.given_back(releasing.unbind(context, held))
        profiles.remove_unused_of(context, held.contexts.values())
        LOG.info('Server %s keeps its device contexts, unbound', server_id)

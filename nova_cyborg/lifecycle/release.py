# SPDX-License-Identifier: Apache-2.0

"""Releasing device contexts: their servers do not hold them any more.

What is bound is unbound before. Each function is safe to repeat.
"""

import logging

from cyborg import context as cyborg_context

from nova_cyborg import exception
from nova_cyborg.db import allocations, arqs
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
    :raises StillBound: if the server is bound again and again meanwhile.
    """
    context = cyborg_context.get_admin_context()
    for attempts_left in reversed(range(_ATTEMPTS)):
        unbind.last_attempt(server_id, caller=caller)
        # Those of the flavor's profile, too: Nova has asked for it in vain,
        # or will not any more. Before it is lost whose they are.
        unbind.devices(arqs.of_server(context, server_id))
        try:
            allocations.release(context, server_id, terminated, caller)
            break
        except exception.StillBound:
            # An attempt was begun between the two.
            if not attempts_left:
                raise
    LOG.info('Server %s has released its device contexts', server_id)


def unless_begun(server_id: str, generation: int, terminated: bool) -> None:
    """Release the device contexts of a server that is not brought anywhere.

    :param server_id: UUID of the server.
    :param generation: that of its allocation.
    :param terminated: whether those that live as long as their server are
        deleted.
    :raises StaleGeneration: if an attempt was begun in between.
    :raises StillBound: if a device context is being attached meanwhile.
    """
    context = cyborg_context.get_admin_context()
    unbind.everything(server_id, generation)
    allocations.release(
        context,
        server_id,
        terminated,
        # What has ended the attempt.
        generation=generation + 1,
    )
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
    arq_ids = arqs.of_server(context, server_id)
    if not allocations.exists(context, server_id):
        unbind.devices(arq_ids)
        return
    state = says.server(server_id).state
    if state in servers.STAYING:
        # A request of an operation that is over: what is bound now is not
        # what was to be unbound then, and is in the guest.
        raise exception.ServerNotLeaving(server_id=server_id)
    unbind.devices(arq_ids)
    if state in servers.LEAVING:
        contexts(server_id, terminated=True)
    else:
        allocations.record_unbound(context, server_id)
        LOG.info('Server %s keeps its device contexts, unbound', server_id)

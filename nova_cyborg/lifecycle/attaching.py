# SPDX-License-Identifier: Apache-2.0

"""Device contexts that servers get and lose while they exist."""

import collections.abc
import logging

from cyborg import context as cyborg_context

from nova_cyborg.db import allocations, arqs
from nova_cyborg.db.bindings import attaching, detaching, transitions
from nova_cyborg.db.limits import limits as limits_lib
from nova_cyborg.lifecycle import unbind

LOG = logging.getLogger(__name__)


def begin(
    context: cyborg_context.RequestContext,
    call: transitions.Call,
    project_id: str,
    tag: str | None,
    check: allocations.Check,
    limits: limits_lib.Limits,
) -> attaching.Begun:
    """Begin to attach a device context to a server; safe to repeat.

    Nova's API waits for it, and is not asked about a server that holds it:
    one with a single thread would wait for ever.

    :param call: the call that attaches it.
    :param project_id: the server's project, which owns the device context.
    :param tag: the tag that it is to have; None for the one that it has.
    :param check: raises if the server may not have its device contexts.
    :param limits: what the project may have.
    :returns: what the server holds.
    :raises DeviceContextInUse: if another server holds it.
    """
    begun = attaching.begin(context, call, project_id, tag, check, limits)
    LOG.info(
        'Server %s is getting device context %s',
        call.server_id,
        call.context_id,
    )
    return begun


def unplug(
    call: transitions.Call, providers: collections.abc.Collection[str]
) -> dict[str, dict[str, int]]:
    """Unbind what a device context has that no guest has any more.

    Safe to repeat.

    :param call: the call that attaches or detaches it.
    :param providers: UUIDs of resource providers.
    :returns: what the server still has of each that is a device's: amounts by
        resource class, by UUID of the provider.
    :raises OtherAttempt: if another call or attempt has taken over.
    """
    context = cyborg_context.get_admin_context()
    unbind.given_back(detaching.unplug(context, call))
    allocations.tidy(context, call.server_id)
    return arqs.amounts(context, call.server_id, providers)


def end(
    context: cyborg_context.RequestContext,
    server_id: str,
    context_id: str,
    caller: str | None,
    fault: str | None,
) -> None:
    """Say that a server has a device context now; safe to repeat.

    :param server_id: UUID of the server.
    :param context_id: UUID of the device context.
    :param caller: UUID of the call that attaches or detaches it; None for
        whichever detaches it.
    :param fault: why it could not be detached, if it is so.
    :raises OtherAttempt: if another call or attempt has taken over.
    """
    attaching.end(context, server_id, context_id, caller, fault)
    LOG.info('Server %s has device context %s', server_id, context_id)


def end_detaching(
    context: cyborg_context.RequestContext,
    call: transitions.Call,
    fault: str | None,
) -> int:
    """Release a device context of a server; safe to repeat.

    :param call: the call that attaches or detaches it.
    :param fault: why it could not be attached, if it is so.
    :returns: how many device contexts the server still holds.
    :raises OtherAttempt: if another call or attempt has taken over.
    """
    left = detaching.end(context, call, fault)
    LOG.info(
        'Server %s does not hold device context %s any more; it holds %d',
        call.server_id,
        call.context_id,
        left,
    )
    return left

# SPDX-License-Identifier: Apache-2.0

"""Freeing devices, and taking device contexts back from servers."""

import collections
import collections.abc
import logging
import typing as ty

import oslo_messaging
from cyborg import context as cyborg_context
from cyborg.agent import rpcapi

from nova_cyborg import exception
from nova_cyborg.db import allocations, attempts, handles
from nova_cyborg.db import arqs as devices
from nova_cyborg.lifecycle import nova as servers

LOG = logging.getLogger(__name__)

_Result = ty.TypeVar('_Result')
_State = servers.State
# What a server that is being deleted, or was, can be.
_LEAVING = (_State.GONE, _State.LEAVING)
# A server that is on a host, or comes to one.
_STAYING = (_State.SETTLED, _State.ARRIVING)
# A server that holds device contexts and will not come to use them. One that
# is soft-deleted can be restored.
_NOT_THERE = (_State.GONE, _State.NEVER_BUILT)
_ATTEMPTS = 5
# How many servers are asked for when a device seems to be full: each is a
# call of Nova's API.
_MOST_ASKED = 64


def unbind(
    server_id: str,
    generation: int | None = None,
    caller: str | None = None,
) -> None:
    """Free the devices of a server's device contexts.

    :param server_id: UUID of the server; it keeps its device contexts.
    :param generation: that of the attempt which has bound them, or was to;
        None for whichever is the last, which is safe to repeat.
    :param caller: UUID of that attempt; None for any.
    :raises AlreadyBegun: if it is another caller's.
    :raises StaleGeneration: if another attempt was begun in between.
    """
    context = cyborg_context.get_admin_context()
    free(attempts.end(context, server_id, generation, caller))
    allocations.unbound(context, server_id)


def unbind_attempt(
    server_id: str, arq_ids: collections.abc.Collection[str]
) -> None:
    """Free what an attempt to bring a server to a host has bound.

    Safe to repeat, and late: what other attempts have bound stays.

    :param server_id: UUID of the server; it keeps its device contexts.
    :param arq_ids: UUIDs of the ARQs that the attempt has made, those of
        profiles too.
    :raises OtherAttempt: if another attempt has bound other ARQs.
    """
    context = cyborg_context.get_admin_context()
    wanted = set(arq_ids)
    free(wanted.intersection(devices.of_profiles(context, server_id)))
    free(attempts.end(context, server_id, arq_ids=arq_ids))
    allocations.unbound(context, server_id)


def settle(server_id: str, node: str) -> None:
    """Free what a server has left on the host that it was evacuated from.

    Safe to repeat, and late.

    :param server_id: UUID of the server.
    :param node: the node that it is on now.
    """
    context = cyborg_context.get_admin_context()
    free(attempts.left_for(context, server_id, node))


def unbind_elsewhere(server_id: str, generation: int) -> None:
    """Free the devices that a server has on another node than its own.

    :param server_id: UUID of the server, which is on a node and could not
        be evacuated; it has what it had there.
    :param generation: that of its allocation.
    :raises StaleGeneration: if the server is on its way to a host.
    """
    node = servers.node(server_id)
    if node is None:
        # Nova does not say; the next audit asks again.
        return
    context = cyborg_context.get_admin_context()
    left = attempts.made_elsewhere(context, server_id, node)
    unbind(server_id, generation)
    free(left)
    # Of an earlier attempt, they were in the way of what is taken up again.
    allocations.unbound(context, server_id)


def unbind_all(server_id: str, generation: int) -> None:
    """Free all devices of a server that is on no host.

    :param server_id: UUID of the server; it keeps its device contexts.
    :param generation: that of its allocation.
    :raises StaleGeneration: if the server is on its way to a host.
    """
    # With those of the flavor's profile, which Nova would bind anew. Read
    # first: none of them is of an attempt that begins after this one ends.
    left = devices.of_server(cyborg_context.get_admin_context(), server_id)
    unbind(server_id, generation)
    free(left)


def release(server_id: str, caller: str | None = None) -> None:
    """Free a server's devices and take its device contexts back.

    Safe to repeat. Those of a server that Nova does not know any more are
    deleted if they live as long as their server.

    :param server_id: UUID of the server.
    :param caller: UUID of the attempt that has reserved them; None for any.
    :raises AlreadyBegun: if another caller has.
    """
    # Not knowing is no reason to delete what a project has made.
    take_back(server_id, terminated=_leaves(server_id), caller=caller)


def take_back(
    server_id: str, terminated: bool, caller: str | None = None
) -> None:
    """Free a server's devices and take its device contexts back.

    Safe to repeat.

    :param server_id: UUID of the server.
    :param terminated: whether those that live as long as their server are
        deleted.
    :param caller: UUID of the attempt that has reserved them; None for any.
    :raises AlreadyBegun: if another caller has.
    :raises StillBound: if the server is bound again and again meanwhile.
    """
    context = cyborg_context.get_admin_context()
    for attempts_left in reversed(range(_ATTEMPTS)):
        unbind(server_id, caller=caller)
        # Those of the flavor's profile, too: Nova has asked for it in vain,
        # or will not any more. Before the server's name is forgotten.
        free(devices.of_server(context, server_id))
        try:
            allocations.release(context, server_id, terminated, caller)
            break
        except exception.StillBound:
            # An attempt was begun between the two.
            if not attempts_left:
                raise
    LOG.info('Server %s has given its device contexts back', server_id)


def server_arqs_deleted(server_id: str) -> None:
    """Free all ARQs of a server, as stock Nova asks for.

    Nova asks for it when a server is deleted, and as well when it only
    leaves its host: shelved, evacuated, or to be built on another host.
    Then the server keeps its device contexts.

    :param server_id: UUID of the server.
    :raises ServerNotLeaving: if it holds device contexts, and does nothing
        of that.
    """
    context = cyborg_context.get_admin_context()
    arq_ids = devices.of_server(context, server_id)
    try:
        allocations.get(context, server_id)
    except exception.AllocationNotFound:
        free(arq_ids)
        return
    state = servers.state(server_id)
    if state in _STAYING:
        # A request of an operation that is over: what was freed now is not
        # what was to be freed then, and is in the guest.
        raise exception.ServerNotLeaving(server_id=server_id)
    free(arq_ids)
    if state in _LEAVING:
        take_back(server_id, terminated=True)
    else:
        allocations.unbound(context, server_id)
        LOG.info('Server %s keeps its device contexts, unbound', server_id)


def unbind_earlier(
    server_id: str, arq_ids: collections.abc.Iterable[str]
) -> None:
    """Free what is left of an earlier attempt; safe to repeat.

    :param server_id: UUID of the server.
    :param arq_ids: UUIDs of its ARQs.
    """
    free(arq_ids)
    allocations.unbound(cyborg_context.get_admin_context(), server_id)


def healed(work: collections.abc.Callable[[], _Result]) -> _Result:
    """Do something again as long as only servers that are gone are in the way.

    A server can vanish without Cyborg being told: Nova does not wait for
    Cyborg when it deletes one.

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
            holder = str(exc.kwargs['server_id'])
            if holder in asked or servers.state(holder) not in _NOT_THERE:
                raise
        asked.add(holder)
        # Somebody is asking for them: they are not deleted, as they might
        # have been with their server.
        take_back(holder, terminated=False)


def make_room(providers: collections.abc.Iterable[str]) -> None:
    """Free what servers that are gone have left of devices that are full.

    Placement had room there, and has it again as soon as Nova deletes a
    server. Cyborg has not if it could not be reached then.

    :param providers: UUID of the resource provider of each device that is
        about to be bound, as often as it is.
    """
    context = cyborg_context.get_admin_context()
    full = handles.without_room(context, collections.Counter(providers))
    if not full:
        return
    for server_id in devices.left_behind(context, full, _MOST_ASKED):
        _settle_there(server_id)
    for server_id in handles.users(context, full, _MOST_ASKED):
        state = servers.state(server_id)
        if state is _State.GONE:
            take_back(server_id, terminated=True)
        elif state is _State.UNKNOWN:
            # Nova may be down: asking for the others would only take time.
            return


def _settle_there(server_id: str) -> None:
    if servers.state(server_id) is not _State.SETTLED:
        return
    node = servers.node(server_id)
    if node is not None:
        settle(server_id, node)


def _leaves(server_id: str) -> bool:
    return servers.state(server_id) in _LEAVING


def free(arq_ids: collections.abc.Iterable[str]) -> None:
    """Unbind and delete ARQs; those that are gone already are no error.

    :param arq_ids: UUIDs of the ARQs.
    """
    context = cyborg_context.get_admin_context()
    for arq_id in arq_ids:
        handle = devices.remove(context, arq_id)
        if handle is None:
            continue
        try:
            _remove_mediated_device(context, handle)
        except Exception as exc:  # noqa: BLE001
            # Whatever the agent raises, or the message bus if its host is
            # down. The server need not wait for that.
            LOG.warning(
                'Attach handle %s is not freed, as its mediated device could '
                'not be removed. Run "nova-cyborg-manage audit --repair" when '
                'cyborg-agent is back on its host: %s',
                handle.uuid,
                exc,
            )
        else:
            handles.free(context, handle.row_id)


def free_handle(handle: handles.Handle) -> None:
    """Free an attach handle that is in use by no ARQ.

    :param handle: the handle.
    """
    context = cyborg_context.get_admin_context()
    if handle.attach_type == handles.MDEV:
        # Else the next one could not be made.
        _remove_mediated_device(context, handle)
    handles.free(context, handle.row_id)


def _remove_mediated_device(
    context: cyborg_context.RequestContext, handle: handles.Handle
) -> None:
    # One that is not there is as good, as after a reboot of the host.
    try:
        rpcapi.AgentAPI().remove_vgpu_mdev(
            context,
            handle.hostname,
            handle.pci_address,
            handle.info['asked_type'],
            handle.uuid,
        )
    except FileNotFoundError:
        return
    except oslo_messaging.RemoteError as exc:
        if exc.exc_type != 'FileNotFoundError':
            raise

# SPDX-License-Identifier: Apache-2.0

"""What keeps a message from being acted upon that comes once more, or late.

The message bus can deliver a message twice, the second time when other
operations have followed. In it, the server is still as it was.
"""

from __future__ import annotations

import collections.abc
import contextlib

from nova import context as nova_context
from nova import exception as nova_exception
from nova import objects
from nova.compute import vm_states

from nova_cyborg import exception
from nova_cyborg.nova import carried


class Superseded(BaseException):
    """Ends a call that another one has superseded.

    No Exception: it passes through Nova's own clean-up, which would delete
    what the other call has made.
    """


class Reset(Superseded):
    """Ends a call whose server has no task any more.

    It is done, or an administrator has reset the server's state meanwhile.
    """


@contextlib.contextmanager
def superseding() -> collections.abc.Iterator[None]:
    """End the call if another one is at its servers."""
    try:
        yield
    except exception.SUPERSEDED as exc:
        raise Superseded(str(exc)) from exc


def check_not_built(
    context: nova_context.RequestContext, server_id: str
) -> None:
    """End the call if a server was built, or has failed, before.

    Nova would take it for one that was deleted meanwhile, and forget which
    cell it is in.

    :param server_id: UUID of the server.
    :raises Superseded: if it is in a cell.
    """
    try:
        objects.BuildRequest.get_by_instance_uuid(context, server_id)
    except nova_exception.BuildRequestNotFound:
        with contextlib.suppress(nova_exception.InstanceMappingNotFound):
            mapping = objects.InstanceMapping.get_by_instance_uuid(
                context, server_id
            )
            if mapping.cell_mapping is not None:
                raise Superseded(
                    f'server {server_id} is in a cell already'
                ) from None


def check_under_way(
    context: nova_context.RequestContext, call: carried.Call, task_state: str
) -> None:
    """See :func:`check_task_state`; of the servers of a call, in any cell."""
    for server_id in call.specs:
        with in_its_cell(context, server_id) as cell_context:
            check_task_state(cell_context, server_id, task_state)


def check_task_state(
    context: nova_context.RequestContext, server_id: str, task_state: str
) -> None:
    """End the call if what it is to do was done before, or is not wanted.

    :param context: the request context, of the server's cell.
    :param server_id: UUID of the server.
    :param task_state: the task state that it has while that is to be done.
    :raises Reset: if it has none any more.
    :raises Superseded: if it has another one, or is gone.
    """
    try:
        now = objects.Instance.get_by_uuid(context, server_id).task_state
    except nova_exception.InstanceNotFound as exc:
        # Nova would claim resources for it before it finds out.
        raise Superseded(str(exc)) from exc
    if now != task_state:
        kind = Reset if now is None else Superseded
        raise kind(f'server {server_id} is not {task_state} any more')


def is_offloaded(context: nova_context.RequestContext, server_id: str) -> bool:
    """Tell whether a server is shelved on no host.

    :param context: the request context, of the server's cell.
    :param server_id: UUID of the server.
    :returns: whether it is; False if it is gone.
    """
    try:
        now = objects.Instance.get_by_uuid(context, server_id)
    except nova_exception.InstanceNotFound:
        return False
    return bool(now.vm_state == vm_states.SHELVED_OFFLOADED)


@contextlib.contextmanager
def in_its_cell(
    context: nova_context.RequestContext, server_id: str
) -> collections.abc.Iterator[nova_context.RequestContext]:
    """Be in the cell that a server is in.

    :param server_id: UUID of the server.
    :returns: a context manager that gives a request context for that cell.
    """
    mapping = objects.InstanceMapping.get_by_instance_uuid(context, server_id)
    with nova_context.target_cell(context, mapping.cell_mapping) as cell:
        yield cell

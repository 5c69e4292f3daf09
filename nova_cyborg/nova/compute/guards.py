# SPDX-License-Identifier: Apache-2.0

"""What Nova's database says of a server by now.

A message can be delivered twice, or a server be deleted meanwhile: the
instance of a message is as it was when that was sent.
"""

from __future__ import annotations

import collections.abc
import logging

from nova import context as nova_context
from nova import exception as nova_exception
from nova import objects
from nova.compute import task_states, vm_states

from nova_cyborg import exception

LOG = logging.getLogger(__name__)

# What Nova does with a server one after the other: it holds a lock for them.
_IN_TURN = (
    None,
    *task_states.soft_reboot_states,
    *task_states.hard_reboot_states,
    task_states.POWERING_OFF,
    task_states.SHELVING,
    task_states.DELETING,
)
# Task states in which a guest that is rebuilt does not run yet.
_REBUILDING = (
    task_states.REBUILDING,
    task_states.REBUILD_BLOCK_DEVICE_MAPPING,
    task_states.REBUILD_SPAWNING,
)


def current(
    context: nova_context.RequestContext, instance: objects.Instance
) -> objects.Instance | None:
    """Read a server anew.

    :param instance: the server.
    :returns: the server as it is now; None if it is gone.
    """
    try:
        return objects.Instance.get_by_uuid(context, instance.uuid)
    except nova_exception.InstanceNotFound:
        return None


def check_idle(
    instance: objects.Instance,
    host: str,
    states: collections.abc.Collection[str],
) -> None:
    """Check that nothing is being done with a server.

    :param instance: the server, as it is now.
    :param host: this host.
    :param states: the states that it may be in.
    :raises ServerBusy: if something is, or it is somewhere else.
    """
    if (
        instance.host != host
        or instance.task_state
        or instance.vm_state not in states
    ):
        raise busy(instance, instance, host)


def check_turn(
    context: nova_context.RequestContext,
    instance: objects.Instance,
    host: str,
    states: collections.abc.Collection[str] | None = None,
) -> None:
    """Check that no guest of a server is being made or moved.

    For one that holds Nova's lock of the server: what waits for the lock is in
    nobody's way. All else is done at the same time, and with the devices that
    were bound when it was begun.

    :param instance: the server.
    :param host: this host.
    :param states: the states that it may be in; None for any.
    :raises ServerBusy: if that may be so, or it is somewhere else.
    """
    now = current(context, instance)
    if (
        now is None
        or now.host != host
        or now.task_state not in _IN_TURN
        or (states is not None and now.vm_state not in states)
    ):
        raise busy(instance, now, host)


def busy(
    instance: objects.Instance, now: objects.Instance | None, host: str
) -> exception.ServerBusy:
    """Make the error for a server with which something else is done.

    :param instance: the server.
    :param now: the same as it is now; None if it is gone.
    :param host: this host.
    :returns: the error.
    """
    state = (now.task_state or now.vm_state) if now else vm_states.DELETED
    return exception.ServerBusy(
        server_id=instance.uuid, host=host, state=state
    )


def is_built(
    context: nova_context.RequestContext,
    instance: objects.Instance,
    host: str,
) -> bool:
    """Tell whether a server is built, has failed, or is on another host.

    :param instance: the server.
    :param host: this host.
    :returns: whether it is; False if it is gone.
    """
    now = current(context, instance)
    return now is not None and (
        now.launched_at is not None
        or now.vm_state == vm_states.ERROR
        or now.host not in (None, host)
    )


def is_never_built(
    context: nova_context.RequestContext,
    instance: objects.Instance,
    host: str,
) -> bool:
    """Tell whether a server has failed, and never ran.

    :param instance: the server.
    :param host: this host.
    :returns: whether it has; False if it is gone, or another host's.
    """
    now = current(context, instance)
    return (
        now is not None
        and now.vm_state == vm_states.ERROR
        and now.launched_at is None
        and now.host in (None, host)
    )


def is_offloaded(
    context: nova_context.RequestContext, instance: objects.Instance
) -> bool:
    """Tell whether a server is shelved on no host, or gone.

    :param instance: the server.
    :returns: whether it is.
    """
    now = current(context, instance)
    return now is None or now.vm_state == vm_states.SHELVED_OFFLOADED


def is_rebuilding(
    context: nova_context.RequestContext, instance: objects.Instance
) -> bool:
    """Tell whether the guest of a server does not run yet, or is gone.

    :param instance: the server, which is rebuilt.
    :returns: whether it is so.
    """
    now = current(context, instance)
    return now is None or now.task_state in _REBUILDING


def is_on(
    context: nova_context.RequestContext,
    instance: objects.Instance,
    host: str,
) -> bool:
    """Tell whether a server is on a host.

    :param instance: the server.
    :param host: the host.
    :returns: whether it is.
    """
    now = current(context, instance)
    return now is not None and now.host == host


def log_dropped(method: str, instance: objects.Instance) -> None:
    """Log that a message is dropped.

    :param method: the method that it calls.
    :param instance: the server.
    """
    LOG.warning(
        'Dropped a message %s for server %s: it has been done already',
        method,
        instance.uuid,
    )

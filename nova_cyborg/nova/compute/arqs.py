# SPDX-License-Identifier: Apache-2.0

"""What nova-compute asks and knows of a server's accelerator requests."""

from __future__ import annotations

import collections.abc
import logging
import time
import typing as ty

from nova import conf, objects
from nova import context as nova_context
from nova.compute import task_states

from nova_cyborg import exception
from nova_cyborg.nova import client, marks
from nova_cyborg.nova.compute import guards
from nova_cyborg.nova.compute.recovery import unfinished

CONF = conf.CONF
LOG = logging.getLogger(__name__)

_BOUND = 'Bound'
_POLL_SECONDS = 1
# Seconds for which Cyborg is waited for when a move ends. Who deletes a server
# that is to be confirmed waits, too, for as long as for any RPC call: 60 s.
_SETTLES_WITHIN = 20.0
# Task states in which a guest leaves its host, shelved.
_OFFLOADING = (
    task_states.SHELVING,
    task_states.SHELVING_IMAGE_PENDING_UPLOAD,
    task_states.SHELVING_IMAGE_UPLOADING,
    task_states.SHELVING_OFFLOADING,
)


def all_bound(
    arqs: collections.abc.Collection[collections.abc.Mapping[str, ty.Any]],
    awaited: collections.abc.Iterable[str],
) -> bool:
    """Tell whether all that a server was to get is bound.

    :param arqs: its accelerator requests as Cyborg's API shows them.
    :param awaited: UUIDs of those that there must be.
    :returns: whether they are there, and those of device contexts bound.
    """
    lost = set(awaited) - {arq['uuid'] for arq in arqs}
    # What becomes of the requests of profiles is Nova's business.
    return not lost and all(
        arq['state'] == _BOUND
        for arq in arqs
        if marks.is_of_device_context(arq)
    )


def wait_until_resolved(
    context: nova_context.RequestContext,
    instance: objects.Instance,
) -> None:
    """Wait until the binding of a server's accelerator requests is over.

    Those of a move are waited for by :func:`.bindings.wait_until_bound`.

    :param instance: the server.
    :raises DeviceContextError: if Cyborg does not answer, or refuses.
    :raises BindingTimeout: if it takes longer than nova.conf's
        ``arq_binding_timeout``.
    """
    allocations = client.allocation_client(context)
    end = time.monotonic() + CONF.arq_binding_timeout
    while not allocations.is_resolved(instance.uuid):
        if time.monotonic() > end:
            raise exception.BindingTimeout(
                server_id=instance.uuid, seconds=CONF.arq_binding_timeout
            )
        time.sleep(_POLL_SECONDS)


def fault(
    context: nova_context.RequestContext, instance: objects.Instance
) -> str | None:
    """Ask Cyborg why a binding failed.

    :param instance: the server.
    :returns: the reason; empty if Cyborg knows of none; None if the server
        holds no device contexts, or it cannot be said whether it does.
    """
    try:
        return client.allocation_client(context).get(instance.uuid).fault or ''
    except exception.AllocationNotFound:
        return None
    except exception.DeviceContextError as exc:
        LOG.debug('Cyborg does not say why: %s', exc)
        return '' if marks.has_contexts(instance) else None


def release(
    context: nova_context.RequestContext, instance: objects.Instance
) -> None:
    """Release the device contexts of a server that is not built.

    :param instance: the server.
    """
    unfinished.UNFINISHED.tell(
        context,
        instance.uuid,
        'release its device contexts',
        lambda allocations: allocations.release(instance.uuid),
    )


def release_deleted(
    context: nova_context.RequestContext, instance: objects.Instance
) -> None:
    """Release the device contexts of a server whose guest is gone for good.

    :param instance: the server.
    """
    unfinished.UNFINISHED.tell(
        context,
        instance.uuid,
        'release its device contexts, as it is deleted',
        lambda allocations: allocations.release(
            instance.uuid, terminated=True
        ),
    )


def unbind(
    context: nova_context.RequestContext,
    instance: objects.Instance,
    arq_ids: collections.abc.Collection[str],
) -> None:
    """Unbind what an attempt has bound for a server; safe to repeat, or late.

    :param instance: the server; it keeps its device contexts.
    :param arq_ids: UUIDs of the accelerator requests that the attempt has
        made, those of profiles too.
    :raises DeviceContextError: if Cyborg does not answer, or refuses.
    """
    if not arq_ids:
        return
    try:
        client.allocation_client(context).unbind_attempt(
            instance.uuid, arq_ids
        )
    except exception.OtherAttempt as exc:
        LOG.debug('There is no device to unbind: %s', exc)


def to_unbind(
    context: nova_context.RequestContext,
    instance: objects.Instance,
    known: list[str],
) -> list[str]:
    """Find what is to be unbound of a server that is being offloaded.

    nova-api has looked before nova-compute could begin: what was attached
    until then is not among it.

    :param instance: the server.
    :param known: UUIDs of the accelerator requests that nova-api has found.
    :returns: UUIDs of those that there are; those of nova-api if the server
        is not being offloaded any more, or Cyborg does not answer.
    """
    now = guards.current(context, instance)
    if now is None or now.task_state not in _OFFLOADING:
        return known
    try:
        found = client.allocation_client(context).arqs(instance.uuid)
    except exception.DeviceContextError as exc:
        LOG.debug('Cyborg does not say what there is: %s', exc)
        return known
    return [arq['uuid'] for arq in found]


def unbind_sometime(
    context: nova_context.RequestContext,
    instance: objects.Instance,
    arq_ids: collections.abc.Collection[str],
) -> None:
    """Unbind what was bound for a server that is not moved to this host.

    :param instance: the server; it keeps its device contexts.
    :param arq_ids: UUIDs of the accelerator requests, those of profiles too.
    """
    if not arq_ids:
        return
    unfinished.UNFINISHED.tell(
        context,
        instance.uuid,
        f'unbind {", ".join(sorted(arq_ids))}',
        lambda allocations: allocations.unbind_attempt(instance.uuid, arq_ids),
    )


def settle(
    context: nova_context.RequestContext,
    instance: objects.Instance,
    migration_id: str,
) -> None:
    """Unbind the devices on the host that a server was moved from.

    :param instance: the server, which stays where it is.
    :param migration_id: UUID of the migration.
    """
    unfinished.UNFINISHED.tell(
        context,
        instance.uuid,
        f'unbind what it has left by migration {migration_id}',
        lambda allocations: allocations.settle(
            instance.uuid,
            migration_id,
            min(_SETTLES_WITHIN, CONF.cyborg.timeout or _SETTLES_WITHIN),
        ),
    )

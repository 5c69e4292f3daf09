# SPDX-License-Identifier: Apache-2.0

"""What nova-api tells the nova-compute of a server.

In a namespace of the project's own, beside Nova's methods: Nova's versions,
and what an operator pins them to, have nothing to do with it.
"""

from __future__ import annotations

import collections.abc
import functools
import logging
import typing as ty

import oslo_messaging as messaging
from nova import context as nova_context
from nova import objects, rpc
from nova.compute import rpcapi
from nova.objects import base

from nova_cyborg import cyborg_client, exception

LOG = logging.getLogger(__name__)

NAMESPACE = 'nova_cyborg'
VERSION = '1.0'


def attach(
    context: nova_context.RequestContext,
    instance: objects.Instance,
    attachment: cyborg_client.Attachment,
    caller: str,
) -> None:
    """Have a device context attached.

    :param context: a context that targets the server's cell.
    :param instance: the server.
    :param attachment: what Cyborg has reserved.
    :param caller: UUID of the attempt.
    :raises ComputeUntold: if the message bus does not take it.
    """
    _cast(
        context,
        instance,
        'attach_device_context',
        device_context=_as_dict(attachment.context),
        caller=caller,
        taints=list(attachment.taints),
        resumed=attachment.resumed,
    )


def detach(
    context: nova_context.RequestContext,
    instance: objects.Instance,
    held: cyborg_client.AllocatedContext,
    caller: str,
) -> None:
    """Have a device context detached.

    :param context: a context that targets the server's cell.
    :param instance: the server.
    :param held: the device context.
    :param caller: UUID of the attempt.
    :raises ComputeUntold: if the message bus does not take it.
    """
    _cast(
        context,
        instance,
        'detach_device_context',
        device_context=_as_dict(held),
        caller=caller,
    )


def _cast(
    context: nova_context.RequestContext,
    instance: objects.Instance,
    method: str,
    **arguments: ty.Any,
) -> None:
    client = _router().client(context).prepare(server=instance.host)
    try:
        client.cast(context, method, instance=instance, **arguments)
    except messaging.MessagingException as exc:
        LOG.error(
            'The nova-compute of server %s could not be told (%s): %s',
            instance.uuid,
            method,
            repr(exc),
        )
        raise exception.ComputeUntold(server_id=instance.uuid) from exc


@functools.cache
def _router() -> ty.Any:
    """Return what finds the message bus of a server's cell."""
    target = messaging.Target(
        topic=rpcapi.RPC_TOPIC, namespace=NAMESPACE, version=VERSION
    )
    return rpc.ClientRouter(
        rpc.get_client(target, serializer=base.NovaObjectSerializer())
    )


def _as_dict(
    context: cyborg_client.AllocatedContext,
) -> collections.abc.Mapping[str, ty.Any]:
    return {
        'uuid': context.uuid,
        'groups': [group.as_record() for group in context.groups],
        'arqs': [
            device.arq_id
            for binding in context.bindings
            for device in binding.devices
        ],
    }

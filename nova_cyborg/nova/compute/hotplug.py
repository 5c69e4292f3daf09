# SPDX-License-Identifier: Apache-2.0

"""nova-compute: what nova-api asks for with a server that exists.

A device context is attached to it, or detached from it. Nova's own RPC has no
such methods; these have a namespace of their own. nova-api does not wait for
them: the server's action has an event that says how it went, and the device
context has its status and a fault.
"""

from __future__ import annotations

import collections.abc
import logging
import typing as ty

import oslo_messaging as messaging
from nova import context as nova_context
from nova import exception as nova_exception
from nova import objects, utils
from nova.compute import manager as stock_manager
from nova.compute import utils as compute_utils

from nova_cyborg import exception, signatures
from nova_cyborg.nova.compute import attachments

LOG = logging.getLogger(__name__)

# Events of the server's action, beside Nova's own.
_ATTACH = 'compute_attach_device_context'
_DETACH = 'compute_detach_device_context'
# What is read of the server again, as all of it may be changed or looked at.
_ATTRIBUTES = ['device_metadata', 'flavor', 'info_cache', 'system_metadata']
# Of Nova's compute manager, which has it for ports.
_SIGNATURES = {
    '_allocate_port_resource_for_instance': (
        'context instance pci_reqs request_groups request_level_params'
    )
}


def check() -> None:
    """Check that Nova's compute manager has what is used of it.

    :raises PluginActivationFailed: if this release of Nova has not.
    """
    signatures.check(stock_manager.ComputeManager, _SIGNATURES)


class Endpoint:
    """The methods that nova-api calls; nobody waits for their end.

    :param manager: Nova's compute manager of this host.
    """

    target = messaging.Target(namespace='nova_cyborg', version='1.0')

    def __init__(self, manager: ty.Any) -> None:
        self._manager = manager

    def attach_device_context(
        self,
        context: nova_context.RequestContext,
        instance: objects.Instance,
        device_context: dict[str, ty.Any],
        caller: str,
        taints: list[str],
        resumed: bool,
    ) -> None:
        """Attach a device context that is reserved for a server of this host.

        :param instance: the server.
        :param device_context: see :class:`.attachments.Attachment`.
        :param caller: UUID of the attempt.
        :param taints: keys of all taints that devices have.
        :param resumed: whether another attempt has begun it, and has not
            come to an end.
        """

        def attach(attachment: attachments.Attachment) -> None:
            attachment.attach(taints, resumed)

        self._change(
            context, instance, device_context, caller, _ATTACH, attach
        )

    def detach_device_context(
        self,
        context: nova_context.RequestContext,
        instance: objects.Instance,
        device_context: dict[str, ty.Any],
        caller: str,
    ) -> None:
        """Detach a device context from a server of this host.

        :param instance: the server.
        :param device_context: see :class:`.attachments.Attachment`.
        :param caller: UUID of the attempt.
        """
        self._change(
            context,
            instance,
            device_context,
            caller,
            _DETACH,
            attachments.Attachment.detach,
        )

    def _change(
        self,
        context: nova_context.RequestContext,
        instance: objects.Instance,
        device_context: dict[str, ty.Any],
        caller: str,
        event: str,
        change: collections.abc.Callable[[attachments.Attachment], None],
    ) -> None:
        # Nova holds this lock, too, while it starts, stops or deletes it.
        @utils.synchronized(instance.uuid)
        def locked() -> None:
            with compute_utils.EventReporter(
                context,
                event,
                self._manager.host,
                instance.uuid,
                graceful_exit=True,
            ):
                change(
                    attachments.Attachment(
                        self._manager,
                        context,
                        _current(context, instance),
                        device_context,
                        caller,
                    )
                )

        try:
            locked()
        except exception.DeviceContextError as exc:
            LOG.warning(
                'A device context of server %s stays as it is (%s, %s): %s',
                instance.uuid,
                event,
                device_context['uuid'],
                exc,
            )


def _current(
    context: nova_context.RequestContext, instance: objects.Instance
) -> objects.Instance:
    """Read a server anew: this may have waited for something else.

    :param instance: the server.
    :returns: the server as it is now, or as it was if it is gone.
    """
    try:
        return objects.Instance.get_by_uuid(
            context, instance.uuid, expected_attrs=_ATTRIBUTES
        )
    except nova_exception.InstanceNotFound:
        instance.host = None
        return instance

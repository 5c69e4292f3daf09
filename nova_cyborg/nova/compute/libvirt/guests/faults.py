# SPDX-License-Identifier: Apache-2.0

"""nova-compute: device contexts whose devices a guest that runs has not got.

Nova says that all is well with a server that goes on without its devices. Its
device contexts say what is wrong, until the guest has them.
"""

from __future__ import annotations

import collections.abc
import contextlib
import typing as ty

from nova import context as nova_context
from nova import objects

from nova_cyborg import cyborg_client, exception, model
from nova_cyborg.nova import client
from nova_cyborg.nova.compute.recovery import unfinished

# Of a server's own metadata of Nova's: that something is to be cleared, so
# that Cyborg is not asked at each reboot.
_KEY = 'nova_cyborg_fault'
# One word for both: the last one is what is told.
_WHAT = 'show what its guest has not got'
_CHANGING = (model.Status.ATTACHING, model.Status.DETACHING)


def show(
    context: nova_context.RequestContext,
    instance: objects.Instance,
    error: Exception,
    arq_ids: collections.abc.Collection[str] | None = None,
) -> None:
    """Have device contexts show that a guest runs without their devices.

    :param context: the request's context.
    :param instance: the server; changed, and not saved.
    :param error: why it has not got them.
    :param arq_ids: UUIDs of the accelerator requests whose devices it has not
        got; None for all.
    """
    instance.system_metadata = {**instance.system_metadata, _KEY: 'shown'}
    fault = f'{client.told_of(error)} Reboot the server (hard).'

    def is_lacking(held: cyborg_client.AllocatedContext) -> bool:
        return arq_ids is None or any(
            device.arq_id in arq_ids
            for binding in held.bindings
            for device in binding.devices
        )

    _tell(context, instance, is_lacking, fault)


def show_lacking(
    context: nova_context.RequestContext,
    instance: objects.Instance,
    errors: collections.abc.Mapping[str, Exception],
) -> None:
    """Do so, if a guest has not got some of its devices.

    :param errors: why, by the UUID of the accelerator request; empty if it
        has got all.
    """
    for error in list(errors.values())[:1]:
        show(context, instance, error, errors.keys())


def clear(
    context: nova_context.RequestContext, instance: objects.Instance
) -> None:
    """Have no device context show that any more: the guest has its devices.

    :param context: the request's context.
    :param instance: the server; changed, and not saved.
    """
    if _KEY not in instance.system_metadata:
        return
    instance.system_metadata = {
        key: value
        for key, value in instance.system_metadata.items()
        if key != _KEY
    }
    _tell(context, instance, lambda held: bool(held.fault), None)


def _tell(
    context: nova_context.RequestContext,
    instance: objects.Instance,
    is_told: collections.abc.Callable[[cyborg_client.AllocatedContext], bool],
    fault: str | None,
) -> None:
    server_id: str = instance.uuid

    def tell(allocations: ty.Any) -> None:
        for held in allocations.get(server_id).contexts:
            # What is being attached or detached says itself how that ends.
            if held.status in _CHANGING or not is_told(held):
                continue
            with contextlib.suppress(exception.OtherAttempt):
                allocations.attached(server_id, held.uuid, fault=fault)

    unfinished.UNFINISHED.tell(context, server_id, _WHAT, tell)

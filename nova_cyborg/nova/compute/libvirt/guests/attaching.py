# SPDX-License-Identifier: Apache-2.0

"""nova-compute with libvirt: the attach drivers, and what they are asked."""

from __future__ import annotations

import collections.abc
import dataclasses
import functools
import re
import typing as ty

import stevedore
from nova import objects
from nova.virt.libvirt import config as vconfig

from nova_cyborg import cyborg_client, exception
from nova_cyborg.attach import spec
from nova_cyborg.nova import carried, marks

NAMESPACE = 'nova_cyborg.attach'
# Cyborg's fake driver has handles that stand for no device; Nova leaves them
# out of the guest config, and so do we.
_NO_DEVICE = 'TEST_PCI'
# In what libvirt tells of a QEMU that has ended at once.
_ARGUMENTS = re.compile(r'^.* -device \{.*\}: ', re.DOTALL)
_Arq: ty.TypeAlias = 'collections.abc.Mapping[str, ty.Any]'


@functools.cache
def attach_drivers() -> dict[str, spec.AttachDriver]:
    """Load the attach drivers, once a process.

    :returns: the drivers by the type of attach handle they are for.
    :raises PluginActivationFailed: naming the one that cannot be loaded.
    """
    loaded: ty.Any = stevedore.ExtensionManager(
        NAMESPACE,
        invoke_on_load=True,
        on_load_failure_callback=_not_loaded,
    )
    return {extension.name: extension.obj for extension in loaded}


def attach(
    guest: vconfig.LibvirtConfigGuest,
    instance: objects.Instance,
    arq: _Arq,
) -> None:
    """See that a guest's config has the device of an accelerator request.

    :param guest: the config; changed in place.
    :param instance: the server.
    :param arq: the request, of a device context, as Cyborg's API shows it.
    :raises UnknownAttachHandle: if there is no attach driver for it.
    """
    handle_type = arq['attach_handle_type']
    drivers = attach_drivers()
    if handle_type in drivers:
        drivers[handle_type].attach(guest, arq)
    elif handle_type != _NO_DEVICE:
        raise exception.UnknownAttachHandle(
            arq_id=arq['uuid'],
            server_id=instance.uuid,
            handle_type=handle_type,
            known=', '.join(sorted(drivers)),
        )


def start(
    start_guest: collections.abc.Callable[[], object],
    instance: objects.Instance,
    arqs: collections.abc.Collection[_Arq],
) -> None:
    """Start a guest; name the device if it is that which fails.

    :param start_guest: starts it.
    :param instance: the server.
    :param arqs: its accelerator requests as Cyborg's API shows them.
    :raises DeviceMissing: if a device is missing; it is not started.
    :raises DeviceNotGiven: if the host cannot give it a device.
    """
    cyborg_client.refuse_missing(instance.uuid, arqs)
    try:
        with carried.carrying(
            dataclasses.replace(carried.now(), guest_arqs=tuple(arqs))
        ):
            start_guest()
    except Exception as exc:
        slot = _named_slot(arqs, str(exc))
        if slot is None:
            raise
        raise exception.DeviceNotGiven(
            slot=slot, host=instance.host, reason=_reason(exc)
        ) from exc


def _named_slot(arqs: collections.abc.Iterable[_Arq], text: str) -> str | None:
    """Return the slot of a device context that a text names."""
    for arq in arqs:
        slot = cyborg_client.slot(arq)
        if marks.is_of_device_context(arq) and slot and slot in text:
            return slot
    return None


def _reason(error: Exception) -> str:
    """Return what libvirt says, without QEMU's arguments.

    A fault is short.
    """
    return _ARGUMENTS.sub('', str(error)).strip()


def _not_loaded(
    _manager: object, entry_point: ty.Any, error: BaseException
) -> None:
    raise exception.PluginActivationFailed(
        reason=f'attach driver {entry_point.name} cannot be loaded: {error}'
    ) from error

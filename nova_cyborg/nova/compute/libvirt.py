# SPDX-License-Identifier: Apache-2.0

"""nova-compute with libvirt: device contexts' devices in the guest config.

Nova's own driver writes the ``<hostdev>`` elements. This one has the attach
driver of each device's handle type look after those of device contexts: they
carry an alias that names the accelerator request. A guest that is started
again because its host was has its devices, too.
"""

from __future__ import annotations

import collections.abc
import functools
import logging
import re
import typing as ty

import stevedore
from nova import objects
from nova.accelerator import cyborg
from nova.virt import libvirt as nova_libvirt
from nova.virt.libvirt import config as vconfig
from nova.virt.libvirt import driver

from nova_cyborg import cyborg_client, exception
from nova_cyborg.attach import spec
from nova_cyborg.nova import marks, overrides

LOG = logging.getLogger(__name__)

NAMESPACE = 'nova_cyborg.attach'
# Cyborg's fake driver has handles that stand for no device; Nova leaves them
# out of the guest config, and so do we.
_NO_DEVICE = 'TEST_PCI'
# In what libvirt tells of a QEMU that has ended at once.
_ARGUMENTS = re.compile(r'^.* -device \{.*\}: ', re.DOTALL)


class LibvirtDriver(driver.LibvirtDriver):
    """Nova's libvirt driver, with aliases for devices of device contexts."""

    @overrides.method(
        'instance network_info image_meta disk_info', named='accel_info'
    )
    def _get_guest_config(
        self, stock: overrides.Stock
    ) -> vconfig.LibvirtConfigGuest:
        guest = stock()
        for arq in stock['accel_info'] or ():
            if marks.is_of_device_context(arq):
                _attach(guest, stock['instance'], arq)
        return guest

    @overrides.method('context instance image_meta', named='accel_info')
    def spawn(self, stock: overrides.Stock) -> None:
        """Start a guest; name the device if it is that which fails."""
        _refuse_missing(stock)
        try:
            stock()
        except Exception as exc:
            slot = _named_slot(stock['accel_info'] or (), str(exc))
            if slot is None:
                raise
            raise exception.DeviceNotGiven(
                slot=slot, host=stock['instance'].host, reason=_reason(exc)
            ) from exc

    @overrides.method('context instance network_info', named='accel_info')
    def _hard_reboot(self, stock: overrides.Stock) -> ty.Any:
        context, instance = stock['context'], stock['instance']
        # Nova asks Cyborg first, unless it is nova-compute that starts and
        # resumes the guests of its host: then they would lose their devices.
        if stock['accel_info'] is None and marks.has_accelerators(instance):
            stock['accel_info'] = cyborg.get_client(
                context
            ).get_arqs_for_instance(instance.uuid)
        # Before Nova destroys the guest: one that runs goes on.
        _refuse_missing(stock)
        return stock()


def install() -> str:
    """Put the class in the place of Nova's.

    :returns: what was done, for the log.
    :raises PluginActivationFailed: if this release of Nova has other
        methods, or an attach driver cannot be loaded.
    """
    overrides.check(LibvirtDriver)
    types = ', '.join(sorted(attach_drivers()))
    # nova-compute looks the class up in the package. The module keeps its
    # own: its methods call super() by the name of the class.
    nova_libvirt.LibvirtDriver = LibvirtDriver
    return f'attach drivers for {types}'


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


def _refuse_missing(stock: overrides.Stock) -> None:
    cyborg_client.refuse_missing(
        stock['instance'].uuid, stock['accel_info'] or ()
    )


def _attach(
    guest: vconfig.LibvirtConfigGuest,
    instance: objects.Instance,
    arq: dict[str, ty.Any],
) -> None:
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


def _named_slot(
    accel_info: collections.abc.Iterable[dict[str, ty.Any]], text: str
) -> str | None:
    """Return the slot of a device context that a text names."""
    for arq in accel_info:
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

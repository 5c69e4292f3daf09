# SPDX-License-Identifier: Apache-2.0

"""nova-compute with libvirt: devices that a guest gets, and lets go of.

libvirt saves no guest that has a device of its host. Nova takes out those that
it manages, and all mediated devices; here those of device contexts are taken
out, and plugged in again with their aliases. They stay in the config that
libvirt keeps of the guest, the stored one, and they stay bound.

A device of a context that is attached or detached is put into both configs,
or taken out of both: the live one of a guest that runs, and the stored one.
Each is looked at by itself, as a process may have died between the two.
"""

from __future__ import annotations

import collections.abc
import copy
import functools
import logging
import typing as ty

from lxml import etree
from nova import context as nova_context
from nova import exception as nova_exception
from nova import objects
from nova.compute import power_state
from nova.virt.libvirt import config as vconfig
from nova.virt.libvirt import driver as stock_driver
from nova.virt.libvirt import guest as libvirt_guest

from nova_cyborg import cyborg_client, exception, signatures
from nova_cyborg.attach import spec
from nova_cyborg.nova import client, marks
from nova_cyborg.nova.compute.libvirt.guests import attaching

LOG = logging.getLogger(__name__)

_Arq = collections.abc.Mapping[str, ty.Any]
_Arqs = collections.abc.Iterable[_Arq]
# What libvirt says if the guest has no root port left.
_NO_SLOT = 'No more available PCI slots'
# Of Nova's driver, which has it from Nova's own devices.
_SIGNATURES = {
    '_detach_from_live_with_retry': (
        'guest instance_uuid live_dev get_device_conf_func device_name'
    )
}


class _Device(vconfig.LibvirtConfigGuestDevice):
    """A device of a guest, as libvirt describes it.

    :param element: what libvirt says.
    :ivar alias: what libvirt calls it in its events.
    """

    def __init__(self, element: etree._Element) -> None:
        super().__init__(root_name=element.tag)
        self.alias = spec.alias_of(element)
        self._element = element

    def format_dom(self) -> etree._Element:
        """Return the element."""
        return copy.deepcopy(self._element)


def check() -> None:
    """Check that Nova's driver has what is used of it.

    :raises PluginActivationFailed: if this release of Nova has not.
    """
    signatures.check(stock_driver.LibvirtDriver, _SIGNATURES)


def arqs(
    context: nova_context.RequestContext, instance: objects.Instance
) -> list[dict[str, ty.Any]]:
    """Ask for the accelerator requests that a guest has devices of.

    :param context: the request's context.
    :param instance: the server.
    :returns: those of device contexts, as Cyborg's API shows them.
    :raises DeviceContextError: if Cyborg does not answer, or refuses.
    """
    return of_guest(client.allocation_client(context).arqs(instance.uuid))


def of_guest(arqs: _Arqs) -> list[dict[str, ty.Any]]:
    """Choose the accelerator requests that a guest has devices of.

    :param arqs: those of a server.
    :returns: those of device contexts, for which there is an attach driver.
    """
    drivers = attaching.attach_drivers()
    return [
        dict(arq)
        for arq in arqs
        if marks.is_of_device_context(arq)
        and arq['attach_handle_type'] in drivers
    ]


def mdevs(arqs: _Arqs) -> frozenset[str]:
    """Return what the mediated devices of accelerator requests are called.

    :param arqs: the requests, whatever devices they are of.
    :returns: UUIDs; those for other devices are of no mediated device.
    """
    return frozenset(arq['attach_handle_uuid'] for arq in arqs)


def unplug(
    driver: ty.Any,
    guest: libvirt_guest.Guest,
    instance: objects.Instance,
    arqs: _Arqs,
) -> None:
    """Take devices out of a guest that runs, and wait until it has let go.

    :param driver: Nova's driver.
    :param guest: the guest.
    :param instance: the server.
    :param arqs: the accelerator requests of the devices.
    :raises DetachPaused: if the guest is paused, by whomever.
    :raises DeviceKept: if the guest keeps one.
    :raises Exception: if libvirt refuses.
    """
    for arq in arqs:
        find = functools.partial(_find_kept, driver, guest, instance, arq)
        device = find()
        if device is None:
            continue
        try:
            driver._detach_from_live_with_retry(
                guest, instance.uuid, device, find, _name(arq)
            )
        except nova_exception.DeviceDetachFailed as exc:
            raise exception.DeviceKept(
                server_id=instance.uuid, slot=_name(arq)
            ) from exc
        except nova_exception.DeviceNotFound:
            # It may have let go of it before it was asked to.
            if find() is not None:
                raise


def unplug_stored(guest: libvirt_guest.Guest, arqs: _Arqs) -> None:
    """Take devices out of the config that libvirt keeps of a guest.

    :param guest: the guest, whether it runs or not.
    :param arqs: the accelerator requests of the devices.
    :raises Exception: if libvirt refuses.
    """
    for arq in arqs:
        device = _find(guest, arq, stored=True)
        if device is not None:
            guest.detach_device(device, persistent=True, live=False)


def plug(
    guest: libvirt_guest.Guest,
    instance: objects.Instance,
    arqs: _Arqs,
    live: bool = True,
    stored: bool = False,
) -> None:
    """Plug devices into a guest, those that it has not.

    :param guest: the guest.
    :param instance: the server.
    :param arqs: the accelerator requests of the devices.
    :param live: whether the guest runs, and is to get them now.
    :param stored: whether they are put into the stored config, too.
    :raises UnknownAttachHandle: if there is no attach driver for one.
    :raises NoPCISlot: if the guest has no slot left for one.
    :raises DeviceNotGiven: naming the one that libvirt does not take.
    """
    for arq in arqs:
        config = vconfig.LibvirtConfigGuest()
        attaching.attach(config, instance, arq)
        for device in config.devices:
            try:
                _attach(guest, arq, device, live, stored)
            except Exception as exc:
                raise _not_plugged(instance, arq, exc) from exc


def plug_each(
    guest: libvirt_guest.Guest,
    instance: objects.Instance,
    arqs: _Arqs,
    stored: bool = False,
) -> dict[str, exception.DeviceContextError]:
    """Plug devices in as far as it can be done, since the guest goes on.

    :param guest: the guest.
    :param instance: the server.
    :param arqs: the accelerator requests of the devices.
    :param stored: see :func:`plug`.
    :returns: why the others are not plugged in, which is logged, by the UUID
        of the accelerator request.
    """
    errors = {}
    for arq in arqs:
        try:
            plug(guest, instance, [arq], stored=stored)
        except exception.DeviceContextError as exc:
            errors[arq['uuid']] = exc
            log_lacking(instance, exc)
    return errors


def log_lacking(instance: objects.Instance, error: Exception) -> None:
    """Log that a guest goes on without a device.

    Why it goes on is what Nova is to say.

    :param instance: the server.
    :param error: why it has not got the device.
    """
    LOG.error(
        'Server %s goes on without a device of its own. Reboot it (hard): %s',
        instance.uuid,
        error,
    )


def lost(guest: libvirt_guest.Guest) -> list[str]:
    """Find what a guest that runs has let go of.

    It is in the stored config still, as nobody has taken it out of there.

    :param guest: the guest.
    :returns: UUIDs of what may be accelerator requests.
    """
    stored = _arq_ids(guest, stored=True)
    return sorted(stored - _arq_ids(guest)) if stored else []


def _arq_ids(guest: libvirt_guest.Guest, stored: bool = False) -> set[str]:
    domain = etree.fromstring(guest.get_xml_desc(dump_inactive=stored))
    aliases = map(spec.alias_of, domain.iterfind('devices/hostdev'))
    found = {spec.arq_id_of(alias) for alias in aliases if alias}
    return {arq_id for arq_id in found if arq_id}


def is_device(element: etree._Element, arq: _Arq) -> bool:
    """Tell whether a guest has the device of an accelerator request here.

    :param element: what describes a device of the guest.
    :param arq: the request; there is an attach driver for it.
    :returns: whether it describes the device.
    """
    driver = attaching.attach_drivers()[arq['attach_handle_type']]
    return driver.is_device(element, arq)


def _attach(
    guest: libvirt_guest.Guest,
    arq: _Arq,
    device: vconfig.LibvirtConfigGuestDevice,
    live: bool,
    stored: bool,
) -> None:
    """Put a device into the configs that have not got it."""
    live = live and _find(guest, arq) is None
    stored = stored and _find(guest, arq, stored=True) is None
    if live or stored:
        guest.attach_device(device, persistent=stored, live=live)


def _not_plugged(
    instance: objects.Instance, arq: _Arq, error: Exception
) -> exception.DeviceContextError:
    if _NO_SLOT in str(error):
        return exception.NoPCISlot(server_id=instance.uuid, slot=_name(arq))
    return exception.DeviceNotGiven(
        slot=_name(arq), host=arq['hostname'], reason=error
    )


def _find(
    guest: libvirt_guest.Guest, arq: _Arq, stored: bool = False
) -> _Device | None:
    """Find a device in a guest that runs, or in what is stored of it."""
    domain = etree.fromstring(guest.get_xml_desc(dump_inactive=stored))
    for element in domain.iterfind('devices/hostdev'):
        if is_device(element, arq):
            return _Device(element)
    return None


def _find_kept(
    driver: ty.Any,
    guest: libvirt_guest.Guest,
    instance: objects.Instance,
    arq: _Arq,
) -> _Device | None:
    """Find a device that a guest can be asked for.

    Nova asks for it between two attempts, too: a guest may be paused while
    it is waited for.

    :raises DetachPaused: if the guest has the device, and is paused. QEMU
        would keep the request, and the guest let go of the device whenever it
        runs again, after the attempt has failed: so it is with what stock
        Nova detaches, volumes and ports.
    """
    device = _find(guest, arq)
    if (
        device is not None
        and guest.get_power_state(driver._host) == power_state.PAUSED
    ):
        raise exception.DetachPaused(server_id=instance.uuid)
    return device


def _name(arq: _Arq) -> str:
    return cyborg_client.slot(arq) or str(arq['uuid'])

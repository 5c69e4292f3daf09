# SPDX-License-Identifier: Apache-2.0

"""nova-compute with libvirt: guests that let go of a device unexpectedly.

A guest that boots, or hangs, does not answer when it is asked for a device.
Who has asked gives up after a while, and the server keeps the device. QEMU
keeps the request, though: when the guest has booted, or is reset from within,
it lets go of the device. Nova has libvirt's event then, waits for none, and
does nothing. Here the guest is given the device again that its server has, if
it does not let go of it again and again. What happens while nova-compute does
not run is seen when it starts: libvirt has the device in the stored config.
"""

from __future__ import annotations

import logging
import threading
import typing as ty

from nova import context as nova_context
from nova import exception as nova_exception
from nova import objects, utils
from nova.compute import vm_states
from nova.virt.libvirt import driver as stock_driver
from nova.virt.libvirt import event as libvirt_event
from nova.virt.libvirt import guest as libvirt_guest

from nova_cyborg import cyborg_client, exception, signatures
from nova_cyborg.attach import spec
from nova_cyborg.nova import client, marks
from nova_cyborg.nova.compute import guards
from nova_cyborg.nova.compute.libvirt.guests import (
    attempts,
    faults,
    plugging,
)

LOG = logging.getLogger(__name__)

#: Name of the thread that looks after a guest.
THREAD = 'nova-cyborg-removal'
#: How often a guest is given a device again, within so many seconds.
TIMES, SECONDS = 5, 600
# By the UUID of the accelerator request.
_GIVEN = attempts.Attempts(TIMES, SECONDS)
# Of servers whose guests run.
_STATES = (vm_states.ACTIVE, vm_states.PAUSED)
_ATTRIBUTES = ['device_metadata', 'flavor', 'system_metadata']
_SIGNATURES = {'notify_waiters': 'event'}


def check() -> None:
    """Check that Nova hands events on as it is expected to.

    :raises PluginActivationFailed: if this release of Nova does not.
    """
    signatures.check(stock_driver.AsyncDeviceEventsHandler, _SIGNATURES)


class Events(stock_driver.AsyncDeviceEventsHandler):
    """What Nova tells of libvirt's events about devices.

    :param driver: Nova's driver.
    """

    def __init__(self, driver: ty.Any) -> None:
        super().__init__()
        self._driver = driver

    def notify_waiters(self, event: libvirt_event.DeviceEvent) -> bool:
        """Wake up who waits for an event; see to a removal if nobody does.

        It is called in the thread that has all events from libvirt, and does
        not wait for anything.

        :param event: the event.
        :returns: whether somebody has waited.
        """
        awaited: bool = super().notify_waiters(event)
        if not awaited and isinstance(event, libvirt_event.DeviceRemovedEvent):
            arq_id = spec.arq_id_of(event.dev)
            if arq_id is not None:
                begin(self._driver, event.uuid, arq_id)
        return awaited


def begin(driver: ty.Any, server_id: str, arq_id: str) -> None:
    """Begin to give a guest a device again that it has let go of.

    :param driver: Nova's driver.
    :param server_id: UUID of the server.
    :param arq_id: UUID of what may be an accelerator request of it.
    """
    threading.Thread(
        target=put_back,
        args=(driver, server_id, arq_id),
        name=THREAD,
        daemon=True,
    ).start()


def look(driver: ty.Any) -> None:
    """Begin to give guests that run what they have let go of unseen.

    Only libvirt of this host is asked: twice of a guest that has, or had,
    devices of device contexts; else once.

    :param driver: Nova's driver.
    """
    try:
        guests = driver._host.list_guests()
    except Exception as exc:  # noqa: BLE001 - libvirt raises many
        LOG.info('No guests are looked at: %s', exc)
        return
    for guest in guests:
        try:
            lost = plugging.lost(guest)
        except Exception as exc:  # noqa: BLE001 - libvirt raises many
            # It may just be gone.
            LOG.info('A guest is not looked at: %s', exc)
            continue
        for arq_id in lost:
            begin(driver, guest.uuid, arq_id)


def put_back(driver: ty.Any, server_id: str, arq_id: str) -> None:
    """Give a guest a device again, if its server has it still.

    :param driver: Nova's driver.
    :param server_id: UUID of the server.
    :param arq_id: UUID of what may be an accelerator request of it.
    """
    context = client.with_credentials(nova_context.get_admin_context())

    # Who has asked for the device may be at it still, and does the rest.
    @utils.synchronized(server_id)
    def locked() -> None:
        instance = objects.Instance.get_by_uuid(
            context, server_id, expected_attrs=_ATTRIBUTES
        )
        if (
            marks.has_contexts(instance)
            and instance.node in driver.get_available_nodes()
        ):
            _put_back(driver, context, instance, arq_id)

    try:
        locked()
    except nova_exception.InstanceNotFound:
        LOG.debug('Server %s is gone, and needs no device', server_id)
    except Exception as exc:  # noqa: BLE001 - Nova and libvirt raise many
        LOG.error(
            'Server %s may be without its devices. Reboot it (hard): %s',
            server_id,
            exc,
        )


def _put_back(
    driver: ty.Any,
    context: nova_context.RequestContext,
    instance: objects.Instance,
    arq_id: str,
) -> None:
    arqs = plugging.arqs(context, instance)
    lost = [
        arq
        for arq in arqs
        if arq['uuid'] == arq_id and not arq.get('detaching')
    ]
    if not lost:
        return
    try:
        guards.check_idle(instance, instance.host, _STATES)
    except exception.ServerBusy as exc:
        # What makes a guest, or has one go on, gives it all devices.
        LOG.warning(
            'The guest of server %s has let go of a device, and is not given '
            'it again now. Reboot it (hard) if it has not got it then: %s',
            instance.uuid,
            exc,
        )
        return
    errors = _give(driver._host.get_guest(instance), instance, lost[0])
    faults.show_lacking(context, instance, errors)
    driver.describe_plugged(context, instance, arqs)
    marks.save_others(instance)


def _give(
    guest: libvirt_guest.Guest,
    instance: objects.Instance,
    arq: dict[str, ty.Any],
) -> dict[str, exception.DeviceContextError]:
    """Give a guest a device again, unless that was done too often.

    :returns: why it has not got it, which is logged, by the UUID of the
        accelerator request; empty if it has.
    """
    if _GIVEN.begin(arq['uuid']):
        LOG.info(
            'The guest of server %s has let go of the device of accelerator '
            'request %s, which is given to it again',
            instance.uuid,
            arq['uuid'],
        )
        return plugging.plug_each(guest, instance, [arq])
    error = exception.DeviceLetGo(
        server_id=instance.uuid,
        slot=cyborg_client.slot(arq) or arq['uuid'],
        times=TIMES + 1,
        minutes=SECONDS // 60,
    )
    plugging.log_lacking(instance, error)
    return {arq['uuid']: error}

# SPDX-License-Identifier: Apache-2.0

"""nova-compute with libvirt: device contexts' devices in the guest config.

Nova's own driver writes the ``<hostdev>`` elements. This one has the attach
driver of each device's handle type look after those of device contexts: they
carry an alias that names the accelerator request. A guest that is started
again because its host was has its devices, too. One that is suspended leaves
its devices to the host, and has them again when it is resumed.
"""

from __future__ import annotations

import collections.abc
import dataclasses
import logging
import typing as ty

from nova import context as nova_context
from nova import exception as nova_exception
from nova import objects
from nova.accelerator import cyborg
from nova.virt import libvirt as nova_libvirt
from nova.virt.libvirt import config as vconfig

from nova_cyborg import cyborg_client, exception
from nova_cyborg.nova import carried, client, marks, overrides
from nova_cyborg.nova.compute import bindings
from nova_cyborg.nova.compute.libvirt import (
    beside,
    hotplug,
    live,
    native,
    removals,
)
from nova_cyborg.nova.compute.libvirt.guests import attaching, faults, plugging
from nova_cyborg.nova.features import computes

LOG = logging.getLogger(__name__)


class LibvirtDriver(beside.LibvirtDriver):
    """Nova's libvirt driver, with aliases for devices of device contexts."""

    @overrides.method(
        'instance network_info image_meta disk_info', named='accel_info'
    )
    def _get_guest_config(
        self, stock: overrides.Stock
    ) -> vconfig.LibvirtConfigGuest:
        # At the end of a move, Nova hands none on.
        carried_on = carried.now().accel_info
        arqs = stock['accel_info'] if carried_on is None else carried_on
        if arqs and any(arq.get('detaching') for arq in arqs):
            arqs = _without_detached(stock['instance'], arqs)
        stock['accel_info'] = arqs
        guest = stock()
        for arq in arqs or ():
            if marks.is_of_device_context(arq):
                attaching.attach(guest, stock['instance'], arq)
        return guest

    @overrides.method('context instance image_meta', named='accel_info')
    def spawn(self, stock: overrides.Stock) -> None:
        """Start a new guest."""
        attaching.start(stock, stock['instance'], stock['accel_info'] or ())

    @overrides.method('context migration instance')
    def finish_migration(self, stock: overrides.Stock) -> None:
        """Start a guest that was shut down on another host."""
        attaching.start(
            stock, stock['instance'], carried.now().accel_info or ()
        )

    @overrides.method('context instance network_info migration')
    def finish_revert_migration(self, stock: overrides.Stock) -> None:
        """Start a guest again that was shut down here for a move."""
        context, instance = stock['context'], stock['instance']
        if not marks.has_contexts(instance):
            stock()
            return
        arqs = client.repeating(lambda: bindings.own(context, instance))
        with carried.carrying(
            dataclasses.replace(carried.now(), accel_info=tuple(arqs))
        ):
            attaching.start(stock, instance, arqs)
        # Nova tells of the guest that was made on the other host.
        self.describe_plugged(context, instance, arqs)

    @overrides.method('context instance network_info', named='accel_info')
    def _hard_reboot(self, stock: overrides.Stock) -> ty.Any:
        context, instance = stock['context'], stock['instance']
        # Nova asks Cyborg first, unless it is nova-compute that starts and
        # resumes the guests of its host: then they would lose their devices.
        marks.bear(instance)
        if stock['accel_info'] is None and marks.has_accelerators(instance):
            stock['accel_info'] = _accel_info(context, instance)
        # Before Nova destroys the guest: one that runs goes on.
        arqs = tuple(stock['accel_info'] or ())
        cyborg_client.refuse_missing(instance.uuid, arqs)
        with carried.carrying(
            dataclasses.replace(carried.now(), guest_arqs=arqs)
        ):
            result = stock()
        faults.clear(context, instance)
        return result

    @overrides.method('nodename')
    def get_available_resource(self, stock: overrides.Stock) -> ty.Any:
        """Tell what the host has, and what this nova-compute can do."""
        resources = stock()
        computes.describe(resources)
        return resources

    @overrides.method('provider_tree nodename')
    def update_provider_tree(self, stock: overrides.Stock) -> None:
        """Say in Placement that servers can be moved to the host."""
        stock()
        stock['provider_tree'].add_traits(stock['nodename'], computes.TRAIT)

    @overrides.method('context instance')
    def suspend(self, stock: overrides.Stock) -> None:
        """Suspend a guest; its devices stay bound.

        :raises InstanceFaultRollback: if it goes on as it was.
        """
        context, instance = stock['context'], stock['instance']
        if not marks.has_contexts(instance):
            stock()
            return
        guest = self._host.get_guest(instance)
        arqs: list[dict[str, ty.Any]] = []
        try:
            arqs = plugging.arqs(context, instance)
            plugging.unplug(self, guest, instance, arqs)
        except Exception as exc:
            self._go_on(context, guest, instance, arqs)
            raise nova_exception.InstanceFaultRollback(exc) from exc
        try:
            stock()
        except Exception:
            self._go_on(context, guest, instance, arqs)
            raise

    def _go_on(
        self,
        context: nova_context.RequestContext,
        guest: ty.Any,
        instance: objects.Instance,
        arqs: list[dict[str, ty.Any]],
    ) -> None:
        """Give a guest back what it has let go of; it is not suspended."""
        if arqs:
            errors = plugging.plug_each(guest, instance, arqs)
            faults.show_lacking(context, instance, errors)
            self.describe_plugged(context, instance, arqs)

    @overrides.method('context instance network_info')
    def resume(self, stock: overrides.Stock) -> None:
        """Resume a guest with its devices.

        :raises InstanceFaultRollback: if it stays suspended.
        """
        context, instance = stock['context'], stock['instance']
        if not marks.has_contexts(instance):
            stock()
            return
        try:
            arqs = plugging.arqs(context, instance)
            cyborg_client.refuse_missing(instance.uuid, arqs)
        except exception.DeviceContextError as exc:
            raise nova_exception.InstanceFaultRollback(exc) from exc
        with carried.carrying(
            dataclasses.replace(
                carried.now(), cyborg_mdevs=plugging.mdevs(arqs)
            )
        ):
            stock()
        try:
            plugging.plug(self._host.get_guest(instance), instance, arqs)
        except exception.DeviceContextError as exc:
            self._suspend_again(context, instance, exc)
        faults.clear(context, instance)
        self.describe_plugged(context, instance, arqs)

    def _suspend_again(
        self,
        context: nova_context.RequestContext,
        instance: objects.Instance,
        error: exception.DeviceContextError,
    ) -> ty.NoReturn:
        """Suspend a guest that has not got its devices.

        :raises InstanceFaultRollback: if it is suspended.
        :raises DeviceContextError: if it runs, and the server is in error.
        """
        try:
            self.suspend(context, instance)
        except Exception as exc:
            LOG.debug('Server %s runs: %s', instance.uuid, exc)
            raise error from exc
        raise nova_exception.InstanceFaultRollback(error) from error


def install() -> str:
    """Put the class in the place of Nova's.

    :returns: what was done, for the log.
    :raises PluginActivationFailed: if this release of Nova has other
        methods, or an attach driver cannot be loaded.
    """
    overrides.check(LibvirtDriver)
    overrides.check(beside.LibvirtDriver)
    overrides.check(live.LibvirtDriver)
    overrides.check(hotplug.LibvirtDriver)
    native.check()
    plugging.check()
    removals.check()
    types = ', '.join(sorted(attaching.attach_drivers()))
    # nova-compute looks the class up in the package. The module keeps its
    # own: its methods call super() by the name of the class.
    nova_libvirt.LibvirtDriver = LibvirtDriver
    return f'attach drivers for {types}'


def _accel_info(
    context: nova_context.RequestContext, instance: objects.Instance
) -> list[dict[str, ty.Any]]:
    if marks.has_contexts(instance):
        return bindings.own(context, instance)
    arqs: list[dict[str, ty.Any]] = cyborg.get_client(
        context
    ).get_arqs_for_instance(instance.uuid)
    return arqs


def _without_detached(
    instance: objects.Instance,
    arqs: collections.abc.Iterable[dict[str, ty.Any]],
) -> list[dict[str, ty.Any]]:
    """Leave out what is being detached.

    Its device may be another guest's when this one starts. Who detaches it
    gives that up, though, if something else has begun meanwhile; so Cyborg is
    asked again, as Nova may have asked long ago.

    :param instance: the server.
    :param arqs: its accelerator requests, as Nova has them.
    :returns: those that its guest is to have.
    """
    context = client.with_credentials(nova_context.get_admin_context())
    try:
        now = client.allocation_client(context).arqs(instance.uuid)
    except exception.DeviceContextError as exc:
        LOG.warning(
            'The guest of server %s is made without the devices that were '
            'being detached. Reboot it (hard) if they are attached still: %s',
            instance.uuid,
            exc,
        )
        now = []
    kept = {arq['uuid'] for arq in now if not arq.get('detaching')}
    return [
        arq for arq in arqs if not arq.get('detaching') or arq['uuid'] in kept
    ]

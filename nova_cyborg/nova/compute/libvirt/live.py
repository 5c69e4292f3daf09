# SPDX-License-Identifier: Apache-2.0

"""nova-compute with libvirt: devices of a guest that is migrated live.

QEMU migrates no guest that has a device of its host, but for the few whose
drivers can. Nova has it let go of network devices, and get others at the
destination; here the same is done with the devices of device contexts, unless
they are migrated with their state. When the guest stays after all, it gets
those back that it had.
"""

from __future__ import annotations

import dataclasses
import logging
import typing as ty

from nova import conf, objects
from nova import context as nova_context
from nova import exception as nova_exception
from nova.compute import power_state
from nova.compute import utils as compute_utils
from nova.virt.libvirt import guest as libvirt_guest

from nova_cyborg import exception
from nova_cyborg.nova import carried, marks, overrides
from nova_cyborg.nova.compute import bindings
from nova_cyborg.nova.compute.libvirt import hotplug, native
from nova_cyborg.nova.compute.libvirt.guests import faults, plugging
from nova_cyborg.nova.compute.recovery import interrupted

CONF = conf.CONF
LOG = logging.getLogger(__name__)

# In the last action of the server, beside Nova's own events.
_UNPLUGGED = 'nova_cyborg_unplug_devices'
_PLUGGED = 'nova_cyborg_plug_devices'


class LibvirtDriver(hotplug.LibvirtDriver):
    """Nova's libvirt driver, for guests whose devices stay behind."""

    @overrides.method('context instance dest_check_data')
    def check_can_live_migrate_source(self, stock: overrides.Stock) -> ty.Any:
        """Check whether a guest can be migrated, as it is without devices."""
        context, instance = stock['context'], stock['instance']
        if not (
            marks.has_contexts(instance)
            and self._get_all_assigned_mediated_devices(instance)
        ):
            return stock()
        # Nova would look for mediated devices of the same type, of its own.
        arqs = plugging.arqs(context, instance)
        with carried.carrying(
            dataclasses.replace(
                carried.now(), cyborg_mdevs=plugging.mdevs(arqs)
            )
        ):
            return stock()

    @overrides.method('ctxt instance migrate_data migration limits allocs')
    def check_source_migrate_data_at_dest(
        self, stock: overrides.Stock
    ) -> ty.Any:
        """Say, at the destination, which slots take which ones' place."""
        migrate_data, instance = stock(), stock['instance']
        if marks.has_contexts(instance):
            native.prepare(self, stock['ctxt'], instance, migrate_data)
        return migrate_data

    @overrides.method(
        'context instance dest post_method recover_method',
        named='migrate_data',
    )
    def live_migration(self, stock: overrides.Stock) -> None:
        """Migrate a guest, which lets go of its devices first.

        Not in the thread in which Nova does so with network devices: what
        fails there puts the server in error.
        """
        context, instance = stock['context'], stock['instance']
        if not marks.has_contexts(instance):
            stock()
            return
        unplugged: tuple[dict[str, ty.Any], ...] = ()
        error: Exception | None = None
        try:
            with _event(context, instance, _UNPLUGGED):
                stay = native.of_migration(stock['migrate_data'])
                native.require_releases(self, stay)
                unplugged = tuple(
                    arq
                    for arq in plugging.arqs(context, instance)
                    if not native.stays(arq, stay)
                )
                guest = self._host.get_guest(instance)
                plugging.unplug(self, guest, instance, unplugged)
        except Exception as exc:  # noqa: BLE001 - libvirt raises many
            LOG.error(
                'Server %s is not migrated, as its guest has not let go of '
                'its devices: %s',
                instance.uuid,
                exc,
            )
            error = exc
        with carried.carrying(
            dataclasses.replace(carried.now(), unplugged=unplugged)
        ):
            if error is None:
                stock()
            else:
                stock['recover_method'](
                    context, instance, stock['dest'], stock['migrate_data']
                )

    @overrides.method('context instance migrate_data')
    def rollback_live_migration_at_source(
        self, stock: overrides.Stock
    ) -> None:
        """Have a guest that stays as it was before."""
        try:
            stock()
        finally:
            unplugged = carried.now().unplugged
            if unplugged:
                self._plug_again(
                    stock['context'], stock['instance'], unplugged
                )

    def guest_of_migration(
        self, instance: objects.Instance, switched: bool
    ) -> interrupted.Guest:
        """Tell where a guest is that was being migrated from here.

        :param instance: the server.
        :param switched: whether Nova has had it go on at the destination
            before its memory was there.
        :returns: where it is, as far as libvirt says now. It may be migrated
            though it seems to stay: Nova takes a job that cannot be described
            for none.
        """
        try:
            guest = self._host.get_guest(instance)
            # Before its job: Nova takes that of a guest that is shut off for
            # one that is done.
            if not guest.is_active():
                return interrupted.Guest.OFF
            job = guest.get_job_info()
            if job.type != libvirt_guest.libvirt.VIR_DOMAIN_JOB_NONE or (
                switched
                and guest.get_power_state(self._host) == power_state.PAUSED
            ):
                return interrupted.Guest.MIGRATES
        except nova_exception.InstanceNotFound:
            return interrupted.Guest.LEFT
        except Exception as exc:  # noqa: BLE001 - libvirt raises many
            LOG.debug('libvirt does not say: %s', exc)
            return interrupted.Guest.MIGRATES
        return interrupted.Guest.STAYS

    def plug_own_again(
        self, context: nova_context.RequestContext, instance: objects.Instance
    ) -> None:
        """Plug the devices into a guest again that it may have let go of.

        :param instance: the server, which was not migrated.
        """
        try:
            arqs = plugging.arqs(context, instance)
            self._plug_again(context, instance, arqs)
        except Exception as exc:  # noqa: BLE001 - libvirt raises many
            # nova-compute is being started, for other servers, too.
            LOG.error(
                'Server %s may be without its devices. Reboot it (hard): %s',
                instance.uuid,
                exc,
            )
            faults.show(context, instance, exc)

    def _plug_again(
        self,
        context: nova_context.RequestContext,
        instance: objects.Instance,
        arqs: ty.Iterable[dict[str, ty.Any]],
    ) -> None:
        try:
            guest = self._host.get_guest(instance)
        except nova_exception.InstanceNotFound as exc:
            LOG.error('Server %s has no devices: %s', instance.uuid, exc)
            return
        errors = plugging.plug_each(guest, instance, arqs)
        faults.show_lacking(context, instance, errors)
        self.describe_plugged(context, instance)
        try:
            # Nova does not: the server is as it was before.
            marks.save_others(instance)
        except nova_exception.InstanceNotFound as exc:
            LOG.debug('There is no server to describe: %s', exc)

    @overrides.method('context instance network_info')
    def post_live_migration_at_destination(
        self, stock: overrides.Stock
    ) -> None:
        """Plug devices of this host into a guest that has come."""
        stock()
        context, instance = stock['context'], stock['instance']
        if not marks.has_contexts(instance):
            return
        errors: dict[str, exception.DeviceContextError] = {}
        try:
            with _event(context, instance, _PLUGGED):
                errors = self._plug_own(context, instance)
                if errors:
                    raise next(iter(errors.values()))
        except Exception as exc:  # noqa: BLE001 - libvirt raises many
            # There is no way back for it, and it runs.
            LOG.error(
                'Server %s runs here without its devices. Reboot it (hard): '
                '%s',
                instance.uuid,
                exc,
            )
            faults.show(context, instance, exc, errors.keys() or None)

    def _plug_own(
        self, context: nova_context.RequestContext, instance: objects.Instance
    ) -> dict[str, exception.DeviceContextError]:
        """Plug the devices in that are bound here.

        :returns: why some are not, by the UUID of the accelerator request.
        :raises LookupError: if it is not known by which migration it came.
        :raises Exception: if none can be.
        """
        # The source may have ended it already, if it was not answered in time.
        migration = bindings.last_live_migration(context, instance)
        if (
            migration is None
            or migration.dest_node not in self.get_available_nodes()
        ):
            raise LookupError('Nova knows of no live migration of it to here.')
        arqs = bindings.activate(context, instance, migration.uuid)
        errors = plugging.plug_each(
            self._host.get_guest(instance),
            instance,
            plugging.of_guest(arqs),
            stored=True,
        )
        self.describe_plugged(context, instance, arqs)
        return errors

    @overrides.method('xml')
    def _get_mdevs_from_guest_config(
        self, stock: overrides.Stock
    ) -> list[ty.Any]:
        ours = carried.now().cyborg_mdevs
        return [mdev for mdev in stock() if mdev.uuid not in ours]

    @overrides.method('instance')
    def _get_all_assigned_mediated_devices(
        self, stock: overrides.Stock
    ) -> dict[str, str]:
        ours = carried.now().cyborg_mdevs
        return {
            uuid: server_id
            for uuid, server_id in stock().items()
            if uuid not in ours
        }


def _event(
    context: nova_context.RequestContext,
    instance: objects.Instance,
    name: str,
) -> ty.Any:
    """Return what shows in the server's last action how a block went."""
    return compute_utils.EventReporter(
        context, name, CONF.host, instance.uuid, graceful_exit=True
    )

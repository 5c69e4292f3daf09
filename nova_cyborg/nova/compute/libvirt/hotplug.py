# SPDX-License-Identifier: Apache-2.0

"""nova-compute with libvirt: what a guest is given after it was made.

A device context is attached to a server that runs, or to one that is stopped,
or detached from it. The server's metadata tell which device has which tag.
"""

from __future__ import annotations

import collections.abc
import contextlib
import dataclasses
import logging
import typing as ty

from nova import context as nova_context
from nova import exception as nova_exception
from nova import objects
from nova.compute import power_state, vm_states
from nova.virt.libvirt import driver
from nova.virt.libvirt import guest as libvirt_guest

from nova_cyborg import exception
from nova_cyborg.nova import carried, client, marks, overrides
from nova_cyborg.nova.compute.libvirt import removals
from nova_cyborg.nova.compute.libvirt.guests import metadata, plugging

LOG = logging.getLogger(__name__)

_Arqs = collections.abc.Sequence[collections.abc.Mapping[str, ty.Any]]
_RUNS = (power_state.RUNNING, power_state.PAUSED)


class LibvirtDriver(driver.LibvirtDriver):
    """Nova's libvirt driver, for device contexts that come and go."""

    def __init__(self, *args: object, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)
        self._device_event_handler = removals.Events(self)

    @overrides.method('host')
    def init_host(self, stock: overrides.Stock) -> None:
        """Begin; see what guests have let go of since this has ended.

        What they let go of from now on, libvirt says.
        """
        stock()
        removals.look(self)

    def plug_devices(self, instance: objects.Instance, arqs: _Arqs) -> None:
        """Plug devices into a guest, if it runs, and into what is stored.

        :param instance: the server.
        :param arqs: its accelerator requests that are new, bound.
        :raises DeviceContextError: if it has not got all.
        :raises InstanceNotFound: if it should run, and has no guest.
        """
        guest = self._own_guest(instance)
        if guest is not None:
            plugging.plug(
                guest,
                instance,
                arqs,
                live=self._runs(guest),
                stored=guest.has_persistent_configuration(),
            )
        elif instance.vm_state != vm_states.STOPPED:
            raise nova_exception.InstanceNotFound(instance_id=instance.uuid)
        # Else it gets its devices when it is started.

    def unplug_devices(self, instance: objects.Instance, arqs: _Arqs) -> None:
        """Take devices out of a guest, if it runs, and of what is stored.

        What is stored comes last: nothing of it is lost if the guest keeps a
        device. A guest that is gone has let go of all.

        :param instance: the server.
        :param arqs: the accelerator requests of the devices.
        :raises Exception: if it keeps one; it has all of them then.
        """
        guest = self._own_guest(instance)
        if guest is None:
            return
        bound = plugging.of_guest(arqs)
        if self._runs(guest):
            try:
                plugging.unplug(self, guest, instance, bound)
            except Exception:
                plugging.plug_each(guest, instance, bound)
                raise
        if guest.has_persistent_configuration():
            plugging.unplug_stored(guest, bound)

    def describe_devices(
        self, instance: objects.Instance, arqs: _Arqs | None
    ) -> None:
        """Have the metadata tell of devices that have come, or are gone.

        :param instance: the server; changed in place, not saved.
        :param arqs: all accelerator requests that the server has, or had a
            moment ago; None if they are not known.
        """
        before = _stored_metadata(instance._context, instance)
        guest = self._own_guest(instance)
        tagged = any(arq.get('tag') for arq in arqs or ())
        if guest is not None and (tagged or before):
            domain = guest.get_xml_desc()
            if arqs is None:
                own = metadata.kept(before, domain)
            else:
                # All of them: a tag may have been changed.
                own = metadata.made(domain, arqs)
            instance.device_metadata = metadata.joined(before, own)

    def describe_plugged(
        self,
        context: nova_context.RequestContext,
        instance: objects.Instance,
        arqs: _Arqs | None = None,
    ) -> None:
        """Have the metadata tell of devices that were plugged in again.

        The guest may have them at other addresses than before.

        :param context: the request's context.
        :param instance: the server; changed in place, not saved.
        :param arqs: all that its guest has; None if Cyborg is to be asked.
        """
        if metadata.tells_of_devices(instance.device_metadata):
            with self._knowing(context, instance, arqs):
                instance.device_metadata = self._build_device_metadata(
                    context, instance
                )

    def _knowing(
        self,
        context: nova_context.RequestContext,
        instance: objects.Instance,
        arqs: _Arqs | None = None,
    ) -> contextlib.AbstractContextManager[object]:
        """Know in a block what a server has, whose guest is another then.

        :param arqs: see :meth:`describe_plugged`.
        """
        if arqs is None:
            try:
                arqs = client.allocation_client(context).arqs(instance.uuid)
            except exception.DeviceContextError as exc:
                _warn(instance, exc)
                # Better no address than that of another device.
                arqs = ()
        return carried.carrying(
            dataclasses.replace(carried.now(), guest_arqs=tuple(arqs))
        )

    @overrides.method('context instance')
    def rescue(self, stock: overrides.Stock) -> None:
        """Start a guest in the place of the server's own."""
        context, instance = stock['context'], stock['instance']
        if not marks.has_contexts(instance):
            stock()
            return
        with self._knowing(context, instance):
            stock()

    @overrides.method('context instance')
    def unrescue(self, stock: overrides.Stock) -> None:
        """Start the server's own guest again; Nova does not look at it."""
        stock()
        context, instance = stock['context'], stock['instance']
        if not marks.has_contexts(instance):
            return
        with self._knowing(context, instance):
            instance.device_metadata = self._build_device_metadata(
                context, instance
            )

    @overrides.method('context instance', named='reboot_type accel_info')
    def reboot(self, stock: overrides.Stock) -> ty.Any:
        """Reboot a guest.

        One that shuts itself down is started as it is stored. It may have had
        its devices at other addresses, as it was suspended, or let go of one.
        """
        result = stock()
        instance, arqs = stock['instance'], stock['accel_info']
        if stock['reboot_type'] == 'SOFT' and marks.has_contexts(instance):
            self.describe_plugged(stock['context'], instance, arqs)
        return result

    @overrides.method('context instance')
    def _build_device_metadata(
        self, stock: overrides.Stock
    ) -> objects.InstanceDeviceMetadata | None:
        found = stock()
        context, instance = stock['context'], stock['instance']
        try:
            domain = self._host.get_guest(instance).get_xml_desc()
            # It may have got its first device context since it was read.
            if not marks.has_contexts(instance) and not metadata.may_have(
                domain
            ):
                return found
            arqs = carried.now().guest_arqs
            if arqs is None:
                # Something else comes to a guest that stays as it is.
                before = _stored_metadata(context, instance)
                own = metadata.kept(before, domain)
            else:
                own = metadata.made(domain, arqs)
            return metadata.joined(found, own)
        except Exception as exc:  # noqa: BLE001 - a guest starts without it
            _warn(instance, exc)
            return found

    def _own_guest(
        self, instance: objects.Instance
    ) -> libvirt_guest.Guest | None:
        """Return a server's guest; None if there is none."""
        try:
            return self._host.get_guest(instance)
        except nova_exception.InstanceNotFound:
            return None

    def _runs(self, guest: libvirt_guest.Guest) -> bool:
        return guest.get_power_state(self._host) in _RUNS


def _stored_metadata(
    context: nova_context.RequestContext, instance: objects.Instance
) -> objects.InstanceDeviceMetadata | None:
    """Read what the metadata tell of devices now.

    Nova reads a server when something is begun with it, which may be minutes
    ago, and plugs ports in under another lock than devices.
    """
    return objects.Instance.get_by_uuid(
        context, instance.uuid, expected_attrs=['device_metadata']
    ).device_metadata


def _warn(instance: objects.Instance, error: Exception) -> None:
    LOG.warning(
        'The metadata of server %s does not tell of its devices: %s',
        instance.uuid,
        error,
    )

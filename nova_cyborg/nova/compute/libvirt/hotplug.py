# SPDX-License-Identifier: Apache-2.0

"""nova-compute with libvirt: what a guest is given after it was made.

A device context is attached to a server that runs, or to one that is stopped,
or detached from it. The server's metadata tell which device has which tag.
"""

from __future__ import annotations

import collections.abc
import logging
import typing as ty

from nova import context as nova_context
from nova import exception as nova_exception
from nova import objects
from nova.compute import power_state, vm_states
from nova.virt.libvirt import driver
from nova.virt.libvirt import guest as libvirt_guest

from nova_cyborg.nova import marks, overrides
from nova_cyborg.nova.compute.libvirt import metadata, plugging

LOG = logging.getLogger(__name__)

_Arqs = collections.abc.Sequence[collections.abc.Mapping[str, ty.Any]]
_RUNS = (power_state.RUNNING, power_state.PAUSED)


class LibvirtDriver(driver.LibvirtDriver):
    """Nova's libvirt driver, for device contexts that come and go."""

    def plug_devices(self, instance: objects.Instance, arqs: _Arqs) -> None:
        """Plug devices into a guest, if it runs, and into what is stored.

        :param instance: the server.
        :param arqs: its accelerator requests that are new, bound.
        :raises DeviceContextError: if it has not got all.
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

    def unplug_devices(self, instance: objects.Instance, arqs: _Arqs) -> None:
        """Take devices out of a guest, if it runs, and of what is stored.

        What is stored comes last: nothing of it is lost if the guest keeps a
        device.

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
        self, instance: objects.Instance, arqs: _Arqs
    ) -> None:
        """Have the metadata tell of devices that have come, or are gone.

        :param instance: the server; changed in place, not saved.
        :param arqs: its accelerator requests that are new.
        """
        before = instance.device_metadata
        guest = self._own_guest(instance)
        tagged = any(arq.get('tag') for arq in arqs)
        if guest is not None and (tagged or before):
            domain = guest.get_xml_desc()
            own = metadata.kept(before, domain) + metadata.made(domain, arqs)
            instance.device_metadata = metadata.joined(before, own)

    def describe_plugged(
        self, context: nova_context.RequestContext, instance: objects.Instance
    ) -> None:
        """Have the metadata tell of devices that were plugged in again.

        The guest may have them at other addresses than before.

        :param instance: the server; changed in place, not saved.
        """
        if metadata.tells_of_devices(instance.device_metadata):
            instance.device_metadata = self._build_device_metadata(
                context, instance
            )

    @overrides.method('context instance')
    def _build_device_metadata(
        self, stock: overrides.Stock
    ) -> objects.InstanceDeviceMetadata | None:
        found = stock()
        context, instance = stock['context'], stock['instance']
        if not marks.has_contexts(instance):
            return found
        try:
            arqs = metadata.guest_arqs(context, instance)
            domain = self._host.get_guest(instance).get_xml_desc()
            return metadata.joined(found, metadata.made(domain, arqs))
        except Exception as exc:  # noqa: BLE001 - a guest starts without it
            LOG.warning(
                'The metadata of server %s does not tell of its devices: %s',
                instance.uuid,
                exc,
            )
            return found

    def _own_guest(
        self, instance: objects.Instance
    ) -> libvirt_guest.Guest | None:
        """Return a server's guest; None if it is stopped, and has none."""
        try:
            return self._host.get_guest(instance)
        except nova_exception.InstanceNotFound:
            if instance.vm_state != vm_states.STOPPED:
                raise
            # It gets its devices when it is started.
            return None

    def _runs(self, guest: libvirt_guest.Guest) -> bool:
        return guest.get_power_state(self._host) in _RUNS

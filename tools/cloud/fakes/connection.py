# SPDX-License-Identifier: Apache-2.0

"""Hypervisors for Nova's libvirt driver: Nova's own fake libvirt, extended.

Real are the driver and all that it does up to its calls of libvirt; guests
are kept in files, and mediated devices come from the stand-in bus.
"""

import functools
import queue
import threading
from typing import Any

from lxml import etree
from nova.tests.fixtures import libvirt as fakelibvirt

from tools.cloud.fakes import domains, guests, node_devices

_events: queue.SimpleQueue[functools.partial[None]] = queue.SimpleQueue()


class Connection(fakelibvirt.Connection):
    """A connection to the hypervisor of one host.

    :param hostname: the host's name.
    :param store: keeps the host's guests.
    :param mdev_info: the host's mediated devices.
    :ivar lock: is held while it is changed which guests there are, and which
        devices they have.
    """

    def __init__(
        self,
        hostname: str,
        store: domains.DomainStore,
        mdev_info: node_devices.MdevInfo,
    ) -> None:
        super().__init__(
            'qemu:///system',
            version=fakelibvirt.FAKE_LIBVIRT_VERSION,
            hv_version=fakelibvirt.FAKE_QEMU_VERSION,
            hostname=hostname,
            host_info=fakelibvirt.HostInfo(
                cpu_nodes=1, cpu_sockets=1, cpu_cores=8, cpu_threads=2
            ),
            mdev_info=mdev_info,
        )
        self.store = store
        self.lock = threading.RLock()

    # The guests

    def defineXML(self, xml: str) -> guests.Domain:  # noqa: N802
        """Define a guest; one that there is stays the same."""
        with self.lock:
            domain = self._known(etree.fromstring(xml).findtext('uuid'))
            if domain is None:
                domain = guests.Domain(self, domains.Guest(xml))
                self._vms[domain.name()] = domain
            else:
                domain.redefine(xml)
            domain.keep()
        self._emit_lifecycle(domain, fakelibvirt.VIR_DOMAIN_EVENT_DEFINED, 0)
        return domain

    def lookupByUUIDString(self, uuid: str) -> guests.Domain:  # noqa: N802
        """Return a guest."""
        with self.lock:
            self._take_in()
            domain: guests.Domain = super().lookupByUUIDString(uuid)
            return domain

    def listAllDomains(  # noqa: N802
        self, flags: int | None = None
    ) -> list[guests.Domain]:
        """Return all guests."""
        with self.lock:
            self._take_in()
            listed: list[guests.Domain] = super().listAllDomains(flags)
            return listed

    def has(self, domain: guests.Domain) -> bool:
        """Tell whether a guest is defined.

        :param domain: the guest.
        """
        return self._vms.get(domain.name()) is domain

    def _known(self, server_id: str | None) -> guests.Domain | None:
        """Return a guest, with the lock held."""
        self._take_in()
        for domain in self._vms.values():
            if domain.UUIDString() == server_id:
                found: guests.Domain = domain
                return found
        return None

    def _take_in(self) -> None:
        """See what guests there are of an earlier process, or another host.

        The lock is held.
        """
        known = {each.UUIDString() for each in self._vms.values()}
        for server_id in self.store.server_ids():
            if server_id not in known:
                self._take(server_id)

    def _take(self, server_id: str) -> None:
        domain = guests.Domain(self, self.store.read(server_id))
        self._vms[domain.name()] = domain
        if domain.isActive():
            self._number(domain)
            self._emit_lifecycle(
                domain, fakelibvirt.VIR_DOMAIN_EVENT_RESUMED, 0
            )

    def _mark_running(self, dom: Any) -> None:
        self._number(dom)
        self._emit_lifecycle(dom, fakelibvirt.VIR_DOMAIN_EVENT_STARTED, 0)

    def _number(self, dom: Any) -> None:
        # Nova's own leaves a guest that is started again without an id, and
        # its driver would wait in vain for a soft reboot to change it.
        dom._id = self._id_counter
        self._running_vms[self._id_counter] = dom
        self._id_counter += 1

    def _undefine(self, dom: Any) -> None:
        with self.lock:
            super()._undefine(dom)
            self.store.remove(dom.UUIDString())

    # The events

    def _emit_lifecycle(self, dom: Any, event: int, detail: int) -> None:
        _emit(super()._emit_lifecycle, dom, event, detail)

    def emit_removed(self, domain: guests.Domain, alias: str) -> None:
        """Tell that a guest has let go of a device.

        :param domain: the guest.
        :param alias: libvirt's name of the device.
        """
        event = fakelibvirt.VIR_DOMAIN_EVENT_ID_DEVICE_REMOVED
        if event in self._event_callbacks:
            callback, opaque = self._event_callbacks[event]
            _emit(callback, self, domain, alias, opaque)

    # The mediated devices

    def nodeDeviceCreateXML(  # noqa: N802
        self, xml: str, flags: int
    ) -> node_devices.NodeDevice:
        """Make a mediated device."""
        return self.mdev_info.create(xml)

    def nodeDeviceDefineXML(  # noqa: N802
        self, xml: str, flags: int
    ) -> node_devices.NodeDevice:
        """Make a mediated device; here each outlives a reboot."""
        return self.mdev_info.create(xml)


def _emit(call: Any, *args: Any) -> None:
    # Like libvirt's, events come by the driver's event thread. In the thread
    # that causes them they would meet its locks.
    _events.put(functools.partial(call, *args))


def run_events() -> None:
    """Deliver the next event; it stands for virEventRunDefaultImpl."""
    _events.get()()

# SPDX-License-Identifier: Apache-2.0

"""Hypervisors for Nova's libvirt driver: Nova's own fake libvirt, extended.

Real are the driver and all that it does up to its calls of libvirt; what it
defines is kept in files, and mediated devices come from the stand-in bus.
"""

import functools
import queue
from typing import Any

from nova.tests.fixtures import libvirt as fakelibvirt

from tools.cloud.fakes import domains, node_devices

_events: queue.SimpleQueue[functools.partial[None]] = queue.SimpleQueue()


class Connection(fakelibvirt.Connection):
    """A connection to the hypervisor of one host.

    :param hostname: the host's name.
    :param store: keeps the host's guests.
    :param mdev_info: the host's mediated devices.
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
        self._store = store
        for xml, running in store.load():
            domain = super().defineXML(xml)
            if running:
                domain.create()

    def defineXML(self, xml: str) -> Any:  # noqa: N802
        """Define a guest, and keep its definition."""
        domain = super().defineXML(xml)
        self._store.save(domain.UUIDString(), xml)
        return domain

    def createXML(self, xml: str, flags: int) -> Any:  # noqa: N802
        """Start a guest that is not to outlive its run, and keep it."""
        domain = super().createXML(xml, flags)
        self._store.save(domain.UUIDString(), xml)
        self._store.set_running(domain.UUIDString(), True)
        return domain

    def _mark_running(self, dom: Any) -> None:
        # Nova's own leaves a guest that is started again without an id, and
        # its driver would wait in vain for a soft reboot to change it.
        dom._id = self._id_counter
        super()._mark_running(dom)
        # A domain of createXML comes here before it knows its name.
        if hasattr(dom, '_def'):
            self._store.set_running(dom.UUIDString(), True)

    def _mark_not_running(self, dom: Any) -> None:
        super()._mark_not_running(dom)
        self._store.set_running(dom.UUIDString(), False)

    def _undefine(self, dom: Any) -> None:
        super()._undefine(dom)
        self._store.remove(dom.UUIDString())

    def _emit_lifecycle(self, dom: Any, event: int, detail: int) -> None:
        # Like libvirt's, events come by the driver's event thread. In the
        # thread that causes them they would meet its locks.
        emit = super()._emit_lifecycle
        _events.put(functools.partial(emit, dom, event, detail))

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


def run_events() -> None:
    """Deliver the next event; it stands for virEventRunDefaultImpl."""
    _events.get()()

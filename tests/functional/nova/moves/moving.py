# SPDX-License-Identifier: Apache-2.0

"""Servers with device contexts that are migrated and resized."""

from tests.functional.nova import step  # isort: skip - first

import dataclasses
import typing as ty

import fixtures
from nova.virt.libvirt import driver
from oslo_utils import uuidutils

from tests.functional.nova import base

SOURCE, DESTINATION = HOSTS = ('compute1', 'compute2')
_FPGA, _PGPU, _VGPU = ({name: 1} for name in ('FPGA', 'PGPU', 'VGPU'))


class NoDisks(fixtures.Fixture):
    """Have libvirt's driver move guests, and nothing of their disks."""

    def _setUp(self) -> None:  # noqa: N802 - the name is fixtures'
        confirm = driver.LibvirtDriver.confirm_migration

        def undefine(
            libvirt: driver.LibvirtDriver,
            context: object,
            migration: ty.Any,
            instance: ty.Any,
            network_info: object,
        ) -> None:
            confirm(libvirt, context, migration, instance, network_info)
            # Nova does so unless the server is on "this" host, which is the
            # one that was started last, for all that are in this process.
            if instance.host != migration.source_compute:
                libvirt._undefine_domain(instance)

        for name, stand_in in (
            ('migrate_disk_and_power_off', _power_off),
            ('confirm_migration', undefine),
        ):
            self.useFixture(
                fixtures.MonkeyPatch(
                    f'{driver.__name__}.LibvirtDriver.{name}', stand_in
                )
            )


@dataclasses.dataclass
class Moved:
    """A server that is moved.

    :ivar server: the server.
    :ivar contexts: UUIDs of its device contexts.
    :ivar devices: how many its guest has.
    """

    server: dict[str, ty.Any]
    contexts: list[str]
    devices: int


class TestCase(step.TestCase):
    """Two compute nodes with devices for all servers, and no more.

    :cvar TIMES: for how many times all servers a node has devices.
    :cvar KINDS: the groups of each device context of each server.
    """

    HOSTS = ()
    TIMES = 1
    KINDS: ty.ClassVar = (((_FPGA,),), ((_FPGA,), (_VGPU,)), ((_FPGA, _PGPU),))

    def setUp(self) -> None:
        super().setUp()
        self.useFixture(NoDisks())
        self.add_hosts()
        self.bigger = self._create_flavor(vcpu=3, memory_mb=1024, disk=20)
        others = set(self.computes) - {SOURCE}
        for host in others:
            self.set_enabled(host, False)
        self.all = [self._boot(kind) for kind in self.KINDS]
        for host in others:
            self.set_enabled(host, True)

    def add_hosts(self) -> None:
        """Start the compute nodes, with devices."""
        for host in HOSTS:
            self._add_host(host)

    def _add_host(self, host: str) -> None:
        mdevs = [uuidutils.generate_uuid() for _n in range(self.TIMES)]
        self.start_compute_with_mediated_devices(*mdevs, host=host)
        self.add_device(host, slots=3 * self.TIMES)
        self.add_device(host, resource_class='PGPU', slots=self.TIMES)
        self.add_device(host, resource_class='VGPU', mdevs=mdevs)

    def _boot(self, kind: tuple[tuple[dict[str, int], ...], ...]) -> Moved:
        made = [
            self.create_context(
                groups=[{'resources': each} for each in groups]
            )
            for groups in kind
        ]
        return Moved(self.boot(*made), made, sum(map(len, kind)))

    def do(
        self,
        action: str,
        status: str,
        arguments: dict[str, ty.Any] | None = None,
    ) -> None:
        """Do something with each server, and wait for its status.

        One after the other: SQLite in memory refuses what several threads
        write at once, and Nova does not try again.
        """
        for each in self.all:
            each.server = self.act(
                each.server, action, status, arguments, self.admin_api
            )

    def migrate(self, **arguments: ty.Any) -> None:
        """Migrate all servers, and see that they wait to be confirmed."""
        self.do('migrate', 'VERIFY_RESIZE', arguments or None)
        self.assert_waiting()

    def resize(self) -> None:
        """Resize all servers, and see that they wait to be confirmed."""
        self.do('resize', 'VERIFY_RESIZE', {'flavorRef': self.bigger})
        self.assert_waiting()

    def confirm(self, status: str = 'ACTIVE') -> None:
        """Confirm all moves."""
        self.do('confirmResize', status)
        self.assert_on(DESTINATION)

    def revert(self, status: str = 'ACTIVE') -> None:
        """Revert all moves."""
        self.do('revertResize', status)
        self.assert_on(SOURCE)

    def wait_for_all(self, status: str) -> None:
        """Wait until all servers have a status, and nothing is done."""
        for each in self.all:
            each.server = self.wait_for_status(each.server, status)

    # What is to be true

    def assert_waiting(
        self, source: str = SOURCE, destination: str = DESTINATION
    ) -> None:
        """Check that guests have devices, and others are kept for them."""
        for each in self.all:
            self.assertEqual(
                [('active', destination), ('leaving', source)],
                self.bindings(each),
            )
        self.assert_used(2)
        self._assert_guests(destination)

    def assert_on(self, host: str) -> None:
        """Check that all servers have devices on a host, and no others."""
        for each in self.all:
            self.wait_for(
                lambda e=each: self.bindings(e) == [('active', host)]
            )
        self.assert_used(1)
        self._assert_guests(host)

    def assert_used(self, times: int) -> None:
        """Check how many devices are given away, by those of the guests."""
        devices = sum(each.devices for each in self.all)
        # A mediated device counts until cyborg-agent has removed it.
        self.wait_for(lambda: len(self.used_slots()) == times * devices)

    def _assert_guests(self, host: str) -> None:
        for each in self.all:
            found = self.admin_api.get_server(each.server['id'])
            self.assertEqual(host, found['OS-EXT-SRV-ATTR:host'])
            wanted = []
            for context_id in each.contexts:
                context = self.get_context(context_id)
                self.assertEqual('bound', context['status'])
                self.assertEqual(host, context['host'])
                wanted += map(self.hostdev, context['devices'])
            self.assertEqual(each.devices, len(wanted))
            self.assertCountEqual(wanted, self.hostdevs(each.server))
            self.assertLessEqual(
                {each.slot for each in wanted}, self._slots(host)
            )
        self.assert_in_step(audited=False)

    def hostdev(self, device: dict[str, ty.Any]) -> base.Hostdev:
        """Return what a guest has that has a device of a device context."""
        kind = device['attach_handle_type'].lower()
        return base.Hostdev(kind, device['slot'], f'ua-{device["arq_id"]}')

    def _slots(self, host: str) -> set[str]:
        return {
            slot
            for device in self.devices
            if device.host == host
            for slot in device.slots
        }

    def bindings(self, moved: Moved) -> list[tuple[str, str]]:
        """Return state and node of each binding of a server."""
        servers = {
            row['id']: row['server_id']
            for row in self.cyborg.control('rows', table='device_allocations')
        }
        return sorted(
            (row['state'], row['node'])
            for row in self.cyborg.control('rows', table='device_bindings')
            if servers[row['allocation_id']] == moved.server['id']
        )


def _power_off(
    libvirt: driver.LibvirtDriver,
    _context: object,
    instance: ty.Any,
    *_args: object,
    **_kwargs: object,
) -> str:
    libvirt.power_off(instance)
    return '[]'

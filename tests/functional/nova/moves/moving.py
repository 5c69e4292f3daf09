# SPDX-License-Identifier: Apache-2.0

"""Servers with device contexts that are migrated and resized."""

from tests.functional.nova import step  # isort: skip - first

import collections
import dataclasses
import typing as ty

import fixtures
from nova.virt.libvirt import driver
from oslo_utils import uuidutils

from tests.functional.nova import base

SOURCE, DESTINATION = HOSTS = ('compute1', 'compute2')
# The groups of each device context of each server: one of PCI; one of PCI and
# one of MDEV; one with two groups.
_FPGA, _PGPU, _VGPU = ({name: 1} for name in ('FPGA', 'PGPU', 'VGPU'))
KINDS = (((_FPGA,),), ((_FPGA,), (_VGPU,)), ((_FPGA, _PGPU),))


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
    """

    HOSTS = ()
    TIMES = 1

    def setUp(self) -> None:
        super().setUp()
        self._move_no_disks()
        for host in HOSTS:
            self._add_host(host)
        self.bigger = self._create_flavor(vcpu=3, memory_mb=1024, disk=20)
        self.set_enabled(DESTINATION, False)
        self.all = [self._boot(kind) for kind in KINDS]
        self.set_enabled(DESTINATION, True)

    def _move_no_disks(self) -> None:
        """Have libvirt's driver shut the guest down, and copy nothing."""

        def power_off(
            libvirt: driver.LibvirtDriver,
            _context: object,
            instance: ty.Any,
            *_args: object,
            **_kwargs: object,
        ) -> str:
            libvirt.power_off(instance)
            return '[]'

        self.useFixture(
            fixtures.MonkeyPatch(
                f'{driver.__name__}.LibvirtDriver.migrate_disk_and_power_off',
                power_off,
            )
        )

    def _add_host(self, host: str) -> None:
        mdevs = [uuidutils.generate_uuid() for _n in range(self.TIMES)]
        self.start_compute_with_mediated_devices(*mdevs, host=host)
        self.add_device(host, slots=3 * self.TIMES)
        self.add_device(host, resource_class='PGPU', slots=self.TIMES)
        self.add_device(host, resource_class='VGPU', mdevs=mdevs)

    def _boot(self, kind: tuple[tuple[dict[str, int], ...], ...]) -> Moved:
        made = [
            self.create_context(groups=[{'resources': each} for each in groups])
            for groups in kind
        ]
        return Moved(self.boot(*made), made, sum(map(len, kind)))

    def do(
        self,
        action: str,
        status: str,
        arguments: dict[str, ty.Any] | None = None,
    ) -> None:
        """Do something with all servers, and wait for their status."""
        for each in self.all:
            self.admin_api.post_server_action(
                each.server['id'], {action: arguments}
            )
        self.wait_for_all(status)

    def migrate(self, **arguments: ty.Any) -> None:
        """Migrate all servers, and see that they wait to be confirmed."""
        self.do('migrate', 'VERIFY_RESIZE', arguments or None)
        self.assert_waiting()

    def resize(self) -> None:
        """Resize all servers, and see that they wait to be confirmed."""
        self.do('resize', 'VERIFY_RESIZE', {'flavorRef': self.bigger})
        self.assert_waiting()

    def confirm(self) -> None:
        """Confirm all moves."""
        self.do('confirmResize', 'ACTIVE')

    def revert(self) -> None:
        """Revert all moves."""
        self.do('revertResize', 'ACTIVE')

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
                self._bindings(each),
            )
        self._assert_used(2)
        self._assert_guests(destination)

    def assert_on(self, host: str) -> None:
        """Check that all servers have devices on a host, and no others."""
        for each in self.all:
            self.wait_for(
                lambda e=each: self._bindings(e) == [('active', host)]
            )
        self._assert_used(1)
        self._assert_guests(host)

    def _assert_used(self, times: int) -> None:
        devices = sum(each.devices for each in self.all)
        self.assertEqual(times * devices, len(self.used_slots()))

    def _assert_guests(self, host: str) -> None:
        for each in self.all:
            found = self.admin_api.get_server(each.server['id'])
            self.assertEqual(host, found['OS-EXT-SRV-ATTR:host'])
            wanted = []
            for context_id in each.contexts:
                context = self.get_context(context_id)
                self.assertEqual('bound', context['status'])
                self.assertEqual(host, context['host'])
                wanted += [_hostdev(device) for device in context['devices']]
            self.assertEqual(each.devices, len(wanted))
            self.assertCountEqual(wanted, self.hostdevs(each.server))
            self.assertLessEqual(
                {each.slot for each in wanted}, self._slots(host)
            )
        self.assert_in_step(audited=False)

    def _slots(self, host: str) -> set[str]:
        return {
            slot
            for device in self.devices
            if device.host == host
            for slot in device.slots
        }

    def _bindings(self, moved: Moved) -> list[tuple[str, str]]:
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

    def _check_placement(self, arqs: list[dict[str, ty.Any]]) -> None:
        """Each device is allocated to its server, or to its migration."""
        servers = {
            migration['uuid']: migration['instance_uuid']
            for migration in self.admin_api.get_migrations()
        }
        for device in self.devices:
            wanted = collections.Counter(
                arq['instance_uuid']
                for arq in arqs
                if arq['device_rp_uuid'] == device.provider
            )
            found: collections.Counter[str] = collections.Counter()
            for consumer, allocation in self._get_allocations_by_provider_uuid(
                device.provider
            ).items():
                amount = sum(allocation['resources'].values())
                found[servers.get(consumer, consumer)] += amount
            self.assertEqual(wanted, found, device)


def _hostdev(device: dict[str, ty.Any]) -> base.Hostdev:
    kind = device['attach_handle_type'].lower()
    return base.Hostdev(kind, device['slot'], f'ua-{device["arq_id"]}')

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
    :cvar FAILS: whether moves fail: then it may be the audit that gives back
        in Placement what a migration has.
    """

    HOSTS = ()
    TIMES = 1
    FAILS = False
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

    def delete_all(self) -> None:
        """Delete all servers, and see that nothing of them is left."""
        for each in self.all:
            self.api.delete_server(each.server['id'])
        for each in self.all:
            self._wait_until_deleted(each.server)
            for context in each.contexts:
                self.wait_for(lambda c=context: self.status(c) is None)
        self.assert_nothing_held()

    def wait_for_all(self, status: str) -> None:
        """Wait until all servers have a status, and nothing is done."""
        for each in self.all:
            each.server = self.wait_for_status(each.server, status)

    # What is to be true

    def assert_waiting(
        self, source: str = SOURCE, destination: str = DESTINATION
    ) -> None:
        """Check that guests have devices, and others are kept for them."""
        wanted = [[('active', destination), ('leaving', source)]]
        wanted *= len(self.all)
        self.assertEqual(wanted, [self.bindings(each) for each in self.all])
        self.assert_used(2)
        self._assert_guests(destination)
        self._assert_consumers()
        # The audit has looked at it, and left it alone.
        self.assertEqual(wanted, [self.bindings(each) for each in self.all])
        self.assert_used(2)

    def assert_on(self, host: str) -> None:
        """Check that all servers have devices on a host, and no others."""
        for each in self.all:
            self.wait_for(
                lambda e=each: self.bindings(e) == [('active', host)]
            )
        self.assert_used(1)
        self._assert_guests(host)
        self._assert_consumers()

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

    def _assert_consumers(self) -> None:
        """Check to whom Placement has allocated the devices.

        Those that a server uses are its own, and those that it leaves its
        last migration's.
        """
        if self.FAILS:
            return
        for each in self.all:
            # Nova tidies up when the server has its last status already.
            self.wait_for(
                lambda e=each: self._allocated(e) == self._of_bindings(e)
            )

    def _allocated(self, moved: Moved) -> dict[str, collections.Counter[str]]:
        """Return what who has of devices on hosts that are up.

        :returns: how many, by the resource provider, by the consumer.
        """
        server_id = moved.server['id']
        providers = {
            each.provider
            for each in self.devices
            if each.host not in self._down
        }
        migrations = [
            each['uuid']
            for each in self.admin_api.get_migrations()
            if each['instance_uuid'] == server_id
        ]
        found = {}
        for consumer in (server_id, *migrations):
            path = f'/allocations/{consumer}'
            allocated = self.placement.get(path).body['allocations']
            amounts = collections.Counter(
                {
                    provider: sum(of_provider['resources'].values())
                    for provider, of_provider in allocated.items()
                    if provider in providers
                }
            )
            if amounts:
                found[consumer] = amounts
        return found

    def _of_bindings(
        self, moved: Moved
    ) -> dict[str, collections.Counter[str]]:
        """Return what is to be allocated, as :meth:`_allocated` does."""
        server_id = moved.server['id']
        consumers = {'active': server_id}
        last = max(
            (
                each
                for each in self.admin_api.get_migrations()
                if each['instance_uuid'] == server_id
            ),
            key=lambda each: each['id'],
            default=None,
        )
        if last is not None:
            consumers['leaving'] = last['uuid']
        wanted: dict[str, collections.Counter[str]] = {}
        for context in self.contexts_of(moved.server):
            for binding in context['bindings']:
                consumer = consumers[binding['state']]
                wanted.setdefault(consumer, collections.Counter()).update(
                    each['resource_provider_id'] for each in binding['devices']
                )
        return wanted

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

# SPDX-License-Identifier: Apache-2.0

"""Whether Nova, Cyborg, Placement and the guests are in step."""

from tests.functional.nova import base  # isort: skip - first

import collections
import collections.abc
import time
import typing as ty

from nova import context
from nova.tests.fixtures import libvirt as fakelibvirt
from nova.tests.functional.api import client
from nova_cyborg.fixture import nova as nova_fixture

_TIDY_SECONDS = 20


class TestCase(base.TestCase):
    """A cloud that can be looked over after whatever has happened to it."""

    def setUp(self) -> None:
        super().setUp()
        self.devices: list[nova_fixture.Device] = []
        self._down: set[str] = set()
        self._placement_url = self.serve_placement()

    def add_device(
        self, *args: ty.Any, **kwargs: ty.Any
    ) -> nova_fixture.Device:
        """Put a device into a host, and remember it."""
        device = super().add_device(*args, **kwargs)
        self.devices.append(device)
        return device

    def set_enabled(self, host: str, enabled: bool) -> None:
        """Let the scheduler choose a compute node, or not."""
        (service,) = self.admin_api.get_services(
            host=host, binary='nova-compute'
        )
        status = 'enabled' if enabled else 'disabled'
        self.admin_api.put_service(service['id'], {'status': status})

    def take_down(self, host: str) -> None:
        """Let a compute node fail."""
        self.computes[host].stop()
        self._down.add(host)
        self._force_down(host, True)

    def bring_back(self, host: str) -> None:
        """Let a compute node that has failed start again."""
        compute = self.restart_compute_service(host)
        # Nova does so at once; there are no periodic tasks in these tests.
        compute.manager._cleanup_running_deleted_instances(
            context.get_admin_context()
        )
        self._force_down(host, False)
        self._down.discard(host)

    def _force_down(self, host: str, down: bool) -> None:
        (service,) = self.admin_api.get_services(
            host=host, binary='nova-compute'
        )
        self.admin_api.put_service_force_down(service['id'], down)

    def audit_rows(self) -> list[dict[str, ty.Any]]:
        """Run the audit once, with repair; return what it says."""
        return self.cyborg.control('audit', placement=self._placement_url)

    def audit(self) -> list[str]:
        """Run the audit once; return the kinds of what it has put right."""
        rows = self.audit_rows()
        left = [row for row in rows if not row['repaired']]
        self.assertEqual([], left)
        return [row['kind'] for row in rows]

    def reconcile(self, ticks: int = 4) -> dict[str, int]:
        """Let what disagrees be put right; return how often what was."""
        found: dict[str, int] = self.cyborg.control(
            'reconcile', placement=self._placement_url, ticks=ticks
        )
        return found

    def assert_in_step(self, audited: bool = True) -> None:
        """Check that nothing is lost, held by nobody, or given twice.

        Nova may be tidying up still when a server has its last status.

        :param audited: whether the audit may be run before.
        """
        end = time.monotonic() + _TIDY_SECONDS
        while True:
            try:
                self._check(audited)
                return
            except AssertionError:
                if time.monotonic() > end:
                    raise
            time.sleep(0.2)

    def _check(self, audited: bool) -> None:
        if audited:
            self.audit()
        arqs = self.cyborg.control(
            'rows', table='extended_accelerator_requests'
        )
        self._check_holders()
        self._check_handles(arqs)
        self._check_profiles(arqs)
        self._check_placement(arqs)
        self._check_guests()
        self.assertEqual([], self.audit())

    def _server(self, server_id: str) -> dict[str, ty.Any] | None:
        try:
            return self.admin_api.get_server(server_id)
        except client.OpenStackApiNotFoundException:
            return None

    def _check_holders(self) -> None:
        for row in self.cyborg.control('rows', table='device_allocations'):
            self.assertIsNotNone(self._server(row['server_id']), row)
        links = self.cyborg.control('rows', table='device_context_arqs')
        contexts = {
            row['id']
            for row in self.cyborg.control('rows', table='device_contexts')
            if row['allocation_id'] is not None
        }
        self.assertLessEqual({r['device_context_id'] for r in links}, contexts)

    def _check_handles(self, arqs: list[dict[str, ty.Any]]) -> None:
        """Each used handle belongs to one ARQ of one server's."""
        handles = self.cyborg.control('rows', table='attach_handles')
        used = sorted(row['id'] for row in handles if row['in_use'])
        given = [row['attach_handle_id'] for row in arqs]
        self.assertEqual(used, sorted(each for each in given if each))
        for arq in arqs:
            self.assertIsNotNone(self._server(arq['instance_uuid']), arq)

    def _check_profiles(self, arqs: list[dict[str, ty.Any]]) -> None:
        used = {row['device_profile_id'] for row in arqs}
        self.assertLessEqual(
            {row['id'] for row in self.hidden_profiles()}, used
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
                server_id = servers.get(consumer, consumer)
                if server_id in wanted or not self._has_left(
                    server_id, device.host
                ):
                    found[server_id] += sum(allocation['resources'].values())
            self.assertEqual(wanted, found, device)

    def _has_left(self, server_id: str, host: str) -> bool:
        """Tell whether Nova keeps what a server had on a host that is down.

        It does for one that is evacuated, and for one that could not be.
        """
        server = self._server(server_id)
        if not server or host not in self._down:
            return False
        on = server['OS-EXT-SRV-ATTR:host']
        return on not in (host, None) or server['status'] == 'ERROR'

    def _check_guests(self) -> None:
        """No slot is in the guests of two servers that run."""
        seen: dict[str, str] = {}
        for host in set(self.computes) - self._down:
            for server_id, slot in self._running(self.computes[host]):
                self.assertNotIn(slot, seen)
                seen[slot] = server_id
        self.assertLessEqual(set(seen), self.used_slots())

    def _running(
        self, compute: ty.Any
    ) -> collections.abc.Iterator[tuple[str, str]]:
        connection = compute.driver._host.get_connection()
        for domain in connection.listAllDomains(
            fakelibvirt.VIR_CONNECT_LIST_DOMAINS_ACTIVE
        ):
            server_id = domain.UUIDString()
            for hostdev in self.hostdevs({'id': server_id}):
                yield server_id, hostdev.slot


class OneSlotEachTestCase(TestCase):
    """Two compute nodes that could have a server each.

    :ivar context: UUID of a device context.
    """

    HOSTS = ('compute1', 'compute2')

    def setUp(self) -> None:
        super().setUp()
        for host in self.HOSTS:
            self.add_device(host, slots=1)
        self.context = self.create_context()

# SPDX-License-Identifier: Apache-2.0

"""Live migrations that fail: no device is in two guests, and none is lost."""

from tests.functional.nova.moves import running  # isort: skip - first

import contextlib
import threading
import typing as ty
from unittest import mock

import fixtures
import oslo_messaging
from nova import context as nova_context
from nova import exception as nova_exception
from nova import objects
from nova.compute import rpcapi
from nova.tests.fixtures import libvirt as fakelibvirt
from nova.virt.libvirt import driver
from nova_cyborg.nova.api import live as api_live
from nova_cyborg.nova.compute import live
from nova_cyborg.nova.compute.libvirt.guests import plugging
from nova_cyborg.nova.features import computes

from tests.functional.nova import stock
from tests.functional.nova.moves import failing

SOURCE, DESTINATION = running.HOSTS
_ALTERNATE = 'compute3'


class BeforeTest(failing.TestCase):
    """The guest is as it was all the time."""

    def test_there_is_no_host(self) -> None:
        self.set_enabled(DESTINATION, False)
        self.migrate_in_vain('error')
        self.assertIn('No valid host', self.said())
        self.set_enabled(DESTINATION, True)
        self.assert_stays()

    def test_a_device_context_refuses_meanwhile(self) -> None:
        """nova-api has looked, and nothing is bound yet."""
        context = self.moved.contexts[-1]
        self.update_context(context, live_migration='refuse')
        with mock.patch.object(api_live, 'check'):
            self.migrate_in_vain('error')
        self.assertIn(context, self.said())
        self.assert_on(SOURCE)
        self.update_context(context, live_migration='detach')
        self.assert_stays()

    def test_the_nova_compute_of_the_host_has_no_plugin_any_more(self) -> None:
        """It was killed: Placement has its trait still."""
        with mock.patch.object(computes, 'withdraw'), stock.StockComputes():
            self.restart_compute_service(DESTINATION)
        node = self._get_provider_uuid_by_host(DESTINATION)
        self.assertIn(computes.TRAIT, self._get_provider_traits(node))
        for _n in range(2):
            self.migrate_in_vain('error')
            self.assertIn('No valid host', self.said())
            self.assert_on(SOURCE)
            self.assert_active()
            self.assertNotIn(computes.TRAIT, self._get_provider_traits(node))

    def test_cyborg_does_not_answer(self) -> None:
        self.ask_again_at_once()
        for path in ('/begin$', '/bind$'):
            self.refuse(path)
            self.migrate_in_vain('error')
            self.assertIn('Cyborg', self.said())
            self.assert_on(SOURCE)
            self.heal()
            self.cyborg.control(
                'fault', method='POST', path=path, action='lose'
            )
            self.migrate_in_vain('error')
            self.assertIn('did not answer', self.said())
            self.assert_on(SOURCE)
            self.heal()
        self.refuse('accelerator_requests', 'GET')
        self.migrate_in_vain('error')
        self.heal()
        # What Cyborg was binding still when it was unbound.
        self.wait_for(lambda: not self.cyborg.control('under_way'))
        self.audit()
        self.assert_stays()

    def test_the_destination_cannot_prepare(self) -> None:
        with mock.patch.object(
            driver.LibvirtDriver,
            'pre_live_migration',
            autospec=True,
            side_effect=OSError('no space left'),
        ):
            self.migrate_in_vain('error', 'failed')
        self.assert_stays()

    def test_the_source_is_killed(self) -> None:
        self.kill_while_preparing()
        self.restart_compute_service(SOURCE)
        self.wait_for_migration('error')
        self.assert_stays()

    def test_a_guest_that_keeps_a_device(self) -> None:
        self.flags(device_detach_attempts=1, group='libvirt')
        before = self.hostdevs(self.moved.server)
        self.hotplug.kept.add(before[-1].slot)
        self.migrate_in_vain('failed')
        self.assertIn('evice', self.said())
        self.hotplug.kept.clear()
        self.assertCountEqual(before, self.hostdevs(self.moved.server))
        self.assert_stays()


class DestinationTest(failing.TestCase):
    """A destination has no handle for the device that Placement sees."""

    KINDS = running.TestCase.KINDS[:1]

    def add_hosts(self) -> None:
        """Start the compute nodes; the scheduler likes the second best."""
        self.start_compute(SOURCE)
        self.add_device(SOURCE, slots=1)
        self.start_compute(
            DESTINATION, host_info=fakelibvirt.HostInfo(kB_mem=64 << 20)
        )
        self.add_device(DESTINATION, slots=0, inventory=1)
        self.start_compute(_ALTERNATE)
        self.add_device(_ALTERNATE, slots=1)

    def test_another_host_is_tried(self) -> None:
        self.live_migrate()
        self.assert_moved(_ALTERNATE)

    def test_there_is_no_other_host(self) -> None:
        self.set_enabled(_ALTERNATE, False)
        self.migrate_in_vain('error')
        self.assertIn('No device could be bound', self.said())
        self.assert_active()
        self.assertEqual([('active', SOURCE)], self.bindings(self.moved))
        # The audit has Placement see that there is no handle.
        self.assert_on(SOURCE)


class DuringTest(failing.TestCase):
    """The guest has let go of its devices, and stays."""

    def test_libvirt_fails(self) -> None:
        self.guest_moves.fails = True
        self.migrate_in_vain('failed', 'error')
        self.assert_on(SOURCE)
        self.guest_moves.fails = False
        self.reset()
        self.assert_stays()

    def test_it_is_aborted(self) -> None:
        self.guest_moves.aborted = threading.Event()
        self.begin()
        self.assertTrue(self.guest_moves.begun.wait(60))
        self.assertEqual([], self.hostdevs(self.moved.server))
        (migration,) = self.migrations()
        self.wait_for(lambda: self.last()['status'] == 'running')
        # Who looks meanwhile leaves the devices of both hosts alone.
        self.assertEqual([], self.audit())
        self.assertEqual(
            [('active', SOURCE), ('inactive', DESTINATION)],
            self.bindings(self.moved),
        )
        self.admin_api.api_delete(
            f'/servers/{self.server_id}/migrations/{migration["id"]}'
        )
        self.wait_for_migration('cancelled', 'error')
        self.assert_on(SOURCE)
        self.guest_moves.aborted = None
        (domain,) = self.domains(self.moved.server)
        domain._job_type = fakelibvirt.VIR_DOMAIN_JOB_NONE
        self.reset()
        self.assert_stays()

    def test_a_device_is_not_taken_back(self) -> None:
        self.guest_moves.fails = True
        before = self.hostdevs(self.moved.server)
        self.hotplug.refused.add(before[0].slot)
        self.migrate_in_vain('failed', 'error')
        self.assertEqual(before[1:], self.hostdevs(self.moved.server))
        self.hotplug.refused.clear()
        self.reset()
        self.reboot(SOURCE)

    def test_the_source_is_killed(self) -> None:
        self.kill_the_source()
        self.restart_compute_service(SOURCE)
        self.wait_for_migration('error')
        self.assert_stays()

    def test_libvirt_fails_when_the_source_starts(self) -> None:
        """It starts all the same, for other servers, too."""
        self.kill_the_source()
        with mock.patch.object(
            plugging, 'plug_each', side_effect=OSError('no libvirt')
        ):
            self.restart_compute_service(SOURCE)
            # libvirt is asked twice where the guest is.
            self.wait_for_migration('error')
        self.assertEqual([], self.hostdevs(self.moved.server))
        self.reboot(SOURCE)
        self.assert_stays()


class QueueTest(failing.TestCase):
    """Nova migrates one server at a time."""

    KINDS = (*failing.TestCase.KINDS, *running.TestCase.KINDS[:1])

    def setUp(self) -> None:
        super().setUp()
        self.flags(max_concurrent_live_migrations=1)

    def test_it_is_aborted_while_it_waits(self) -> None:
        self.guest_moves.aborted = threading.Event()
        self.begin()
        self.assertTrue(self.guest_moves.begun.wait(60))
        first, self.moved = self.all
        self.server_id = self.moved.server['id']
        self.begin()
        self.wait_for(lambda: self.last()['status'] == 'queued')
        self.admin_api.api_delete(
            f'/servers/{self.server_id}/migrations/{self.last()["id"]}'
        )
        self.wait_for_migration('cancelled')
        self.assert_active()
        self.assertEqual([('active', SOURCE)], self.bindings(self.moved))
        self.server_id = first.server['id']
        self.guest_moves.aborted.set()
        self.wait_for_migration('cancelled', 'error')
        self.assert_on(SOURCE)


class AfterTest(failing.TestCase):
    """The guest is at the destination; there is no way back."""

    def test_cyborg_does_not_activate(self) -> None:
        self.refuse('/activate$')
        self.live_migrate()
        self.assertIn('Cyborg', self.said())
        self.assertEqual([], self.hostdevs(self.moved.server))
        self.assertEqual(
            [('active', SOURCE), ('inactive', DESTINATION)],
            self.bindings(self.moved),
        )
        self.heal()
        # It could not be told.
        self.wait_for(lambda: all(self.faults()))
        self.reboot()
        self.assertEqual([None, None], self.faults())

    def faults(self) -> list[str | None]:
        """Return what the device contexts say is wrong with them."""
        return [
            self.get_context(each)['fault'] for each in self.moved.contexts
        ]

    def test_a_device_is_not_taken(self) -> None:
        slots = self._slots(DESTINATION)
        self.hotplug.refused |= {each for each in slots if ':' in each}
        self.live_migrate()
        self.assertIn('takes no device today', self.said())
        (other,) = self.hostdevs(self.moved.server)
        self.assertEqual('mdev', other.kind)
        fault, other_fault = self.faults()
        self.assertIn('takes no device today', str(fault))
        self.assertIn('Reboot the server (hard)', str(fault))
        self.assertIsNone(other_fault)
        self.hotplug.refused.clear()
        self.reboot()
        self.assertEqual([None, None], self.faults())

    def not_answered(self, tell: ty.Callable[..., None]) -> None:
        """Migrate the server; the source gives up waiting for the end."""

        def give_up(*args: ty.Any) -> ty.NoReturn:
            tell(*args)
            raise oslo_messaging.MessagingTimeout

        with (
            fixtures.MonkeyPatch(
                f'{rpcapi.__name__}.ComputeAPI'
                '.post_live_migration_at_destination',
                give_up,
            ),
            self.assertLogs(live.__name__, 'ERROR') as logged,
        ):
            self.begin()
            # Since 2026.2, Nova itself puts the server in error.
            self.wait_for_migration('error')
        self.assertIn('Reboot it (hard)', logged.output[0])
        self.restart_compute_service(DESTINATION)
        self.assertEqual([], self.hostdevs(self.moved.server))

    def test_the_destination_is_told_late(self) -> None:
        """It was stopped when the message came, and has started again."""
        kept: list[tuple[ty.Any, ...]] = []
        self.not_answered(lambda *args: kept.append(args))
        for _n in range(2):
            self.deliver(kept[0])
            self.assertEqual(
                self.moved.devices, len(self.hostdevs(self.moved.server))
            )
            self.assertEqual(
                [('active', DESTINATION), ('leaving', SOURCE)],
                self.bindings(self.moved),
            )
        self.repair()

    def test_the_destination_is_told_when_all_is_well(self) -> None:
        kept: list[tuple[ty.Any, ...]] = []
        self.not_answered(lambda *args: kept.append(args))
        self.reset()
        self.do('reboot', 'ACTIVE', {'type': 'HARD'})
        before = self.hostdevs(self.moved.server)
        self.assertEqual(self.moved.devices, len(before))
        self.deliver(kept[0])
        self.assertEqual(before, self.hostdevs(self.moved.server))
        self.repair()

    def deliver(self, message: tuple[ty.Any, ...]) -> None:
        """Deliver to the destination what the source has told."""
        with contextlib.suppress(nova_exception.UnexpectedTaskStateError):
            # Nova finds that the server is here already.
            rpcapi.ComputeAPI.post_live_migration_at_destination(*message)

    def test_the_destination_is_killed(self) -> None:
        """It was about to plug the devices in."""
        self.not_answered(lambda *_args: None)
        self.reset()
        self.do('reboot', 'ACTIVE', {'type': 'HARD'})
        self.repair()

    def repair(self) -> None:
        """Repair what the source has not come to."""
        self.reset()
        found: list[str] = []
        self.wait_for(
            lambda: (
                found.extend(self.audit()) or 'allocation-of-a-move' in found
            )
        )
        self.assert_on(DESTINATION)

    def test_the_source_has_ended_the_migration(self) -> None:
        """The destination has begun with it before, and is slow."""

        def end(*_args: object) -> None:
            migration = objects.Migration.get_by_id(
                nova_context.get_admin_context(), self.last()['id']
            )
            migration.status = 'error'
            migration.save()

        with mock.patch.object(
            driver.LibvirtDriver,
            '_reattach_instance_vifs',
            autospec=True,
            side_effect=end,
        ):
            self.live_migrate()
        self.assert_on(DESTINATION)

    def test_cyborg_does_not_settle(self) -> None:
        self.refuse('/settle$')
        self.live_migrate()
        self.wait_for_migration('completed')
        self.assertEqual(
            [('active', DESTINATION), ('leaving', SOURCE)],
            self.bindings(self.moved),
        )
        self.heal()
        self.assertEqual(['devices-left-behind'], self.audit())
        self.assert_on(DESTINATION)

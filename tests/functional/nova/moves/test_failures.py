# SPDX-License-Identifier: Apache-2.0

"""Moves that fail: no device is in two guests, and none is lost."""

from tests.functional.nova.moves import moving  # isort: skip - first

import time
import typing as ty
from unittest import mock

import fixtures
from nova import context as nova_context
from nova import exception as nova_exception
from nova.scheduler.client import report
from nova.tests.fixtures import libvirt as fakelibvirt
from nova.tests.functional.api import client
from nova.virt.libvirt import driver
from nova_cyborg.nova import client as nova_client
from nova_cyborg.nova.compute import arqs, bindings, moves
from nova_cyborg.nova.compute.recovery import unfinished
from nova_cyborg.nova.features import computes
from oslo_utils import uuidutils

from tests.functional.nova import stock

SOURCE, DESTINATION = moving.HOSTS
_ALTERNATE = 'compute3'
# Seconds, of an answer that nobody waits for.
_LATE = 20
_POWER_OFF = f'{driver.__name__}.LibvirtDriver.migrate_disk_and_power_off'


class TestCase(moving.TestCase):
    """One server, with a device context of one group."""

    KINDS = moving.TestCase.KINDS[:1]
    FAILS = True

    def setUp(self) -> None:
        super().setUp()
        (self.moved,) = self.all

    def refuse(self, path: str, times: int = 1000) -> None:
        """Have Cyborg fail with calls that change something."""
        self.ask_again_at_once()
        self.cyborg.control(
            'fault',
            method='POST',
            path=path,
            action='answer',
            value=500,
            times=times,
        )

    def heal(self) -> None:
        """Have Cyborg do all that it is asked."""
        self.cyborg.control('clear_faults')

    def do_in_vain(
        self, action: str, status: str, reason: str, arguments: ty.Any = None
    ) -> None:
        """Do something that fails, and see that Nova says why."""
        self.do(action, status, arguments)
        # Nova says it when the server has its last status already.
        self.wait_for(lambda: reason in self._said_of_last_action())

    def _said_of_last_action(self) -> str:
        server_id = self.moved.server['id']
        action = self.admin_api.get_instance_actions(server_id)[0]
        details = self.admin_api.api_get(
            f'/servers/{server_id}/os-instance-actions/{action["request_id"]}'
        ).body['instanceAction']
        return ' '.join(event['details'] or '' for event in details['events'])

    def reboot(self, host: str) -> None:
        """Reboot the server, which heals it; see that it is well."""
        server_id = self.moved.server['id']
        self.admin_api.post_server_action(
            server_id, {'reboot': {'type': 'HARD'}}
        )
        # It is in error until then.
        self.wait_for(
            lambda: self.api.get_server(server_id)['status'] == 'ACTIVE'
        )
        self.wait_for_all('ACTIVE')
        self.assert_on(host)

    def kill_the_source(
        self, action: str = 'migrate', **arguments: str
    ) -> None:
        """Begin to move; the source is killed with the guest shut down."""

        def power_off(
            libvirt: driver.LibvirtDriver,
            _context: object,
            instance: ty.Any,
            *_args: object,
            **_kwargs: object,
        ) -> ty.NoReturn:
            libvirt.power_off(instance)
            raise Killed

        with fixtures.MonkeyPatch(_POWER_OFF, power_off):
            self.admin_api.post_server_action(
                self.moved.server['id'], {action: arguments or None}
            )
            self.wait_for(self._is_migrating)

    def _is_migrating(self) -> bool:
        """Tell whether the guest is shut down, and nothing else is done."""
        found = self.admin_api.get_server(self.moved.server['id'])
        connection = self.computes[SOURCE].driver._host.get_connection()
        domain = connection.lookupByUUIDString(self.moved.server['id'])
        return (
            found['OS-EXT-STS:task_state'] == 'resize_migrating'
            and not domain.isActive()
        )


class ConductorTest(TestCase):
    """nova-conductor does not get as far as a destination."""

    def test_there_is_no_host(self) -> None:
        self.set_enabled(DESTINATION, False)
        for action, arguments in (
            ('migrate', None),
            ('migrate', {'host': DESTINATION}),
            ('resize', {'flavorRef': self.bigger}),
        ):
            self.do_in_vain(action, 'ACTIVE', 'No valid host', arguments)
            self.assert_on(SOURCE)

    def test_the_named_host_has_no_device(self) -> None:
        self.start_compute(_ALTERNATE)
        for status in ('ACTIVE', 'SHUTOFF'):
            self.do_in_vain(
                'migrate', status, 'No valid host', {'host': _ALTERNATE}
            )
            self.assertEqual([('active', SOURCE)], self.bindings(self.moved))
            if status == 'ACTIVE':
                self.do('os-stop', 'SHUTOFF')
        self.assert_on(SOURCE)

    def test_the_nova_compute_of_the_host_has_no_plugin_any_more(self) -> None:
        """It was killed: Placement has its trait still."""
        with mock.patch.object(computes, 'withdraw'), stock.StockComputes():
            self.restart_compute_service(DESTINATION)
        node = self._get_provider_uuid_by_host(DESTINATION)
        self.assertIn(computes.TRAIT, self._get_provider_traits(node))
        for _n in range(2):
            self.do_in_vain('migrate', 'ACTIVE', 'No valid host')
            self.assert_on(SOURCE)
            self.assertNotIn(computes.TRAIT, self._get_provider_traits(node))

    def test_cyborg_does_not_answer(self) -> None:
        for path in ('/begin$', '/bind$'):
            self.refuse(path)
            self.do_in_vain('migrate', 'ACTIVE', 'Cyborg')
            self.assert_on(SOURCE)
            self.heal()
        self.migrate()
        self.confirm()

    def test_the_answer_is_lost(self) -> None:
        self.ask_again_at_once()
        for path in ('/begin$', '/bind$'):
            self.cyborg.control(
                'fault', method='POST', path=path, action='lose'
            )
            self.do_in_vain('migrate', 'ACTIVE', 'did not answer')
            self.assert_on(SOURCE)
            self.heal()
        self.migrate()
        self.revert()

    def test_its_attempt_is_ended(self) -> None:
        """Somebody has unbound what the server had on its way."""
        check = computes.check

        def end(*args: ty.Any) -> None:
            check(*args)
            context = nova_client.with_credentials(
                nova_context.get_admin_context()
            )
            nova_client.allocation_client(context).begin(
                self.moved.server['id'],
                uuidutils.generate_uuid(),
                uuidutils.generate_uuid(),
            )

        with mock.patch.object(computes, 'check', end):
            self.do_in_vain('migrate', 'ACTIVE', 'has taken over')
        self.assert_on(SOURCE)
        self.migrate()
        self.confirm()


class DestinationTest(TestCase):
    """A destination has no handle for the device that Placement sees."""

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
        self.do('migrate', 'VERIFY_RESIZE')
        self.assert_waiting(SOURCE, _ALTERNATE)
        self.do('revertResize', 'ACTIVE')
        self.assert_on(SOURCE)
        self.do('resize', 'VERIFY_RESIZE', {'flavorRef': self.bigger})
        self.assert_waiting(SOURCE, _ALTERNATE)
        self.do('confirmResize', 'ACTIVE')
        self.assert_on(_ALTERNATE)

    def test_the_first_host_is_unbound_late(self) -> None:
        """Cyborg is asked again when the other one has the server."""
        self.flags(release_retry_interval=0.1, group='nova_cyborg')
        self.useFixture(
            fixtures.MonkeyPatch(f'{unfinished.__name__}._LONGEST', 0.5)
        )
        for action, ends_on in (
            ('revertResize', SOURCE),
            ('confirmResize', _ALTERNATE),
        ):
            self.refuse('/unbind$')
            self.do('migrate', 'VERIFY_RESIZE')
            self.assert_waiting(SOURCE, _ALTERNATE)
            self.heal()
            self.wait_for(lambda: not self.is_telling())
            self.assert_waiting(SOURCE, _ALTERNATE)
            self.do(action, 'ACTIVE')
            self.assert_on(ends_on)

    def test_there_is_no_other_host(self) -> None:
        self.set_enabled(_ALTERNATE, False)
        for status in ('ACTIVE', 'SHUTOFF'):
            for arguments in (None, {'host': DESTINATION}):
                self.do_in_vain(
                    'migrate', status, 'No device could be bound', arguments
                )
                self.assertEqual(
                    [('active', SOURCE)], self.bindings(self.moved)
                )
            if status == 'ACTIVE':
                self.do('os-stop', 'SHUTOFF')
        # The audit has Placement see that there is no handle.
        self.assert_on(SOURCE)


class RoomTest(TestCase):
    """Placement has more room at the source than there are slots."""

    def add_hosts(self) -> None:
        """Start the compute nodes, with a slot each."""
        for host, seen in ((SOURCE, 2), (DESTINATION, 1)):
            self.start_compute(host)
            self.add_device(host, slots=1, inventory=seen)

    def test_what_it_may_come_back_to_is_not_given_away(self) -> None:
        self.do('migrate', 'VERIFY_RESIZE')
        self.set_enabled(DESTINATION, False)
        other = self.create_context()
        self.assertIn('No device could be bound', self.boot_fails(other))
        self.assertEqual('available', self.status(other))
        self.assert_waiting()
        self.assertEqual({}, self.reconcile())
        self.revert()


class ComputeTest(TestCase):
    """nova-computes fail, or Cyborg fails with what they ask."""

    def _fail_power_off(self, error: Exception) -> None:
        def power_off(*_args: object, **_kwargs: object) -> None:
            raise error

        self.useFixture(fixtures.MonkeyPatch(_POWER_OFF, power_off))

    def test_the_guest_is_not_shut_down(self) -> None:
        error = nova_exception.ResizeError(reason='a full disk')
        self._fail_power_off(
            nova_exception.InstanceFaultRollback(inner_exception=error)
        )
        self.do_in_vain('migrate', 'ACTIVE', 'a full disk')
        self.assert_on(SOURCE)
        self._fail_power_off(error)
        self.do_in_vain('migrate', 'ERROR', 'a full disk')
        self.reboot(SOURCE)

    def test_the_guest_does_not_start(self) -> None:
        self.fail_spawns(1)
        self.do_in_vain('migrate', 'ERROR', 'libvirtError')
        self.assert_on(DESTINATION)
        self.reboot(DESTINATION)

    def test_cyborg_fails_once(self) -> None:
        for path in ('/activate$', '/unbind$'):
            self.refuse(path, times=1)
        self.migrate()
        self.revert()
        for path in ('/activate$', '/unbind$'):
            self.cyborg.control(
                'fault', method='POST', path=path, action='lose', times=1
            )
        self.migrate()
        self.revert()
        self.cyborg.control(
            'fault', method='POST', path='/settle$', action='lose', times=1
        )
        self.migrate()
        self.confirm()

    def test_cyborg_does_not_activate(self) -> None:
        self.refuse('/activate$')
        self.do_in_vain('migrate', 'ERROR', 'Cyborg')
        self.assertEqual(
            [('active', SOURCE), ('inactive', DESTINATION)],
            self.bindings(self.moved),
        )
        # Not with the devices of the other host.
        self.do_in_vain('reboot', 'ERROR', 'Cyborg', {'type': 'HARD'})
        self.heal()
        self.reboot(DESTINATION)

    def test_cyborg_does_not_settle(self) -> None:
        self.migrate()
        self.refuse('/settle$')
        self.do('confirmResize', 'ACTIVE')
        self.assertEqual(
            [('active', DESTINATION), ('leaving', SOURCE)],
            self.bindings(self.moved),
        )
        self.heal()
        self.assertEqual(['devices-left-behind'], self.audit())
        self.assert_on(DESTINATION)

    def test_cyborg_is_slow_to_settle(self) -> None:
        """Nova's API waits, if the server is deleted before it is confirmed.

        For as long as for any RPC call; then it would answer with an error.
        """
        self.useFixture(
            fixtures.MonkeyPatch(f'{arqs.__name__}._SETTLES_WITHIN', 1)
        )
        self.migrate()
        self.cyborg.control(
            'fault',
            method='POST',
            path='/settle$',
            action='late',
            value=_LATE,
            times=1,
        )
        before = time.monotonic()
        self.admin_api.delete_server(self.moved.server['id'])
        self.assertLess(time.monotonic() - before, _LATE)
        self._wait_until_deleted(self.moved.server)
        self.wait_for(lambda: not self.used_slots())

    def test_cyborg_does_not_unbind_for_a_revert(self) -> None:
        self.migrate()
        self.refuse('/unbind$')
        self.do_in_vain('revertResize', 'ERROR', 'Cyborg')
        self.do_in_vain('reboot', 'ERROR', 'Cyborg', {'type': 'HARD'})
        self.heal()
        self.reboot(SOURCE)

    def test_a_device_is_missing(self) -> None:
        self.migrate()
        (device,) = (
            each
            for each in self.devices
            if each.host == SOURCE and len(each.slots) > 1
        )
        self.cyborg.control('set_missing', provider=device.provider)
        refused = self.assertRaises(
            client.OpenStackApiException, self.do, 'revertResize', 'ACTIVE'
        )
        self.assertEqual(409, refused.response.status_code)
        self.assertIn('is missing', refused.response.text)
        self.cyborg.control(
            'set_missing', provider=device.provider, missing=False
        )
        self.do('revertResize', 'ACTIVE')
        self.assert_on(SOURCE)

    def test_the_source_is_killed(self) -> None:
        """It starts the guest again, which it has shut down."""
        self.kill_the_source()
        defined = len(self.guests[self.moved.server['id']])

        self.restart_compute_service(SOURCE)

        self.wait_for_all('ACTIVE')
        self.assertGreater(len(self.guests[self.moved.server['id']]), defined)
        self._assert_ended()

    def test_placement_fails_when_the_source_starts(self) -> None:
        """It starts all the same, for other servers, too."""
        self.kill_the_source()
        with (
            mock.patch.object(
                report.SchedulerReportClient,
                'move_allocations',
                side_effect=nova_exception.AllocationMoveFailed(
                    source_consumer='a', target_consumer='b', error='c'
                ),
            ),
            self.assertLogs(moves.__name__, 'ERROR') as logged,
        ):
            self.restart_compute_service(SOURCE)
        (line,) = logged.output
        self.assertIn('audit --repair', line)
        self.wait_for_all('ACTIVE')
        found: list[str] = []
        self.wait_for(lambda: found.extend(self.audit()) or found)
        self.assertEqual(['allocation-of-a-move'], found)
        self._assert_ended()

    def _assert_ended(self) -> None:
        """Check that the move is over, and that there can be another."""
        self.assert_on(SOURCE)
        (migration,) = self.admin_api.get_migrations()
        self.assertEqual('error', migration['status'])
        self.migrate()
        self.confirm()

    def test_the_destination_is_killed(self) -> None:
        """It was about to look whether the devices are bound."""
        with mock.patch.object(
            bindings, 'wait_until_bound', side_effect=Killed
        ) as wait:
            self.admin_api.post_server_action(
                self.moved.server['id'], {'migrate': None}
            )
            self.wait_for(lambda: wait.called)
        # What it is about to do, it does not do any more.
        self.restart_compute_service(DESTINATION)
        self.restart_compute_service(SOURCE)
        self.wait_for_all('ACTIVE')
        found = self.audit()
        self.assertEqual(['devices-left-behind'], found)
        # Nova may be about to forget it, for all that can be seen.
        self.wait_for(lambda: found.extend(self.audit()) or found[1:])
        self.assertEqual(['allocation-of-a-move'], found[1:])
        self.assert_on(SOURCE)
        self.migrate()
        self.confirm()


class SameHostTest(TestCase):
    """A server is resized where it is, and Cyborg fails."""

    TIMES = 2

    def setUp(self) -> None:
        super().setUp()
        self.flags(allow_resize_to_same_host=True)
        self.set_enabled(DESTINATION, False)
        # It has one of the two flavors that it had before.
        self.other = self._create_flavor(vcpu=2, memory_mb=512, disk=20)

    def _resize(self, status: str) -> None:
        self.do('resize', status, {'flavorRef': self.bigger})

    def _slots_of(self, state: str) -> list[str]:
        """Return the slots of the server's binding in a state."""
        (context,) = self.contexts_of(self.moved.server)
        return [
            device['slot']
            for binding in context['bindings']
            if binding['state'] == state
            for device in binding['devices']
        ]

    def test_cyborg_does_not_activate(self) -> None:
        self.refuse('/activate$')
        self._resize('ERROR')
        wanted = self._slots_of('inactive')
        self.assertEqual(
            [('active', SOURCE), ('inactive', SOURCE)],
            self.bindings(self.moved),
        )
        self.heal()
        self.reboot(SOURCE)
        self.assertEqual(wanted, self._slots_of('active'))
        self.do('reboot', 'ACTIVE', {'type': 'HARD'})
        self.assertEqual(wanted, self._slots_of('active'))

    def test_cyborg_does_not_unbind_for_a_revert(self) -> None:
        self._resize('VERIFY_RESIZE')
        wanted = self._slots_of('leaving')
        self.refuse('/unbind$')
        self.do_in_vain('revertResize', 'ERROR', 'Cyborg')
        self.heal()
        self.reboot(SOURCE)
        self.assertEqual(wanted, self._slots_of('active'))

    def test_it_is_reconciled_before_it_is_rebooted(self) -> None:
        """In error, Nova has the guest shut down, or of either binding."""
        self.refuse('/activate$')
        self._resize('ERROR')
        wanted = self._slots_of('inactive')
        self.heal()
        self.assertEqual({}, self.reconcile())
        self.assertEqual([], self.audit())
        self.assertEqual(
            [('active', SOURCE), ('inactive', SOURCE)],
            self.bindings(self.moved),
        )
        self.reboot(SOURCE)
        self.assertEqual(wanted, self._slots_of('active'))

    def test_it_is_reset_and_reconciled_before_it_is_rebooted(self) -> None:
        """Nova says that it rests; its guest is shut down, and can use either.

        Of the two bindings it keeps that which Cyborg says that it uses.
        """
        self.refuse('/activate$')
        self._resize('ERROR')
        self.heal()
        self._reset_and_reconcile(self._slots_of('active'))

    def test_one_that_was_reverted_is_reset_and_reconciled(self) -> None:
        self._resize('VERIFY_RESIZE')
        self.refuse('/unbind$')
        self.do_in_vain('revertResize', 'ERROR', 'Cyborg')
        self.heal()
        self._reset_and_reconcile(self._slots_of('active'))

    def _reset_and_reconcile(self, kept: list[str]) -> None:
        """Have Nova say that all is well, and whoever looks believe it."""
        self.admin_api.post_server_action(
            self.moved.server['id'], {'os-resetState': {'state': 'active'}}
        )
        self.wait_for_all('ACTIVE')
        self.assertIn('devices-left-behind', self.reconcile())
        self.assertEqual(kept, self._slots_of('active'))
        self.reboot(SOURCE)
        self.assertEqual(kept, self._slots_of('active'))
        self.do('resize', 'VERIFY_RESIZE', {'flavorRef': self.other})
        self.assert_waiting(SOURCE, SOURCE)

    def test_nova_compute_is_killed(self) -> None:
        """It starts the guest again, which it has shut down."""
        wanted = self._slots_of('active')
        self.kill_the_source('resize', flavorRef=self.bigger)
        self.restart_compute_service(SOURCE)
        self.wait_for_all('ACTIVE')
        self.assert_on(SOURCE)
        self.assertEqual(wanted, self._slots_of('active'))
        self._resize('VERIFY_RESIZE')
        self.assert_waiting(SOURCE, SOURCE)


class Killed(BaseException):
    """Ends what a nova-compute does, as if it were killed."""


class MissingTest(TestCase):
    """A device that the server may come back to is missing by then."""

    def setUp(self) -> None:
        super().setUp()
        (context,) = self.contexts_of(self.moved.server)
        (left,) = context['devices']
        self.slot = left['slot']
        self.provider = left['resource_provider_id']
        self.migrate()
        self._set_missing(True)

    def _set_missing(self, missing: bool) -> None:
        self.cyborg.control(
            'set_missing', provider=self.provider, missing=missing
        )

    def test_the_move_is_not_reverted(self) -> None:
        error = self.assertRaises(
            client.OpenStackApiException,
            self.api.post_server_action,
            self.moved.server['id'],
            {'revertResize': None},
        )
        self.assertEqual(409, error.response.status_code)
        self.assertIn(self.slot, error.response.text)
        self.wait_for_all('VERIFY_RESIZE')

        self._set_missing(False)
        self.revert()

    def test_the_move_is_confirmed(self) -> None:
        self.do('confirmResize', 'ACTIVE')
        self._set_missing(False)
        self.assert_on(DESTINATION)

    def test_a_nova_api_without_the_plugin(self) -> None:
        server_id = self.moved.server['id']
        with self.without_api_plugin():
            self.api.post_server_action(server_id, {'revertResize': None})
            fault = self.fault_of(self.moved.server)
        self.assertIn(self.slot, fault)

        self._set_missing(False)
        self.api.post_server_action(server_id, {'reboot': {'type': 'HARD'}})
        self.wait_for(
            lambda: self.api.get_server(server_id)['status'] == 'ACTIVE'
        )
        self.assert_on(SOURCE)

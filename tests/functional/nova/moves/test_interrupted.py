# SPDX-License-Identifier: Apache-2.0

"""libvirt goes on to migrate a guest while nova-compute is started again."""

from tests.functional.nova.moves import failing, native  # isort: skip - first

import copy
import functools
import threading
import typing as ty
from unittest import mock

import fixtures
from nova import context as nova_context
from nova import objects
from nova.compute import manager, rpcapi
from nova.tests.fixtures import libvirt as fakelibvirt
from nova.tests.functional.api import client
from nova_cyborg.nova import client as nova_client
from nova_cyborg.nova.compute import live
from nova_cyborg.nova.compute.recovery import interrupted, restarted

SOURCE, DESTINATION = failing.SOURCE, failing.DESTINATION
_BOTH = [('active', SOURCE), ('inactive', DESTINATION)]


class TestCase(failing.TestCase):
    """nova-compute is killed, and its guest is libvirt's business."""

    def setUp(self) -> None:
        super().setUp()
        # What waits has a context of its own. Nova's stand-in for databases
        # has one without a cell read that which any other thread has chosen
        # last: the one of no host, whenever nova-api lists migrations, and
        # the server seems to be deleted then.
        stock = nova_client.with_credentials

        def of_cell(
            context: nova_context.RequestContext,
        ) -> nova_context.RequestContext:
            able = copy.copy(stock(context))
            nova_context.set_target_cell(able, self.cell_mappings['cell1'])
            return able

        self.useFixture(
            fixtures.MonkeyPatch(
                f'{nova_client.__name__}.with_credentials', of_cell
            )
        )

    def kill(self) -> None:
        """Kill the source; the guest is what libvirt has of it."""
        self.kill_the_source()
        (self.domain,) = self.domains(self.moved.server)

    def kill_while_preparing(self) -> None:
        """Kill the source; the guest is what libvirt has of it."""
        super().kill_while_preparing()
        (self.domain,) = self.domains(self.moved.server)

    def interrupt(self) -> None:
        """Have nova-compute started again while libvirt migrates."""
        self.kill()
        self.domain._job_type = fakelibvirt.VIR_DOMAIN_JOB_UNBOUNDED
        # It would not come back if the guest were waited for.
        self.restart_compute_service(SOURCE)
        self.assert_nothing_is_freed()

    def assert_nothing_is_freed(self) -> None:
        """Check that the devices of both hosts are the server's."""
        self.assertEqual(_BOTH, self.bindings(self.moved))
        self.assertEqual([], self.audit())
        self.assertEqual(_BOTH, self.bindings(self.moved))

    def wait_within(self, seconds: float) -> None:
        """Have nova-compute wait so long for libvirt."""
        self.useFixture(
            fixtures.MonkeyPatch(
                f'{interrupted.__name__}._SECONDS', float(seconds)
            )
        )

    def task_state(self) -> str | None:
        """Return what Nova says is done with the server."""
        server = self.admin_api.get_server(self.server_id)
        state: str | None = server['OS-EXT-STS:task_state']
        return state

    def leave(self) -> None:
        """Have the guest run at the destination."""
        self.domain._job_type = fakelibvirt.VIR_DOMAIN_JOB_NONE
        self.domain._connection._mark_not_running(self.domain)
        self.domain._connection._undefine(self.domain)

    def assert_in_error(self) -> None:
        """Check that Nova does not know where the guest is.

        And that it is not for the server's owner to find out.
        """
        self.wait_for_migration('error')
        server = self.admin_api.get_server(self.server_id)
        self.assertEqual('ERROR', server['status'])
        self.assertIn('another host', server['locked_reason'])
        act = self.api.post_server_action
        for status, *call in (
            (409, self.api.delete_server, self.server_id),
            (409, act, self.server_id, {'reboot': {'type': 'HARD'}}),
            (403, act, self.server_id, {'unlock': None}),
        ):
            refused = self.assertRaises(client.OpenStackApiException, *call)
            self.assertEqual(status, refused.response.status_code)
        self.assert_nothing_is_freed()

    def unlock(self) -> None:
        """Let the owner have the server back."""
        self.admin_api.post_server_action(self.server_id, {'unlock': None})

    def resume_guests(self) -> None:
        """Have Nova start guests again whose host was rebooted."""
        self.flags(resume_guests_state_on_host_boot=True)

    def switch_over(self) -> None:
        """Have Nova say that the guest goes on at the destination."""
        migration = objects.Migration.get_by_id(
            nova_context.get_admin_context(), self.last()['id']
        )
        migration.status = 'running (post-copy)'
        migration.save()

    def stop(self) -> None:
        """Have the guest shut down at the source."""
        self.domain._state = fakelibvirt.VIR_DOMAIN_SHUTOFF

    def assert_started_again(self) -> None:
        """Check that the guest runs at the source, as Nova would have it."""
        self.wait_for_migration('error')
        (domain,) = self.domains(self.moved.server)
        self.assertTrue(domain.isActive())
        self.assert_stays()

    def is_active(self) -> bool:
        """Tell whether Nova says that the server runs."""
        server = self.admin_api.get_server(self.server_id)
        return bool(server['status'] == 'ACTIVE')

    def see_it_aborted(self) -> None:
        """Check a guest that stays; libvirt takes its time."""
        self.interrupt()
        self.assertEqual('migrating', self.task_state())
        self.domain._job_type = fakelibvirt.VIR_DOMAIN_JOB_NONE
        self.wait_for_migration('error')
        self.assert_stays()

    def see_it_leave(self) -> None:
        """Check a guest that gets to the destination."""
        with self.assertLogs(restarted.__name__, 'ERROR') as logged:
            self.interrupt()
            self.leave()
            self.assert_in_error()
        self.assertIn('libvirt has migrated it', logged.output[-1])


class DetachTest(TestCase):
    """The guest has let go of its devices, which come back if it stays."""

    def test_it_is_aborted(self) -> None:
        self.see_it_aborted()

    def test_the_guest_leaves(self) -> None:
        self.see_it_leave()

    def test_all_is_put_right_before_the_server_is_free(self) -> None:
        """It may be migrated again at once."""
        seen = []
        stock = manager.ComputeManager._reset_live_migration

        @functools.wraps(stock)
        def reset(*args: ty.Any) -> None:
            seen.append(
                (
                    self.bindings(self.moved),
                    # The host may not be one yet that is looked at.
                    len(self.domain.live),
                    self._held_by_migration(),
                )
            )
            stock(*args)

        self.kill()
        with mock.patch.object(
            manager.ComputeManager, '_reset_live_migration', reset
        ):
            self.restart_compute_service(SOURCE)
            self.wait_for_migration('error')
        self.assertEqual(
            [([('active', SOURCE)], self.moved.devices, {})], seen
        )
        self.assert_stays()

    def _held_by_migration(self) -> dict[str, ty.Any]:
        """Return what Placement has allocated to the last migration."""
        migration = objects.Migration.get_by_id(
            nova_context.get_admin_context(), self.last()['id']
        )
        held: dict[str, ty.Any] = self.placement.get(
            f'/allocations/{migration.uuid}'
        ).body['allocations']
        return held

    def test_its_state_is_reset_meanwhile(self) -> None:
        self.interrupt()
        with self.assertLogs(restarted.__name__, 'WARNING') as logged:
            self.reset()
            self.assertEqual([], self.hostdevs(self.moved.server))
            self.assert_nothing_is_freed()
            self.domain._job_type = fakelibvirt.VIR_DOMAIN_JOB_NONE
            self.wait_for_migration('error')
        self.assertIn('was reset', logged.output[-1])
        self.assert_stays()

    def test_its_state_is_reset_and_it_leaves(self) -> None:
        self.interrupt()
        with self.assertLogs(restarted.__name__, 'ERROR') as logged:
            self.reset()
            self.assert_active()
            self.leave()
            self.assert_in_error()
        self.assertIn('libvirt has migrated it', logged.output[-1])

    def test_something_else_is_begun_meanwhile(self) -> None:
        self.interrupt()
        with self.assertLogs(restarted.__name__, 'WARNING') as logged:
            self.reset()
            # Of another request, as far as it is known now.
            begun = objects.Migration(
                nova_context.get_admin_context(),
                instance_uuid=self.server_id,
                migration_type='live-migration',
                source_compute=SOURCE,
                status='accepted',
            )
            begun.create()
            self.domain._job_type = fakelibvirt.VIR_DOMAIN_JOB_NONE
            self.wait_for(lambda: 'was reset' in str(logged.output))
        self.assertIn('something else', logged.output[-1])
        self.assertEqual(_BOTH, self.bindings(self.moved))

    def test_the_host_is_rebooted_before_libvirt_is_told(self) -> None:
        self.kill_while_preparing()
        self.stop()
        self.restart_compute_service(SOURCE)
        # Nobody is waited for.
        self.assertIsNone(self.task_state())
        self.wait_for_migration('error')
        self.assert_active()
        self.assertEqual([('active', SOURCE)], self.bindings(self.moved))
        self.assertEqual([], self.audit())

    def test_it_is_resumed_if_libvirt_was_not_told(self) -> None:
        self.resume_guests()
        self.kill_while_preparing()
        self.stop()
        self.restart_compute_service(SOURCE)
        self.assert_started_again()

    def test_nova_conductor_looks_for_a_host(self) -> None:
        self.restart_while_a_host_is_looked_for()

    def test_an_older_migration_was_never_ended(self) -> None:
        self.live_migrate()
        self.assert_on(DESTINATION)
        self.live_migrate()
        self.assert_on(SOURCE)
        self.wait_for_migration('completed')
        self.switch_over()
        self.restart_while_a_host_is_looked_for()

    def restart_while_a_host_is_looked_for(self) -> None:
        """Have the source started again when it is about to be told."""
        before = len(self.migrations())
        reached, go_on = threading.Event(), threading.Event()
        self.addCleanup(go_on.set)
        stock = rpcapi.ComputeAPI.live_migration

        @functools.wraps(stock)
        def tell(*args: ty.Any, **kwargs: ty.Any) -> None:
            reached.set()
            go_on.wait(60)
            stock(*args, **kwargs)

        with mock.patch.object(rpcapi.ComputeAPI, 'live_migration', tell):
            self.begin()
            self.wait_for(reached.is_set)
            self.assertEqual('accepted', self.last()['status'])
            self.restart_compute_service(SOURCE)
            self.assertIsNone(self.task_state())
            with self.assertLogs(live.__name__, 'WARNING') as logged:
                go_on.set()
                self.wait_for_migration('error')
        self.assertIn('is not migrated to', logged.output[-1])
        self.assertEqual(before + 1, len(self.migrations()))
        self.wait_for(
            lambda: self.bindings(self.moved) == [('active', SOURCE)]
        )
        self.assertEqual([], self.audit())
        self.assert_stays()


class NativeTest(native.Guests, TestCase):
    """The guest takes its devices with it: it may use either host's."""

    def test_it_is_aborted(self) -> None:
        self.see_it_aborted()

    def test_the_guest_leaves(self) -> None:
        self.see_it_leave()
        # An administrator has shut it down there.
        self.unlock()
        self.admin_api.post_server_action(
            self.server_id, {'reboot': {'type': 'HARD'}}
        )
        self.wait_for(self.is_active)
        self.assertIn('devices-left-behind', self.audit())
        self.assertEqual([('active', SOURCE)], self.bindings(self.moved))

    def test_the_guest_has_left_before(self) -> None:
        self.kill()
        self.leave()
        self.restart_compute_service(SOURCE)
        self.assert_in_error()

    def test_a_guest_that_has_left_is_not_resumed(self) -> None:
        self.resume_guests()
        self.kill()
        self.leave()
        self.restart_compute_service(SOURCE)
        self.assert_in_error()
        self.assertEqual([], self.domains(self.moved.server))

    def test_a_guest_that_is_leaving_is_not_resumed(self) -> None:
        """libvirt is about to forget it."""
        self.resume_guests()
        self.kill()
        self.stop()
        self.restart_compute_service(SOURCE)
        self.assertFalse(self.domain.isActive())
        self.assertEqual('migrating', self.task_state())
        self.leave()
        self.assert_in_error()
        self.assertEqual([], self.domains(self.moved.server))

    def test_a_guest_whose_host_was_rebooted_is_resumed(self) -> None:
        self.resume_guests()
        self.wait_within(0)
        self.kill()
        self.stop()
        self.restart_compute_service(SOURCE)
        self.assert_started_again()

    def test_one_look_is_not_enough(self) -> None:
        """Nova takes a job that libvirt cannot describe for none."""
        answers = iter((_no_ram, _no_ram, _migrates))
        last = threading.Event()

        def stats(*_args: object) -> dict[str, int]:
            answer = next(answers, None)
            if answer is None:
                last.set()
            return (answer or _migrates)()

        self.kill()
        with mock.patch.object(
            fakelibvirt.Domain, 'jobStats', side_effect=stats
        ):
            self.restart_compute_service(SOURCE)
            self.wait_for(last.is_set)
            self.leave()
            self.assert_in_error()

    def test_a_guest_that_goes_on_at_the_other_host(self) -> None:
        """libvirt has no job on it, and it is paused for good."""
        self.wait_within(0)
        self.kill()
        self.switch_over()
        self.domain._state = fakelibvirt.VIR_DOMAIN_PAUSED
        with self.assertLogs(restarted.__name__, 'ERROR') as logged:
            self.restart_compute_service(SOURCE)
            self.assert_in_error()
        self.assertIn('migrated by libvirt still', logged.output[-1])

    def test_a_guest_that_has_stopped_after_it_went_on(self) -> None:
        self.resume_guests()
        self.wait_within(0)
        self.kill()
        self.switch_over()
        self.stop()
        with self.assertLogs(restarted.__name__, 'ERROR') as logged:
            self.restart_compute_service(SOURCE)
            self.assert_in_error()
        self.assertIn('at the destination', logged.output[-1])
        self.assertFalse(self.domain.isActive())

    def test_it_takes_too_long(self) -> None:
        self.wait_within(0)
        with self.assertLogs(restarted.__name__, 'ERROR') as logged:
            self.interrupt()
            self.assert_in_error()
        self.assertIn('migrated by libvirt still', logged.output[-1])
        # It has stayed after all, and an administrator has looked.
        self.domain._job_type = fakelibvirt.VIR_DOMAIN_JOB_NONE
        self.reset()
        self.assertIn('devices-left-behind', self.audit())
        self.assertEqual([('active', SOURCE)], self.bindings(self.moved))

    def test_a_guest_that_has_stopped(self) -> None:
        """libvirt knows it still when it could have forgotten it."""
        self.wait_within(0)
        self.interrupt_stopped()
        self.wait_for_migration('error')
        self.assert_active()
        self.wait_for(
            lambda: self.bindings(self.moved) == [('active', SOURCE)]
        )

    def interrupt_stopped(self) -> None:
        """Have nova-compute started again when the guest is shut down."""
        self.kill()
        self.stop()
        self.restart_compute_service(SOURCE)

    def test_libvirt_does_not_say(self) -> None:
        """It is waited for, as if it migrated the guest."""
        self.kill()
        with mock.patch.object(
            fakelibvirt.Domain, 'jobStats', side_effect=_error
        ):
            self.restart_compute_service(SOURCE)
            self.assert_nothing_is_freed()
            self.assertEqual('migrating', self.task_state())
        self.wait_for_migration('error')
        self.assert_stays()

    def test_libvirt_goes_over_to_the_other_host(self) -> None:
        """Nova has switched to post-copy: there is no way back."""
        self.kill()
        self.switch_over()
        self.domain._job_type = fakelibvirt.VIR_DOMAIN_JOB_UNBOUNDED
        with mock.patch.object(fakelibvirt.Domain, 'abortJob') as aborted:
            self.restart_compute_service(SOURCE)
            self.leave()
            self.assert_in_error()
        aborted.assert_not_called()

    def test_the_server_is_deleted_meanwhile(self) -> None:
        self.interrupt()
        self.admin_api.delete_server(self.server_id)
        self._wait_until_deleted(self.moved.server)
        self.wait_for(lambda: not self.used_slots())


def _migrates() -> dict[str, int]:
    return {'type': fakelibvirt.VIR_DOMAIN_JOB_UNBOUNDED}


def _no_ram() -> ty.NoReturn:
    raise fakelibvirt.make_libvirtError(
        fakelibvirt.libvirtError,
        'internal error: migration was active, but no RAM info was set',
        error_code=fakelibvirt.VIR_ERR_INTERNAL_ERROR,
        error_message='migration was active, but no RAM info was set',
    )


def _error(*_args: object) -> ty.NoReturn:
    raise fakelibvirt.make_libvirtError(
        fakelibvirt.libvirtError,
        'cannot acquire state change lock',
        error_code=fakelibvirt.VIR_ERR_OPERATION_FAILED,
    )

# SPDX-License-Identifier: Apache-2.0

"""libvirt goes on to migrate a guest while nova-compute is started again."""

from tests.functional.nova.moves import failing  # isort: skip - first

import dataclasses
import typing as ty
from unittest import mock

import fixtures
from nova import context as nova_context
from nova import objects
from nova.tests.fixtures import libvirt as fakelibvirt
from nova.virt.libvirt import host
from nova_cyborg.nova.compute import live
from nova_cyborg.nova.compute.recovery import interrupted

from tests.functional.nova import base

SOURCE, DESTINATION = failing.SOURCE, failing.DESTINATION
_BOTH = [('active', SOURCE), ('inactive', DESTINATION)]


class TestCase(failing.TestCase):
    """nova-compute is killed, and its guest is libvirt's business."""

    def interrupt(self) -> None:
        """Have nova-compute started again while libvirt migrates."""
        self.kill_the_source()
        (self.domain,) = self.domains(self.moved.server)
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
        """Check that Nova does not know where the guest is."""
        self.wait_for_migration('error')
        server = self.admin_api.get_server(self.server_id)
        self.assertEqual('ERROR', server['status'])
        self.assert_nothing_is_freed()

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
        with self.assertLogs(live.__name__, 'ERROR') as logged:
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


class NativeTest(TestCase):
    """The guest takes its devices with it: it may use either host's."""

    LIVE_MIGRATION = 'native'

    def setUp(self) -> None:
        self.useFixture(
            fixtures.MonkeyPatch(
                f'{host.__name__}.Host.has_min_version',
                lambda *_args, **_kwargs: True,
            )
        )
        super().setUp()
        self.guest_moves.with_devices = True

    def hostdevs(self, server: dict[str, ty.Any]) -> list[base.Hostdev]:
        """Return the devices that a guest has, without their aliases."""
        return [
            dataclasses.replace(each, alias=None)
            for each in super().hostdevs(server)
        ]

    def hostdev(self, device: dict[str, ty.Any]) -> base.Hostdev:
        """Return what a guest has, without the alias."""
        return dataclasses.replace(super().hostdev(device), alias=None)

    def test_it_is_aborted(self) -> None:
        self.see_it_aborted()

    def test_the_guest_leaves(self) -> None:
        self.see_it_leave()
        # An administrator has shut it down there.
        self.admin_api.post_server_action(
            self.server_id, {'reboot': {'type': 'HARD'}}
        )
        self.wait_for(self.is_active)
        self.assertIn('devices-left-behind', self.audit())
        self.assertEqual([('active', SOURCE)], self.bindings(self.moved))

    def test_the_guest_has_left_before(self) -> None:
        self.kill_the_source()
        (self.domain,) = self.domains(self.moved.server)
        self.leave()
        self.restart_compute_service(SOURCE)
        self.assert_in_error()

    def test_it_takes_too_long(self) -> None:
        self.wait_within(0)
        with self.assertLogs(live.__name__, 'ERROR') as logged:
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
        self.kill_the_source()
        (self.domain,) = self.domains(self.moved.server)
        self.domain._state = fakelibvirt.VIR_DOMAIN_SHUTOFF
        self.restart_compute_service(SOURCE)

    def test_libvirt_does_not_say(self) -> None:
        """It is waited for, as if it migrated the guest."""
        self.kill_the_source()
        (self.domain,) = self.domains(self.moved.server)
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
        self.kill_the_source()
        migration = objects.Migration.get_by_id(
            nova_context.get_admin_context(), self.last()['id']
        )
        migration.status = 'running (post-copy)'
        migration.save()
        (self.domain,) = self.domains(self.moved.server)
        self.domain._job_type = fakelibvirt.VIR_DOMAIN_JOB_UNBOUNDED
        with mock.patch.object(fakelibvirt.Domain, 'abortJob') as aborted:
            self.restart_compute_service(SOURCE)
            self.leave()
            self.wait_for(lambda: self.task_state() is None)
        aborted.assert_not_called()
        self.assert_nothing_is_freed()

    def test_the_server_is_deleted_meanwhile(self) -> None:
        self.interrupt()
        self.admin_api.delete_server(self.server_id)
        self._wait_until_deleted(self.moved.server)
        self.wait_for(lambda: not self.used_slots())


def _error(*_args: object) -> ty.NoReturn:
    raise fakelibvirt.make_libvirtError(
        fakelibvirt.libvirtError,
        'cannot acquire state change lock',
        error_code=fakelibvirt.VIR_ERR_OPERATION_FAILED,
    )

# SPDX-License-Identifier: Apache-2.0

"""A server whose device is missing: its host does not report it any more."""

from tests.functional.nova import base  # isort: skip - first

import typing as ty

from nova import context as nova_context
from nova import objects
from nova.tests.functional.api import client


class _Cases:
    """What is refused is refused with the device's name; the guest goes on.

    :ivar device: the one of the server.
    :ivar server: the server.
    """

    device: ty.Any
    server: ty.Any

    def _set_missing(self, missing: bool) -> None:
        self.cyborg.control(
            'set_missing', provider=self.device.provider, missing=missing
        )

    def _assert_runs(self) -> None:
        slots = tuple(each.slot for each in self.hostdevs(self.server))
        self.assertEqual(self.device.slots, slots)

    def _assert_refused(self, action: dict[str, ty.Any]) -> None:
        error = self.assertRaises(
            client.OpenStackApiException,
            self.api.post_server_action,
            self.server['id'],
            action,
        )
        self.assertEqual(409, error.response.status_code)
        self.assertIn(self.device.slots[0], error.response.text)

    def test_a_hard_reboot_is_refused(self) -> None:
        self._set_missing(True)

        self._assert_refused({'reboot': {'type': 'HARD'}})

        self._assert_runs()
        self._set_missing(False)
        self.act(self.server, 'reboot', arguments={'type': 'HARD'})
        self._assert_runs()

    def test_a_rebuild_is_refused(self) -> None:
        self._set_missing(True)
        action = {'imageRef': self.server['image']['id']}

        self._assert_refused({'rebuild': action})

        self._assert_runs()
        self._set_missing(False)
        self.act(self.server, 'rebuild', arguments=action)
        self._assert_runs()

    def test_a_start_is_refused(self) -> None:
        self.act(self.server, 'os-stop', 'SHUTOFF')
        self._set_missing(True)

        self._assert_refused({'os-start': None})

        self._set_missing(False)
        self.act(self.server, 'os-start')
        self._assert_runs()

    def test_a_soft_reboot_is_not(self) -> None:
        self._set_missing(True)
        self.act(self.server, 'reboot', arguments={'type': 'SOFT'})
        self._assert_runs()

    def test_without_the_check_of_nova_api_the_guest_goes_on(self) -> None:
        self._set_missing(True)
        with self.without_api_plugin():
            self.api.post_server_action(
                self.server['id'], {'reboot': {'type': 'HARD'}}
            )
            # Of a guest that goes on, Nova shows its users no fault.
            self.wait_for(self._faults)
        self.assertIn(self.device.slots[0], self._faults()[0])
        self._assert_runs()

    def _faults(self) -> list[str]:
        """Return what Nova has recorded of the server."""
        found = objects.InstanceFaultList.get_latest_by_instance_uuids(
            nova_context.get_admin_context(), [self.server['id']]
        )
        return [fault.message for fault in found]

    def test_without_it_none_is_started_without_its_device(self) -> None:
        self.act(self.server, 'os-stop', 'SHUTOFF')
        self._set_missing(True)

        with self.without_api_plugin():
            self.api.post_server_action(self.server['id'], {'os-start': None})
            self._wait_for_failed_action('start')

        self._set_missing(False)
        self.act(self.server, 'os-start')
        self._assert_runs()

    def test_without_it_none_is_rebuilt_without_its_device(self) -> None:
        self._set_missing(True)
        action = {'imageRef': self.server['image']['id']}

        with self.without_api_plugin():
            self.api.post_server_action(self.server['id'], {'rebuild': action})
            fault = self.fault_of(self.server)

        self.assertIn(self.device.slots[0], fault)
        self._reboot_from_error()

    def test_none_is_started_without_it_as_its_host_is(self) -> None:
        self.flags(resume_guests_state_on_host_boot=True)
        self._set_missing(True)

        # The new one has no guests.
        self.restart_compute_service('compute1', keep_hypervisor_state=False)
        self.wait_for_status(self.server, 'ERROR')

        self._reboot_from_error()

    def _reboot_from_error(self) -> None:
        """The device is back, and the server is rebooted."""
        self._set_missing(False)
        self.api.post_server_action(
            self.server['id'], {'reboot': {'type': 'HARD'}}
        )
        # It is in error until then.
        self.wait_for(
            lambda: (
                self.api.get_server(self.server['id'])['status'] == 'ACTIVE'
            )
        )
        self._assert_runs()

    def _wait_for_failed_action(self, name: str) -> None:
        """Wait until an action ends in an error."""

        def failed() -> bool:
            actions = self.api.get_instance_actions(self.server['id'])
            wanted = [each for each in actions if each['action'] == name]
            return any(each['message'] == 'Error' for each in wanted)

        self.wait_for(failed)


class MissingDeviceTest(_Cases, base.TestCase):
    """The server has a device context."""

    def setUp(self) -> None:
        super().setUp()
        self.device = self.add_device(slots=1)
        self.context = self.create_context()
        self.server = self.boot(self.context)

    def test_the_context_tells(self) -> None:
        self._set_missing(True)

        shown = self._shown()
        self.assertEqual('error', shown['status'])
        self.assertIn(self.device.slots[0], shown['fault'])
        self.assertTrue(shown['devices'][0]['missing'])

        self._set_missing(False)

        shown = self._shown()
        self.assertEqual(('bound', None), (shown['status'], shown['fault']))

    def _shown(self) -> dict[str, ty.Any]:
        found = self.get_context(self.context)
        assert found is not None
        return found


class ProfileTest(_Cases, base.TestCase):
    """The server has the device profile of its flavor."""

    def setUp(self) -> None:
        super().setUp()
        self.device = self.add_device(slots=1)
        self.create_profile('gpu', {'resources:FPGA': '1'})
        flavor = self._create_flavor(
            extra_spec={'accel:device_profile': 'gpu'}
        )
        self.server = self.boot(flavorRef=flavor)

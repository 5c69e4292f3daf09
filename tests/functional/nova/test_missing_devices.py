# SPDX-License-Identifier: Apache-2.0

"""A server whose device is missing: its host does not report it any more."""

from tests.functional.nova import base  # isort: skip - first

import typing as ty

from nova import context as nova_context
from nova import objects
from nova.tests.functional.api import client


class MissingDeviceTest(base.TestCase):
    """It is told, and the guest goes on."""

    def setUp(self) -> None:
        super().setUp()
        self.device = self.add_device(slots=1)
        self.context = self.create_context()
        self.server = self.boot(self.context)

    def _set_missing(self, missing: bool) -> None:
        self.cyborg.control(
            'set_missing', provider=self.device.provider, missing=missing
        )

    def _shown(self) -> dict[str, ty.Any]:
        found = self.get_context(self.context)
        assert found is not None
        return found

    def test_the_context_tells(self) -> None:
        self._set_missing(True)

        shown = self._shown()
        self.assertEqual('error', shown['status'])
        self.assertIn(self.device.slots[0], shown['fault'])
        self.assertTrue(shown['devices'][0]['missing'])

        self._set_missing(False)

        shown = self._shown()
        self.assertEqual(('bound', None), (shown['status'], shown['fault']))

    def test_a_hard_reboot_is_refused(self) -> None:
        self._set_missing(True)

        error = self.assertRaises(
            client.OpenStackApiException,
            self.api.post_server_action,
            self.server['id'],
            {'reboot': {'type': 'HARD'}},
        )

        self.assertEqual(409, error.response.status_code)
        self.assertIn(self.device.slots[0], error.response.text)
        self.assert_hostdevs(self.server, self.device.slots)
        self._set_missing(False)
        self.act(self.server, 'reboot', arguments={'type': 'HARD'})
        self.assert_hostdevs(self.server, self.device.slots)

    def test_a_soft_reboot_is_not(self) -> None:
        self._set_missing(True)
        self.act(self.server, 'reboot', arguments={'type': 'SOFT'})
        self.assert_hostdevs(self.server, self.device.slots)

    def test_without_the_check_of_nova_api_the_guest_goes_on(self) -> None:
        self._set_missing(True)
        with self.without_api_plugin():
            self.api.post_server_action(
                self.server['id'], {'reboot': {'type': 'HARD'}}
            )
            # Of a guest that goes on, Nova shows its users no fault.
            self.wait_for(self._faults)
        self.assertIn(self.device.slots[0], self._faults()[0])
        self.assert_hostdevs(self.server, self.device.slots)

    def _faults(self) -> list[str]:
        """Return what Nova has recorded of the server."""
        found = objects.InstanceFaultList.get_latest_by_instance_uuids(
            nova_context.get_admin_context(), [self.server['id']]
        )
        return [fault.message for fault in found]

    def test_it_is_not_started_without_its_device(self) -> None:
        self.act(self.server, 'os-stop', 'SHUTOFF')
        self._set_missing(True)

        self.api.post_server_action(self.server['id'], {'os-start': None})

        self._wait_for_failed_action('start')
        self._set_missing(False)
        self.act(self.server, 'os-start')
        self.assert_hostdevs(self.server, self.device.slots)

    def _wait_for_failed_action(self, name: str) -> None:
        """Wait until an action ends in an error that names the device."""

        def failed() -> bool:
            actions = self.api.get_instance_actions(self.server['id'])
            wanted = [each for each in actions if each['action'] == name]
            return any(each['message'] == 'Error' for each in wanted)

        self.wait_for(failed)

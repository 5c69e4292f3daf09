# SPDX-License-Identifier: Apache-2.0

"""Servers whose accelerators come from the device profile of their flavor.

Where Nova leaves something behind that device contexts stumble over.
"""

from tests.functional.nova import step  # isort: skip - first


class ProfileTest(step.TestCase):
    """One compute node, and a server with a device profile."""

    def setUp(self) -> None:
        super().setUp()
        self.device = self.add_device(slots=1)
        self.create_profile('gpu', {'resources:FPGA': '1'})
        flavor = self._create_flavor(
            extra_spec={'accel:device_profile': 'gpu'}
        )
        self.server = self.boot(flavorRef=flavor)

    def test_unshelve_in_vain(self) -> None:
        """The next server can have what was claimed for it."""
        self.flags(shelved_offload_time=0)
        self.act(self.server, 'shelve', 'SHELVED_OFFLOADED')
        self.wait_for(lambda: not self.used_slots())
        self.cyborg.control(
            'fault',
            method='PATCH',
            path='/accelerator_requests',
            action='answer',
            value=500,
            times=1,
        )
        self.api.post_server_action(self.server['id'], {'unshelve': None})
        self.wait_for(lambda: not self.cyborg.control('faults_ahead'))

        self.wait_for(lambda: not self._allocated())
        self.act(self.server, 'unshelve')
        self.assertEqual(1, len(self._allocated()))

    def _allocated(self) -> dict[str, object]:
        return self._get_allocations_by_provider_uuid(self.device.provider)

# SPDX-License-Identifier: Apache-2.0

"""A device that is gone: Cyborg has removed its resource provider.

nova-compute has found the provider under its host's when it started, and
remembers it for some minutes.
"""

from tests.functional.nova import step  # isort: skip - first


class RemovedDeviceTest(step.TestCase):
    """What is done to servers of the host goes on."""

    def setUp(self) -> None:
        super().setUp()
        self.add_device(slots=1)
        self.server = self.boot(self.create_context())
        removed = super().add_device(slots=1)
        self.restart_compute_service('compute1')
        # As cyborg-conductor does, after a report that lacks the device.
        gone = self.placement.delete(
            f'/resource_providers/{removed.provider}', version='1.20'
        )
        self.assertEqual(204, gone.status)

    def test_a_server_is_deleted(self) -> None:
        self.delete(self.server)
        self.assert_nothing_held()

    def test_a_server_is_booted(self) -> None:
        self.boot(networks='none')

# SPDX-License-Identifier: Apache-2.0

"""Servers keep their devices as long as they live."""

from tests.functional.nova import base  # isort: skip - first


class LifecycleTest(base.TestCase):
    """A server with two devices."""

    def setUp(self) -> None:
        super().setUp()
        self.add_device(slots=4)
        self.server = self.boot(self.create_context(), self.create_context())
        self.booted = self.hostdevs(self.server)
        self.defined = len(self.guests[self.server['id']])

    def _assert_kept(self) -> None:
        """Check that the guest was made again, with the same devices."""
        self.assertGreater(len(self.guests[self.server['id']]), self.defined)
        self.assertCountEqual(self.booted, self.hostdevs(self.server))
        self.assert_hostdevs(self.server, self.used_slots())

    def test_hard_reboot(self) -> None:
        self.act(self.server, 'reboot', arguments={'type': 'HARD'})
        self._assert_kept()

    def test_stop_and_start(self) -> None:
        self.act(self.server, 'os-stop', 'SHUTOFF')
        self.assertEqual(2, len(self.used_slots()))
        self.act(self.server, 'os-start')
        self._assert_kept()

    def test_pause_and_unpause(self) -> None:
        self.act(self.server, 'pause', 'PAUSED')
        self.act(self.server, 'unpause')
        self.assert_hostdevs(self.server, self.used_slots())

    def test_rebuild_with_the_same_image(self) -> None:
        image = {'imageRef': self.server['image']['id']}
        self.act(self.server, 'rebuild', arguments=image)
        self._assert_kept()

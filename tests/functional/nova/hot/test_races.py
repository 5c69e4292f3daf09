# SPDX-License-Identifier: Apache-2.0

"""Device contexts are attached and detached, two at the same time."""

from tests.functional.nova.hot import racing  # isort: skip - first


_ATTACH, _DETACH = 'attach_device_context', 'detach_device_context'
_ATTACHMENT = 'nova_cyborg.nova.compute.attachments.Attachment'


class OneServerTest(racing.TestCase):
    """With one server."""

    def test_two_are_attached(self) -> None:
        """Both are asked for before the first one is there."""
        first = self.pause(f'{_ATTACHMENT}._bind')
        self.post(self.pci)
        first.reached()
        self.post(self.mdev)
        first.go_on()
        self.assertEqual([None, None], self.outcomes(_ATTACH, _ATTACH))
        self.assert_has(self.pci, self.mdev)
        self.detach(self.pci)
        self.detach(self.mdev)
        self.assert_as_before()

    def test_one_is_attached_twice(self) -> None:
        """The second request does what the first one has begun."""
        for step in ('_bind', '_describe'):
            first = self.pause(f'{_ATTACHMENT}.{step}')
            self.post(self.pci)
            first.reached()
            self.post(self.pci)
            first.go_on()
            why, none = self.outcomes(_ATTACH, _ATTACH)
            self.assertIn('a later operation has taken over', why)
            self.assertIsNone(none)
            self.assert_has(self.pci)
            self.detach(self.pci)
            self.assert_as_before()

    def test_one_is_attached_and_detached(self) -> None:
        for step in ('_mark', '_bind', '_describe'):
            first = self.pause(f'{_ATTACHMENT}.{step}')
            self.post(self.pci)
            first.reached()
            self.delete_attachment(self.pci)
            first.go_on()
            why, none = self.outcomes(_ATTACH, _DETACH)
            self.assertIn('a later operation has taken over', why)
            self.assertIsNone(none)
            self.assert_as_before()

    def test_one_is_detached_and_attached(self) -> None:
        for step in ('_unplug', '_unbind'):
            self.attach(self.pci)
            first = self.pause(f'{_ATTACHMENT}.{step}')
            self.delete_attachment(self.pci)
            first.reached()
            status, why = self.refused(self.post, self.pci)
            self.assertEqual(409, status)
            self.assertIn('detach', why)
            first.go_on()
            self.assertEqual([None], self.outcomes(_DETACH))
            self.assert_as_before()

    def test_one_is_detached_twice(self) -> None:
        """The second request does what the first one has begun."""
        for step in ('_require', '_unplug', '_unbind', '_release'):
            self.attach(self.pci)
            self.attach(self.mdev)
            first = self.pause(f'{_ATTACHMENT}.{step}')
            self.delete_attachment(self.pci)
            first.reached()
            self.delete_attachment(self.pci)
            first.go_on()
            why, none = self.outcomes(_DETACH, _DETACH)
            self.assertIn('a later operation has taken over', why)
            self.assertIsNone(none)
            self.assert_has(self.mdev)
            self.detach(self.mdev)
            self.assert_as_before()

    def test_two_are_detached(self) -> None:
        self.attach(self.pci)
        self.attach(self.mdev)
        first = self.pause(f'{_ATTACHMENT}._unplug')
        self.delete_attachment(self.pci)
        first.reached()
        self.delete_attachment(self.mdev)
        first.go_on()
        self.assertEqual([None, None], self.outcomes(_DETACH, _DETACH))
        self.assert_as_before()

    def test_one_is_detached_while_another_is_attached(self) -> None:
        self.attach(self.pci)
        first = self.pause(f'{_ATTACHMENT}._release')
        self.delete_attachment(self.pci)
        first.reached()
        self.post(self.mdev)
        first.go_on()
        self.assertEqual([None, None], self.outcomes(_DETACH, _ATTACH))
        self.assert_has(self.mdev)
        self.detach(self.mdev)
        self.assert_as_before()

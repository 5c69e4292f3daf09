# SPDX-License-Identifier: Apache-2.0

"""Guests that let go of a device while nova-compute is not there to see it."""

from tests.functional.nova.hot import racing  # isort: skip - first

from unittest import mock

from nova_cyborg.nova.compute.libvirt import removals

from tests.functional.nova.hot import test_faults, test_late

_PLUGGING = 'nova_cyborg.nova.compute.libvirt.guests.plugging'


class MissedTest(test_late.TestCase):
    """nova-compute looks at the guests of its host when it starts."""

    def _lose(self, context_id: str) -> None:
        """Have the guest let go of a device, and nobody told of it."""
        with mock.patch.object(self.hotplug, '_send'):
            self.let_go(context_id)

    def _start_again(self) -> None:
        self.restart_compute_service('compute1')

    def test_it_gets_them_again(self) -> None:
        for context_id in self.slots:
            self._lose(context_id)
        self._start_again()
        self.assert_back()
        for context_id in self.slots:
            self.detach(context_id)
        self.assert_as_before()

    def test_it_is_paused_by_then(self) -> None:
        self.do('pause', 'PAUSED')
        self._lose(self.pci)
        self._start_again()
        self.assert_back()

    def test_it_was_being_detached(self) -> None:
        """nova-compute was killed when the guest had let go of it."""
        with mock.patch(
            f'{_PLUGGING}.unplug_stored', side_effect=test_faults.Killed
        ):
            self.delete_attachment(self.pci)
            self.outcome(racing.DETACH)
        self._start_again()
        self.wait_until_seen_to()
        self.assertEqual(1, len(self.live()))
        self.assertEqual('detaching', self.status(self.pci))
        self.detach(self.pci)
        self.assert_has(self.mdev)

    def test_it_does_not_run(self) -> None:
        """It has its devices when it is started."""
        self.do('suspend', 'SUSPENDED')
        self._assert_costs_nothing()
        self.do('resume')
        self.do('os-stop', 'SHUTOFF')
        self._assert_costs_nothing()
        self.do('os-start')
        self.assert_back()

    def test_all_have_their_devices(self) -> None:
        self.boot()
        self._assert_costs_nothing()
        self.assert_back()

    def test_libvirt_fails(self) -> None:
        """nova-compute starts all the same."""
        self._lose(self.pci)
        for failing in (
            f'{_PLUGGING}.lost',
            'nova.virt.libvirt.host.Host.list_guests',
        ):
            with mock.patch(failing, side_effect=ValueError('no libvirt')):
                self._start_again()
            self.assertEqual(1, len(self.live()))
        self._start_again()
        self.assert_back()

    def _assert_costs_nothing(self) -> None:
        before = self.nova_calls()
        with mock.patch.object(
            removals, 'begin', side_effect=AssertionError('all is well')
        ):
            self._start_again()
        self.assertEqual(before, self.nova_calls())

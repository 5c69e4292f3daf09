# SPDX-License-Identifier: Apache-2.0

"""A server moves away while a device context is attached or detached.

Placement has allocated what it had on its host to the migration then, and
gives that back if it stays after all.
"""

from tests.functional.nova.hot import racing  # isort: skip - first

from unittest import mock

from tests.functional.nova.hot import test_faults, two_hosts

_PLACEMENT = 'nova_cyborg.nova.placement'
_BIND = 'nova_cyborg.cyborg_client.AllocationClient.bind_attached'


class LeakTest(racing.TestCase, two_hosts.TestCase):
    """What is left of it in Placement is forgotten."""

    def test_moved_before_it_is_forgotten(self) -> None:
        """It is detached in Cyborg, and in Placement the migration has it."""
        for name in ('lower', 'allocated'):
            pause = self.detach_until(f'{_PLACEMENT}.{name}')
            self.begin('migrate')
            self.reach('VERIFY_RESIZE')
            pause.go_on()
            self.outcomes(racing.DETACH)
            self.do('revertResize')
            self.assert_settled(racing.DETACH)

    def test_moved_when_its_process_has_died(self) -> None:
        """Nobody is told to do the rest: it is attached to nothing."""
        for repair in (self.audit, self.reconcile):
            for action, name in (
                (racing.ATTACH, _BIND),
                (racing.DETACH, f'{_PLACEMENT}.lower'),
            ):
                self._die(action, name)
                self.do('migrate', 'VERIFY_RESIZE')
                self.do('revertResize')
                self.assertEqual(1, sum(map(self.usage, self.devices)))
                self.assertIn('no-device', repair())
                self.assert_as_before()

    def _die(self, action: str, name: str) -> None:
        """Begin it, in a nova-compute that is killed at a function."""
        if action == racing.DETACH:
            self.attach(self.pci)
        with mock.patch(name, side_effect=test_faults.Killed):
            if action == racing.ATTACH:
                self.post(self.pci)
            else:
                self.delete_attachment(self.pci)
            self.outcome(action)

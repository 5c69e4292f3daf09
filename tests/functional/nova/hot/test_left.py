# SPDX-License-Identifier: Apache-2.0

"""nova-compute is killed, and the same call is not made again.

What it has left half done is in nobody's way.
"""

from tests.functional.nova.hot import racing  # isort: skip - first

from unittest import mock

from tests.functional.nova.hot import test_faults, two_hosts

_ALLOCATIONS = 'nova_cyborg.cyborg_client.AllocationClient'
_PLACEMENT = 'nova_cyborg.nova.placement'
# Where it is killed: when Placement has allocated a device, and when Cyborg
# has bound it; when the guest has let go of it, and when it is unbound.
_STEPS = (
    (racing.ATTACH, f'{_ALLOCATIONS}.bind_attached'),
    (racing.ATTACH, f'{racing.DRIVER}.plug_devices'),
    (racing.DETACH, f'{_PLACEMENT}.allocated'),
    (racing.DETACH, f'{_PLACEMENT}.lower'),
)


class LeftTest(racing.TestCase, two_hosts.TestCase):
    """A device context is attaching, or detaching, and nobody is at it."""

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
        status = {racing.ATTACH: 'attaching', racing.DETACH: 'detaching'}
        self.assertEqual(status[action], self.status(self.pci))

    def test_delete(self) -> None:
        for action, name in _STEPS:
            self._die(action, name)
            self.delete(self.server)
            self.assert_nothing_held()
            self.pci = self.create_context()
            self.server = self.boot_first()
        self.assert_in_step(audited=False)

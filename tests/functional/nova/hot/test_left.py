# SPDX-License-Identifier: Apache-2.0

"""nova-compute is killed, and something else is done before the same call.

What it has left half done is in nobody's way: the server has its devices after
it, or not, and the same call does the rest.
"""

from tests.functional.nova.hot import racing  # isort: skip - first

import collections.abc
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

    def _left(self) -> collections.abc.Iterator[None]:
        """Leave it at each step, and do the rest after something else."""
        for action, name in _STEPS:
            self._die(action, name)
            yield
            self._settle()

    def _settle(self) -> None:
        """Do the same again, if it is still to be done; then detach it.

        What nobody was at may have been given up, or done, meanwhile.
        """
        if self.status(self.pci) == 'attaching':
            self.attach(self.pci)
        if self.status(self.pci) == 'bound':
            self.assert_has(self.pci)
        if self.status(self.pci) != 'available':
            self.detach(self.pci)
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
        status = {racing.ATTACH: 'attaching', racing.DETACH: 'detaching'}
        self.assertEqual(status[action], self.status(self.pci))

    def test_reboot(self) -> None:
        for _step in self._left():
            self.do('reboot', type='HARD')

    def test_shelve(self) -> None:
        self.flags(shelved_offload_time=0)
        for _step in self._left():
            self.do('shelve', 'SHELVED_OFFLOADED')
            self.wait_for(lambda: not self.used_slots())
            self.do('unshelve')

    def test_migrate(self) -> None:
        for _step in self._left():
            self.do('migrate', 'VERIFY_RESIZE')
            self.do('confirmResize')

    def test_evacuate(self) -> None:
        """Its host fails, and not only nova-compute."""
        for _step in self._left():
            host = self.host()
            self.take_down(host)
            self.act(self.server, 'evacuate', 'SHUTOFF', {}, self.admin_api)
            self.do('os-start')
            self.bring_back(host)

    def test_delete(self) -> None:
        for action, name in _STEPS:
            self._die(action, name)
            self.delete(self.server)
            self.assert_nothing_held()
            self.pci = self.create_context()
            self.server = self.boot_first()
        self.assert_in_step(audited=False)

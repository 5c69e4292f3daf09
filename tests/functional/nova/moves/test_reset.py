# SPDX-License-Identifier: Apache-2.0

"""The state of a server is reset while libvirt migrates its guest.

Nova has it for one that rests on the source then, and libvirt goes on.
"""

from tests.functional.nova.moves import failing, native  # isort: skip - first

import threading

from nova import context as nova_context
from nova import objects
from nova.compute import task_states
from nova_cyborg.nova.compute import live

SOURCE, DESTINATION = failing.SOURCE, failing.DESTINATION
_BOTH = [('active', SOURCE), ('inactive', DESTINATION)]


class DetachTest(failing.TestCase):
    """The guest has let go of its devices."""

    def hold(self, state: str) -> None:
        """Migrate the server, and reset its state in the middle."""
        self.guest_moves.held = threading.Event()
        self.addCleanup(self.guest_moves.held.set)
        self.begin()
        self.assertTrue(self.guest_moves.begun.wait(60))
        self.wait_for(lambda: self.last()['status'] == 'running')
        self.admin_api.post_server_action(
            self.server_id, {'os-resetState': {'state': state}}
        )
        # Who looks meanwhile leaves all as it is: the guest may have devices
        # of either host, and Nova is to end the move.
        self.assertEqual([], self.audit())
        self.assertEqual({}, self.reconcile())
        self.assertEqual(_BOTH, self.bindings(self.moved))

    def go_on(self) -> None:
        """Have the guest arrive."""
        assert self.guest_moves.held is not None
        self.guest_moves.held.set()

    def test_it_rests(self) -> None:
        self.hold('active')
        with self.assertLogs(live.__name__, 'WARNING') as logged:
            self.go_on()
            self.wait_for_migration('completed')
        self.assertIn('ended all the same', logged.output[-1])
        self.assert_on(DESTINATION)
        self.assert_active()

    def test_it_is_in_error(self) -> None:
        self.hold('error')
        self.go_on()
        self.wait_for_migration('completed')
        self.assert_on(DESTINATION)
        self.reset()
        self.reboot()

    def test_something_else_is_done(self) -> None:
        """Nova says then itself where it is, and that it is in error."""
        self.hold('active')
        server = objects.Instance.get_by_uuid(
            nova_context.get_admin_context(), self.server_id
        )
        server.task_state = task_states.POWERING_OFF
        server.save()
        self.go_on()
        self.wait_for_migration('error')
        self.reset()
        found: list[str] = []
        self.wait_for(
            lambda: (
                found.extend(self.audit()) or 'allocation-of-a-move' in found
            )
        )
        self.assert_on(DESTINATION)

    def test_the_guest_stays(self) -> None:
        self.hold('active')
        self.guest_moves.fails = True
        self.go_on()
        self.wait_for_migration('failed', 'error')
        self.guest_moves.fails = False
        self.reset()
        self.assert_stays()


class NativeTest(native.Guests, DetachTest):
    """The guest takes its devices with it."""

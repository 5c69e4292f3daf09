# SPDX-License-Identifier: Apache-2.0

"""Messages of a move do not come, or when nobody waits for them any more."""

from tests.functional.nova.moves import test_failures  # isort: skip - first

import threading
import typing as ty
from unittest import mock

from nova_cyborg.nova.compute import bindings

from tests.functional.nova import messages
from tests.functional.nova.moves import moving

SOURCE, DESTINATION = moving.HOSTS


class TestCase(test_failures.TestCase):
    """One server, whose state an administrator resets."""

    def hold(self, method: str) -> messages.Held:
        """Have the next message of a method not come by itself."""
        held: messages.Held = self.useFixture(messages.Held(method))
        return held

    def begin(self, held: messages.Held, action: str = 'migrate') -> None:
        """Begin something whose message does not come."""
        self.admin_api.post_server_action(
            self.moved.server['id'], {action: None}
        )
        self.wait_for(held.is_sent)

    def reset(self) -> None:
        """Have Nova take the server for one with which nothing is done."""
        self.admin_api.post_server_action(
            self.moved.server['id'], {'os-resetState': {'state': 'active'}}
        )
        self.wait_for_all('ACTIVE')

    def migrations(self) -> list[dict[str, ty.Any]]:
        """Return the server's migrations, in order of their making."""
        return sorted(
            self.admin_api.get_migrations(), key=lambda each: each['id']
        )

    def statuses(self) -> list[str]:
        """Return the states of the server's migrations."""
        return [each['status'] for each in self.migrations()]

    def assert_there_and_back(self) -> None:
        """Check that the server, which is at the source, can be moved."""
        self.migrate()
        self.confirm()
        self.do('migrate', 'VERIFY_RESIZE')
        self.assert_waiting(DESTINATION, SOURCE)
        self.do('confirmResize', 'ACTIVE')
        self.assert_on(SOURCE)


class LateTest(TestCase):
    """A message comes when the server is not moved any more."""

    def test_the_destination_is_told_late(self) -> None:
        held = self.hold('prep_resize')
        self.begin(held)
        self.reset()
        held.deliver()
        self.assertEqual(['error'], self.statuses())
        self.assert_on(SOURCE)
        self.assert_there_and_back()

    def test_the_destination_is_told_when_another_move_is_begun(self) -> None:
        first = self.hold('prep_resize')
        self.begin(first)
        self.reset()
        second = self.hold('prep_resize')
        self.begin(second)
        first.deliver()
        second.deliver()
        self.wait_for_all('VERIFY_RESIZE')
        self.assertEqual(['error', 'finished'], self.statuses())
        self.assert_waiting()
        self.confirm()

    def test_the_source_is_started_again_while_devices_are_bound(self) -> None:
        reached, go_on = threading.Event(), threading.Event()
        self.addCleanup(go_on.set)
        stock = bindings.wait_until_bound

        def wait(*args: ty.Any) -> None:
            reached.set()
            go_on.wait(60)
            stock(*args)

        with mock.patch.object(bindings, 'wait_until_bound', wait):
            self.admin_api.post_server_action(
                self.moved.server['id'], {'migrate': None}
            )
            self.wait_for(reached.is_set)
            self.restart_compute_service(SOURCE)
            self.wait_for_all('ACTIVE')
            go_on.set()
            self.wait_for(lambda: self.statuses() == ['error'])
        self.assert_on(SOURCE)
        self.assert_there_and_back()


class LostTest(TestCase):
    """A message does not come at all."""

    def test_the_next_move_is_of_another_kind(self) -> None:
        """Nova takes a record that was never ended for that of the next."""
        self.begin(self.hold('prep_resize'))
        self.reset()
        self.resize()
        self.confirm()
        self.do('migrate', 'VERIFY_RESIZE')
        self.assertEqual(DESTINATION, self.migrations()[-1]['source_compute'])
        self.assert_waiting(DESTINATION, SOURCE)
        self.do('confirmResize', 'ACTIVE')
        self.assert_on(SOURCE)
        self.assertEqual(['error', 'confirmed', 'confirmed'], self.statuses())

    def test_the_source_is_not_told(self) -> None:
        self.begin(self.hold('resize_instance'))
        self.reset()
        self.assert_there_and_back()

    def test_the_destination_is_not_told_to_start_the_guest(self) -> None:
        """Nova has the server there by then."""
        self.begin(self.hold('finish_resize'))
        self.reset()
        self.assertEqual(
            [('active', SOURCE), ('inactive', DESTINATION)],
            self.bindings(self.moved),
        )
        self._assert_healed_there()

    def test_the_source_is_not_told_to_start_the_guest_again(self) -> None:
        """Nova has the server at the destination still."""
        self.migrate()
        self.begin(self.hold('finish_revert_resize'), 'revertResize')
        self.reset()
        self._assert_healed_there()

    def _assert_healed_there(self) -> None:
        """Check that the server is well at the destination, once rebooted."""
        self.do('reboot', 'ACTIVE', {'type': 'HARD'})
        self.wait_for(lambda: 'allocation-of-a-move' in self.audit())
        self.assert_on(DESTINATION)
        self.do('migrate', 'VERIFY_RESIZE')
        self.assert_waiting(DESTINATION, SOURCE)
        self.do('confirmResize', 'ACTIVE')
        self.assert_on(SOURCE)

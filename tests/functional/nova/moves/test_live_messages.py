# SPDX-License-Identifier: Apache-2.0

"""Messages of a live migration come twice, or late."""

from tests.functional.nova import messages  # isort: skip - first

import threading
import typing as ty

from tests.functional.nova.moves import running

SOURCE, DESTINATION = running.HOSTS
# In the order in which they are sent.
_MESSAGES = (
    'live_migrate_instance',
    'check_can_live_migrate_destination',
    'check_can_live_migrate_source',
    'live_migration',
    'pre_live_migration',
    'post_live_migration_at_destination',
)


class TestCase(running.TestCase, messages.TestCase):
    """A server that is migrated there and back."""

    KINDS = running.TestCase.KINDS[:1]

    def add_hosts(self) -> None:
        """Start the compute nodes, with devices, once."""
        super().add_hosts()
        self.destination = DESTINATION

    def migrations(self) -> list[dict[str, ty.Any]]:
        """Return live migrations, without those of dropped messages.

        Nova makes the record first.
        """
        return [
            each for each in super().migrations() if each['status'] != 'error'
        ]

    def move(self) -> None:
        """Migrate the server to the host that it is not on."""
        self.live_migrate()
        self.assert_moved(self.destination)
        (self.destination,) = {SOURCE, DESTINATION} - {self.destination}


class TwiceTest(TestCase):
    """Each message comes twice."""

    TOGETHER = True

    def test_messages(self) -> None:
        for method in _MESSAGES:
            done: threading.Event = self.deliver_twice(method, self.TOGETHER)
            self.move()
            self.assert_delivered(done)


class TwiceInTurnTest(TwiceTest):
    """The second comes when the first has been dealt with."""

    TOGETHER = False


class LateTest(TestCase):
    """Messages come again when other migrations have followed."""

    def test_messages(self) -> None:
        kept = [
            self.keep_message(method)
            for method in _MESSAGES
            # Nova's own answer to these.
            if not method.startswith(('check_', 'pre_'))
        ]
        for _n in range(2):
            self.move()
        before = self.hostdevs(self.all[0].server)
        for deliver in kept:
            deliver()
        self.assertEqual(before, self.hostdevs(self.all[0].server))
        self.assert_on(SOURCE)
        self.move()

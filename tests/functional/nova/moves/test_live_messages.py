# SPDX-License-Identifier: Apache-2.0

"""Messages of a live migration come twice, or late."""

from tests.functional.nova import messages  # isort: skip - first

import threading

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

# SPDX-License-Identifier: Apache-2.0

"""Messages of a live migration do not come.

An administrator resets the state of the server.
"""

from tests.functional.nova.moves import failing  # isort: skip - first

from tests.functional.nova import messages

SOURCE, DESTINATION = failing.SOURCE, failing.DESTINATION


class DroppedTest(failing.TestCase):
    """The guest was told nothing: it runs where it was."""

    def begin_in_vain(self, method: str) -> None:
        """Begin a live migration, one of whose messages does not come."""
        held: messages.Held = self.useFixture(messages.Held(method))
        self.admin_api.post_server_action(
            self.server_id,
            {'os-migrateLive': {'host': None, 'block_migration': 'auto'}},
        )
        self.wait_for(held.is_sent)

    def reset(self) -> None:
        """Have Nova take the server for one with which nothing is done."""
        super().reset()
        self.wait_for_all('ACTIVE')

    def test_nova_conductor_is_not_told(self) -> None:
        self.begin_in_vain('live_migrate_instance')
        self.reset()
        self.assert_stays()

    def test_the_source_is_not_told(self) -> None:
        self.begin_in_vain('live_migration')
        self.reset()
        self.assertEqual(
            [('active', SOURCE), ('inactive', DESTINATION)],
            self.bindings(self.moved),
        )
        self.assertIn('devices-left-behind', self.audit())
        found: list[str] = []
        # Nova may be about to forget it, for all that can be seen.
        self.wait_for(
            lambda: (
                found.extend(self.audit()) or 'allocation-of-a-move' in found
            )
        )
        self.assert_stays()

# SPDX-License-Identifier: Apache-2.0

"""Cold migration and resize, as users and administrators do it."""

from tests.functional.nova.moves import moving  # isort: skip - first

SOURCE, DESTINATION = moving.HOSTS


class MoveTest(moving.TestCase):
    """From one compute node to the other one."""

    def test_migrate_and_confirm(self) -> None:
        self.migrate()
        self.confirm()
        self.assert_on(DESTINATION)
        self.do('reboot', 'ACTIVE', {'type': 'HARD'})
        self.assert_on(DESTINATION)

    def test_migrate_and_revert(self) -> None:
        self.migrate()
        self.revert()
        self.assert_on(SOURCE)
        self.do('reboot', 'ACTIVE', {'type': 'HARD'})
        self.assert_on(SOURCE)

# SPDX-License-Identifier: Apache-2.0

"""Each part of a move with a fault in it, whatever the fault is."""

from tests.functional.nova import faulty  # isort: skip - first

import typing as ty

from tests.functional.nova.moves import moving


class TestCase(faulty.TestCase):
    """A server that is moved between two compute nodes."""

    FINAL = (*faulty.TestCase.FINAL, 'VERIFY_RESIZE')

    def setUp(self) -> None:
        super().setUp()
        self.useFixture(moving.NoDisks())

    def _migrated(self) -> dict[str, ty.Any]:
        """Return a server that waits to be confirmed."""
        server = self.boot(self.context)
        self._begin(server, 'migrate')
        return self.wait_for_status(server, 'VERIFY_RESIZE')

    def _begin(self, server: dict[str, ty.Any], action: str) -> None:
        self.admin_api.post_server_action(server['id'], {action: None})

    def _end(self, server: dict[str, ty.Any]) -> None:
        """See that a server can be brought to an end, and is well."""
        status = self.wait_until_idle(server)
        self.heal()
        if status == 'VERIFY_RESIZE':
            self.assert_in_step()
            self._begin(server, 'confirmResize')
            self.wait_for_status(server, 'ACTIVE')
        elif status == 'ERROR':
            self.admin_api.post_server_action(
                server['id'], {'reboot': {'type': 'HARD'}}
            )
            self.wait_for(
                lambda: self.api.get_server(server['id'])['status'] == 'ACTIVE'
            )
            self.wait_for_status(server, 'ACTIVE')
        self.assert_in_step()
        self.assert_uses_all(server)
        self.assert_deletes(server)


class Migrate(TestCase):
    """A server is migrated."""

    def check(self, make_fault: faulty.Fault) -> None:
        """Do it with a fault in it, and see what becomes of it."""
        server = self.boot(self.context)
        make_fault()
        self._begin(server, 'migrate')
        self._end(server)


class Confirm(TestCase):
    """A migration is confirmed."""

    def check(self, make_fault: faulty.Fault) -> None:
        """Do it with a fault in it, and see what becomes of it."""
        server = self._migrated()
        make_fault()
        self._begin(server, 'confirmResize')
        # Nova does not show that it is at it.
        self.wait_for_status(server, 'ACTIVE')
        self._end(server)


class Revert(TestCase):
    """A migration is reverted."""

    def check(self, make_fault: faulty.Fault) -> None:
        """Do it with a fault in it, and see what becomes of it."""
        server = self._migrated()
        make_fault()
        self._begin(server, 'revertResize')
        self._end(server)

# SPDX-License-Identifier: Apache-2.0

"""Servers that get device contexts, and may go to another host."""

from tests.functional.nova.hot import plugging  # isort: skip - first

import typing as ty

from tests.functional.nova.moves import moving, running

SOURCE, DESTINATION = moving.HOSTS


class TestCase(plugging.TestCase):
    """A server on the first of two hosts; each could have all."""

    COMPUTES = moving.HOSTS

    def setUp(self) -> None:
        self.guest_moves = self.useFixture(
            running.LiveMigrations(self._connection)
        )
        super().setUp()

    def boot_first(self) -> dict[str, ty.Any]:
        """Boot the server, on the first compute node."""
        self.useFixture(moving.NoDisks())
        self.set_enabled(DESTINATION, False)
        server = super().boot_first()
        self.set_enabled(DESTINATION, True)
        return server

    def create_context(
        self, project: str | None = None, **fields: ty.Any
    ) -> str:
        """Make a device context that comes along when a server runs."""
        fields.setdefault('live_migration', 'detach')
        return super().create_context(project, **fields)

    def host(self) -> str:
        """Return the host that the server is on."""
        found = self.admin_api.get_server(self.server['id'])
        return str(found['OS-EXT-SRV-ATTR:host'])

    def live_migrate(self, host: str | None = None) -> None:
        """Migrate the server while it runs."""
        self.do('os-migrateLive', host=host, block_migration='auto')

    def assert_on(self, host: str, *context_ids: str) -> None:
        """Check that the server is on a host, with device contexts."""
        self.assertEqual(host, self.host())
        for context_id in context_ids:
            # What it had on the other host is unbound when it is there.
            self.wait_for(
                lambda c=context_id: self.get_context(c)['host'] == host
            )
        self.assert_has(*context_ids)

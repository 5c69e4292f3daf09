# SPDX-License-Identifier: Apache-2.0

"""A server that got device contexts while it ran, and what is done with it."""

from tests.functional.nova.hot import plugging  # isort: skip - first

import typing as ty

from tests.functional.nova.moves import moving, running


class TestCase(plugging.TestCase):
    """A server that was booted without, and has two device contexts."""

    def setUp(self) -> None:
        super().setUp()
        # Those that it was booted with, and those that it got.
        self.held = [*self.booted, self.pci, self.mdev]
        self.attach(self.pci)
        self.attach(self.mdev)

    def assert_has_all(self) -> None:
        """Check that all is there that the server was given."""
        self.assert_has(*self.held)
        self.assertEqual(set(self.held), set(self.hint()))

    def do(self, action: str, status: str = 'ACTIVE', **more: ty.Any) -> None:
        """Do something with the server, and wait for its status."""
        self.server = self.act(
            self.server, action, status, more or None, self.admin_api
        )

    def assert_detaches(self) -> None:
        """Check that nothing is left once all are detached."""
        for context_id in self.held:
            self.detach(context_id)
        self.assert_as_before()


class TwoHostsTestCase(TestCase):
    """It may go to another host, and its device contexts let it do so."""

    COMPUTES = moving.HOSTS

    def setUp(self) -> None:
        self.useFixture(moving.LongLived())
        super().setUp()
        self.useFixture(moving.NoDisks())
        self.useFixture(running.LiveMigrations(self._connection))

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

    def assert_on(self, host: str) -> None:
        """Check that the server is on a host, with all that it has."""
        self.assertEqual(host, self.host())
        for context_id in self.held:
            # What it had on the other host is unbound when it is there.
            self.wait_for(
                lambda c=context_id: self.get_context(c)['host'] == host
            )
        self.assert_has_all()

    def live_migrate(self, host: str | None = None) -> None:
        """Migrate the server while it runs."""
        self.do('os-migrateLive', host=host, block_migration='auto')

# SPDX-License-Identifier: Apache-2.0

"""Servers with device contexts are migrated while they run."""

import testtools
from tempest import config
from tempest.lib import decorators

from nova_cyborg.tempest.tests.scenario import moving

CONF = config.CONF


@testtools.skipUnless(
    CONF.compute_feature_enabled.live_migration, 'There is no live migration.'
)
class LiveMigrationTest(moving.MovedServerTest):
    """A guest lets go of its devices, and gets others."""

    live_migration = 'detach'

    @decorators.idempotent_id('4d6e0b9c-8a1f-4c7e-9b52-7e3f6a0d1c85')
    def test_migrate_and_back(self) -> None:
        self._migrate()
        self.assert_moved()
        destination = self.node()
        self.before, self.source = self.slots_now(), destination
        self._migrate()
        self.assert_moved()

    def _migrate(self) -> None:
        self.admin_servers.live_migrate_server(
            self.server_id, host=None, block_migration='auto'
        )

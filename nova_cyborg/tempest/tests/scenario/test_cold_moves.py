# SPDX-License-Identifier: Apache-2.0

"""Servers with device contexts are migrated while they are shut down."""

import testtools
from tempest import config
from tempest.lib import decorators

from nova_cyborg.tempest.tests.scenario import moving

CONF = config.CONF
FEATURES = CONF.compute_feature_enabled


@testtools.skipUnless(FEATURES.cold_migration, 'There is no cold migration.')
class MigrateTest(moving.MovedServerTest):
    """The administrator has a server go to another host."""

    def setUp(self) -> None:
        """Migrate it."""
        super().setUp()
        self.admin_servers.migrate_server(self.server_id)
        self.assert_waiting()

    @decorators.idempotent_id('5e4f7a0c-9d7a-4e0e-8c66-0a5d7f1d2b31')
    def test_confirm(self) -> None:
        after = self.slots_now()
        self.admin_servers.confirm_resize_server(self.server_id)
        self.assert_moved()
        self.assertEqual(after, self.slots_now())
        self.servers.reboot_server(self.server_id, type='HARD')
        self.wait_for(self.server_id, 'ACTIVE')
        self.assertEqual(after, self.slots_now())

    @decorators.idempotent_id('c0b0a3a8-4f5b-4d59-9a35-9f7f35b3a1d4')
    @testtools.skipUnless(FEATURES.shelve, 'Shelve is not available.')
    def test_shelve_after_a_confirm(self) -> None:
        self.admin_servers.confirm_resize_server(self.server_id)
        self.assert_moved()
        self.shelve(self.server_id)
        self.assert_bindings()
        self.servers.unshelve_server(self.server_id)
        self.wait_for(self.server_id, 'ACTIVE')
        self.assert_bindings(active=self.node())
        self.slots_now()

    @decorators.idempotent_id('f8c7d0d6-7f0b-4b36-9a8f-6f6d8e2c9a05')
    def test_revert(self) -> None:
        self.admin_servers.revert_resize_server(self.server_id)
        self.assert_returned()
        self.servers.reboot_server(self.server_id, type='HARD')
        self.wait_for(self.server_id, 'ACTIVE')
        self.assertEqual(self.before, self.slots_now())

    @decorators.idempotent_id('2a6a1d6f-51a2-4f9b-8a0e-3f4a9b7c6d58')
    def test_delete_before_it_is_confirmed(self) -> None:
        self.delete_server(self.server_id)
        self.assert_gone(self.server_id, *self.context_ids)
        self.assert_migration_forgotten()


@testtools.skipUnless(FEATURES.resize, 'Resize is not available.')
class ResizeTest(moving.MovedServerTest):
    """A server is resized, and comes to another host."""

    @classmethod
    def skip_checks(cls) -> None:
        """Skip where there is no other flavor."""
        super().skip_checks()
        if CONF.compute.flavor_ref_alt == CONF.compute.flavor_ref:
            raise cls.skipException(
                'There is one flavor only ([compute] flavor_ref_alt)'
            )

    def setUp(self) -> None:
        """Resize it."""
        super().setUp()
        self.servers.resize_server(self.server_id, CONF.compute.flavor_ref_alt)
        self.assert_waiting()

    @decorators.idempotent_id('9b3c1e5a-0d2f-4c8b-b7e6-1f5a8d4c2e70')
    def test_confirm(self) -> None:
        after = self.slots_now()
        self.servers.confirm_resize_server(self.server_id)
        self.assert_moved()
        self.assertEqual(after, self.slots_now())

    @decorators.idempotent_id('71d8f2b4-6c9e-4a3d-8e5f-0b2a7c9d1e43')
    def test_revert(self) -> None:
        self.servers.revert_resize_server(self.server_id)
        self.assert_returned()

# SPDX-License-Identifier: Apache-2.0

"""What stock Nova refuses to do to servers with accelerators."""

import typing as ty

from tempest import config
from tempest.lib import decorators
from tempest.lib import exceptions as lib_exc

from nova_cyborg.tempest.tests.scenario import shared_server

CONF = config.CONF


class ServerRefusalsTest(shared_server.SharedServerTest):
    """A server with two device contexts; all is as it was afterwards."""

    @decorators.idempotent_id('64353977-a4de-4a7e-90d5-c1a161112ae2')
    def test_suspend_is_refused(self) -> None:
        self._assert_refused(self.servers.suspend_server)

    @decorators.idempotent_id('545c3d98-b658-499e-b047-0d04c847c3b9')
    def test_resize_is_refused(self) -> None:
        self._assert_refused(
            self.servers.resize_server, CONF.compute.flavor_ref_alt
        )

    @decorators.idempotent_id('60b5ca53-1129-4a83-9cf7-de3091d12bc6')
    def test_cold_migration_is_refused(self) -> None:
        self._assert_refused(self.admin_servers.migrate_server)

    @decorators.idempotent_id('af90bcc4-74d7-4bca-80b3-0a78529181c2')
    def test_live_migration_is_refused(self) -> None:
        self._assert_refused(
            self.admin_servers.live_migrate_server,
            host=None,
            block_migration='auto',
        )

    def _assert_refused(
        self, action: ty.Any, *args: object, **kwargs: object
    ) -> None:
        """Check that Nova refuses an action as for any accelerator."""
        server = self.servers.show_server(self.server_id)['server']
        contexts = [self.show(each) for each in self.context_ids]
        refused = self.assertRaises(
            lib_exc.BadRequest, action, self.server_id, *args, **kwargs
        )
        self.assertIn('accelerators', str(refused))
        self.assert_kept()
        self.assertEqual(
            server, self.servers.show_server(self.server_id)['server']
        )
        self.assertEqual(
            contexts, [self.show(each) for each in self.context_ids]
        )

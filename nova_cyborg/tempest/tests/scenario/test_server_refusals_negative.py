# SPDX-License-Identifier: Apache-2.0

"""What stock Nova refuses to do to servers with accelerators."""

import typing as ty

from tempest.lib import decorators
from tempest.lib import exceptions as lib_exc

from nova_cyborg.tempest.tests.scenario import shared_server


class ServerRefusalsTest(shared_server.SharedServerTest):
    """A server with two device contexts; all is as it was afterwards."""

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
        """Check that an action is refused for what a context says."""
        server = self.servers.show_server(self.server_id)['server']
        contexts = [self.show(each) for each in self.context_ids]
        refused = self.assertRaises(
            lib_exc.BadRequest, action, self.server_id, *args, **kwargs
        )
        self.assertIn('live_migration', str(refused))
        self.assertTrue(
            any(each in str(refused) for each in self.context_ids), refused
        )
        self.assert_kept()
        self.assertEqual(
            server, self.servers.show_server(self.server_id)['server']
        )
        self.assertEqual(
            contexts, [self.show(each) for each in self.context_ids]
        )

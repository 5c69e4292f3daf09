# SPDX-License-Identifier: Apache-2.0

"""Servers with device contexts are deleted, and leave nothing."""

import testtools
from tempest import config
from tempest.common import waiters
from tempest.lib import decorators

from nova_cyborg.tempest.tests.scenario import base

CONF = config.CONF


class DeleteTest(base.BaseServerTest):
    """Servers are deleted in all states, and leave nothing."""

    def setUp(self) -> None:
        """Make two device contexts."""
        super().setUp()
        self.context_ids = [self.create_context()['uuid'] for _ in range(2)]

    def _boot(self) -> str:
        server_id = self.boot(*self.context_ids)
        self.assert_bound(server_id, *self.context_ids)
        return server_id

    @decorators.idempotent_id('79ff8905-e50f-43b3-9201-e48faff4832e')
    def test_while_it_is_built(self) -> None:
        server_id = self.request(*self.context_ids)
        self.delete_server(server_id)
        self.assert_gone(server_id, *self.context_ids)

    @decorators.idempotent_id('4dd4fe39-26ef-444f-9412-034a19ec6971')
    def test_in_error(self) -> None:
        server_id = self._boot()
        self.admin_servers.reset_state(server_id, state='error')
        self.wait_for(server_id, 'ERROR')
        self.assert_bound(server_id, *self.context_ids)
        self.delete_server(server_id)
        self.assert_gone(server_id, *self.context_ids)

    @decorators.idempotent_id('3bc240f3-ecd3-4dea-85ef-c9064c5476f3')
    def test_stopped(self) -> None:
        server_id = self._boot()
        self.servers.stop_server(server_id)
        self.wait_for(server_id, 'SHUTOFF')
        self.delete_server(server_id)
        self.assert_gone(server_id, *self.context_ids)

    @decorators.idempotent_id('f9007000-4e2e-4d57-9f88-e59c3fce4398')
    def test_by_force(self) -> None:
        server_id = self._boot()
        self.servers.force_delete_server(server_id)
        waiters.wait_for_server_termination(self.servers, server_id)
        self.assert_gone(server_id, *self.context_ids)

    @decorators.idempotent_id('437b1198-f903-4c47-9967-bc55d86a9003')
    @testtools.skipUnless(
        CONF.compute_feature_enabled.shelve, 'Shelve is not available.'
    )
    def test_shelved(self) -> None:
        server_id = self._boot()
        self.shelve(server_id)
        self.delete_server(server_id)
        self.assert_gone(server_id, *self.context_ids)

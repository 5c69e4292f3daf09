# SPDX-License-Identifier: Apache-2.0

"""Device contexts that outlive their servers."""

from tempest.lib import decorators

from nova_cyborg.tempest.tests.scenario import base


class KeptContextTest(base.BaseServerTest):
    """Some device contexts outlive their servers."""

    @decorators.idempotent_id('d2451973-6e47-453b-8151-eae6c0e5c972')
    def test_a_kept_context_serves_the_next_server(self) -> None:
        context_id = self.create_context(delete_on_termination=False)['uuid']
        for _server in range(2):
            server_id = self.boot(context_id)
            self.assert_bound(server_id, context_id)
            self.delete_server(server_id)
            self.assert_gone(server_id)
            self._assert_available(context_id)

    @decorators.idempotent_id('2cf2543d-5947-4463-a2dd-0efe3fa3739c')
    def test_one_is_kept_and_one_is_not(self) -> None:
        kept = self.create_context(delete_on_termination=False)['uuid']
        other = self.create_context()['uuid']
        server_id = self.boot(kept, other)
        self.assert_bound(server_id, kept, other)
        self.delete_server(server_id)
        self.assert_gone(server_id, other)
        self._assert_available(kept)

    @decorators.idempotent_id('33e2d96d-42a6-448f-b769-85d633516e39')
    def test_a_change_while_in_use_counts(self) -> None:
        to_keep = self.create_context()['uuid']
        to_delete = self.create_context(delete_on_termination=False)['uuid']
        server_id = self.boot(to_keep, to_delete)
        before = self.assert_bound(server_id, to_keep, to_delete)
        self.contexts.update_device_context(
            to_keep, delete_on_termination=False
        )
        self.contexts.update_device_context(
            to_delete, delete_on_termination=True
        )
        after = self.assert_bound(server_id, to_keep, to_delete)
        self.assertEqual(before, after)
        self.delete_server(server_id)
        self.assert_gone(server_id, to_delete)
        self._assert_available(to_keep)

    def _assert_available(self, context_id: str) -> None:
        context = self.show(context_id)
        self.assertEqual('available', context['status'])
        self.assertEqual([], context['devices'])
        for field in ('fault', 'host', 'server_id'):
            self.assertIsNone(context[field], field)

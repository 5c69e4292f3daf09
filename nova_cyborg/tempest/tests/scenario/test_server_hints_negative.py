# SPDX-License-Identifier: Apache-2.0

"""Servers that are not given the device contexts they ask for."""

import typing as ty
import uuid

from tempest.lib import decorators
from tempest.lib import exceptions as lib_exc
from tempest.lib.common.utils import data_utils

from nova_cyborg.tempest.tests.scenario import base


class HintsNegativeTest(base.BaseServerTest):
    """Hints that name what cannot be had."""

    credentials: ty.ClassVar[list[ty.Any]] = ['primary', 'alt', 'admin']

    def setUp(self) -> None:
        """Make a device context that could be had."""
        super().setUp()
        self.good = self.create_context()

    def _assert_refused(
        self, code: int, sentence: str, *context_ids: str, **fields: ty.Any
    ) -> None:
        """Boot in vain; the good device context is as it was."""
        found, message = self.refusal(*context_ids, **fields)
        self.assertEqual(code, found)
        self.assertIn(sentence, message)
        self.assertEqual(self.good, self.show(self.good['uuid']))

    def _assert_not_found(self, context_id: str) -> None:
        sentence = f'Device context {context_id} was not found'
        self._assert_refused(404, sentence, context_id)
        # All or nothing.
        self._assert_refused(404, sentence, self.good['uuid'], context_id)

    @decorators.idempotent_id('fe087994-80b0-48c0-aeb5-500b79744f59')
    def test_unknown(self) -> None:
        self._assert_not_found(str(uuid.uuid4()))

    @decorators.idempotent_id('dbfa3acb-e3a5-478e-9fa2-6c31863324fc')
    def test_malformed(self) -> None:
        for context_id in ('nonsense', '../../v2/devices'):
            self._assert_not_found(context_id)

    @decorators.idempotent_id('997cb29c-9973-436b-86f2-14f937091c19')
    def test_another_projects(self) -> None:
        stranger = self.os_alt.device_context.DeviceContextsClient()
        theirs = self.create_context(stranger)
        self._assert_not_found(theirs['uuid'])
        self.assertEqual(theirs, stranger.show_device_context(theirs['uuid']))

    @decorators.idempotent_id('057b858b-4272-4596-8790-f264b024f7dc')
    def test_deleted(self) -> None:
        context_id = self.create_context()['uuid']
        self.contexts.delete_device_context(context_id)
        self._assert_not_found(context_id)

    @decorators.idempotent_id('79e4da66-e2ce-49ca-b53c-3c28bf63ce47')
    def test_the_same_twice(self) -> None:
        context_id = self.good['uuid']
        self._assert_refused(
            400,
            f'{context_id} is named more than once',
            context_id,
            context_id,
        )

    @decorators.idempotent_id('43e5a52a-3564-445a-9766-9ce3e8792e2f')
    def test_two_servers(self) -> None:
        name = data_utils.rand_name('twins')
        self.addCleanup(self._delete_named, name)
        context_id = self.good['uuid']
        self._assert_refused(
            400,
            f'{context_id} cannot be given to 2 servers',
            context_id,
            name=name,
            min_count=2,
            max_count=2,
        )
        for server in self._named(name):
            self.wait_for(server['id'], 'ERROR')
            self.assert_nothing_bound(server['id'])

    def _named(self, name: str) -> list[dict[str, ty.Any]]:
        found: list[dict[str, ty.Any]] = self.servers.list_servers(name=name)[
            'servers'
        ]
        return found

    def _delete_named(self, name: str) -> None:
        for server in self._named(name):
            self.delete_server(server['id'])

    @decorators.idempotent_id('d9ce3e66-230a-498d-82e6-8030599ff467')
    def test_held_by_another_server(self) -> None:
        held = self.create_context()['uuid']
        holder = self.boot(held)
        before = self.assert_bound(holder, held)
        self._assert_refused(
            409,
            f'Device context {held} is in use by server {holder}',
            self.good['uuid'],
            held,
        )
        self.assertEqual(before, self.assert_bound(holder, held))

    @decorators.idempotent_id('432f7963-f88a-49b7-8205-4b7da91be4ff')
    def test_held_by_a_shelved_server(self) -> None:
        held = self.create_context()['uuid']
        holder = self.boot(held)
        self.shelve(holder)
        self._assert_refused(
            409,
            f'Device context {held} is in use by server {holder}',
            held,
        )
        self.assertEqual('reserved', self.show(held)['status'])

    @decorators.idempotent_id('bc69bda6-d03c-4849-8e42-2bfab34bf399')
    def test_delete_of_a_context_in_use(self) -> None:
        held = self.create_context()['uuid']
        holder = self.boot(held)
        before = self.assert_bound(holder, held)
        detail = self.assert_refused(
            'device_context.in_use',
            self.contexts.delete_device_context,
            held,
        )
        self.assertIn(holder, detail)
        self.assertEqual(before, self.assert_bound(holder, held))

    @decorators.idempotent_id('54b35ec8-fd7d-43e9-b477-4d50be7957ec')
    def test_two_servers_want_one_context(self) -> None:
        context_id = self.good['uuid']
        # The second is asked for while the first is built, and may win.
        server_ids = [self.request(context_id)]
        try:
            server_ids.append(self.request(context_id))
        except lib_exc.Conflict as exc:
            self.assertIn(f'in use by server {server_ids[0]}', str(exc))
        servers = [self.wait_built(each) for each in server_ids]
        (winner,) = [
            each['id'] for each in servers if each['status'] == 'ACTIVE'
        ]
        self.assert_bound(winner, context_id)
        for loser in servers:
            if loser['id'] != winner:
                self.assertEqual(409, loser['fault']['code'])
                sentence = f'in use by server {winner}'
                self.assertIn(sentence, loser['fault']['message'])
                self.assert_nothing_bound(loser['id'])

# SPDX-License-Identifier: Apache-2.0

"""Servers are booted with device contexts, and deleted."""

from tempest import config
from tempest.lib import decorators

from nova_cyborg.tempest.tests.scenario import base, flavors

CONF = config.CONF


class BootTest(base.BaseServerTest):
    """A server gets its devices, and takes its contexts with it."""

    @decorators.idempotent_id('c8293e31-97e4-4195-8045-382c399d4308')
    @decorators.attr(type='smoke')
    def test_boot_and_delete(self) -> None:
        context_id = self.create_context()['uuid']
        server_id = self.boot(context_id)
        self.assert_bound(server_id, context_id)
        for filters in ({'server_id': server_id}, {'status': 'bound'}):
            listed = self.contexts.list_device_contexts(**filters)
            self.assertIn(
                context_id,
                [each['uuid'] for each in listed['device_contexts']],
            )
        self.delete_server(server_id)
        self.assert_gone(server_id, context_id)

    @decorators.idempotent_id('73e2ebf5-fa2d-4833-bd8d-e2df75e96ff5')
    def test_two_contexts(self) -> None:
        context_ids = [self.create_context()['uuid'] for _ in range(2)]
        server_id = self.boot(*context_ids)
        slots = self.assert_bound(server_id, *context_ids)
        self.assertEqual(2, len(slots))
        self.delete_server(server_id)
        self.assert_gone(server_id, *context_ids)

    @decorators.idempotent_id('89dca4e2-6045-4f2e-89ad-ee1c5fdd0d24')
    def test_two_devices(self) -> None:
        resources = {CONF.device_context.resource_class: 2}
        group = self.one_device(resources=resources)
        context_id = self.create_context(**group)['uuid']
        server_id = self.boot(context_id)
        slots = self.assert_bound(server_id, context_id)
        self.assertEqual(2, len(slots))
        self.delete_server(server_id)
        self.assert_gone(server_id, context_id)

    @decorators.idempotent_id('1ba7a4f6-95a0-4fa4-a983-7cc809e481a7')
    def test_two_groups(self) -> None:
        groups = [
            self.one_device(config={'key1': 'val1'}),
            self.one_device(config={'key1': 'val2'}),
        ]
        context_id = self.create_context(groups=groups)['uuid']
        server_id = self.boot(context_id)
        self.assert_bound(server_id, context_id)
        devices = self.show(context_id)['devices']
        self.assertEqual([0, 1], sorted(each['group'] for each in devices))
        self.delete_server(server_id)
        self.assert_gone(server_id, context_id)

    @decorators.idempotent_id('b942e559-4e1d-4755-b1c3-12c5fb61bf40')
    def test_beside_a_flavor_with_a_profile(self) -> None:
        flavor_id = flavors.profile_flavor(type(self))
        context_id = self.create_context()['uuid']
        server_id = self.boot(context_id, flavorRef=flavor_id)
        self.assert_bound(server_id, context_id, profile_devices=1)
        self.delete_server(server_id)
        self.assert_gone(server_id, context_id)

    @decorators.idempotent_id('7a729cbf-f543-4960-acb5-6c66beb457cc')
    def test_without_a_context(self) -> None:
        context = self.create_context()
        server_id = self.boot()
        self.assert_nothing_bound(server_id)
        self.delete_server(server_id)
        self.assertEqual(context, self.show(context['uuid']))


class NoHostTest(base.BaseServerTest):
    """Servers that no host can give what they ask for."""

    @decorators.idempotent_id('8f4752c0-5b33-4400-9876-2b13f7538fbe')
    def test_no_valid_host(self) -> None:
        good = self.create_context()['uuid']
        bad = self.create_context(required=['UNHEARD_OF'])['uuid']
        code, message = self.refusal(good, bad)
        self.assertEqual(500, code)
        self.assertIn('No valid host', message)
        # They are free while the failed server is still there.
        for context_id in (good, bad):
            self.assertEqual('available', self.show(context_id)['status'])
        self.assert_bound(self.boot(good), good)

    @decorators.idempotent_id('e2c4454f-1e2c-4029-94d6-73eceb88692b')
    def test_delete(self) -> None:
        context_id = self.create_context(required=['UNHEARD_OF'])['uuid']
        server_id = self.request(context_id)
        self.wait_for(server_id, 'ERROR')
        self.delete_server(server_id)
        self.assert_gone(server_id)
        # It was the server's no more.
        self.assertEqual('available', self.show(context_id)['status'])

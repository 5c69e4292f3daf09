# SPDX-License-Identifier: Apache-2.0

"""Servers get device contexts while they exist, and lose them again."""

import testtools
from tempest import config
from tempest.lib import decorators

from nova_cyborg.tempest.tests.scenario import attaching

CONF = config.CONF


class AttachTest(attaching.BaseAttachTest):
    """Device contexts come to servers, and go."""

    def setUp(self) -> None:
        """Make the device context that is attached."""
        super().setUp()
        self.context_id = self.create_context()['uuid']

    def _assert_without(self, server_id: str) -> None:
        self.assertEqual([], self.attached_to(server_id))
        self.assertEqual({}, self.arqs_of(server_id))
        self.assertEqual({}, self.allocations_of(server_id))

    @decorators.idempotent_id('cd70bff4-3f2f-495e-ae42-6828c40cf8d3')
    @decorators.attr(type='smoke')
    def test_attach_and_detach(self) -> None:
        server_id = self.boot()
        self.attach(server_id, self.context_id)
        (slot,) = self.assert_bound(server_id, self.context_id)
        self.assertEqual([self.context_id], self.attached_to(server_id))
        shown = self.attachments.show_server_device_context(
            server_id, self.context_id
        )['deviceContextAttachment']
        (device,) = shown['devices']
        self.assertEqual(
            slot, (device['accelerator_request_id'], device['slot'])
        )
        self.detach(server_id, self.context_id)
        self._assert_without(server_id)

    @decorators.idempotent_id('31c69903-2c07-433b-9f4e-58ad4e052abe')
    def test_the_action_is_recorded(self) -> None:
        server_id = self.boot()
        self.attach(server_id, self.context_id)
        self.detach(server_id, self.context_id)
        listed = self.servers.list_instance_actions(server_id)
        names = {each['action'] for each in listed['instanceActions']}
        self.assertLessEqual(
            {'attach_device_context', 'detach_device_context'}, names
        )

    @decorators.idempotent_id('54c4f914-6623-4aef-84fa-31e4a4c3d314')
    def test_the_tag_is_kept(self) -> None:
        server_id = self.boot()
        self.attach(server_id, self.context_id, tag='gzip')
        self.assertEqual('gzip', self.show(self.context_id)['tag'])
        shown = self.attachments.show_server_device_context(
            server_id, self.context_id
        )['deviceContextAttachment']
        self.assertEqual('gzip', shown['tag'])

    @decorators.idempotent_id('e1b7507c-453a-4868-b59f-04bf07791c7a')
    def test_beside_one_of_the_boot(self) -> None:
        first = self.create_context()['uuid']
        server_id = self.boot(first)
        self.attach(server_id, self.context_id)
        slots = self.assert_bound(server_id, first, self.context_id)
        self.servers.reboot_server(server_id, type='HARD')
        self.wait_for(server_id, 'ACTIVE')
        self.assertEqual(
            slots, self.assert_bound(server_id, first, self.context_id)
        )
        self.detach(server_id, first)
        self.assert_bound(server_id, self.context_id)
        self.assertEqual([self.context_id], self.attached_to(server_id))

    @decorators.idempotent_id('1ec9a8e2-c417-4fd4-9467-6e8d83e47d11')
    def test_a_stopped_server(self) -> None:
        server_id = self.boot()
        self.servers.stop_server(server_id)
        self.wait_for(server_id, 'SHUTOFF')
        self.attach(server_id, self.context_id)
        slots = self.assert_bound(server_id, self.context_id)
        self.servers.start_server(server_id)
        self.wait_for(server_id, 'ACTIVE')
        self.assertEqual(slots, self.assert_bound(server_id, self.context_id))
        self.servers.stop_server(server_id)
        self.wait_for(server_id, 'SHUTOFF')
        self.detach(server_id, self.context_id)
        self._assert_without(server_id)

    @decorators.idempotent_id('892574fd-00fd-420e-a402-2fa9f19644d3')
    @testtools.skipUnless(
        CONF.compute_feature_enabled.shelve, 'Shelve is not available.'
    )
    def test_shelve_and_unshelve(self) -> None:
        server_id = self.boot()
        self.attach(server_id, self.context_id)
        self.shelve(server_id)
        self.assertEqual('reserved', self.show(self.context_id)['status'])
        self.servers.unshelve_server(server_id)
        self.wait_for(server_id, 'ACTIVE')
        self.assert_bound(server_id, self.context_id)

    @decorators.idempotent_id('3c1e0d12-00f8-4a1b-9748-c5b94f86715b')
    def test_delete(self) -> None:
        server_id = self.boot()
        self.attach(server_id, self.context_id)
        self.delete_server(server_id)
        self.assert_gone(server_id, self.context_id)

    @decorators.idempotent_id('3dacaa77-568b-4807-91a3-0ad75a4b1dc6')
    def test_another_server_gets_it_next(self) -> None:
        server_id = self.boot()
        self.attach(server_id, self.context_id)
        self.detach(server_id, self.context_id)
        other_id = self.boot()
        self.attach(other_id, self.context_id)
        self.assert_bound(other_id, self.context_id)
        self._assert_without(server_id)

# SPDX-License-Identifier: Apache-2.0

"""Device contexts that are not attached to servers, or not detached."""

import typing as ty
import uuid

import testtools
from tempest import config
from tempest.lib import decorators
from tempest.lib import exceptions as lib_exc

from nova_cyborg.tempest.tests.scenario import attaching

CONF = config.CONF


class AttachNegativeTest(attaching.BaseAttachTest):
    """What Nova refuses at once."""

    credentials: ty.ClassVar[list[ty.Any]] = [
        'primary',
        'project_reader',
        'alt',
        'admin',
    ]

    def setUp(self) -> None:
        """Make a server, and what could be attached to it."""
        super().setUp()
        self.context_id = self.create_context()['uuid']
        self.server_id = self.boot()

    def _assert_refused(
        self,
        error: type[lib_exc.ClientRestClientException],
        call: ty.Any,
        *args: str,
        **fields: str,
    ) -> str:
        """Ask for it in vain, and return the sentence."""
        refused = self.assertRaises(error, call, *args, **fields)
        return str(refused)

    def _assert_not_attached(self) -> None:
        self.assertEqual('available', self.show(self.context_id)['status'])
        self.assertEqual([], self.attached_to(self.server_id))

    @decorators.idempotent_id('0d2c228d-855b-42ec-8205-87ae5ac9f885')
    def test_attach_unknown(self) -> None:
        unknown = str(uuid.uuid4())
        sentence = self._assert_refused(
            lib_exc.NotFound,
            self.attachments.attach_device_context,
            self.server_id,
            unknown,
        )
        self.assertIn(f'Device context {unknown} was not found', sentence)

    @decorators.idempotent_id('a875c7d4-64f6-4b14-8370-eeb821c557e6')
    def test_attach_what_is_no_uuid(self) -> None:
        self._assert_refused(
            lib_exc.BadRequest,
            self.attachments.attach_device_context,
            self.server_id,
            'nonsense',
        )

    @decorators.idempotent_id('0dc01456-aa4a-460b-9bb5-9b0aba51dd04')
    def test_attach_with_a_tag_that_is_none(self) -> None:
        for tag in ('', 'a/b', 'a,b', 'a' * 61):
            self._assert_refused(
                lib_exc.BadRequest,
                self.attachments.attach_device_context,
                self.server_id,
                self.context_id,
                tag=tag,
            )
        self._assert_not_attached()

    @decorators.idempotent_id('0ddd8398-1c70-448f-96c0-9f578cccac2f')
    def test_attach_to_an_unknown_server(self) -> None:
        self._assert_refused(
            lib_exc.NotFound,
            self.attachments.attach_device_context,
            str(uuid.uuid4()),
            self.context_id,
        )
        self._assert_not_attached()

    @decorators.idempotent_id('93e7a8d2-e212-402b-b7ca-0d72bb995436')
    def test_attach_twice(self) -> None:
        self.attach(self.server_id, self.context_id)
        slots = self.assert_bound(self.server_id, self.context_id)
        self._assert_refused(
            lib_exc.Conflict,
            self.attachments.attach_device_context,
            self.server_id,
            self.context_id,
        )
        self.assertEqual(
            slots, self.assert_bound(self.server_id, self.context_id)
        )

    @decorators.idempotent_id('c28fcaf7-3894-4cab-979e-ff578527feff')
    def test_attach_what_another_server_has(self) -> None:
        holder = self.boot(self.context_id)
        sentence = self._assert_refused(
            lib_exc.Conflict,
            self.attachments.attach_device_context,
            self.server_id,
            self.context_id,
        )
        self.assertIn(f'in use by server {holder}', sentence)
        self.assert_bound(holder, self.context_id)

    @decorators.idempotent_id('2cba333b-f940-4572-a922-7cc2c204bfed')
    def test_two_of_one_tag(self) -> None:
        other = self.create_context()['uuid']
        self.attach(self.server_id, other, tag='gzip')
        sentence = self._assert_refused(
            lib_exc.Conflict,
            self.attachments.attach_device_context,
            self.server_id,
            self.context_id,
            tag='gzip',
        )
        self.assertIn('gzip', sentence)
        self.assertEqual([other], self.attached_to(self.server_id))
        # It is deleted before the server is.
        self.detach(self.server_id, other)

    @decorators.idempotent_id('93d2729c-44ed-4e31-bfd8-572da0de2f8c')
    def test_detach_what_is_not_attached(self) -> None:
        self._assert_refused(
            lib_exc.NotFound,
            self.attachments.detach_device_context,
            self.server_id,
            self.context_id,
        )
        self._assert_refused(
            lib_exc.NotFound,
            self.attachments.show_server_device_context,
            self.server_id,
            self.context_id,
        )

    @decorators.idempotent_id('87eed570-8ceb-443d-848d-a20e9ccbffec')
    def test_a_locked_server(self) -> None:
        self.servers.lock_server(self.server_id)
        self.addCleanup(self.servers.unlock_server, self.server_id)
        self._assert_refused(
            lib_exc.Conflict,
            self.attachments.attach_device_context,
            self.server_id,
            self.context_id,
        )
        self._assert_not_attached()

    @decorators.idempotent_id('950d45de-5ed1-4f87-a444-41856508aee7')
    @testtools.skipUnless(
        CONF.compute_feature_enabled.pause, 'Pause is not available.'
    )
    def test_detach_from_a_paused_server(self) -> None:
        self.attach(self.server_id, self.context_id)
        self.servers.pause_server(self.server_id)
        self.wait_for(self.server_id, 'PAUSED')
        self._assert_refused(
            lib_exc.Conflict,
            self.attachments.detach_device_context,
            self.server_id,
            self.context_id,
        )
        self.servers.unpause_server(self.server_id)
        self.wait_for(self.server_id, 'ACTIVE')
        self.assert_bound(self.server_id, self.context_id)

    @decorators.idempotent_id('45978d8e-b83a-40f6-810d-3030a523e99c')
    def test_a_reader_attaches_nothing(self) -> None:
        reader = self.attachments_client(self.os_project_reader)
        listed = reader.list_server_device_contexts(self.server_id)
        self.assertEqual([], listed['deviceContextAttachments'])
        self._assert_refused(
            lib_exc.Forbidden,
            reader.attach_device_context,
            self.server_id,
            self.context_id,
        )
        self._assert_not_attached()

    @decorators.idempotent_id('45cc44a2-b225-4c0d-bf3b-2a54aedbbd16')
    def test_another_project_finds_nothing(self) -> None:
        stranger = self.attachments_client(self.os_alt)
        for call, args in (
            (stranger.list_server_device_contexts, ()),
            (stranger.attach_device_context, (self.context_id,)),
            (stranger.detach_device_context, (self.context_id,)),
        ):
            self._assert_refused(lib_exc.NotFound, call, self.server_id, *args)
        self._assert_not_attached()

    @decorators.idempotent_id('1f5ff13e-f018-49d7-bd3d-5421a8fa2c92')
    def test_attach_another_projects(self) -> None:
        stranger = self.os_alt.device_context.DeviceContextsClient()
        theirs = self.create_context(stranger)
        sentence = self._assert_refused(
            lib_exc.NotFound,
            self.attachments.attach_device_context,
            self.server_id,
            theirs['uuid'],
        )
        self.assertIn(
            f'Device context {theirs["uuid"]} was not found', sentence
        )

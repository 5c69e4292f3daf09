# SPDX-License-Identifier: Apache-2.0

"""What is done to servers with device contexts."""

import testtools
from tempest import config
from tempest.common import waiters
from tempest.lib import decorators
from tempest.lib import exceptions as lib_exc
from tempest.lib.common.utils import data_utils, test_utils

from nova_cyborg.tempest.tests.scenario import shared_server

CONF = config.CONF
FEATURES = CONF.compute_feature_enabled


class ServerOperationsTest(shared_server.SharedServerTest):
    """A server with two device contexts keeps its slots."""

    def _snapshot(self) -> str:
        image_id = self.os_primary.compute_images_client.create_image(
            self.server_id, name=data_utils.rand_name('snapshot')
        )['image_id']
        self._wait_for_image(image_id)
        # The image is ready a moment before the server is.
        self.assert_kept()
        return str(image_id)

    def _wait_for_image(self, image_id: str) -> None:
        images = self.os_primary.image_client_v2
        self.addCleanup(
            test_utils.call_and_ignore_notfound_exc,
            images.delete_image,
            image_id,
        )
        waiters.wait_for_image_status(images, image_id, 'active')

    @decorators.idempotent_id('1eb27da7-2474-42b0-b295-639449511b74')
    def test_stop_and_start(self) -> None:
        self.servers.stop_server(self.server_id)
        self.assert_kept('SHUTOFF')
        self.servers.start_server(self.server_id)
        self.assert_kept()

    @decorators.idempotent_id('ed4cdcbb-6797-435e-bf27-7c11419a77d4')
    def test_soft_reboot(self) -> None:
        self.servers.reboot_server(self.server_id, type='SOFT')
        self.assert_kept()

    @decorators.idempotent_id('3e8fe866-f047-4c9e-9c25-19ad8ac990c8')
    def test_hard_reboot(self) -> None:
        self.servers.reboot_server(self.server_id, type='HARD')
        self.assert_kept()

    @decorators.idempotent_id('072c6c7c-7bd6-47c1-9455-996c4d50f713')
    @testtools.skipUnless(FEATURES.pause, 'Pause is not available.')
    def test_pause_and_unpause(self) -> None:
        self.servers.pause_server(self.server_id)
        self.assert_kept('PAUSED')
        self.servers.unpause_server(self.server_id)
        self.assert_kept()

    @decorators.idempotent_id('0a7d3c52-5e1b-4f86-9c0d-8b6e2f4a7d19')
    @testtools.skipUnless(FEATURES.suspend, 'Suspend is not available.')
    def test_suspend_and_resume(self) -> None:
        self.servers.suspend_server(self.server_id)
        self.assert_kept('SUSPENDED')
        self.servers.resume_server(self.server_id)
        self.assert_kept()

    @decorators.idempotent_id('bcf4d7c5-c94d-4fbc-8779-5ca3a407965f')
    def test_lock_and_unlock(self) -> None:
        self.servers.lock_server(self.server_id)
        self.addCleanup(self.servers.unlock_server, self.server_id)
        self.assertRaises(
            lib_exc.Conflict, self.servers.stop_server, self.server_id
        )
        self.assert_kept()
        self.servers.unlock_server(self.server_id)
        self.assert_kept()

    @decorators.idempotent_id('502fe0d4-4e9f-408d-972e-3857a7605c72')
    @testtools.skipUnless(FEATURES.snapshot, 'Snapshots are not available.')
    def test_snapshot(self) -> None:
        self._snapshot()

    @decorators.idempotent_id('65372e82-0379-4106-ba43-e524d81ca01a')
    @testtools.skipUnless(FEATURES.snapshot, 'Snapshots are not available.')
    def test_backup(self) -> None:
        image_id = self.servers.create_backup(
            self.server_id,
            name=data_utils.rand_name('backup'),
            backup_type='daily',
            rotation=1,
        )['image_id']
        self._wait_for_image(image_id)
        self.assert_kept()

    @decorators.idempotent_id('bbeea051-e96d-4b00-a093-cc349dbb21d1')
    @testtools.skipUnless(FEATURES.rescue, 'Rescue is not available.')
    def test_rescue_and_unrescue(self) -> None:
        self.servers.rescue_server(self.server_id)
        self.assert_kept('RESCUE')
        self.servers.unrescue_server(self.server_id)
        self.assert_kept()

    @decorators.idempotent_id('b253f5cd-eae3-4ed9-9084-6e5a6233180b')
    def test_rebuild(self) -> None:
        self.servers.rebuild_server(self.server_id, CONF.compute.image_ref)
        self.assert_kept()

    @decorators.idempotent_id('a63c6fd8-58a0-4330-9e86-62cb8c2fc580')
    @testtools.skipUnless(FEATURES.snapshot, 'Snapshots are not available.')
    def test_rebuild_with_another_image(self) -> None:
        image_id = self._snapshot()
        for each in (image_id, CONF.compute.image_ref):
            self.servers.rebuild_server(self.server_id, each)
            self.assert_kept()

    @decorators.idempotent_id('8d0f1c79-3837-477c-a37a-da7ca5983c54')
    @testtools.skipUnless(
        CONF.device_context.soft_delete, 'Deleted servers are not kept.'
    )
    def test_delete_and_restore(self) -> None:
        self.servers.delete_server(self.server_id)
        self.assert_kept('SOFT_DELETED')
        self.servers.restore_soft_deleted_server(self.server_id)
        self.assert_kept()

    @decorators.idempotent_id('646ecfb4-72c2-4b82-a052-3d0babd57003')
    @testtools.skipUnless(FEATURES.shelve, 'Shelve is not available.')
    @testtools.skipUnless(
        CONF.compute.shelved_offload_time,
        'Shelved servers leave their hosts at once.',
    )
    def test_shelve_and_unshelve(self) -> None:
        self.servers.shelve_server(self.server_id)
        self.assert_kept('SHELVED')
        self.servers.unshelve_server(self.server_id)
        self.assert_kept()

    @decorators.idempotent_id('01072f79-3862-463f-bdc7-69938cdc0d73')
    @testtools.skipUnless(FEATURES.shelve, 'Shelve is not available.')
    def test_shelve_offload_and_unshelve(self) -> None:
        for _time in range(2):
            self.shelve(self.server_id)
            self.assertEqual({}, self.arqs_of(self.server_id))
            self.assertEqual({}, self.allocations_of(self.server_id))
            for context_id in self.context_ids:
                context = self.show(context_id)
                self.assertEqual('reserved', context['status'])
                self.assertEqual(self.server_id, context['server_id'])
                self.assertEqual([], context['devices'])
            self.servers.unshelve_server(self.server_id)
            self.wait_for(self.server_id, 'ACTIVE')
            self.slots_now()

# SPDX-License-Identifier: Apache-2.0

"""Live migration, as administrators do it, and as it is refused."""

from tests.functional.nova.moves import running  # isort: skip - first

import typing as ty
from unittest import mock

from nova import context as nova_context
from nova import exception as nova_exception
from nova import objects
from nova.compute import task_states
from nova.conductor import api as conductor
from nova.tests.functional.api import client
from nova_cyborg.nova.api import live

SOURCE, DESTINATION = running.HOSTS


class LiveTest(running.TestCase):
    """From one compute node to the other one."""

    def test_there_and_back(self) -> None:
        self.live_migrate()
        self.assert_moved()
        for xml in self.guest_moves.sent:
            self.assertEqual([], xml.findall('devices/hostdev'))
        self.do('reboot', 'ACTIVE', {'type': 'HARD'})
        self.assert_moved()
        self.live_migrate(SOURCE)
        self.assert_moved(SOURCE)

    def test_what_is_done_after_it(self) -> None:
        self.live_migrate()
        self.assert_moved()
        self.do('suspend', 'SUSPENDED')
        self.do('resume', 'ACTIVE')
        self.assert_moved()
        self.migrate_back()
        self.live_migrate()
        self.assert_moved()
        self.set_enabled(SOURCE, True)
        self.take_down(DESTINATION)
        self.do('evacuate', 'SHUTOFF', {})
        self.assert_on(SOURCE)

    def migrate_back(self) -> None:
        """Migrate all servers back, cold."""
        self.do('migrate', 'VERIFY_RESIZE', {'host': SOURCE})
        self.assert_waiting(DESTINATION, SOURCE)
        self.do('confirmResize', 'ACTIVE')
        self.assert_on(SOURCE)


class CallsTest(running.TestCase):
    """Calls of Cyborg are counted: however many devices a server has."""

    KINDS = running.TestCase.KINDS[1:2]

    def test_calls(self) -> None:
        before = len(self.nova_calls())
        all_before = len(self.cyborg.control('requests'))
        self.live_migrate()
        self.assert_moved()
        server_id = self.all[0].server['id']
        allocation = '/v2/device_allocations/SERVER'
        read = ('GET', '/v2/accelerator_requests')
        self.assertEqual(
            [
                # nova-api
                ('GET', allocation),
                # nova-conductor
                ('POST', f'{allocation}/begin'),
                ('POST', f'{allocation}/bind'),
                # The destination; the source, of mediated devices; the
                # destination, which of them move with their state; the source.
                read,
                ('GET', allocation),
                read,
                ('POST', f'{allocation}/activate'),
                ('POST', f'{allocation}/settle'),
            ],
            [
                (method, path.replace(server_id, 'SERVER'))
                for method, path in self.without_polls(
                    self.nova_calls()[before:]
                )
            ],
        )
        # While devices are being bound, the destination asks once a second.
        queries = [
            query
            for method, path, query in self.cyborg.control('requests')[
                all_before:
            ]
            if (method, path) == read and 'migration=' not in query
        ]
        self.assertEqual(2, len(queries))


class RefusalTest(running.TestCase):
    """Nothing is done, and the answer says why."""

    KINDS = running.TestCase.KINDS[1:2]

    def _assert_refused(
        self,
        *said: str,
        status: int = 400,
        microversion: str | None = None,
        **arguments: ty.Any,
    ) -> None:
        arguments = {'host': None, 'block_migration': 'auto', **arguments}
        before = self.admin_api.microversion
        self.admin_api.microversion = microversion or before
        error = self.assertRaises(
            client.OpenStackApiException,
            self.admin_api.post_server_action,
            self.all[0].server['id'],
            {'os-migrateLive': arguments},
        )
        self.admin_api.microversion = before
        self.assertEqual(status, error.response.status_code)
        for text in said:
            self.assertIn(text, error.response.text)
        self.assertEqual([], self.migrations())
        self.assert_on(SOURCE)

    def test_what_a_context_says(self) -> None:
        _detach, context_id = self.all[0].contexts
        self.update_context(context_id, live_migration='refuse')
        self._assert_refused(context_id, 'says', 'refuse', 'live_migration')
        self.update_context(context_id, live_migration='detach')
        self.live_migrate()
        self.assert_moved()

    def test_a_forced_host(self) -> None:
        self._assert_refused(
            'cannot be forced',
            microversion='2.67',
            host=DESTINATION,
            force=True,
        )
        # Before there was a word for it.
        self._assert_refused(
            'cannot be forced',
            microversion='2.25',
            host=DESTINATION,
        )

    def test_a_paused_server(self) -> None:
        self.do('pause', 'PAUSED')
        self._assert_refused('Unpause it', status=409)
        self.do('unpause', 'ACTIVE')

    def test_a_nova_api_without_the_plugin(self) -> None:
        with self.without_api_plugin():
            self._assert_refused('instances that have accelerators')

    def test_nova_conductor_refuses_a_forced_host_too(self) -> None:
        server_id = self.all[0].server['id']
        before = self.admin_api.microversion
        self.admin_api.microversion = '2.67'
        with mock.patch.object(live, 'check', autospec=True):
            self.admin_api.post_server_action(
                server_id,
                {
                    'os-migrateLive': {
                        'host': DESTINATION,
                        'block_migration': 'auto',
                        'force': True,
                    }
                },
            )
        self.admin_api.microversion = before
        self.wait_for(
            lambda: [each['status'] for each in self.migrations()] == ['error']
        )
        self.wait_for_all('ACTIVE')
        self.assert_on(SOURCE)

    def test_nova_conductor_refuses_device_profiles_too(self) -> None:
        self.create_profile('gpu', {'resources:PGPU': '1'})
        flavor = self._create_flavor(
            extra_spec={'accel:device_profile': 'gpu'}
        )
        made = [self.create_context()]
        beside = self.boot(*made, flavorRef=flavor)
        moved = running.moving.Moved(beside, made, 1)
        before = self.bindings(moved)
        # Nova shows whose migration it is.
        context = nova_context.RequestContext(
            'admin', self.api.project_id, is_admin=True
        )
        instance = objects.Instance.get_by_uuid(context, beside['id'])
        instance.task_state = task_states.MIGRATING
        instance.save()
        objects.InstanceAction.action_start(
            context, instance.uuid, 'live-migration', want_result=False
        )
        error = self.assertRaises(
            nova_exception.MigrationPreCheckError,
            conductor.ComputeTaskAPI().live_migrate_instance,
            context,
            instance,
            None,
            block_migration=None,
            disk_over_commit=None,
            request_spec=objects.RequestSpec.get_by_instance_uuid(
                context, instance.uuid
            ),
        )
        self.assertIn('accelerators', str(error))
        self.wait_for_status(beside, 'ACTIVE')
        self.assertEqual(before, self.bindings(moved))
        self.assert_in_step(audited=False)

# SPDX-License-Identifier: Apache-2.0

"""What Nova refuses to servers with accelerators, and to whom it does not.

A request that is not refused ends at nova-conductor here, which is not asked
to do it.
"""

from tests.functional.nova import base  # isort: skip - first

import typing as ty
from unittest import mock

from nova import context as nova_context
from nova import exception as nova_exception
from nova import objects
from nova.tests.functional.api import client
from nova_cyborg.nova.api import gate
from nova_cyborg.nova.features import computes, conductors, presence
from oslo_utils import timeutils

from tests.functional.nova import stock

_MIGRATE: dict[str, ty.Any] = {'migrate': None}
_SUSPEND: dict[str, ty.Any] = {'suspend': None}
_LIVE_MIGRATE = {'os-migrateLive': {'host': None, 'block_migration': 'auto'}}
_ALL = (_MIGRATE, _SUSPEND, _LIVE_MIGRATE)
_REFUSAL = 'Feature not supported with instances that have accelerators.'
_STOCK = 'nova.conductor.manager.ConductorManager'


class TestCase(base.TestCase):
    """Two compute nodes."""

    HOSTS = ('compute1', 'compute2')

    def setUp(self) -> None:
        super().setUp()
        self.add_device(slots=8)
        # The API's own client of nova-conductor.
        self.asked = self.useFixture(
            base.fixtures.MockPatch(
                'nova.conductor.api.ComputeTaskAPI.resize_instance'
            )
        ).mock

    def assert_refused(
        self, server: dict[str, ty.Any], *actions: dict[str, ty.Any]
    ) -> None:
        """Check that Nova refuses as it does without the plugin."""
        for action in actions:
            error = self.assertRaises(
                client.OpenStackApiException,
                self.admin_api.post_server_action,
                server['id'],
                action,
            )
            self.assertEqual(400, error.response.status_code, action)
            self.assertIn(_REFUSAL, error.response.text)
        found = self.admin_api.get_server(server['id'])
        self.assertEqual('ACTIVE', found['status'])
        self.assertIsNone(found['OS-EXT-STS:task_state'])
        self.asked.assert_not_called()

    def assert_asked(
        self, server: dict[str, ty.Any], action: dict[str, ty.Any]
    ) -> dict[str, ty.Any]:
        """Check that nova-conductor is asked; return what it is told."""
        self.asked.reset_mock()
        self.admin_api.post_server_action(server['id'], action)
        self.asked.assert_called_once()
        # Let the next one begin.
        self.admin_api.post_server_action(
            server['id'], {'os-resetState': {'state': 'active'}}
        )
        told: dict[str, ty.Any] = self.asked.call_args.kwargs
        return told

    def start_stock(self, host: str) -> None:
        """Start a nova-compute again, without the plugin."""
        with stock.StockComputes():
            self.restart_compute_service(host)


class RefusalTest(TestCase):
    """Which servers, and which operations."""

    def setUp(self) -> None:
        super().setUp()
        self.server = self.boot(self.create_context())

    def _flavor_with_profile(self) -> str:
        self.create_profile('gpu', {'resources:FPGA': '1'})
        return str(
            self._create_flavor(extra_spec={'accel:device_profile': 'gpu'})
        )

    def test_a_server_with_device_contexts(self) -> None:
        told = self.assert_asked(self.server, _MIGRATE)
        self.assertIn('compute1', str(told['scheduler_hint']))
        host = self.assert_asked(
            self.server, {'migrate': {'host': 'compute2'}}
        )
        destination = host['request_spec'].requested_destination
        self.assertEqual('compute2', destination.host)
        flavor = self._create_flavor(vcpu=1)
        told = self.assert_asked(
            self.server, {'resize': {'flavorRef': flavor}}
        )
        self.assertEqual(flavor, told['flavor'].flavorid)

    def test_what_else_refuses_stays_in_force(self) -> None:
        error = self.assertRaises(
            client.OpenStackApiException,
            self.admin_api.post_server_action,
            self.server['id'],
            {'migrate': {'host': 'nowhere'}},
        )
        self.assertEqual(400, error.response.status_code)
        self.assertIn('nowhere', error.response.text)
        self.api.post_server_action(self.server['id'], {'lock': None})
        error = self.assertRaises(
            client.OpenStackApiException,
            # Administrators pass the lock.
            self.api.post_server_action,
            self.server['id'],
            _SUSPEND,
        )
        self.assertEqual(409, error.response.status_code)
        self.assertIn('is locked', error.response.text)
        self.asked.assert_not_called()

    def test_a_flavor_with_a_profile(self) -> None:
        flavor = self._flavor_with_profile()
        self.assert_refused(self.server, {'resize': {'flavorRef': flavor}})

    def test_servers_with_a_profile(self) -> None:
        flavor = self._flavor_with_profile()
        for contexts in ((), (self.create_context(),)):
            server = self.boot(*contexts, flavorRef=flavor)
            self.assert_refused(
                server, *_ALL, {'resize': {'flavorRef': self.plain_flavor}}
            )

    def test_a_server_without_accelerators(self) -> None:
        with mock.patch.object(
            conductors.Conductors, 'unable', autospec=True
        ) as unable:
            self.assert_asked(self.boot(), _MIGRATE)
        unable.assert_not_called()


class WhoCanTest(TestCase):
    """Which services."""

    def setUp(self) -> None:
        super().setUp()
        self.server = self.boot(self.create_context())

    def _traits(self, host: str) -> list[str]:
        return list(
            self._get_provider_traits(self._get_provider_uuid_by_name(host))
        )

    def test_the_trait(self) -> None:
        for host in self.HOSTS:
            self.assertIn(computes.TRAIT, self._traits(host))
        before = self._traits('compute1')

        self.start_stock('compute1')

        self.assertEqual(
            set(before) - {computes.TRAIT}, set(self._traits('compute1'))
        )
        self.assertIn(computes.TRAIT, self._traits('compute2'))

    def test_a_stock_nova_compute(self) -> None:
        self.start_stock('compute1')
        self.assert_refused(self.server, *_ALL)

        self.restart_compute_service('compute1')
        self.assert_asked(self.server, _MIGRATE)

    def test_a_nova_compute_that_was_killed(self) -> None:
        with mock.patch.object(computes, 'withdraw'):
            self.start_stock('compute1')
        self.assertIn(computes.TRAIT, self._traits('compute1'))
        self.assert_refused(self.server, *_ALL)

    def test_placement_does_not_answer_when_nova_compute_stops(self) -> None:
        node = self.computes['compute1'].manager.rt.compute_nodes['compute1']
        report_client = self.computes['compute1'].manager.reportclient
        for method in ('get', 'put'):
            with mock.patch.object(
                report_client, method, return_value=mock.Mock(status_code=503)
            ) as call:
                call.return_value.__bool__ = lambda _response: False
                computes.withdraw(
                    report_client, nova_context.get_admin_context(), node.uuid
                )
            self.assertIn(computes.TRAIT, self._traits('compute1'))

    def test_a_stock_nova_conductor(self) -> None:
        self.start_service('conductor', host='second', manager=_STOCK)
        self.assert_refused(self.server, _MIGRATE)
        # It has no part in it.
        self.act(self.server, 'suspend', 'SUSPENDED')

    def test_an_older_nova_conductor(self) -> None:
        describe = presence.Presence.describe

        def older(endpoint: ty.Any, context: ty.Any) -> dict[str, ty.Any]:
            found = describe(endpoint, context)
            del found['features']
            return found

        self.useFixture(
            base.fixtures.MonkeyPatch(
                f'{presence.__name__}.Presence.describe', older
            )
        )
        self.assert_refused(self.server, _MIGRATE)

    def test_a_nova_conductor_that_does_not_answer(self) -> None:
        self.useFixture(
            base.fixtures.MonkeyPatch(f'{conductors.__name__}._SECONDS', 1)
        )
        cell = self.cell_mappings['cell1']
        with nova_context.target_cell(
            nova_context.get_admin_context(), cell
        ) as context:
            mute = objects.Service(
                context,
                host='mute',
                binary='nova-conductor',
                topic='conductor',
                report_count=0,
            )
            mute.create()
            mute.last_seen_up = timeutils.utcnow()
            mute.save()
        self.assert_refused(self.server, _MIGRATE)

    def test_it_is_not_known_which_there_are(self) -> None:
        for found in (
            {'side_effect': nova_exception.ServiceNotFound(service_id=1)},
            {'return_value': []},
        ):
            with mock.patch.object(conductors, '_live', **found):
                gate.CONDUCTORS.forget()
                self.assert_refused(self.server, _MIGRATE)

    def test_they_are_asked_once(self) -> None:
        with mock.patch.object(
            presence, 'ask', side_effect=presence.ask
        ) as ask:
            for _time in range(2):
                self.assert_asked(self.server, _MIGRATE)
        ask.assert_called_once()

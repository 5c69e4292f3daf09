# SPDX-License-Identifier: Apache-2.0

"""What nova-cyborg-status finds with nova.conf."""

from tests.functional.nova import base  # isort: skip - first

import datetime

from nova import context, objects
from nova_cyborg.checks import nova_side, results
from nova_cyborg.checks.services import conductors, moves
from nova_cyborg.fixture import http_server
from nova_cyborg.nova.api import gate
from nova_cyborg.nova.features import asking
from oslo_upgradecheck import upgradecheck
from oslo_utils import timeutils

from tests.functional.nova import stock

_STOCK = 'nova.conductor.manager.ConductorManager'
_SUCCESS, _WARNING, _FAILURE = sorted(upgradecheck.Code)


class StatusTest(base.TestCase):
    """Checks, each with something to find and without."""

    def _assert_result(
        self,
        result: results.Result,
        code: upgradecheck.Code,
        *parts: str,
    ) -> None:
        self.assertEqual(code, result.code, result.details)
        for part in parts:
            self.assertIn(part, result.details)

    # Conductors

    def test_conductors_with_the_plugin(self) -> None:
        self.start_service('conductor', host='second')
        self._assert_result(
            conductors.check(), _SUCCESS, 'All 2 ', 'second (cell cell1)'
        )
        self._record('gone', self.cell_mappings['cell1'], minutes_ago=120)
        self._assert_result(
            conductors.check(), _WARNING, 'are down: gone (cell cell1)'
        )
        self.useFixture(
            base.fixtures.MonkeyPatch(f'{asking.__name__}.SECONDS', 1)
        )
        self._record('mute', self.cell_mappings['cell1'])
        self._assert_result(
            conductors.check(), _WARNING, 'cannot be asked: mute', 'fake:'
        )

    def test_conductors_without_it(self) -> None:
        self.start_service('conductor', host='second', manager=_STOCK)
        result = conductors.check()
        self._assert_result(
            result, _FAILURE, 'without the plugin', 'driver = nova_cyborg'
        )
        self.assertIn('contexts: second (cell cell1).', result.details)
        # Its database is that of cell0, and its bus that of the API.
        self._record('super', self.cell_mappings['cell0'])
        self.start_service('conductor', host='super', manager=_STOCK)
        self._assert_result(conductors.check(), _FAILURE, 'super (cell cell0)')

    def test_two_conductors_of_one_name(self) -> None:
        self.start_service('conductor', host='conductor', manager=_STOCK)
        # On a real bus they take turns; here, whoever looks first is asked.
        result = self.wait_for(
            lambda: (r := conductors.check()).code == _FAILURE and r
        )
        self._assert_result(result, _FAILURE, 'conductor (cell cell1)')

    def _record(
        self, host: str, cell: objects.CellMapping, minutes_ago: int = 0
    ) -> None:
        """Record a conductor as one that has reported to Nova."""
        admin = context.get_admin_context()
        with context.target_cell(admin, cell) as targeted:
            service = objects.Service(
                targeted,
                host=host,
                binary='nova-conductor',
                topic='conductor',
                report_count=0,
            )
            service.create()
            service.last_seen_up = timeutils.utcnow() - datetime.timedelta(
                minutes=minutes_ago
            )
            service.save()

    # Moves

    def test_hosts_that_servers_can_be_moved_between(self) -> None:
        self.start_compute('compute2')
        self._assert_result(moves.check(), _SUCCESS, 'suspended on: 2.')
        with stock.StockComputes():
            self.restart_compute_service('compute1')
        self._assert_result(
            moves.check(), _SUCCESS, 'on: 1.', 'no accelerators: compute1.'
        )
        with stock.StockComputes():
            self.restart_compute_service('compute2')
        self._assert_result(
            moves.check(), _WARNING, 'No nova-compute', 'driver = nova_cyborg'
        )

    def test_a_nova_whose_refusals_are_elsewhere(self) -> None:
        self.useFixture(
            base.fixtures.MonkeyPatch(
                f'{gate.__name__}.functions',
                lambda: {'resize': None, 'suspend': len},
            )
        )
        self._assert_result(moves.check(), _WARNING, 'stays refused: resize.')

    # Guests

    def test_root_ports(self) -> None:
        self.flags(compute_driver='libvirt.LibvirtDriver')
        self._assert_result(
            nova_side.root_ports(), _WARNING, '[libvirt] num_pcie_ports'
        )
        self.flags(group='libvirt', num_pcie_ports=16)
        self._assert_result(nova_side.root_ports(), _SUCCESS, '16 root ports')

    def test_root_ports_where_no_guest_is_started(self) -> None:
        for driver in (None, 'ironic.IronicDriver'):
            self.flags(compute_driver=driver)
            self._assert_result(nova_side.root_ports(), _SUCCESS, 'is not')

    # Service token, and Cyborg

    def test_cyborg_is_all_right(self) -> None:
        self._assert_result(nova_side.service_token_sent(), _SUCCESS)
        self._assert_result(nova_side.device_context_api(), _SUCCESS)
        self._assert_result(nova_side.allocations(), _SUCCESS)
        self._assert_result(nova_side.accelerator_requests(), _SUCCESS)
        # One of a server that there is not: nothing is made by asking.
        calls = {method for method, _path in self.nova_calls()}
        self.assertEqual({'GET'}, calls)

    def test_this_nova_conf(self) -> None:
        self._assert_result(
            nova_side.plugin_line(), _WARNING, 'driver = nova_cyborg'
        )
        self.flags(
            group='oslo_messaging_notifications',
            driver=['messagingv2', 'nova_cyborg'],
        )
        self._assert_result(nova_side.plugin_line(), _SUCCESS)
        self.flags(group='service_user', send_service_user_token=False)
        self._assert_result(
            nova_side.service_token_sent(),
            _FAILURE,
            '[service_user] send_service_user_token = true',
        )

        self.flags(group='service_user', send_service_user_token=True)
        self.flags(group='service_user', auth_type=None)
        self._assert_result(
            nova_side.service_token_sent(), _FAILURE, 'auth_type is not set'
        )
        self.flags(group='service_user', auth_type='admin_token')
        # The service user has not the role.
        self.flags(
            group='service_user',
            token=http_server.token('nova', 'service', 'member'),
        )
        self._assert_result(nova_side.device_context_api(), _SUCCESS)
        self._assert_result(
            nova_side.allocations(), _FAILURE, 'service_token_roles'
        )

    def test_cyborg_is_not_as_it_must_be(self) -> None:
        self.cyborg.control('serve', stock=True)
        self._assert_result(
            nova_side.device_context_api(), _FAILURE, 'paste.app_factory'
        )
        self._assert_result(nova_side.allocations(), _FAILURE)
        self.cyborg.control('serve', stock=False)
        self.cyborg.control('stop')
        self._assert_result(
            nova_side.device_context_api(),
            _FAILURE,
            'the connection failed',
            'service type accelerator',
        )
        self._assert_result(nova_side.accelerator_requests(), _FAILURE)
        self.cyborg.control('start')
        # The service user may not read.
        self.cyborg.control(
            'fault',
            method='GET',
            path='accelerator_requests',
            action='answer',
            value=403,
        )
        self._assert_result(
            nova_side.accelerator_requests(), _FAILURE, 'role reader'
        )
        self.cyborg.control(
            'fault',
            method='GET',
            path='allocations',
            action='answer',
            value=500,
        )
        self._assert_result(
            nova_side.device_context_api(), _FAILURE, 'HTTP status 500'
        )

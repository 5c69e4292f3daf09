# SPDX-License-Identifier: Apache-2.0

"""Something fails when a server has almost got to its host."""

from tests.functional.nova import step  # isort: skip - first

import typing as ty
from unittest import mock

import fixtures
from nova.compute import manager
from oslo_messaging import exceptions as messaging


class LateFailureTest(step.OneSlotEachTestCase):
    """What has been done by then stays, or is undone."""

    def _fail(self, method: str) -> mock.Mock:
        """Let a method of nova-compute fail, as one that sends messages."""
        return self.useFixture(
            fixtures.MockPatchObject(
                manager.ComputeManager,
                method,
                side_effect=messaging.MessagingTimeout,
            )
        ).mock

    def test_a_server_cannot_be_bound_on_its_second_host(self) -> None:
        self.fail_spawns(1)
        self.cyborg.control(
            'fault',
            method='POST',
            path='/bind$',
            action='answer',
            value=500,
            skip=1,
        )
        self.fault_of(self.post_server(self.context))
        self.wait_for(lambda: self.status(self.context) == 'available')
        self.assert_nothing_held()

    def test_an_unshelved_server_runs(self) -> None:
        self.flags(shelved_offload_time=0)
        server = self.boot(self.context)
        self.act(server, 'shelve', 'SHELVED_OFFLOADED')
        failed = self._fail('_update_scheduler_instance_info')
        self.act(server, 'unshelve')
        self.wait_for(lambda: failed.called)
        self.assert_uses_all(server)
        self.assert_in_step(audited=False)
        self.assertEqual('bound', self.status(self.context))

    def test_an_evacuated_server_runs(self) -> None:
        server = self.boot(self.context)
        self.act(server, 'os-stop', 'SHUTOFF')
        host = self.get_context(self.context)['host']
        self.take_down(host)
        failed = self._fail('stop_instance')
        # Nova's times are in seconds: let it take some.
        self.cyborg.control(
            'fault',
            method='POST',
            path='/bind$',
            action='delay',
            value=2,
            times=1,
        )
        self.act(server, 'evacuate', 'ERROR', {}, self.admin_api)
        self.assertTrue(failed.called)
        self._assert_runs_on_another_host(server, host)
        # Nova believes that it could not be evacuated.
        (row,) = self.cyborg.control('audit', placement=self._placement_url)
        self.assertEqual(
            ('devices-on-another-host', False), (row['kind'], row['repaired'])
        )
        self._assert_runs_on_another_host(server, host)
        self.delete(server)
        self.assertIsNone(self.status(self.context))
        self.assert_nothing_held()

    def _assert_runs_on_another_host(
        self, server: dict[str, ty.Any], host: str
    ) -> None:
        (slots,) = (
            set(device.slots) for device in self.devices if device.host != host
        )
        self.assert_hostdevs(server, slots)
        self.assertEqual('bound', self.status(self.context))

# SPDX-License-Identifier: Apache-2.0

"""nova-conductor with the plugin beside a nova-compute without it."""

from tests.functional.nova import base  # isort: skip - first

import typing as ty

import fixtures
import testtools
from nova import exception as nova_exception
from nova.virt.libvirt import driver
from nova_cyborg.nova.features import computes
from oslo_messaging.rpc import dispatcher

from tests.functional.nova import step, stock

_MDEV = '4c1b0cf0-7d0a-4b39-92f1-9f5ce1c0e001'
_ATTACHES = hasattr(driver.LibvirtDriver, '_allocate_cyborg_mdevs')
_SINCE = 'Nova attaches mediated devices of Cyborg since 2026.2'
_ENDS = hasattr(nova_exception, 'InstanceEventTimeout')
_ENDS_SINCE = 'Nova ends an unshelving that waits in vain since 2025.2'


class StockComputeTest(base.TestCase):
    """One compute node, whose nova-compute has not the plugin."""

    HOSTS = ()

    def setUp(self) -> None:
        self.useFixture(stock.StockComputes())
        super().setUp()

    def _assert_has(
        self, server: dict[str, ty.Any], slot: str, kind: str = 'pci'
    ) -> None:
        """Check that a guest has a slot, as stock Nova writes it."""
        self.assertEqual(
            [base.Hostdev(kind, slot, None)], self.hostdevs(server)
        )

    def test_boot_reboot_and_delete(self) -> None:
        self.start_compute('compute1')
        device = self.add_device(slots=1)
        context = self.create_context(delete_on_termination=False)
        server = self.boot(context)
        self._assert_has(server, device.slots[0])
        self.act(server, 'reboot', arguments={'type': 'HARD'})
        self._assert_has(server, device.slots[0])
        self.act(server, 'os-stop', 'SHUTOFF')
        self.act(server, 'os-start')
        self._assert_has(server, device.slots[0])
        self.delete(server)
        self.assert_available(context)

    def _boot_with_mediated_device(self) -> dict[str, ty.Any]:
        self.start_compute_with_mediated_devices(_MDEV)
        self.add_device(mdevs=[_MDEV])
        return self.boot(self.create_context())

    @testtools.skipUnless(_ATTACHES, _SINCE)
    def test_mediated_device(self) -> None:
        server = self._boot_with_mediated_device()
        self._assert_has(server, _MDEV, 'mdev')
        self.act(server, 'reboot', arguments={'type': 'HARD'})
        self._assert_has(server, _MDEV, 'mdev')
        self.delete(server)
        self.assert_nothing_held()

    @testtools.skipIf(_ATTACHES, _SINCE)
    def test_no_mediated_device(self) -> None:
        server = self._boot_with_mediated_device()
        self.assertEqual([], self.hostdevs(server))
        self.delete(server)
        self.assert_nothing_held()

    def _shelve(self, context: str) -> dict[str, ty.Any]:
        self.flags(shelved_offload_time=0)
        self.start_compute('compute1')
        self.device = self.add_device(slots=1)
        server = self.boot(context)
        self.act(server, 'shelve', 'SHELVED_OFFLOADED')
        self.wait_for(lambda: not self.used_slots())
        self.assertEqual('reserved', self.status(context))
        return server

    def _unshelve_when_bound(
        self, server: dict[str, ty.Any], context: str
    ) -> None:
        """Let nova-compute hear of it when the binding is done already."""
        dispatch = dispatcher.RPCDispatcher.dispatch

        def when_bound(bus: ty.Any, incoming: ty.Any) -> ty.Any:
            # nova-conductor's method of this name has no such argument.
            if 'accel_uuids' in incoming.message.get('args', {}):
                self.wait_for(lambda: self.status(context) == 'bound')
            return dispatch(bus, incoming)

        self.useFixture(
            fixtures.MonkeyPatch(
                f'{dispatcher.__name__}.RPCDispatcher.dispatch', when_bound
            )
        )
        self.act(server, 'unshelve')

    def _unshelve_in_vain(self, context: str) -> dict[str, ty.Any]:
        server = self._shelve(context)
        self.flags(arq_binding_timeout=2)
        self.cyborg.control('hold_bindings', hold=True)
        self.api.post_server_action(server['id'], {'unshelve': None})
        self.wait_for(lambda: self.status(context) == 'binding')
        return server

    @testtools.skipIf(_ENDS, _ENDS_SINCE)
    def test_unshelve_that_never_ends(self) -> None:
        context = self.create_context()
        server = self._unshelve_in_vain(context)
        self._wait_for_action_fail_completion(
            server, 'unshelve', 'compute_unshelve_instance'
        )
        self.cyborg.control('hold_bindings', hold=False)
        server = self.admin_api.get_server(server['id'])
        self.assertEqual('spawning', server['OS-EXT-STS:task_state'])
        self.delete(server)
        self.assert_nothing_held()

    def test_unshelve(self) -> None:
        context = self.create_context()
        if _ENDS:
            # Stock Nova waits in vain for a binding that takes longer: it has
            # no host to send its event to.
            server = self._unshelve_in_vain(context)
            # It stays shelved; the next try binds anew.
            self.wait_for_status(server, 'SHELVED_OFFLOADED')
            self.cyborg.control('hold_bindings', hold=False)
        else:
            server = self._shelve(context)
        self._unshelve_when_bound(server, context)
        self._assert_has(server, self.device.slots[0])
        self.delete(server)
        self.assert_nothing_held()


class StockDestinationTest(step.TestCase):
    """Two compute nodes; the nova-compute of the second is stock."""

    HOSTS = ('compute1',)

    def setUp(self) -> None:
        super().setUp()
        self.add_device('compute1', slots=1)
        with stock.StockComputes():
            self.start_compute('compute2')
        self.add_device('compute2', slots=1)

    def test_it_is_not_evacuated_to(self) -> None:
        context = self.create_context()
        server = self.boot(context)
        before = self.get_context(context)['devices']
        self.take_down('compute1')

        self.act(server, 'evacuate', 'ERROR', {}, self.admin_api)

        found = self.admin_api.get_server(server['id'])
        self.assertIn('No valid host', found['fault']['message'])
        self.assertEqual(before, self.get_context(context)['devices'])
        self.assertEqual(1, len(self.used_slots()))

    def test_it_was_killed_and_has_no_plugin_any_more(self) -> None:
        """Placement has its trait still."""
        context = self.create_context()
        server = self.boot(context)
        before = self.get_context(context)['devices']
        node = self._get_provider_uuid_by_host('compute2')
        self._set_provider_traits(
            node, [*self._get_provider_traits(node), computes.TRAIT]
        )
        self.take_down('compute1')

        for reason in ('has no plugin', 'No valid host'):
            self.admin_api.post_server_action(server['id'], {'evacuate': {}})
            self.wait_for(lambda: reason in self._fault(server))  # noqa: B023
            self.assertNotIn(computes.TRAIT, self._get_provider_traits(node))
        self.assertEqual(before, self.get_context(context)['devices'])
        self.assertEqual(1, len(self.used_slots()))

    def _fault(self, server: dict[str, ty.Any]) -> str:
        found = self.admin_api.get_server(server['id'])
        return str(found.get('fault', {}).get('message', ''))

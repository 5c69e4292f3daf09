# SPDX-License-Identifier: Apache-2.0

"""What becomes of servers when the plugin is switched off under them."""

from tests.functional.nova import base  # isort: skip - first

import typing as ty

from tests.functional.nova import stock


class SwitchOffTest(base.TestCase):
    """A server with a device context, and then Nova without the plugin."""

    def setUp(self) -> None:
        super().setUp()
        self.device = self.add_device(slots=1)
        self.context = self.create_context()
        self.server = self.boot(self.context)
        self.alias = self.hostdevs(self.server)[0].alias

    def _switch_off(self) -> None:
        """Start all of Nova's services again, without the plugin."""
        self._switch_conductor_off()
        self._switch_compute_off()

    def _switch_conductor_off(self) -> None:
        self.useFixture(stock.StockConductors())
        self._restart_conductor()

    def _switch_compute_off(self) -> None:
        self.useFixture(stock.StockComputes())
        self.restart_compute_service('compute1')

    def _restart_conductor(self) -> None:
        self.conductor.stop()
        self.conductor = self.start_service('conductor')

    def _assert_has(self, alias: str | None) -> None:
        self.assertEqual(
            [base.Hostdev('pci', self.device.slots[0], alias)],
            self.hostdevs(self.server),
        )

    def _server(self) -> dict[str, ty.Any]:
        return self.api.get_server(self.server['id'])

    def test_the_server_runs_on(self) -> None:
        self._switch_conductor_off()
        # A new server gets no devices.
        unused = self.create_context()
        without = self.boot(unused)
        self.assertEqual([], self.hostdevs(without))
        self.assertEqual('available', self.status(unused))
        self.delete(without)

        self._switch_compute_off()
        self.assertEqual('ACTIVE', self._server()['status'])
        self._assert_has(self.alias)
        self.assertEqual('bound', self.status(self.context))
        # A hard reboot keeps the device, without its alias.
        self.act(self.server, 'reboot', arguments={'type': 'HARD'})
        self._assert_has(None)
        self.delete(self.server)
        self.assertIsNone(self.status(self.context))
        self.assert_nothing_held()

    def test_unshelve_works_when_it_is_on_again(self) -> None:
        self.flags(shelved_offload_time=0)
        self.act(self.server, 'shelve', 'SHELVED_OFFLOADED')
        self.wait_for(lambda: not self.used_slots())
        with stock.StockConductors():
            self._restart_conductor()
            self.act(self.server, 'unshelve', 'SHELVED_OFFLOADED')
        self.assertEqual('reserved', self.status(self.context))
        self.assertEqual(set(), self.used_slots())
        self._restart_conductor()
        self.act(self.server, 'unshelve')
        self.assert_hostdevs(self.server, self.device.slots)

    def test_evacuate_works_when_it_is_on_again(self) -> None:
        self.start_compute('compute2')
        other = self.add_device('compute2', slots=1)
        self.computes['compute1'].stop()
        [service] = self.admin_api.get_services(
            host='compute1', binary='nova-compute'
        )
        self.admin_api.put_service_force_down(service['id'], True)
        with stock.StockConductors():
            self._restart_conductor()
            self.admin_api.post_server_action(
                self.server['id'], {'evacuate': {}}
            )
            # Stock Nova would unbind the devices first, which Cyborg
            # refuses, and leaves the server like that.
            self.wait_for(
                lambda: (
                    ('DELETE', '/v2/accelerator_requests') in self.nova_calls()
                )
            )
        self.assert_hostdevs(self.server, self.device.slots)
        self.assertEqual('bound', self.status(self.context))
        self._restart_conductor()
        self.admin_api.post_server_action(
            self.server['id'], {'os-resetState': {'state': 'active'}}
        )
        self.act(self.server, 'evacuate', 'SHUTOFF', {}, self.admin_api)
        self.assertEqual('compute2', self.get_context(self.context)['host'])
        self.assert_hostdevs(self.server, other.slots)
        self.assert_uses_all(self.server)

    def test_cyborg_without_it_unbinds_the_device(self) -> None:
        self._switch_off()
        self.cyborg.control('serve', stock=True)
        self.act(self.server, 'reboot', arguments={'type': 'HARD'})
        self._assert_has(None)
        self.delete(self.server)
        self.wait_for(lambda: not self.used_slots())
        self.assertEqual(0, self.usage(self.device))
        # Cyborg knows nothing of the device context. It is released when it
        # is needed, once Cyborg serves it again.
        self.cyborg.control('serve', stock=False)
        self.assertEqual('reserved', self.status(self.context))
        response = self._contexts('DELETE', f'/{self.context}')
        self.assertEqual(204, response.status_code, response.text)
        self.assertIsNone(self.status(self.context))

# SPDX-License-Identifier: Apache-2.0

"""Servers get the devices of their device contexts."""

from tests.functional.nova import base  # isort: skip - first

import typing as ty

_CHECK = ('POST', '/v2/device_allocations/check')


class BootTest(base.TestCase):
    """One compute node."""

    def test_from_boot_to_delete(self) -> None:
        device = self.add_device(slots=1)
        context = self.create_context()
        server = self.boot(context)
        self.assert_hostdevs(server, device.slots)
        self.assertEqual('bound', self.status(context))
        self.assertEqual('compute1', self.get_context(context)['host'])
        self.assertEqual(1, self.usage(device))
        self.assertEqual(set(device.slots), self.used_slots())
        self.delete(server)
        self.assertIsNone(self.status(context))
        self.assert_nothing_held()

    def test_groups_on_several_providers(self) -> None:
        self.add_device(slots=8, traits=['CUSTOM_SLOW'])
        crypto = self.add_device(slots=1, traits=['CUSTOM_CRYPTO'])
        gzip = self.add_device(slots=3, resource_class='CUSTOM_FPGA_GZIP')
        context = self.create_context(
            groups=[
                {'resources': {'FPGA': 1}, 'forbidden': ['SLOW']},
                {'resources': {'FPGA_GZIP': 2}},
            ]
        )
        server = self.boot(context)
        self.assertEqual(3, len(self.hostdevs(server)))
        self.assert_uses_all(server)
        self.assertEqual([1, 2], [self.usage(crypto), self.usage(gzip)])
        providers = [
            (device['group'], device['resource_provider_id'])
            for device in self.get_context(context)['devices']
        ]
        self.assertCountEqual(
            [(0, crypto.provider), (1, gzip.provider), (1, gzip.provider)],
            providers,
        )

    def test_with_novas_own_hint_for_a_rebuild(self) -> None:
        """A user may send it; it is no rebuild."""
        device = self.add_device()
        context = self.create_context()
        server = self._build_server(
            flavor_id=self.plain_flavor, networks='none'
        )
        hints = {
            'device_context_id': [context],
            '_nova_check_type': ['rebuild'],
        }
        made = self.api.post_server(
            {'server': server, 'os:scheduler_hints': hints}
        )
        server = self.wait_for_status(made, 'ACTIVE')
        self.assert_hostdevs(server, device.slots[:1])

    def test_beside_the_flavors_device_profile(self) -> None:
        mine = self.add_device(slots=1)
        flavors = self.add_device(slots=1, resource_class='PGPU')
        self.create_profile('gpu', {'resources:PGPU': '1'})
        flavor = self._create_flavor(
            extra_spec={'accel:device_profile': 'gpu'}
        )
        server = self.boot(self.create_context(), flavorRef=flavor)
        aliases = {
            device.slot: bool(device.alias) for device in self.hostdevs(server)
        }
        self.assertEqual(
            {mine.slots[0]: True, flavors.slots[0]: False}, aliases
        )
        self.delete(server)
        self.wait_for(lambda: not self.used_slots())


class CallsTest(base.TestCase):
    """How often Nova calls Cyborg."""

    def test_it_is_three_calls_however_many_contexts(self) -> None:
        self.add_device(slots=9)
        for number in (1, 8):
            before = len(self.nova_calls())
            server = self.boot(*[self.create_context() for _ in range(number)])
            self.assertEqual(number, len(self.hostdevs(server)))
            self._assert_calls(server, self.nova_calls()[before:])

    def _assert_calls(
        self, server: dict[str, ty.Any], calls: list[tuple[str, str]]
    ) -> None:
        allocation = f'/v2/device_allocations/{server["id"]}'
        # nova-compute asks for the server's accelerator requests, as stock.
        of_compute = ('GET', '/v2/accelerator_requests')
        # nova-api's one, and nova-conductor's two.
        self.assertEqual(
            [_CHECK, ('PUT', allocation), ('POST', f'{allocation}/bind')],
            [call for call in calls if call != of_compute],
        )

    def test_a_server_without_contexts_costs_no_call(self) -> None:
        self.cyborg.control('stop')
        server = self.boot()
        self.act(server, 'reboot', arguments={'type': 'HARD'})
        self.delete(server)
        self.cyborg.control('start')
        self.assertEqual([], self.nova_calls())


class NoopHookTest(base.TestCase):
    """A cloud whose only hook in nova-conductor is ``noop``."""

    def setUp(self) -> None:
        self.flags(conductor_hooks=['noop'], group='nova_cyborg')
        super().setUp()

    def test_nothing_happens(self) -> None:
        self.add_device()
        context = self.create_context()
        server = self.boot(context)
        self.assertEqual([], self.hostdevs(server))
        self.assertEqual('available', self.status(context))
        self.assertEqual([], self.nova_calls())

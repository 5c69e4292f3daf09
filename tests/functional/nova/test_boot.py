# SPDX-License-Identifier: Apache-2.0

"""Servers get the devices of their device contexts."""

from tests.functional.nova import base  # isort: skip - first

from unittest import mock

from nova.compute import manager


class BootTest(base.TestCase):
    """One compute node."""

    def test_one_context(self) -> None:
        device = self.add_device(slots=1)
        context = self.create_context()
        server = self.boot(context)
        self.assert_hostdevs(server, device.slots)
        self.assertEqual('bound', self.status(context))
        self.assertEqual('compute1', self.get_context(context)['host'])
        self.assertEqual(1, self.usage(device))
        self.assertEqual(set(device.slots), self.used_slots())

    def test_two_contexts(self) -> None:
        device = self.add_device(slots=2)
        server = self.boot(self.create_context(), self.create_context())
        self.assert_hostdevs(server, device.slots)
        self.assertEqual(2, self.usage(device))

    def test_two_devices_of_one_context(self) -> None:
        device = self.add_device(slots=3)
        context = self.create_context(resources={'FPGA': 2})
        server = self.boot(context)
        self.assertEqual(2, len(self.hostdevs(server)))
        self.assert_uses_all(server)
        self.assertEqual(2, self.usage(device))

    def test_two_groups_on_two_providers(self) -> None:
        gzip = self.add_device(slots=1, traits=['CUSTOM_GZIP'])
        crypto = self.add_device(slots=1, traits=['CUSTOM_CRYPTO'])
        context = self.create_context(
            groups=[
                {'resources': {'FPGA': 1}, 'required': ['CRYPTO']},
                {'resources': {'FPGA': 1}, 'required': ['GZIP']},
            ]
        )
        server = self.boot(context)
        self.assert_hostdevs(server, crypto.slots + gzip.slots)
        providers = {
            device['group']: device['resource_provider_id']
            for device in self.get_context(context)['devices']
        }
        self.assertEqual({0: crypto.provider, 1: gzip.provider}, providers)

    def test_custom_resource_class(self) -> None:
        device = self.add_device(slots=1, resource_class='CUSTOM_FPGA_GZIP')
        server = self.boot(self.create_context(resources={'FPGA_GZIP': 1}))
        self.assert_hostdevs(server, device.slots)

    def test_forbidden_trait(self) -> None:
        self.add_device(slots=8, traits=['CUSTOM_SLOW'])
        fast = self.add_device(slots=1)
        server = self.boot(self.create_context(forbidden=['SLOW']))
        self.assert_hostdevs(server, fast.slots)

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

    def test_one_context_costs_the_conductor_two_calls(self) -> None:
        self._check_calls(contexts=1)

    def test_eight_contexts_cost_the_conductor_two_calls(self) -> None:
        self._check_calls(contexts=8)

    def _check_calls(self, contexts: int) -> None:
        self.add_device(slots=contexts)
        # nova-api's one is in test_early_refusal.
        with self.without_api_plugin():
            server = self.boot(
                *[self.create_context() for _ in range(contexts)]
            )
        self.assertEqual(contexts, len(self.hostdevs(server)))
        allocation = f'/v2/device_allocations/{server["id"]}'
        # nova-compute asks for the server's accelerator requests, as stock.
        of_compute = ('GET', '/v2/accelerator_requests')
        self.assertEqual(
            [('PUT', allocation), ('POST', f'{allocation}/bind')],
            [call for call in self.nova_calls() if call != of_compute],
        )

    def test_a_server_without_contexts_costs_no_call(self) -> None:
        server = self.boot()
        self.act(server, 'reboot', arguments={'type': 'HARD'})
        self.delete(server)
        self.assertEqual([], self.nova_calls())

    def test_a_hint_that_names_nothing_costs_no_call(self) -> None:
        # Not to be tried elsewhere: nova-compute itself ends the build.
        with mock.patch.object(
            manager.ComputeManager,
            '_prep_block_device',
            side_effect=ValueError('no disk today'),
        ):
            self.boot_fails(hint=[])
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

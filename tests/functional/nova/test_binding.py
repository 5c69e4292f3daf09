# SPDX-License-Identifier: Apache-2.0

"""Binding goes on while the server is being built."""

from tests.functional.nova import base  # isort: skip - first

import fixtures
from nova_cyborg.nova.compute.libvirt.guests import attaching


class BindingTest(base.TestCase):
    """One compute node."""

    def test_bind_returns_before_it_is_done(self) -> None:
        device = self.add_device(slots=1)
        context = self.create_context()
        self.cyborg.control('hold_bindings', hold=True)
        server = self.post_server(context)
        # nova-compute asks, after nova-conductor has let the server go.
        self.wait_for(
            lambda: ('GET', '/v2/accelerator_requests') in self.nova_calls()
        )
        self.assertEqual('binding', self.status(context))
        found = self.api.get_server(server['id'])
        self.assertEqual('BUILD', found['status'])
        self.assertNotIn(server['id'], self.guests)
        self.cyborg.control('hold_bindings', hold=False)
        self.wait_for_status(server, 'ACTIVE')
        self.assert_hostdevs(server, device.slots)

    def test_no_free_handle_is_found_late(self) -> None:
        self.add_device(slots=0, inventory=1)
        context = self.create_context()
        self.cyborg.control('hold_bindings', hold=True)
        server = self.post_server(context)
        self.wait_for(lambda: self.status(context) == 'binding')
        self.cyborg.control('hold_bindings', hold=False)
        self.assertIn('No device could be bound', self.fault_of(server))
        self.assertEqual({}, self.guests)
        self.assert_available(context)

    def test_one_of_two_contexts_has_no_free_handle(self) -> None:
        self.add_device(slots=1)
        self.add_device(slots=0, inventory=1, resource_class='PGPU')
        contexts = [
            self.create_context(resources={name: 1})
            for name in ('FPGA', 'PGPU')
        ]
        fault = self.boot_fails(*contexts)
        self.assertIn('No device could be bound', fault)
        self.assertIn('AttachHandle not found', fault)
        self.assertEqual({}, self.guests)
        self.assert_available(*contexts)

    def test_binding_takes_too_long(self) -> None:
        self.flags(arq_binding_timeout=1)
        self.add_device()
        context = self.create_context()
        self.cyborg.control('hold_bindings', hold=True)
        fault = self.boot_fails(context)
        self.assertIn('No device could be bound', fault)
        self.assertIn('it took longer than 1 s (arq_binding_timeout', fault)
        self.cyborg.control('hold_bindings', hold=False)
        self.assert_available(context)

    def test_a_handle_of_a_type_that_no_driver_is_for(self) -> None:
        self.add_device()
        context = self.create_context()
        self.useFixture(
            fixtures.MonkeyPatch(
                f'{attaching.__name__}.attach_drivers', lambda: {'OTHER': None}
            )
        )
        fault = self.boot_fails(context)
        self.assertIn('has the attach handle type "PCI", which no', fault)
        self.assertIn('there are: OTHER', fault)
        self.assertEqual({}, self.guests)
        self.assert_available(context)

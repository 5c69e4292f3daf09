# SPDX-License-Identifier: Apache-2.0

"""A port comes or goes while a device context does.

Nova then stores the server as it was when that was asked for.
"""

from tests.functional.nova.hot import racing  # isort: skip - first

import typing as ty
from unittest import mock

from nova import context as nova_context
from nova_cyborg.nova import client, marks

_STOCK = 'nova.virt.libvirt.driver.LibvirtDriver'


class TestCase(racing.TestCase):
    """A server whose flavor has an extra spec: Nova stores that each time."""

    def boot_first(self) -> dict[str, ty.Any]:
        """Boot the server."""
        self.specs = {'quota:cpu_shares': '10'}
        flavor = self._create_flavor(extra_spec=self.specs)
        return self.boot(flavorRef=flavor)

    def extra_specs(self) -> dict[str, str]:
        """Return the extra specs of the server's own copy of its flavor."""
        return dict(self.instance().flavor.extra_specs)


class PortTest(TestCase):
    """A port is attached, or detached."""

    def _begin(self, name: str) -> ty.Any:
        """Have a port come, or go, until a function; return the rest."""
        if name == 'detach_interface':
            self._attach_port()
        call = {
            'attach_interface': self._attach_port,
            'detach_interface': self._detach_port,
        }[name]
        pause = self.pause(f'{_STOCK}.{name}')
        request = racing.Request(call)
        pause.reached()

        def end() -> None:
            pause.go_on()
            self.assertIsNone(request.refusal())

        return end

    def _attach_port(self) -> None:
        network = {'net_id': self.neutron.network_1['id']}
        self.api.attach_interface(
            self.server['id'], {'interfaceAttachment': network}
        )

    def _detach_port(self) -> None:
        # Nova's fixture makes this one.
        self._detach_interface(self.server, self.neutron.port_2['id'])

    def test_a_port_comes(self) -> None:
        end = self._begin('attach_interface')
        self.attach(self.pci, 'tag1')
        end()
        self._assert_tagged()
        self.assert_has(self.pci)

    def test_a_port_goes(self) -> None:
        end = self._begin('detach_interface')
        self.attach(self.pci, 'tag1')
        end()
        self._assert_tagged()
        self.assert_has(self.pci)

    def test_a_server_that_has_no_device(self) -> None:
        """It is not read once more."""
        with mock.patch.object(marks, 'read') as read:
            self._attach_port()
            self._detach_port()
        read.assert_not_called()
        self._assert_unmarked()

    def test_a_port_comes_as_the_last_device_goes(self) -> None:
        self.attach(self.pci, 'tag1')
        end = self._begin('attach_interface')
        self.detach(self.pci)
        end()
        self._assert_unmarked()

    def _assert_tagged(self) -> None:
        self.assertEqual(
            {**self.specs, 'accel:device_profile': 'device-context'},
            self.extra_specs(),
        )
        found = self.instance().device_metadata
        self.assertIn(['tag1'], [each.tags for each in found.devices])

    def _assert_unmarked(self) -> None:
        self.assertEqual(self.specs, self.extra_specs())
        self.assertFalse(marks.bears_any(self.instance()))
        self.assertEqual([], self.live() + self.stored())


class KeyTest(TestCase):
    """The flavor has lost the marker, and the key is there."""

    def setUp(self) -> None:
        super().setUp()
        self.attach(self.pci)
        with nova_context.target_cell(
            nova_context.get_admin_context(), self.cell_of(self.server)
        ):
            instance = self.instance()
            instance.flavor = marks.unmarked(instance.flavor)
            instance.flavor.extra_specs['quota:cpu_shares'] = '20'
            instance.save()
        self.assertEqual({'quota:cpu_shares': '20'}, self.extra_specs())

    def test_the_host_is_booted(self) -> None:
        self.flags(resume_guests_state_on_host_boot=True)
        self.domain().destroy()
        self.restart_compute_service('compute1')
        self.wait_for(self.live)
        self.assert_has(self.pci)

    def test_the_server_is_deleted_at_last(self) -> None:
        self.flags(reclaim_instance_interval=1)
        self.api.delete_server(self.server['id'])
        self.wait_for_status(self.server, 'SOFT_DELETED')
        manager = self.computes['compute1'].manager
        # As nova-compute has it for what it does by itself.
        context = client.with_credentials(nova_context.get_admin_context())

        def is_gone() -> bool:
            manager._reclaim_queued_deletes(context)
            return self._server(self.server['id']) is None

        self.wait_for(is_gone)
        self.assert_nothing_held()

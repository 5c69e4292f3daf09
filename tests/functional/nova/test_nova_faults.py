# SPDX-License-Identifier: Apache-2.0

"""Nova itself fails on the way: hypervisor, network, quota, binding.

In each operation, some of them. All others are in the folder ``every``.
"""

from tests.functional.nova import faulty  # isort: skip - first

import functools
import typing as ty

from neutronclient.common import exceptions as neutron_exc
from nova.tests.fixtures import libvirt as fakelibvirt


class Network:
    """Servers have a port each, which Neutron cannot bind once."""

    def post_server(
        self, *context_ids: ty.Any, **fields: ty.Any
    ) -> dict[str, ty.Any]:
        """Ask for a server with a port."""
        networks = [{'uuid': self.neutron.network_1['id']}]
        return super().post_server(*context_ids, networks=networks, **fields)

    def test_network(self) -> None:
        """A request to Neutron fails."""
        self.check(
            functools.partial(
                self.fail_once,
                'nova.tests.fixtures.NeutronFixture.update_port',
                neutron_exc.ServiceUnavailable(),
            )
        )


class Guest:
    """The hypervisor does not start guests, on as many hosts as there are."""

    HOW_MANY = 1

    def test_guest(self) -> None:
        """Libvirt refuses."""
        self.check(functools.partial(self.fail_spawns, self.HOW_MANY))


class NoAnswer:
    """Cyborg does not bind in time."""

    def test_no_answer(self) -> None:
        """What becomes of the binding is not known in time."""
        self.check(
            functools.partial(self.cyborg.control, 'hold_bindings', hold=True)
        )

    def heal(self) -> None:
        """Let what was held back come now."""
        self.cyborg.control('hold_bindings', hold=False)
        super().heal()


class Failure:
    """Cyborg cannot bind."""

    def test_failure(self) -> None:
        """The binding fails."""
        self.check(
            functools.partial(
                self.cyborg.control, 'refuse_writes', table='attach_handles'
            )
        )


class BootTest(Network, NoAnswer, faulty.Boot):
    """A server is booted."""


class UnshelveTest(Guest, Failure, faulty.Unshelve):
    """A server is unshelved."""


class EvacuateTest(Network, Guest, NoAnswer, faulty.Evacuate):
    """A server is evacuated."""


class DeleteTest(faulty.TestCase):
    """A server is deleted."""

    def test_guest(self) -> None:
        """Libvirt refuses to stop the guest, the first time."""

        server = self.boot(self.context)
        self.fail_once(
            f'{fakelibvirt.__name__}.Domain.destroy',
            fakelibvirt.make_libvirtError(
                fakelibvirt.libvirtError,
                'not today',
                error_code=fakelibvirt.VIR_ERR_OPERATION_FAILED,
            ),
        )
        self.api.delete_server(server['id'])
        self.wait_for_status(server, 'ERROR')
        self.assertEqual('bound', self.status(self.context))
        self.assert_in_step()
        self.api.delete_server(server['id'])
        self.wait_for(lambda: self.status(self.context) == 'available')
        self.assert_in_step(audited=False)
        self.assert_boots()


class QuotaTest(faulty.TestCase):
    """The quota is found used up when a host has been chosen already."""

    def test_boot(self) -> None:
        """Of two servers, one too many."""
        second = self.create_context(delete_on_termination=False)
        self.flags(instances=1, group='quota')
        # The one that comes first gets it.
        self.cyborg.control(
            'fault',
            method='PUT',
            path='/device_allocations/',
            action='delay',
            value=1,
            skip=1,
            times=1,
        )
        contexts = (self.context, second)
        servers = [self.post_server(context) for context in contexts]
        found = [self.wait_until_idle(server) for server in servers]
        self.assertCountEqual(['ACTIVE', 'ERROR'], found)
        refused = found.index('ERROR')
        self.assertIn('Quota exceeded', self.fault_of(servers[refused]))
        self.heal()
        self.assertEqual('available', self.status(contexts[refused]))
        self.assert_in_step(audited=False)
        for server in servers:
            self.delete(server)
        for context in contexts:
            self.wait_for(lambda c=context: self.status(c) == 'available')
        self.assert_boots()

    def test_unshelve(self) -> None:
        """It is lowered meanwhile."""
        self.flags(shelved_offload_time=0)
        self.flags(count_usage_from_placement=True, group='quota')
        server = self.boot(self.context)
        self.act(server, 'shelve', 'SHELVED_OFFLOADED')
        self.fault(method='POST', path='/begin$', action='delay', value=1)
        self.api.post_server_action(server['id'], {'unshelve': None})
        # nova-api has let it pass.
        self.flags(cores=0, group='quota')
        self.assertEqual('SHELVED_OFFLOADED', self.wait_until_idle(server))
        self.heal()
        self.assertEqual('reserved', self.status(self.context))
        self.assert_in_step(audited=False)
        self.flags(cores=-1, group='quota')
        self.act(server, 'unshelve')
        self.assert_uses_all(server)
        self.assert_deletes(server)

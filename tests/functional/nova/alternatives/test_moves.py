# SPDX-License-Identifier: Apache-2.0

"""What is chosen anew when a server is brought to a host, and what is not."""

from tests.functional.nova.moves import running  # isort: skip - first

import typing as ty
from unittest import mock

from nova import exception as nova_exception
from nova.tests.fixtures import libvirt as fakelibvirt

from tests.functional.nova.alternatives import choosing
from tests.functional.nova.moves import moving

SOURCE, DESTINATION = moving.HOSTS
_ALTERNATE = 'compute3'
_CHOICE = choosing.one_of('FPGA', 'PGPU')


class _TestCase(moving.TestCase):
    """A server with a device context of one group with alternatives."""

    KINDS: ty.ClassVar = (None,)

    def _boot(self, kind: object) -> moving.Moved:
        context = self.create_context(
            groups=[_CHOICE], live_migration='detach'
        )
        return moving.Moved(self.boot(context), [context], 1)

    @property
    def context(self) -> dict[str, ty.Any]:
        """The device context of the server."""
        found = self.get_context(self.all[0].contexts[0])
        self.assertIsNotNone(found)
        return ty.cast(dict[str, ty.Any], found)

    def assert_chosen(self, number: int | None) -> None:
        """Check which alternative is chosen, and that all agree."""
        self.assertEqual([number], choosing.chosen(self.context))

    def alternatives(self) -> dict[tuple[str, str], list[int]]:
        """Return the alternatives of each binding, by state and host."""
        return {
            (binding['state'], binding['host']): [
                device['alternative'] for device in binding['devices']
            ]
            for binding in self.context['bindings']
        }


class MoveTest(_TestCase):
    """One host has an FPGA, and the other one a GPU."""

    def add_hosts(self) -> None:
        """Start the compute nodes."""
        for host, name in ((SOURCE, 'FPGA'), (DESTINATION, 'PGPU')):
            self.start_compute(host)
            self.add_device(host, slots=1, resource_class=name)

    def test_cold_there_and_back(self) -> None:
        self.assert_chosen(0)
        self.migrate()
        self.assert_chosen(1)
        self.assertEqual(
            {('active', DESTINATION): [1], ('leaving', SOURCE): [0]},
            self.alternatives(),
        )
        # Nothing of it is put right by anybody.
        self.assertEqual([], self.audit_rows())
        self.assertEqual({}, self.reconcile())
        self.revert()
        self.assert_chosen(0)
        self.resize()
        self.confirm()
        self.assert_chosen(1)
        self.do('reboot', 'ACTIVE', {'type': 'HARD'})
        self.assert_on(DESTINATION)
        self.do('migrate', 'VERIFY_RESIZE', {'host': SOURCE})
        self.assert_waiting(DESTINATION, SOURCE)
        self.do('confirmResize', 'ACTIVE')
        self.assert_on(SOURCE)
        self.assert_chosen(0)

    def test_the_audit_ends_a_move(self) -> None:
        self.migrate()
        self.do('os-resetState', 'ACTIVE', {'state': 'active'})
        self.assertEqual({'devices-left-behind'}, set(self.audit()))
        self.assertEqual({('active', DESTINATION): [1]}, self.alternatives())
        self.assert_chosen(1)

    def test_shelve_and_unshelve(self) -> None:
        self.migrate()
        self.confirm()
        self.assert_chosen(1)
        self.flags(shelved_offload_time=0)
        self.do('shelve', 'SHELVED_OFFLOADED')
        self.assert_used(0)
        self.assert_chosen(None)
        # The first one is free, and chosen again.
        self.do('unshelve', 'ACTIVE')
        self.assert_on(SOURCE)
        self.assert_chosen(0)
        self.do('shelve', 'SHELVED_OFFLOADED')
        self.assert_used(0)
        self.set_enabled(SOURCE, False)
        self.do('unshelve', 'ACTIVE')
        self.assert_on(DESTINATION)
        self.assert_chosen(1)

    def test_evacuate(self) -> None:
        self.take_down(SOURCE)
        self.do('evacuate', 'SHUTOFF', {})
        self.assert_on(DESTINATION)
        self.assert_chosen(1)
        self.bring_back(SOURCE)
        self.assert_on(DESTINATION)
        self.assert_in_step()

    def test_nothing_is_left_anywhere(self) -> None:
        self.flags(shelved_offload_time=0)
        self.do('shelve', 'SHELVED_OFFLOADED')
        self.assert_used(0)
        for host in (SOURCE, DESTINATION):
            self.set_enabled(host, False)
        server_id = self.all[0].server['id']
        self.api.post_server_action(server_id, {'unshelve': None})
        self.wait_for(lambda: self.context['fault'])
        self.do_in_vain()
        self.assert_chosen(None)
        self.set_enabled(DESTINATION, True)
        self.do('unshelve', 'ACTIVE')
        self.assert_on(DESTINATION)
        self.assert_chosen(1)

    def do_in_vain(self) -> None:
        """See that the server stays as it was, and has nothing."""
        self.wait_for_all('SHELVED_OFFLOADED')
        self.assert_used(0)


class AlternateTest(_TestCase):
    """The host that is chosen first for the second alternative fails."""

    def add_hosts(self) -> None:
        """Start the compute nodes; one is better than the other two."""
        self.start_compute(SOURCE)
        self.add_device(SOURCE, slots=1)
        self.start_compute(
            DESTINATION, host_info=fakelibvirt.HostInfo(kB_mem=64 << 20)
        )
        self.start_compute(_ALTERNATE)
        for host in (DESTINATION, _ALTERNATE):
            self.add_device(host, slots=1, resource_class='PGPU')

    def test_another_host_is_tried_for_the_same(self) -> None:
        candidates = self.useFixture(choosing.Candidates())
        with mock.patch.object(
            self.computes[DESTINATION].manager,
            '_prep_resize',
            side_effect=nova_exception.ComputeResourcesUnavailable(
                reason='too much'
            ),
        ) as failed:
            self.do('migrate', 'VERIFY_RESIZE')
        self.assertEqual(1, failed.call_count)
        self.assertEqual(2, candidates.count())
        self.assert_waiting(SOURCE, _ALTERNATE)
        self.assert_chosen(1)
        self.do('confirmResize', 'ACTIVE')
        self.assert_on(_ALTERNATE)


class LiveTest(_TestCase, running.TestCase):
    """A guest that runs is to find again what it has."""

    def add_hosts(self) -> None:
        """Start the compute nodes; the second one has both."""
        for host in moving.HOSTS:
            self.start_compute(host)
            self.add_device(host, slots=1, resource_class='PGPU')
        self.fpga = self.add_device(DESTINATION, slots=1)

    def test_it_gets_the_same_alternative(self) -> None:
        self.assert_chosen(1)
        self.live_migrate()
        self.assert_moved()
        # An FPGA is free there.
        self.assert_chosen(1)
        self.assertEqual(0, self.usage(self.fpga))

    def test_none_of_the_same_is_free(self) -> None:
        # The source has none left.
        self.boot(self.create_context(resources={'PGPU': 1}))
        used = self.used_slots()
        self.admin_api.post_server_action(
            self.all[0].server['id'],
            {'os-migrateLive': {'host': None, 'block_migration': 'auto'}},
        )
        self.wait_for(
            lambda: {each['status'] for each in self.migrations()} == {'error'}
        )
        self.wait_for_all('ACTIVE')
        self.assert_chosen(1)
        self.assertEqual({('active', SOURCE): [1]}, self.alternatives())
        self.assertEqual(used, self.used_slots())

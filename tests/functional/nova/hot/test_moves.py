# SPDX-License-Identifier: Apache-2.0

"""A server goes to another host with device contexts that it got on one."""

from tests.functional.nova.hot import attached  # isort: skip - first

from nova import context as nova_context
from nova import objects

from tests.functional.nova.hot import two_hosts

SOURCE, DESTINATION = two_hosts.SOURCE, two_hosts.DESTINATION


class MoveTest(attached.TestCase, two_hosts.TestCase):
    """It has devices of its host, wherever that is, and of no other one."""

    def test_shelve_and_unshelve(self) -> None:
        self.flags(shelved_offload_time=0)
        for host, other in (
            (DESTINATION, SOURCE),
            (DESTINATION, SOURCE),
            (SOURCE, DESTINATION),
        ):
            self.do('shelve', 'SHELVED_OFFLOADED')
            self.wait_for(lambda: not self.used_slots())
            for context_id in self.held:
                self.assertEqual('reserved', self.status(context_id))
            self.set_enabled(other, False)
            self.do('unshelve')
            self.set_enabled(other, True)
            self.assert_all_on(host)
        self.assert_detaches()

    def test_cold_migration_and_resize(self) -> None:
        self.do('migrate', 'VERIFY_RESIZE')
        status, _why = self.refused(self.detach, self.pci)
        self.assertEqual(409, status)
        self.do('confirmResize')
        self.assert_all_on(DESTINATION)
        bigger = self._create_flavor(vcpu=3, memory_mb=1024, disk=20)
        self.do('resize', 'VERIFY_RESIZE', flavorRef=bigger)
        self.do('revertResize')
        self.assert_all_on(DESTINATION)
        self.do('resize', 'VERIFY_RESIZE', flavorRef=bigger)
        self.do('confirmResize')
        self.assert_all_on(SOURCE)
        self.assert_detaches()
        self.do('migrate', 'VERIFY_RESIZE')
        self.do('confirmResize')
        self.attach(self.pci)
        self.assert_has(self.pci)

    def test_live_migration(self) -> None:
        self.live_migrate()
        self.assert_all_on(DESTINATION)
        self.do('reboot', type='HARD')
        self.assert_all_on(DESTINATION)
        self.live_migrate(SOURCE)
        self.assert_all_on(SOURCE)
        self.assert_detaches()
        # It is as one that never had any.
        self.live_migrate()
        self.assertEqual(DESTINATION, self.host())

    def test_evacuation(self) -> None:
        self.take_down(SOURCE)
        self.act(self.server, 'evacuate', 'SHUTOFF', {}, self.admin_api)
        self.assert_all_on(DESTINATION)
        self.do('os-start')
        self.bring_back(SOURCE)
        self.assert_all_on(DESTINATION)
        self.assert_detaches()

    def test_delete_before_a_move_is_confirmed(self) -> None:
        self.do('migrate', 'VERIFY_RESIZE')
        self.delete(self.server)
        self.assert_gone()

    def test_its_request_does_not_name_them(self) -> None:
        """Two have stored it at the same time; the marks tell of them."""
        self.flags(shelved_offload_time=0)
        self._forget_hint()
        self.do('shelve', 'SHELVED_OFFLOADED')
        self.do('unshelve')
        host = self.host()
        self.assert_on(host, *self.held)
        self._forget_hint()
        self.take_down(host)
        self.act(self.server, 'evacuate', 'SHUTOFF', {}, self.admin_api)
        self.assert_on(({*self.COMPUTES} - {host}).pop(), *self.held)

    def _forget_hint(self) -> None:
        spec = objects.RequestSpec.get_by_instance_uuid(
            nova_context.get_admin_context(), self.server['id']
        )
        spec.scheduler_hints = {}
        spec.save()
        self.assertEqual([], self.hint())

    def assert_all_on(self, host: str) -> None:
        """Check that the server is on a host, with all that it was given."""
        self.assert_on(host, *self.held)
        self.assert_has_all()


class BesideBootedTest(MoveTest):
    """It has, besides, what it was booted with."""

    SLOTS = 2
    BOOTED_WITH = 1

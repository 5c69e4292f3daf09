# SPDX-License-Identifier: Apache-2.0

"""What is done on its host with a server that got device contexts there."""

from tests.functional.nova.hot import attached  # isort: skip - first

from nova.tests.fixtures import libvirt as fakelibvirt

_IMAGE = '155d900f-4e14-4e4c-a73d-069cbf4541e6'


class OneHostTest(attached.TestCase):
    """It has what it was given while it ran."""

    def test_reboot_stop_pause_and_rebuild(self) -> None:
        for type_ in ('SOFT', 'HARD'):
            self.do('reboot', type=type_)
            self.assert_has_all()
        self.do('os-stop', 'SHUTOFF')
        self.do('os-start')
        self.assert_has_all()
        self.do('pause', 'PAUSED')
        self.do('unpause')
        self.assert_has_all()
        self.do('rebuild', imageRef=_IMAGE)
        self.assert_has_all()
        self.assert_detaches()

    def test_suspend_and_resume(self) -> None:
        self.do('suspend', 'SUSPENDED')
        self.assertFalse(self.domain().isActive())
        self.assertEqual([], self.domain().saved)
        self.assertEqual(len(self.held), len(self.used_slots()))
        status, _why = self.refused(self.detach, self.pci)
        self.assertEqual(409, status)
        self.do('resume')
        self.assert_has_all()
        self.assert_detaches()
        # It is as one that never had any.
        self.do('suspend', 'SUSPENDED')
        self.do('resume')

    def test_its_nova_compute_is_started_again(self) -> None:
        self.flags(resume_guests_state_on_host_boot=True)
        self.restart_compute_service('compute1')
        self.assert_has_all()
        self.assert_detaches()

    def test_its_host_is_started_again(self) -> None:
        """The guest is gone, and nova-compute starts it."""
        self.flags(resume_guests_state_on_host_boot=True)
        domain = self.domain()
        domain._state = fakelibvirt.VIR_DOMAIN_SHUTOFF
        domain._connection._mark_not_running(domain)
        self.assertFalse(self.domain().isActive())
        self.restart_compute_service('compute1')
        self.wait_for(lambda: self.domain().isActive())
        self.server = self.wait_for_status(self.server, 'ACTIVE')
        self.assert_has_all()
        self.assert_detaches()

    def test_shelve_where_it_stays(self) -> None:
        self.flags(shelved_offload_time=-1)
        self.do('shelve', 'SHELVED')
        status, _why = self.refused(self.detach, self.pci)
        self.assertEqual(409, status)
        self.do('unshelve')
        self.assert_has_all()
        self.assert_detaches()

    def test_soft_delete_and_restore(self) -> None:
        self.flags(reclaim_instance_interval=3600)
        self._soft_delete()
        status, _why = self.refused(self.detach, self.pci)
        self.assertEqual(409, status)
        self.do('restore')
        self.assert_has_all()
        self._soft_delete()
        self.api.post_server_action(self.server['id'], {'forceDelete': None})
        self._wait_until_deleted(self.server)
        self.assert_gone()

    def _soft_delete(self) -> None:
        self.api.delete_server(self.server['id'])
        self.wait_for_status(self.server, 'SOFT_DELETED')
        for context_id in self.held:
            self.assertEqual('bound', self.status(context_id))
        self.assertEqual(len(self.held), len(self.used_slots()))

    def test_delete(self) -> None:
        self.delete(self.server)
        self.assert_gone()


class BesideBootedTest(OneHostTest):
    """It has, besides, what it was booted with."""

    SLOTS = 2
    BOOTED_WITH = 1

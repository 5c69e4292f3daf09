# SPDX-License-Identifier: Apache-2.0

"""What is done with a server that got device contexts while it ran."""

from tests.functional.nova.hot import plugging  # isort: skip - first

import typing as ty

from tests.functional.nova.moves import moving


class TestCase(plugging.TestCase):
    """A server that was booted without, and has two device contexts."""

    def setUp(self) -> None:
        super().setUp()
        self.attach(self.pci)
        self.attach(self.mdev)

    def assert_has_both(self) -> None:
        """Check that all is there that was attached."""
        self.assert_has(self.pci, self.mdev)
        self.assertEqual({self.pci, self.mdev}, set(self.hint()))

    def do(self, action: str, status: str = 'ACTIVE', **more: ty.Any) -> None:
        """Do something with the server, and wait for its status."""
        self.server = self.act(
            self.server, action, status, more or None, self.admin_api
        )

    def assert_detaches(self) -> None:
        """Check that nothing is left once both are detached."""
        self.detach(self.pci)
        self.detach(self.mdev)
        self.assert_as_before()


class OneHostTest(TestCase):
    """It stays where it is."""

    def test_reboot_stop_pause_and_rebuild(self) -> None:
        for type_ in ('SOFT', 'HARD'):
            self.do('reboot', type=type_)
            self.assert_has_both()
        self.do('os-stop', 'SHUTOFF')
        self.do('os-start')
        self.assert_has_both()
        self.do('pause', 'PAUSED')
        self.do('unpause')
        self.assert_has_both()
        image = '155d900f-4e14-4e4c-a73d-069cbf4541e6'
        self.do('rebuild', imageRef=image)
        self.assert_has_both()
        self.assert_detaches()

    def test_suspend_and_resume(self) -> None:
        self.do('suspend', 'SUSPENDED')
        self.assertFalse(self.domain().isActive())
        self.assertEqual([], self.domain().saved)
        self.assertEqual(2, len(self.used_slots()))
        status, _why = self.refused(self.detach, self.pci)
        self.assertEqual(409, status)
        self.do('resume')
        self.assert_has_both()
        self.assert_detaches()
        # It is as one that never had any.
        self.do('suspend', 'SUSPENDED')
        self.do('resume')

    def test_its_nova_compute_is_started_again(self) -> None:
        self.flags(resume_guests_state_on_host_boot=True)
        self.restart_compute_service('compute1')
        self.assert_has_both()
        self.assert_detaches()

    def test_delete(self) -> None:
        self.delete(self.server)
        self.assert_nothing_held()
        self.assertIsNone(self.status(self.pci))


class AnotherHostTest(TestCase):
    """It goes to another host."""

    COMPUTES = moving.HOSTS

    def setUp(self) -> None:
        self.useFixture(moving.LongLived())
        super().setUp()
        self.useFixture(moving.NoDisks())

    def host(self) -> str:
        """Return the host that the server is on."""
        found = self.admin_api.get_server(self.server['id'])
        return str(found['OS-EXT-SRV-ATTR:host'])

    def test_shelve_and_unshelve(self) -> None:
        self.flags(shelved_offload_time=0)
        self.do('shelve', 'SHELVED_OFFLOADED')
        self.assertEqual(set(), self.used_slots())
        self.set_enabled('compute1', False)
        self.do('unshelve')
        self.assertEqual('compute2', self.host())
        self.assert_has_both()
        self.assert_detaches()

    def test_cold_migration_and_resize(self) -> None:
        self.do('migrate', 'VERIFY_RESIZE')
        status, _why = self.refused(self.detach, self.pci)
        self.assertEqual(409, status)
        self.do('confirmResize')
        self.assertEqual('compute2', self.host())
        self.assert_has_both()
        bigger = self._create_flavor(vcpu=3, memory_mb=1024, disk=20)
        self.do('resize', 'VERIFY_RESIZE', flavorRef=bigger)
        self.do('revertResize')
        self.assertEqual('compute2', self.host())
        self.assert_has_both()
        self.assert_detaches()
        self.do('migrate', 'VERIFY_RESIZE')
        self.do('confirmResize')
        self.attach(self.pci)
        self.assert_has(self.pci)

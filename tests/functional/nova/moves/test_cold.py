# SPDX-License-Identifier: Apache-2.0

"""Cold migration and resize, as users and administrators do it."""

from tests.functional.nova.moves import moving  # isort: skip - first

from unittest import mock

from nova import context as nova_context

SOURCE, DESTINATION = moving.HOSTS


class MoveTest(moving.TestCase):
    """From one compute node to the other one."""

    def test_migrate_and_confirm(self) -> None:
        self.migrate()
        self.confirm()
        self._assert_works_on(DESTINATION, SOURCE)

    def test_migrate_and_revert(self) -> None:
        self.migrate()
        self.revert()
        self._assert_works_on(SOURCE, DESTINATION)

    def test_resize_to_a_named_host_and_back(self) -> None:
        self.resize()
        self.revert()
        self.resize()
        self.confirm()
        self.do('migrate', 'VERIFY_RESIZE', {'host': SOURCE})
        self.assert_waiting(DESTINATION, SOURCE)
        self.do('confirmResize', 'ACTIVE')
        self._assert_works_on(SOURCE, DESTINATION)

    def test_resize_and_revert(self) -> None:
        self.resize()
        self.revert()
        self._assert_works_on(SOURCE, DESTINATION)

    def _assert_works_on(self, host: str, other: str) -> None:
        """Check that the servers go on as any others do."""
        self.assert_on(host)
        self.do('reboot', 'ACTIVE', {'type': 'HARD'})
        self.assert_on(host)
        self.flags(shelved_offload_time=0)
        self.do('shelve', 'SHELVED_OFFLOADED')
        self.assert_used(0)
        self.set_enabled(other, False)
        self.do('unshelve', 'ACTIVE')
        self.assert_on(host)
        self.set_enabled(other, True)
        self.take_down(host)
        self.do('evacuate', 'SHUTOFF', {})
        self.assert_on(other)

    def test_stopped_servers(self) -> None:
        self.do('os-stop', 'SHUTOFF')
        self.migrate()
        self.revert('SHUTOFF')
        self.resize()
        self.confirm('SHUTOFF')
        self.do('os-start', 'ACTIVE')
        self.assert_on(DESTINATION)

    def test_delete_before_it_is_confirmed(self) -> None:
        self.migrate()
        self.delete_all()

    def test_confirmed_by_nova_itself(self) -> None:
        self.migrate()
        self.flags(resize_confirm_window=1)
        manager = self.computes[DESTINATION].manager

        def run(
            context: nova_context.RequestContext, raise_on_error: bool = False
        ) -> None:
            manager._poll_unconfirmed_resizes(context)

        def waits() -> bool:
            """Run the task; it finds what is a second old."""
            manager.periodic_tasks(nova_context.get_admin_context())
            servers = [self.api.get_server(e.server['id']) for e in self.all]
            return 'VERIFY_RESIZE' in {each['status'] for each in servers}

        with mock.patch.object(manager, 'run_periodic_tasks', run):
            self.wait_for(lambda: not waits())
        self.wait_for_all('ACTIVE')
        self.assert_on(DESTINATION)


class SameHostTest(moving.TestCase):
    """A server is resized where it is; Nova takes room for it twice."""

    TIMES = 2

    def setUp(self) -> None:
        super().setUp()
        self.flags(allow_resize_to_same_host=True)
        self.set_enabled(DESTINATION, False)

    def _resize(self) -> None:
        self.do('resize', 'VERIFY_RESIZE', {'flavorRef': self.bigger})
        self.assert_waiting(SOURCE, SOURCE)

    def _assert_works(self) -> None:
        """Check that the servers go on as any others do."""
        self.assert_on(SOURCE)
        self.do('reboot', 'ACTIVE', {'type': 'HARD'})
        self.assert_on(SOURCE)
        self.flags(shelved_offload_time=0)
        self.do('shelve', 'SHELVED_OFFLOADED')
        self.assert_used(0)
        self.do('unshelve', 'ACTIVE')
        self.assert_on(SOURCE)
        self.set_enabled(DESTINATION, True)
        self.take_down(SOURCE)
        self.do('evacuate', 'SHUTOFF', {})
        self.assert_on(DESTINATION)

    def test_confirm(self) -> None:
        self._resize()
        self.do('confirmResize', 'ACTIVE')
        self._assert_works()

    def test_revert(self) -> None:
        self._resize()
        self.revert()
        self._assert_works()

    def test_stopped_servers(self) -> None:
        self.do('os-stop', 'SHUTOFF')
        self._resize()
        self.revert('SHUTOFF')
        self._resize()
        self.do('confirmResize', 'SHUTOFF')
        self.do('os-start', 'ACTIVE')
        self.assert_on(SOURCE)

    def test_delete_before_it_is_confirmed(self) -> None:
        self._resize()
        self.delete_all()

    def test_another_host_after_it(self) -> None:
        self._resize()
        self.do('confirmResize', 'ACTIVE')
        self.set_enabled(DESTINATION, True)
        self.migrate()
        self.confirm()

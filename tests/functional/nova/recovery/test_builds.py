# SPDX-License-Identifier: Apache-2.0

"""A build that nobody goes on with is ended by a nova-conductor."""

from tests.functional.nova import faulty  # isort: skip - first

import collections.abc
import contextlib
import functools
import inspect
import pkgutil
import threading
import typing as ty
from unittest import mock

import fixtures
from nova import context, objects
from nova.conductor import manager
from nova_cyborg import cyborg_client, exception
from nova_cyborg.nova.conductor.recovery import builds, loop

_MANAGER = 'nova.conductor.manager.ComputeTaskManager'
_DESTROY = 'nova.objects.build_request.BuildRequest.destroy'
_SECONDS = 1
_PATIENCE = 30
# A test is over by then; its thread does not stand still for ever.
_MOST_SECONDS = 300


class InterruptedBuildTest(faulty.TestCase):
    """A nova-conductor dies while it builds a server."""

    def setUp(self) -> None:
        super().setUp()
        self.flags(build_interrupted_after=_SECONDS, group='nova_cyborg')

    @contextlib.contextmanager
    def standing_still_at(
        self, method: str, goes_on: bool = False
    ) -> collections.abc.Iterator[mock.Mock]:
        """Have nova-conductor stand still where it calls a method.

        Nothing is undone, as if it were dead, until the test is over or calls
        ``go_on``. The method is none that is called with a cell's database: in
        these tests, all others would wait for that.

        :param goes_on: whether the method is called then; else it fails.
        """
        over, ended = threading.Event(), threading.Event()
        build = manager.ComputeTaskManager.schedule_and_build_instances

        @functools.wraps(build)
        def build_and_tell(*args: ty.Any, **kwargs: ty.Any) -> None:
            try:
                build(*args, **kwargs)
            finally:
                ended.set()

        def go_on() -> None:
            over.set()
            if called.called:
                ended.wait(_PATIENCE)

        self.go_on = go_on
        called = mock.Mock()
        owner_name, _dot, name = method.rpartition('.')
        owner = pkgutil.resolve_name(owner_name)
        original = inspect.getattr_static(owner, name)

        def stand_still(*args: object, **kwargs: object) -> ty.Any:
            called()
            over.wait(_MOST_SECONDS)
            if goes_on:
                return getattr(original, '__func__', original)(*args, **kwargs)
            raise RuntimeError('It is too late')

        self.useFixture(
            fixtures.MonkeyPatch(
                f'{_MANAGER}.schedule_and_build_instances', build_and_tell
            )
        )
        # However the test ends: the process would wait for the thread.
        self.addCleanup(go_on)
        stand_in: ty.Any = stand_still
        if isinstance(original, staticmethod):
            stand_in = staticmethod(stand_still)
        with mock.patch.object(owner, name, stand_in):
            yield called

    def build_until(
        self, method: str, goes_on: bool = False
    ) -> dict[str, ty.Any]:
        """Ask for a server whose build ends where a method is called."""
        with self.standing_still_at(method, goes_on) as called:
            server = self.post_server(self.context)
            self.wait_for(lambda: called.called)
        return server

    def look(self) -> None:
        """Have nova-conductor look for such servers."""
        self.conductor.manager._end_interrupted_builds(
            context.get_admin_context()
        )

    def look_until(
        self, condition: collections.abc.Callable[[], ty.Any]
    ) -> None:
        """Have it look until something is so."""

        def is_so() -> ty.Any:
            self.look()
            return condition()

        self.wait_for(is_so)

    def assert_ended(self, server: dict[str, ty.Any]) -> None:
        """Check that the server is in error, and can be deleted."""
        self.look_until(
            lambda: self.api.get_server(server['id'])['status'] == 'ERROR'
        )
        shown = self.api.get_server(server['id'])
        self.assertIn('was interrupted', shown['fault']['message'])
        self.wait_for(lambda: self.status(self.context) == 'available')
        self.assert_in_step()
        self.assert_nothing_held()
        self.assert_deletes(server)
        self.assert_boots()

    def test_nobody_has_taken_it_up(self) -> None:
        self.assert_ended(self.build_until(f'{_MANAGER}._schedule_instances'))

    def test_it_got_to_no_cell(self) -> None:
        server = self.build_until(
            'nova.scheduler.client.query.SchedulerQueryClient'
            '.select_destinations'
        )
        self.assertEqual('BUILD', self.api.get_server(server['id'])['status'])
        self.assert_ended(server)

    def test_its_cell_is_not_known(self) -> None:
        self.assert_ended(
            self.build_until(f'{_MANAGER}._map_instance_to_cell')
        )

    def test_its_request_has_stayed(self) -> None:
        server = self.build_until(_DESTROY)
        self.assert_ended(server)

    def test_it_is_in_error_and_its_request_has_stayed(self) -> None:
        server = self._bury_until_destroyed()
        self.look_until(lambda: not self._requests())
        self.assertEqual('ERROR', self.api.get_server(server['id'])['status'])
        self.assert_deletes(server)
        self.assertEqual([], self.api.get_servers())

    def test_it_is_deleted_and_its_request_has_stayed(self) -> None:
        server = self._bury_until_destroyed()
        with mock.patch(_DESTROY):
            self.assert_deletes(server)
        # Nova shows what nobody can delete.
        self.assertEqual(1, len(self.api.get_servers()))
        self.look_until(lambda: not self._requests())
        self.assertEqual([], self.api.get_servers())
        self.assert_in_step()
        self.assert_nothing_held()

    def _bury_until_destroyed(self) -> dict[str, ty.Any]:
        """Ask for a server without a host; its request stays."""
        self.context = self.create_context(
            resources={'FPGA_GZIP': 64}, delete_on_termination=False
        )
        server = self.build_until(_DESTROY)
        self.wait_for(
            lambda: self.api.get_server(server['id'])['status'] == 'ERROR'
        )
        return server

    def _requests(self) -> list[objects.BuildRequest]:
        found = objects.BuildRequestList.get_all(context.get_admin_context())
        return list(found)

    def test_nothing_is_bound(self) -> None:
        self.assert_ended(
            self.build_until(f'{_MANAGER}._create_and_bind_arq_for_instance')
        )

    def test_it_is_bound_and_got_to_no_host(self) -> None:
        # What dies just before, or with the message, leaves the same. To
        # stand still there would keep the cell's database from all others:
        # Nova's fixture lets threads use one at a time.
        with mock.patch(
            'nova.compute.rpcapi.ComputeAPI.build_and_run_instance'
        ) as called:
            server = self.post_server(self.context)
            self.wait_for(lambda: called.called)
        self.wait_for(self.used_slots)
        self.assert_ended(server)

    def test_it_was_deleted_meanwhile(self) -> None:
        server = self.build_until(f'{_MANAGER}._map_instance_to_cell')
        self.api.delete_server(server['id'])
        self.look_until(lambda: self.status(self.context) == 'available')
        self.assert_in_step()
        self.assertNotIn(
            server['id'], [each['id'] for each in self.api.get_servers()]
        )
        self.assert_boots()

    def test_it_goes_on_too_late(self) -> None:
        """It waited for the scheduler, and is not dead."""
        server = self.build_until(
            'nova.scheduler.client.query.SchedulerQueryClient'
            '.select_destinations',
            goes_on=True,
        )
        self.look_until(
            lambda: self.api.get_server(server['id'])['status'] == 'ERROR'
        )

        self.go_on()

        self.assertEqual('ERROR', self.api.get_server(server['id'])['status'])
        self.assert_in_step()
        self.assert_nothing_held()
        self.assert_deletes(server)
        self.assertEqual([], self.api.get_servers())
        self.assert_boots()

    def test_it_maps_its_cell_too_late(self) -> None:
        server = self.build_until(
            f'{_MANAGER}._map_instance_to_cell', goes_on=True
        )
        self.look_until(lambda: self.status(self.context) == 'available')

        self.go_on()

        # Nova takes it for one that was deleted meanwhile.
        self.assert_in_step()
        self.assert_nothing_held()
        self.assertEqual([], self.api.get_servers())
        self.assertIsNone(self._server(server['id']))
        self.assert_boots()

    def test_a_server_that_cannot_be_looked_at(self) -> None:
        """Its cell may be down for hours: the log says so once."""
        self.build_until(f'{_MANAGER}._schedule_instances')
        with (
            mock.patch.object(
                builds.Builds, 'end', side_effect=OSError('it is down')
            ) as end,
            self.assertLogs(loop.__name__, 'WARNING') as logged,
        ):
            self.look_until(lambda: end.call_count >= 3)
        self.assertEqual(1, len(logged.output))

    def test_cyborg_refuses(self) -> None:
        """The log says so when it begins, and when it is over."""
        refused = exception.CyborgUnreachable(reason='HTTP status 403')
        with (
            mock.patch.object(
                cyborg_client.AllocationClient, 'overdue', side_effect=refused
            ),
            self.assertLogs(loop.__name__, 'INFO') as logged,
        ):
            self.look()
            self.look()
        (line,) = logged.output
        self.assertIn('WARNING', line)
        self.assertIn('403', line)
        with self.assertLogs(loop.__name__, 'INFO') as logged:
            self.look()
            self.look()
        (line,) = logged.output
        self.assertIn('again', line)

    def test_a_server_that_runs(self) -> None:
        server = self.boot(self.context)
        calls = mock.Mock(side_effect=AssertionError)
        with mock.patch.object(
            manager.ComputeTaskManager, '_set_vm_state_and_notify', calls
        ):
            self.look()
        self.assertEqual('ACTIVE', self.api.get_server(server['id'])['status'])
        self.assertEqual('bound', self.status(self.context))

    def test_it_is_switched_off(self) -> None:
        self.flags(build_interrupted_after=0, group='nova_cyborg')
        before = len(self.nova_calls())
        self.look()
        self.assertEqual(before, len(self.nova_calls()))

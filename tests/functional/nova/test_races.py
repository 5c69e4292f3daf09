# SPDX-License-Identifier: Apache-2.0

"""Messages that come twice, and servers that reach for the same."""

from tests.functional.nova import step  # isort: skip - first

import collections.abc
import copy
import functools
import threading
import typing as ty

import fixtures
from oslo_messaging.rpc import dispatcher


class TestCase(step.OneSlotEachTestCase):
    """Messages that come more than once."""

    def keep_message(
        self, method: str
    ) -> collections.abc.Callable[[], object]:
        """Keep a copy of the next message of a method.

        :returns: what delivers it.
        """
        kept: list[collections.abc.Callable[[], object]] = []
        dispatch = dispatcher.RPCDispatcher.dispatch

        def keep(bus: ty.Any, incoming: ty.Any) -> ty.Any:
            if incoming.message.get('method') == method and not kept:
                kept.append(
                    functools.partial(dispatch, bus, _copied(incoming))
                )
            return dispatch(bus, incoming)

        self.useFixture(
            fixtures.MonkeyPatch(
                f'{dispatcher.__name__}.RPCDispatcher.dispatch', keep
            )
        )
        return lambda: kept[0]()

    def deliver_twice(
        self, method: str, together: bool, skip: int = 0
    ) -> threading.Event:
        """Have the message bus deliver the next message of a method twice.

        :param together: whether at once; else one after the other.
        :param skip: how many pass before: nova-conductor and nova-compute
            have methods of the same name.
        :returns: set when both have been dealt with.
        """
        # Each gives way to one message.
        passes = [threading.Lock() for _n in range(skip)]
        once = threading.Lock()
        done = threading.Event()
        dispatch = dispatcher.RPCDispatcher.dispatch

        def twice(bus: ty.Any, incoming: ty.Any) -> ty.Any:
            if (
                incoming.message.get('method') != method
                or any(each.acquire(blocking=False) for each in passes)
                or not once.acquire(blocking=False)
            ):
                return dispatch(bus, incoming)
            second = _copied(incoming)
            thread = threading.Thread(target=dispatch, args=(bus, second))
            try:
                if together:
                    thread.start()
                    return dispatch(bus, incoming)
                result = dispatch(bus, incoming)
                thread.start()
                return result
            finally:
                thread.join()
                done.set()

        self.useFixture(
            fixtures.MonkeyPatch(
                f'{dispatcher.__name__}.RPCDispatcher.dispatch', twice
            )
        )
        return done

    def assert_delivered(self, done: threading.Event) -> None:
        self.wait_for(done.is_set)


def _copied(incoming: ty.Any) -> ty.Any:
    second = copy.copy(incoming)
    second.message = copy.deepcopy(incoming.message)
    second.ctxt = copy.copy(incoming.ctxt)
    return second


class DuplicateTest(TestCase):
    """Each message on a server's way to its host comes twice."""

    TOGETHER = False

    def _assert_boots(self, method: str) -> dict[str, ty.Any]:
        done = self.deliver_twice(method, self.TOGETHER)
        server = self.boot(self.context)
        self.assert_delivered(done)
        server = self.wait_for_status(server, 'ACTIVE')
        self.assert_uses_all(server)
        self.assert_in_step(audited=False)
        return server

    def test_boot_at_nova_conductor(self) -> None:
        server = self._assert_boots('schedule_and_build_instances')
        self.delete(server)
        self.assert_nothing_held()

    def test_boot_at_nova_compute(self) -> None:
        server = self._assert_boots('build_and_run_instance')
        self.delete(server)
        self.assert_nothing_held()

    def test_failed_boot_at_nova_conductor(self) -> None:
        done = self.deliver_twice(
            'schedule_and_build_instances', self.TOGETHER
        )
        context = self.create_context(required=['CUSTOM_NONE'])
        server = self.post_server(context)
        self.fault_of(server)
        self.assert_delivered(done)
        self.wait_for(lambda: self.status(context) == 'available')
        self.assertEqual('ERROR', self.api.get_server(server['id'])['status'])
        self.assert_in_step(audited=False)

    def test_reschedule(self) -> None:
        self.fail_spawns(1)
        server = self._assert_boots('build_instances')
        self.delete(server)
        self.assert_nothing_held()

    def test_failed_build_at_nova_compute(self) -> None:
        self.fail_spawns(1)
        server = self._assert_boots('build_and_run_instance')
        self.delete(server)
        self.assert_nothing_held()

    def test_delete(self) -> None:
        server = self.boot(self.context)
        done = self.deliver_twice('terminate_instance', self.TOGETHER)
        self.delete(server)
        self.assert_delivered(done)
        self.assertIsNone(self.status(self.context))
        self.assert_nothing_held()

    def _assert_unshelves(self, method: str, skip: int = 0) -> None:
        self.flags(shelved_offload_time=0)
        server = self.boot(self.context)
        self.act(server, 'shelve', 'SHELVED_OFFLOADED')
        done = self.deliver_twice(method, self.TOGETHER, skip)
        self.act(server, 'unshelve')
        self.assert_delivered(done)
        self.wait_for_status(server, 'ACTIVE')
        self.assert_uses_all(server)
        self.assert_in_step(audited=False)

    def test_unshelve_at_nova_conductor(self) -> None:
        self._assert_unshelves('unshelve_instance')

    def test_unshelve_at_nova_compute(self) -> None:
        self._assert_unshelves('unshelve_instance', skip=1)

    def _assert_evacuates(self, skip: int = 0) -> None:
        server = self.boot(self.context)
        self.take_down(self.get_context(self.context)['host'])
        done = self.deliver_twice('rebuild_instance', self.TOGETHER, skip)
        self.act(server, 'evacuate', 'SHUTOFF', {}, self.admin_api)
        self.assert_delivered(done)
        self.wait_for_status(server, 'SHUTOFF')
        self.assert_uses_all(server)
        self.assert_in_step(audited=False)

    def test_evacuate_at_nova_conductor(self) -> None:
        self._assert_evacuates()

    def test_evacuate_at_nova_compute(self) -> None:
        self._assert_evacuates(skip=1)

    def test_offload(self) -> None:
        self.flags(shelved_offload_time=-1)
        server = self.boot(self.context)
        self.act(server, 'shelve', 'SHELVED')
        done = self.deliver_twice('shelve_offload_instance', self.TOGETHER)
        self.act(
            server, 'shelveOffload', 'SHELVED_OFFLOADED', api=self.admin_api
        )
        self.assert_delivered(done)
        self.wait_for_status(server, 'SHELVED_OFFLOADED')
        self.assertEqual('reserved', self.status(self.context))
        self.assert_in_step(audited=False)


class DuplicateAtOnceTest(DuplicateTest):
    """The same, with both messages dealt with at the same time."""

    TOGETHER = True


class LostReservationTest(TestCase):
    """Of a boot that comes twice, the second reservation has no answer."""

    def test_what_the_first_has_reserved_stays(self) -> None:
        for fields in (
            {'action': 'late', 'value': 3, 'times': 1},
            {'action': 'drop'},
        ):
            self.cyborg.control(
                'fault', method='PUT', path='allocations', **fields
            )
        done = self.deliver_twice(
            'schedule_and_build_instances', together=True
        )
        server = self.boot(self.context)
        self.assert_delivered(done)
        self.assert_uses_all(server)
        self.assertEqual('bound', self.status(self.context))
        self.assert_in_step(audited=False)


class LateDuplicateTest(TestCase):
    """A message comes again when other operations have followed."""

    def _assert_dropped(
        self,
        server: dict[str, ty.Any],
        deliver: collections.abc.Callable[[], object],
    ) -> None:
        before = self.hostdevs(server)
        deliver()
        self.assertEqual(before, self.hostdevs(server))
        self.assert_uses_all(server)
        self.assertEqual('bound', self.status(self.context))
        self.assert_in_step(audited=False)

    def test_unshelve(self) -> None:
        self.flags(shelved_offload_time=0)
        server = self.boot(self.context)
        self.act(server, 'shelve', 'SHELVED_OFFLOADED')
        deliver = self.keep_message('unshelve_instance')
        self.act(server, 'unshelve')
        self.act(server, 'shelve', 'SHELVED_OFFLOADED')
        self.act(server, 'unshelve')
        self._assert_dropped(server, deliver)

    def test_evacuate(self) -> None:
        server = self.boot(self.context)
        host = self.get_context(self.context)['host']
        self.take_down(host)
        deliver = self.keep_message('rebuild_instance')
        self.act(server, 'evacuate', 'SHUTOFF', {}, self.admin_api)
        self.bring_back(host)
        self.take_down(self.get_context(self.context)['host'])
        self.act(server, 'evacuate', 'SHUTOFF', {}, self.admin_api)
        self._assert_dropped(server, deliver)

    def test_reschedule(self) -> None:
        self.flags(shelved_offload_time=0)
        self.fail_spawns(1)
        deliver = self.keep_message('build_instances')
        server = self.boot(self.context)
        self.act(server, 'shelve', 'SHELVED_OFFLOADED')
        self.act(server, 'unshelve')
        self._assert_dropped(server, deliver)

    def test_build_after_it_was_built_on_another_host(self) -> None:
        self.fail_spawns(1)
        deliver = self.keep_message('build_and_run_instance')
        server = self.boot(self.context)
        self._assert_dropped(server, deliver)


class RaceTest(TestCase):
    """Two servers reach for one device context."""

    def test_one_wins_and_the_other_is_told_who(self) -> None:
        self.cyborg.control(
            'fault', method='PUT', path='allocations', action='delay', value=1
        )
        # nova-api does not see it if they are asked for at the same time.
        with self.without_api_plugin():
            servers = [self.post_server(self.context) for _n in range(2)]
        settled = [
            self.wait_for(lambda s=server: self._settled(s))
            for server in servers
        ]
        won, lost = sorted(settled, key=lambda each: each['status'])
        self.assertEqual(['ACTIVE', 'ERROR'], [won['status'], lost['status']])
        self.assertIn(f'in use by server {won["id"]}', self.fault_of(lost))
        self.assert_uses_all(won)
        self.assert_in_step(audited=False)
        self.delete(lost)
        self.assertEqual('bound', self.status(self.context))

    def _settled(self, server: dict[str, ty.Any]) -> dict[str, ty.Any] | None:
        found = self.api.get_server(server['id'])
        return found if found['status'] in ('ACTIVE', 'ERROR') else None

    def test_two_operations_of_one_server(self) -> None:
        """A user unshelves it while an earlier attempt is not over."""
        self.flags(shelved_offload_time=0)
        self.flags(timeout=2, group='cyborg')
        server = self.boot(self.context)
        self.act(server, 'shelve', 'SHELVED_OFFLOADED')
        # The first attempt's binding arrives when the second one is bound.
        self.cyborg.control(
            'fault',
            method='POST',
            path='/bind$',
            action='delay',
            value=6,
            times=1,
        )
        self.act(server, 'unshelve', 'SHELVED_OFFLOADED')
        self.act(server, 'unshelve')
        before = self.hostdevs(server)
        self.wait_for(lambda: not self.cyborg.control('under_way'))
        self.assertEqual(before, self.hostdevs(server))
        self.assert_uses_all(server)
        self.assert_in_step(audited=False)

# SPDX-License-Identifier: Apache-2.0

"""Messages that come twice."""

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


class Held(fixtures.Fixture):
    """The next message of a method does not come, unless it is delivered.

    :param method: the method.
    """

    def __init__(self, method: str) -> None:
        super().__init__()
        self._method = method
        self._kept: list[collections.abc.Callable[[], object]] = []

    def _setUp(self) -> None:  # noqa: N802 - the name is fixtures'
        dispatch = dispatcher.RPCDispatcher.dispatch

        def hold(bus: ty.Any, incoming: ty.Any) -> ty.Any:
            if incoming.message.get('method') != self._method or self._kept:
                return dispatch(bus, incoming)
            self._kept.append(functools.partial(dispatch, bus, incoming))
            return None

        self.useFixture(
            fixtures.MonkeyPatch(
                f'{dispatcher.__name__}.RPCDispatcher.dispatch', hold
            )
        )

    def is_sent(self) -> bool:
        """Tell whether the message was sent."""
        return bool(self._kept)

    def deliver(self) -> None:
        """Have the message come now; return when it is dealt with."""
        self._kept[0]()


def _copied(incoming: ty.Any) -> ty.Any:
    second = copy.copy(incoming)
    second.message = copy.deepcopy(incoming.message)
    second.ctxt = copy.copy(incoming.ctxt)
    return second


class Duplicates:
    """Each message on a server's way to its host comes twice.

    :cvar TOGETHER: whether at once; else one after the other.
    """

    TOGETHER: bool

    def _assert_boots(self, method: str) -> None:
        context = self.create_context()
        done = self.deliver_twice(method, self.TOGETHER)
        server = self.boot(context)
        self.assert_delivered(done)
        server = self.wait_for_status(server, 'ACTIVE')
        self.assert_uses_all(server)
        self.assert_in_step(audited=False)
        self.delete(server)
        self.wait_for(lambda: self.status(context) is None)
        self.assert_nothing_held()

    def test_boot(self) -> None:
        self._assert_boots('schedule_and_build_instances')
        self._assert_boots('build_and_run_instance')

    def test_reschedule(self) -> None:
        for method in ('build_instances', 'build_and_run_instance'):
            self.fail_spawns(1)
            self._assert_boots(method)

    def test_failed_boot(self) -> None:
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

    def test_offload_unshelve_and_delete(self) -> None:
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

        self._assert_unshelves(server)
        self.flags(shelved_offload_time=0)
        self.act(server, 'shelve', 'SHELVED_OFFLOADED')
        # nova-compute gets the second message of that name.
        self._assert_unshelves(server, skip=1)

        done = self.deliver_twice('terminate_instance', self.TOGETHER)
        self.delete(server)
        self.assert_delivered(done)
        self.assertIsNone(self.status(self.context))
        self.assert_nothing_held()

    def _assert_unshelves(
        self, server: dict[str, ty.Any], skip: int = 0
    ) -> None:
        done = self.deliver_twice('unshelve_instance', self.TOGETHER, skip)
        self.act(server, 'unshelve')
        self.assert_delivered(done)
        self.wait_for_status(server, 'ACTIVE')
        self.assert_uses_all(server)
        self.assert_in_step(audited=False)

    def _assert_evacuates(self, skip: int) -> None:
        server = self.boot(self.context)
        self.take_down(self.get_context(self.context)['host'])
        done = self.deliver_twice('rebuild_instance', self.TOGETHER, skip)
        self.act(server, 'evacuate', 'SHUTOFF', {}, self.admin_api)
        self.assert_delivered(done)
        self.wait_for_status(server, 'SHUTOFF')
        self.assert_uses_all(server)
        self.assert_in_step(audited=False)

    def test_evacuate_at_nova_conductor(self) -> None:
        self._assert_evacuates(skip=0)

    def test_evacuate_at_nova_compute(self) -> None:
        self._assert_evacuates(skip=1)

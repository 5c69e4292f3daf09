# SPDX-License-Identifier: Apache-2.0

"""Servers without accelerators cost what they cost without the plugin."""

from tests.functional.nova import base  # isort: skip - first

import collections
import threading
import typing as ty

import fixtures
import sqlalchemy as sa
from oslo_messaging.rpc import dispatcher

from tests.functional.nova import stock

# What services do from time to time, whatever servers do.
_PERIODIC = frozenset(
    ('Service', 'ComputeNode', 'ComputeNodeList', 'ServiceList')
)


class _Costs(fixtures.Fixture):
    """Counts messages, and the SQL statements that are sent for them.

    :ivar found: how many there are, by method and object.
    :ivar under_way: how many messages are being dealt with.
    """

    def __init__(self) -> None:
        super().__init__()
        self.found: collections.Counter[tuple[str, ...]] = (
            collections.Counter()
        )
        self.under_way = 0
        self._lock = threading.Lock()
        self._here = threading.local()

    def _setUp(self) -> None:  # noqa: N802 - the name is fixtures'
        dispatch = dispatcher.RPCDispatcher.dispatch

        def note(bus: ty.Any, incoming: ty.Any) -> ty.Any:
            outer = getattr(self._here, 'message', None)
            self._here.message = _name(incoming.message)
            self._count('message', 1)
            try:
                return dispatch(bus, incoming)
            finally:
                self._count('message', -1)
                self._here.message = outer

        self.useFixture(
            fixtures.MonkeyPatch(
                f'{dispatcher.__name__}.RPCDispatcher.dispatch', note
            )
        )
        listener = (sa.Engine, 'before_cursor_execute', self._note_statement)
        sa.event.listen(*listener)
        self.addCleanup(sa.event.remove, *listener)

    def _note_statement(self, *_of_it: object) -> None:
        if getattr(self._here, 'message', None):
            self._count('statement')

    def _count(self, kind: str, more: int = 0) -> None:
        name = self._here.message
        with self._lock:
            self.under_way += more
            if more >= 0 and not _PERIODIC.intersection(name):
                self.found[(kind, *name)] += 1


def _name(message: dict[str, ty.Any]) -> tuple[str, ...]:
    """Say what a message is about: its method, and those of an object."""
    args = message.get('args', {})
    instance = args.get('objinst')
    named = (
        instance.get('nova_object.name')
        if isinstance(instance, dict)
        else args.get('objname')
    )
    found = (message['method'], named, args.get('objmethod'))
    return tuple(str(each) for each in found if each)


class PlainServerTest(base.TestCase):
    """A server with nothing of Cyborg's, from its boot to its end."""

    def test_it_costs_what_it_costs_without_the_plugin(self) -> None:
        with_plugin = self._costs()
        self.assertEqual([], self.nova_calls())

        self.useFixture(stock.StockConductors())
        self.conductor.stop()
        self.conductor = self.start_service('conductor')
        self.useFixture(stock.StockComputes())
        self.restart_compute_service('compute1')

        self.assertIn(('message', 'schedule_and_build_instances'), with_plugin)
        self.assertEqual(self._costs(), with_plugin)

    def _costs(self) -> collections.Counter[tuple[str, ...]]:
        # What the services read once.
        self._live()
        with _Costs() as costs:
            self._live()
            self.wait_for(lambda: not costs.under_way)
        return costs.found

    def _live(self) -> None:
        server = self.boot()
        self.act(server, 'reboot', arguments={'type': 'HARD'})
        self.delete(server)

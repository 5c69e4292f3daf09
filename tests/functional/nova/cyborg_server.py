# SPDX-License-Identifier: Apache-2.0

"""The fixture's Cyborg in a process of its own, with faults in it.

It may be killed, by what tests tell it to; a line on the standard input has it
start again, with the same ports and the same database.
"""

from nova_cyborg.fixture import server  # isort: skip - first

import os
import sqlite3
import sys
import tempfile
import typing as ty

import sqlalchemy as sa
from cyborg.api import app as stock_app
from cyborg.conductor import rpcapi
from nova_cyborg.audit import auditor
from nova_cyborg.cmd import audit
from nova_cyborg.cyborg.conductor.reconciler import loop, rounds
from nova_cyborg.db.reconciler import leases
from nova_cyborg.fixture import cyborg as cyborg_fixture
from nova_cyborg.fixture import http_server

from cyborg import context as cyborg_context
from tests.functional.nova import edge
from tests.functional.nova.story import hosts, reconciling


class Control(hosts.Control, server.Control):
    """What tests may do; each public method is a request of that name."""

    def __init__(
        self, cyborg: cyborg_fixture.CyborgFixture, port: int
    ) -> None:
        self._apps = {
            stock: edge.Edge(http_server.Authentication(application))
            for stock, application in (
                (False, cyborg.app),
                (True, stock_app.app_factory({})),
            )
        }
        self._edge = self._apps[False]
        self._loop = _new_loop()
        self._beside: reconciling.Reconciler | None = None
        self._refusals: list[edge.Fault] = []
        sa.event.listen(cyborg.engine, 'before_cursor_execute', self._refuse)
        super().__init__(cyborg, port)

    def _application(self) -> ty.Any:
        return self._edge

    def reset(self) -> None:
        """Make it as new for a test."""
        self.stop_reconciling()
        self._loop = _new_loop()
        self._refusals.clear()
        self.stop_hosts()
        super().reset()
        self.serve(stock=False)
        self.allow_classes(['*'])
        for application in self._apps.values():
            application.requests.clear()
            application.faults.clear()

    def serve(self, stock: bool) -> None:
        """Serve Cyborg without device contexts, or with them."""
        self._edge = self._apps[stock]
        self._server.set_app(self._edge)

    def allow_classes(self, names: list[str]) -> None:
        """Set which resource classes device contexts may ask for."""
        self._cyborg.config.config(
            group='nova_cyborg', allowed_resource_classes=names
        )

    def fault(self, **fields: ty.Any) -> None:
        """Make a fault; see :class:`edge.Fault`."""
        self._edge.faults.append(edge.Fault(**fields))

    def clear_faults(self) -> None:
        """Let all requests pass again, and all writes."""
        self._edge.faults.clear()
        self._refusals.clear()

    def faults_ahead(self) -> list[str]:
        """Return the faults that were not met yet, or are about to kill."""
        return [
            str(fault)
            for fault in (*self._edge.faults, *self._refusals)
            if not fault.met or fault.action.startswith('die')
        ]

    def under_way(self) -> int:
        """Return how many requests and bindings are not done yet."""
        return self._edge.under_way + super().under_way()

    def requests(self) -> list[tuple[str, str, str]]:
        """Return method, path and query of the requests to the API."""
        return list(self._edge.requests)

    def serve_agent(self, host: str) -> None:
        """Let the cyborg-agent of a host answer; none does after a restart.

        :param host: the name of the node that it is on.
        """
        self._cyborg.serve_agent(host)

    def audit(self, placement: str) -> list[dict[str, ty.Any]]:
        """Look for what disagrees, once, and put it right.

        :param placement: URL of Placement.
        :returns: what was found.
        """
        self.reach_placement(placement)
        found = auditor.run(0, repair=True, tell=print)
        return [audit.as_row(outcome) for outcome in found]

    def reconcile(self, placement: str, ticks: int) -> dict[str, int]:
        """Let what disagrees be put right, in the rounds of a conductor.

        :param placement: URL of Placement.
        :param ticks: how many rounds there are, without a pause.
        :returns: how often what was repaired since the test has begun.
        """
        self.reach_placement(placement)
        for _n in range(ticks):
            self._loop.tick()
        lease = leases.read(
            cyborg_context.get_admin_context(), leases.RECONCILER
        )
        assert lease
        repaired: dict[str, int] = lease.report['repaired']
        return repaired

    def start_reconciling(self, placement: str, interval: float) -> None:
        """Reconcile beside all that tests do, from now on.

        :param placement: URL of Placement.
        :param interval: seconds between two ticks.
        """
        self.reach_placement(placement)
        self._beside = reconciling.Reconciler(interval)

    def reconciled(self) -> dict[str, ty.Any]:
        """Return how often it was reconciled, and what was repaired."""
        assert self._beside
        return self._beside.report

    def stop_reconciling(self) -> None:
        """Reconcile no more."""
        if self._beside is not None:
            self._beside.stop()
            self._beside = None

    def reach_placement(self, url: str) -> None:
        """Have all of Cyborg ask Placement.

        :param url: that of Placement.
        """
        self._cyborg.config.config(
            group='placement', auth_type='none', endpoint_override=url
        )

    def refuse_writes(
        self, table: str, skip: int = 0, times: int = 1, kill: bool = False
    ) -> None:
        """Let the database refuse statements that write to a table.

        :param skip: how many pass before the first.
        :param times: how many are refused.
        :param kill: whether Cyborg is killed instead.
        """
        action = 'die' if kill else ''
        self._refusals.append(edge.Fault('', table, action, 0, skip, times))

    def _refuse(
        self, _connection: object, _cursor: object, statement: str, *_: object
    ) -> None:
        words = statement.split()
        verb, where = words[0].upper(), ' '.join(words[1:4])
        if verb not in ('INSERT', 'UPDATE', 'DELETE'):
            return
        for refusal in self._refusals:
            if refusal.hits('', where):
                if refusal.action == 'die':
                    edge.die()
                raise sqlite3.OperationalError('the disk is full')


def _new_loop() -> loop.Loop:
    settings = rounds.Settings(interval=10, grace=0, budget=60, resync=20)
    return loop.Loop('controller', settings, rpcapi.ConductorAPI())


def main() -> None:
    """Have a child be Cyborg, and another one after it was killed."""
    arguments = server.parse()
    ports = server.free_ports()
    with tempfile.TemporaryDirectory(prefix='cyborg-') as folder:
        while True:
            # All is imported by now: the next one starts at once.
            child = os.fork()
            if not child:
                server.serve(arguments.nova, folder, ports, Control)
                # Threads of the message bus and of bindings would be
                # waited for.
                os._exit(0)
            _pid, status = os.waitpid(child, 0)
            killed = os.WIFSIGNALED(status)
            if not killed or not sys.stdin.readline():
                return


if __name__ == '__main__':
    main()

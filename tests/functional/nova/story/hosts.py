# SPDX-License-Identifier: Apache-2.0

"""What tests may do with hosts, in Cyborg's process.

A conductor, which is real, takes the reports of their agents.
"""

import contextlib
import pathlib
import typing as ty
from unittest import mock

import sqlalchemy as sa
from cyborg.common import constants
from cyborg.objects.driver_objects import driver_attach_handle
from nova_cyborg.cyborg.conductor import manager as conductor_manager
from nova_cyborg.fixture import cyborg as cyborg_fixture
from nova_cyborg.lifecycle.cleaning import begin

from cyborg import context as cyborg_context
from tests.functional.nova import edge
from tests.functional.nova.story import agents


class Control:
    """What tests may do with hosts; see :class:`..cyborg_server.Control`."""

    _cyborg: cyborg_fixture.CyborgFixture
    # What is undone when there are no hosts any more.
    _hosts: ty.ClassVar = contextlib.ExitStack()

    def start_hosts(self, placement: str, folders: dict[str, str]) -> None:
        """Start the agents of hosts, and a conductor for their reports.

        :param placement: URL of Placement.
        :param folders: a folder of each host, which may have been used by an
            earlier agent of it.
        """
        self._folders = folders
        self._cyborg.config.config(
            group='placement', auth_type='none', endpoint_override=placement
        )
        self._bus = agents.Bus()
        for owner, name, value in (
            (begin, 'rpcapi', mock.Mock(AgentAPI=self._agent_api)),
            (
                driver_attach_handle.DriverAttachHandle,
                'destroy',
                conductor_manager._destroy,
            ),
        ):
            self._hosts.enter_context(mock.patch.object(owner, name, value))
        self._conductor = conductor_manager.ConductorManager(
            constants.CONDUCTOR_TOPIC, 'reports'
        )
        self._agents: dict[str, agents.Agent] = {}
        for host in folders:
            self.kill_agent(host)

    def _agent_api(self) -> ty.Any:
        return mock.Mock(client=self._bus)

    def stop_hosts(self) -> None:
        """Have no agents any more."""
        self._hosts.close()

    def kill_agent(self, host: str) -> None:
        """Kill an agent, and start another one; its programs go on."""
        if host in self._agents:
            self._agents[host].link.cut = True
        self._agents[host] = agents.Agent(
            self._cyborg.config,
            agents.Link(self._conductor),
            host,
            pathlib.Path(self._folders[host]),
        )

    def report(self, host: str, entries: list[ty.Any], kill: int) -> None:
        """Have an agent report.

        :param host: the name of its node.
        :param entries: the devices, as a devices file has them.
        :param kill: the number of the SQL statement at which Cyborg is killed;
            0 if it is not.
        """
        with self._killed_at(kill):
            self._agents[host].report(entries)

    @contextlib.contextmanager
    def _killed_at(self, statement: int) -> ty.Iterator[None]:
        left = statement

        def count(*_args: object) -> None:
            nonlocal left
            left -= 1
            if left == 0:
                edge.die()

        engine = self._cyborg.engine
        sa.event.listen(engine, 'before_cursor_execute', count)
        try:
            yield
        finally:
            sa.event.remove(engine, 'before_cursor_execute', count)

    def expire_reports(self) -> None:
        """Let the time pass until reports of killed conductors do not count.

        Until then, the reports of their hosts are left out.
        """
        with self._cyborg.engine.begin() as connection:
            connection.execute(
                sa.text('UPDATE host_reports SET expires_at = :past'),
                {'past': '2001-01-01 00:00:00.000000'},
            )

    def clean(self, host: str, wait: bool, lose: bool) -> None:
        """Have an agent clean what it was told to clean.

        :param host: the name of its node.
        :param wait: whether to wait until it is done.
        :param lose: whether its words of the end are lost.
        """
        agent, slots = self._agents[host], self._bus.casts.pop(host, [])
        agent.link.loses = lose
        agent.clean(slots)
        if wait:
            agent.wait()

    def repeat_word(self, host: str, number: int) -> None:
        """Have a word of an agent come late, or again.

        :param host: the name of its node.
        :param number: which of its words.
        """
        words = self._agents[host].link.words
        if words:
            self._conductor.end_cleaning(
                cyborg_context.get_admin_context(),
                **words[number % len(words)],
            )

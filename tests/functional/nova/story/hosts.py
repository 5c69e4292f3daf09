# SPDX-License-Identifier: Apache-2.0

"""The agents of hosts, and a conductor that takes their reports.

All of them are real, and so are the programs that clean slots. Left out is
the message bus: what the conductor tells an agent is kept until the test has
it delivered, and what an agent says may be lost, or come late.
"""

import collections
import contextlib
import json
import pathlib
import time
import typing as ty
from unittest import mock

import sqlalchemy as sa
from cyborg.agent import manager as stock_agent
from cyborg.common import constants
from cyborg.conf import CONF
from cyborg.objects import base as objects_base
from cyborg.objects.driver_objects import driver_attach_handle
from nova_cyborg import conf as our_conf
from nova_cyborg.cyborg.agent import devices, driver
from nova_cyborg.cyborg.agent import manager as agent_manager
from nova_cyborg.cyborg.conductor import manager as conductor_manager
from nova_cyborg.fixture import cyborg as cyborg_fixture
from nova_cyborg.lifecycle.cleaning import begin

from cyborg import context as cyborg_context
from tests.functional.nova import edge

_SECONDS = 60


class Bus:
    """The conductor's way to the agents.

    :ivar casts: the slots that agents are to clean, by their host.
    """

    def __init__(self) -> None:
        self.casts: dict[str, list[dict[str, str]]] = collections.defaultdict(
            list
        )

    def prepare(self, server: str, retry: int) -> ty.Any:
        """Return what casts to an agent, as Cyborg's client of it does."""
        kept = self.casts[server]

        def cast(_context: object, method: str, slots: ty.Any) -> None:
            assert method == 'clean_slots', method
            kept.extend(json.loads(json.dumps(slots)))

        return mock.Mock(cast=cast)


class Link:
    """An agent's way to the conductor.

    :param conductor: the conductor.
    :ivar client: Cyborg's client of the conductor has it.
    :ivar cut: whether nothing gets through: the agent is killed.
    :ivar loses: whether words of how cleaning has ended are lost.
    :ivar words: those words, lost or not.
    """

    def __init__(self, conductor: conductor_manager.ConductorManager) -> None:
        self.client = self
        self.cut = False
        self.loses = False
        self.words: list[dict[str, ty.Any]] = []
        self._conductor = conductor

    def report_data(self, context: ty.Any, host: str, found: ty.Any) -> None:
        """Report the devices of a host."""
        serializer = objects_base.CyborgObjectSerializer()
        sent = json.dumps(serializer.serialize_entity(context, found))
        received = serializer.deserialize_entity(context, json.loads(sent))
        self._conductor.report_data(context, host, received)

    def prepare(self) -> ty.Any:
        """Return what calls the conductor."""
        return self

    def call(self, context: ty.Any, method: str, **arguments: ty.Any) -> bool:
        """Call the conductor."""
        if self.cut:
            raise OSError('The agent is killed.')
        if method == 'end_cleaning':
            self.words.append(arguments)
            if self.loses:
                raise OSError('The conductor does not answer.')
        return bool(getattr(self._conductor, method)(context, **arguments))


class Agent:
    """A cyborg-agent.

    :param config: oslo.config's fixture.
    :param link: its way to the conductor.
    :param host: the name of its node.
    :param folder: where its devices file is.
    """

    def __init__(
        self, config: ty.Any, link: Link, host: str, folder: pathlib.Path
    ) -> None:
        self.link = link
        self._file = folder / 'devices.yaml'
        if not self._file.exists():
            self._write([])
        config.config(host=host, state_path=str(folder))
        config.config(group='agent', enabled_drivers=[driver.NAME])
        # Before Cyborg 16, the agent takes its own name.
        if 'resource_provider_name' in CONF.agent:
            config.config(group='agent', resource_provider_name=host)
        our_conf.register_agent_opts(CONF)
        config.config(group='nova_cyborg', devices_file=str(self._file))
        with mock.patch.object(
            stock_agent.cond_api, 'ConductorAPI', return_value=link
        ):
            self._manager = agent_manager.AgentManager('cyborg-agent', host)
        self._host = host
        self._context = cyborg_context.get_admin_context()

    def _write(self, entries: list[ty.Any]) -> None:
        # JSON is YAML.
        self._file.write_text(json.dumps({'devices': entries}))

    def report(self, entries: list[ty.Any]) -> None:
        """Report devices, also such as no devices file may have together."""
        good: list[ty.Any] = []
        claimed: set[str] = set()
        parsed = [devices.parse_device(entry) for entry in entries]
        for device, entry in zip(parsed, entries, strict=True):
            if claimed.isdisjoint(device.claims):
                claimed |= device.claims
                good.append(entry)
        self._write(good)
        found = [
            driver.driver_device_of(device, self._host) for device in parsed
        ]
        (file_driver,) = self._manager._rt.acc_drivers
        with contextlib.ExitStack() as stack:
            if good != entries:
                stack.enter_context(
                    mock.patch.object(
                        file_driver, 'discover', return_value=found
                    )
                )
            self._manager._rt.update_usage(self._context)

    def clean(self, slots: list[dict[str, str]]) -> None:
        """Begin to clean slots."""
        self._manager.clean_slots(self._context, slots)

    def wait(self) -> None:
        """Wait until no slot is being cleaned."""
        end = time.monotonic() + _SECONDS
        while self._manager._cleaner._running:
            if time.monotonic() > end:
                raise TimeoutError(self._manager._cleaner._running)
            time.sleep(0.01)


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
        self._bus = Bus()
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
        self._agents: dict[str, Agent] = {}
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
        self._agents[host] = Agent(
            self._cyborg.config,
            Link(self._conductor),
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

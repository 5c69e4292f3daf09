# SPDX-License-Identifier: Apache-2.0

"""Agents of hosts, in Cyborg's process.

They are real, and so are the programs that clean slots. Left out is the
message bus: what the conductor tells an agent is kept until the test has it
delivered, and what an agent says may be lost, or come late.
"""

import collections
import contextlib
import json
import pathlib
import time
import typing as ty
from unittest import mock

from cyborg.agent import manager as stock_agent
from cyborg.conf import CONF
from cyborg.objects import base as objects_base
from nova_cyborg import conf as our_conf
from nova_cyborg.cyborg.agent import devices, driver
from nova_cyborg.cyborg.agent import manager as agent_manager
from nova_cyborg.cyborg.conductor import manager as conductor_manager

from cyborg import context as cyborg_context

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

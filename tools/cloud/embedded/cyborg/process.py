# SPDX-License-Identifier: Apache-2.0

"""Cyborg in one process: API, conductor and an agent for each host."""

import signal
import subprocess

# The commands' package selects oslo.service's threads when it is imported.
import cyborg.cmd  # noqa: F401
from cyborg.api import app
from cyborg.common import constants, service
from cyborg.conf import CONF
from cyborg.db import migration

from tools.cloud.embedded import partners, wsgi
from tools.cloud.embedded.cyborg import providers
from tools.cloud.machine import installation
from tools.cloud.model import state as cloud_state


def run(state: cloud_state.State) -> None:
    """Run Cyborg."""
    config = str(state.config('cyborg'))
    service.prepare_service(['cyborg-api', '--config-file', config])
    if migration.version() is None:
        migration.create_schema()
    if state.settings.plugin:
        _make_tables(config)
    if state.settings.lists_devices:
        _register_options()
    wsgi.serve_in_background(state, 'cyborg', app.load_app())
    # The conductor and the agents log in while they are made.
    partners.wait_for(state, 'keystone', 'placement')
    conductor = service.RPCService(
        'cyborg.conductor.manager',
        'ConductorManager',
        constants.CONDUCTOR_TOPIC,
    )
    conductor.start()
    _start_agents(state)
    state.ready('cyborg').touch()
    signal.pause()


def _make_tables(config: str) -> None:
    # As an operator would, so that this command is tried too.
    subprocess.run(
        [installation.MANAGE, '--config-file', config, 'db', 'upgrade'],
        check=True,
    )


def _register_options() -> None:
    from nova_cyborg import conf

    # The drivers register their options when they are loaded, but the hosts'
    # agents are told apart before.
    conf.register_agent_opts(CONF)


def _start_agents(state: cloud_state.State) -> None:
    """Start the agents, each once its host is known to Placement."""
    # Not before the plugin is there: it replaces Cyborg's class of agents.
    from tools.cloud.embedded.cyborg import agents

    agents.install(state)
    for host in state.settings.hosts:
        providers.wait_for(host)
        agent = service.RPCService(
            agents.__name__,
            agents.HostAgentManager.__name__,
            constants.AGENT_TOPIC,
            host=host,
        )
        agent.start()

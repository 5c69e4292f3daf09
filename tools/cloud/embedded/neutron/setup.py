# SPDX-License-Identifier: Apache-2.0

"""Neutron's tables where its migrations cannot make them, and its agents.

The ML2 driver wants an agent on record: without one it would refuse to bind
the ports of a host, and Nova with it. None runs: the fake hosts plug nothing.
"""

import os

from neutron import server
from neutron.db.migration.models import head
from neutron.server import api
from neutron_lib import constants, context
from neutron_lib.db import api as db_api
from neutron_lib.plugins import directory

from tools.cloud.embedded import wsgi
from tools.cloud.model import state as cloud_state


def run(state: cloud_state.State) -> None:
    """Make what is missing, in a process that does nothing else."""
    start(state)
    register_agents(state.settings.hosts)


def start(state: cloud_state.State) -> wsgi.Application:
    """Start Neutron's application.

    :returns: the application.
    """
    os.environ['OS_NEUTRON_CONFIG_FILES'] = str(state.config('neutron'))

    def make_and_serve() -> wsgi.Application:
        # Alembic's chain has steps that SQLite and PostgreSQL cannot do.
        # Where it has made the tables, this finds nothing to do.
        engine = db_api.CONTEXT_WRITER.get_engine()
        head.get_metadata().create_all(engine)
        application: wsgi.Application = api.api_server()
        return application

    started: wsgi.Application = server.boot_server(
        make_and_serve, prog='neutron-api'
    )
    return started


def register_agents(hosts: list[str]) -> None:
    """Register the agents of hosts.

    :param hosts: the hosts' names.
    """
    for host in hosts:
        directory.get_plugin().create_or_update_agent(
            context.get_admin_context(),
            {
                'agent_type': constants.AGENT_TYPE_OVS,
                'binary': 'neutron-openvswitch-agent',
                'host': host,
                'topic': 'N/A',
                'configurations': {},
                'start_flag': True,
            },
        )

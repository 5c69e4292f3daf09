# Licensed under the Apache License, Version 2.0 (the "License"); you may
# not use this file except in compliance with the License. You may obtain
# a copy of the License at
#
#      http://www.apache.org/licenses/LICENSE-2.0
#
# Unless required by applicable law or agreed to in writing, software
# distributed under the License is distributed on an "AS IS" BASIS, WITHOUT
# WARRANTIES OR CONDITIONS OF ANY KIND, either express or implied. See the
# License for the specific language governing permissions and limitations
# under the License.

"""Neutron's API. No agent runs: the fake hosts plug nothing."""

import os

from neutron import server
from neutron.db.migration.models import head
from neutron.server import api
from neutron_lib import constants, context
from neutron_lib.db import api as db_api
from neutron_lib.plugins import directory

from tools.cloud import state as cloud_state
from tools.cloud.services import wsgi


def serve(state: cloud_state.State) -> None:
    """Run Neutron.

    :param state: the cloud.
    """
    os.environ['OS_NEUTRON_CONFIG_FILES'] = str(state.config('neutron'))

    def start() -> wsgi.Application:
        # Alembic's chain has steps that SQLite cannot do.
        engine = db_api.CONTEXT_WRITER.get_engine()
        head.get_metadata().create_all(engine)
        application: wsgi.Application = api.api_server()
        return application

    application = server.boot_server(start, prog='neutron-api')
    for host in state.settings.hosts:
        _register_agent(host)
    wsgi.serve(state, 'neutron', application)


def _register_agent(host: str) -> None:
    """Let the ML2 driver bind the ports of a host.

    Without an agent on record it would refuse, and Nova with it.

    :param host: the compute host's name.
    """
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

# SPDX-License-Identifier: Apache-2.0

"""Neutron's API. No agent runs: the fake hosts plug nothing."""

from tools.cloud.embedded import wsgi
from tools.cloud.embedded.neutron import setup as neutron_setup
from tools.cloud.model import state as cloud_state


def run(state: cloud_state.State) -> None:
    """Run Neutron."""
    application = neutron_setup.start(state)
    neutron_setup.register_agents(state.settings.hosts)
    wsgi.serve(state, 'neutron', application)

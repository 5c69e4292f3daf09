# SPDX-License-Identifier: Apache-2.0

"""Neutron's API. No agent runs: the fake hosts plug nothing."""

from tools.cloud import state as cloud_state
from tools.cloud.services import neutron_setup, wsgi


def serve(state: cloud_state.State) -> None:
    """Run Neutron.

    :param state: the cloud.
    """
    application = neutron_setup.start(state)
    neutron_setup.register_agents(state.settings.hosts)
    wsgi.serve(state, 'neutron', application)

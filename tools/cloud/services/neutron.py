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

from tools.cloud import state as cloud_state
from tools.cloud.services import neutron_setup, wsgi


def serve(state: cloud_state.State) -> None:
    """Run Neutron.

    :param state: the cloud.
    """
    application = neutron_setup.start(state)
    neutron_setup.register_agents(state.settings.hosts)
    wsgi.serve(state, 'neutron', application)

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

"""Stock cyborg-agent for a host without hardware."""

import sys

from cyborg.cmd import agent

from tools.cloud import mdevs
from tools.cloud import state as cloud_state
from tools.cloud.production import configs
from tools.cloud.services import fake_sysfs


def serve(state: cloud_state.State, host: str) -> None:
    """Run cyborg-agent.

    :param state: the cloud.
    :param host: the host's name.
    """
    bus = mdevs.MdevBus(state.folder('mdevs', host))
    fake_sysfs.install(lambda: bus)
    paths = (state.config('cyborg'), configs.agent(state, host))
    sys.argv = ['cyborg-agent', *(f'--config-file={path}' for path in paths)]
    agent.main()

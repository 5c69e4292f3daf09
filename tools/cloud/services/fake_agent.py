# SPDX-License-Identifier: Apache-2.0

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

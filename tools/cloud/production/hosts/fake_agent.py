# SPDX-License-Identifier: Apache-2.0

"""Stock cyborg-agent for a host without hardware."""

import sys

from cyborg.cmd import agent

from tools.cloud.fakes import mdevs, sysfs
from tools.cloud.model import state as cloud_state
from tools.cloud.production import configs


def run(state: cloud_state.State, host: str) -> None:
    """Run cyborg-agent."""
    bus = mdevs.MdevBus(state.folder('mdevs', host))
    sysfs.install(lambda: bus)
    paths = (state.config('cyborg'), configs.path(state, 'cyborg', host))
    sys.argv = ['cyborg-agent', *(f'--config-file={path}' for path in paths)]
    agent.main()

# SPDX-License-Identifier: Apache-2.0

"""Stock nova-compute on a fake hypervisor: one host, one process."""

import sys

from nova import monkey_patch

from tools.cloud.model import state as cloud_state


def run(state: cloud_state.State, host: str) -> None:
    """Run nova-compute."""
    monkey_patch.patch(backend='threading')
    from nova.cmd import compute

    from tools.cloud.fakes import hypervisors
    from tools.cloud.production import configs

    config = configs.path(state, 'nova', host)
    sys.argv = ['nova-compute', f'--config-file={config}']
    hypervisors.install(state, [host])
    compute.main()

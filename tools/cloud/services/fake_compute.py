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

"""Stock nova-compute on a fake hypervisor: one host, one process."""

import sys

from nova import monkey_patch

from tools.cloud import state as cloud_state


def serve(state: cloud_state.State, host: str) -> None:
    """Run nova-compute.

    :param state: the cloud.
    :param host: the host's name.
    """
    monkey_patch.patch(backend='threading')
    from nova.cmd import compute

    from tools.cloud.production import configs
    from tools.cloud.services import hypervisors

    config = configs.compute(state, host)
    sys.argv = ['nova-compute', f'--config-file={config}']
    hypervisors.install(state, [host])
    compute.main()

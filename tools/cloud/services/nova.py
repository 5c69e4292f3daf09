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

"""Nova's process, in the order that Nova asks for."""

from nova import monkey_patch

from tools.cloud import state as cloud_state


def serve(state: cloud_state.State) -> None:
    """Run Nova.

    :param state: the cloud.
    """
    # This must come before any other import of Nova. The environment says
    # that there is nothing to patch; it selects oslo.service's threads too.
    monkey_patch.patch(backend='threading')
    from tools.cloud.services import compute, hypervisors

    compute.serve(state, hypervisors)

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

"""Cyborg's root and v2 controllers, with ours beside the stock ones."""

from cyborg.api.controllers import root, v2

from nova_cyborg.api.controllers import (
    accelerator_requests,
    device_allocations,
    device_contexts,
    device_profiles,
)


class V2Controller(v2.Controller):
    """Cyborg's v2, with device contexts."""

    accelerator_requests = accelerator_requests.AcceleratorRequestsController()
    device_allocations = device_allocations.DeviceAllocationsController()
    device_contexts = device_contexts.DeviceContextsController()
    device_profiles = device_profiles.DeviceProfilesController()


class RootController(root.RootController):
    """Cyborg's root."""

    v2 = V2Controller()

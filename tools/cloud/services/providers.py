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

"""The resource providers that cyborg-agent finds in Placement."""

import urllib.parse

from cyborg.common import placement_client

from tools.cloud import waiting

_SECONDS = 120


def wait_for(host: str) -> None:
    """Wait until a compute host has reported itself to Placement.

    cyborg-agent gives up after a few tries, which grow ever further apart.

    :param host: the host's name.
    :raises StepFailed: if it does not, in good time.
    """
    client = placement_client.PlacementClient()
    query = '/resource_providers?name=' + urllib.parse.quote(host)

    def is_known() -> bool:
        return bool(client.get(query).json()['resource_providers'])

    waiting.until(f'{host} to be in Placement', is_known, _SECONDS)

# SPDX-License-Identifier: Apache-2.0

"""The resource providers that cyborg-agent finds in Placement."""

import urllib.parse

from cyborg.common import placement_client

from tools.cloud import waiting

_SECONDS = 120


def wait_for(host: str) -> None:
    """Wait until a compute host has reported itself to Placement.

    cyborg-agent gives up after a few tries, which grow ever further apart.

    :raises StepFailed: if it does not, in good time.
    """
    client = placement_client.PlacementClient()
    query = '/resource_providers?name=' + urllib.parse.quote(host)

    def is_known() -> bool:
        return bool(client.get(query).json()['resource_providers'])

    waiting.until(f'{host} to be in Placement', is_known, _SECONDS)

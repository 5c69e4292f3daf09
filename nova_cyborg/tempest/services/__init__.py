# SPDX-License-Identifier: Apache-2.0

"""Clients of the APIs that the tests call."""

from nova_cyborg.tempest.services.accelerator_requests_client import (
    AcceleratorRequestsClient,
)
from nova_cyborg.tempest.services.device_allocations_client import (
    DeviceAllocationsClient,
)
from nova_cyborg.tempest.services.device_contexts_client import (
    DeviceContextsClient,
)
from nova_cyborg.tempest.services.device_profiles_client import (
    DeviceProfilesClient,
)
from nova_cyborg.tempest.services.server_device_contexts_client import (
    ServerDeviceContextsClient,
)

__all__ = [
    'AcceleratorRequestsClient',
    'DeviceAllocationsClient',
    'DeviceContextsClient',
    'DeviceProfilesClient',
    'ServerDeviceContextsClient',
]

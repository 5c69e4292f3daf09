# SPDX-License-Identifier: Apache-2.0

"""Cyborg's root and v2 controllers, with ours beside the stock ones."""

from cyborg.api import expose
from cyborg.api.controllers import root, v2

from nova_cyborg.api.controllers import (
    accelerator_requests,
    device_allocations,
    device_contexts,
    device_profiles,
    device_taints,
    devices,
)
from nova_cyborg.api.controllers.answers import (
    device_context_limits,
    device_context_openapi,
    device_context_options,
    extension,
)
from nova_cyborg.api.controllers.operators import reconciler


class V2Controller(v2.Controller):
    """Cyborg's v2, with device contexts."""

    accelerator_requests = accelerator_requests.AcceleratorRequestsController()
    device_allocations = device_allocations.DeviceAllocationsController()
    device_context_limits = (
        device_context_limits.DeviceContextLimitsController()
    )
    device_context_openapi = (
        device_context_openapi.DeviceContextOpenapiController()
    )
    device_context_options = (
        device_context_options.DeviceContextOptionsController()
    )
    device_contexts = device_contexts.DeviceContextsController()
    device_profiles = device_profiles.DeviceProfilesController()
    device_taints = device_taints.DeviceTaintsController()
    devices = devices.DevicesController()
    reconciler = reconciler.ReconcilerController()

    @expose.expose(extension.V2)
    def get(self) -> object:
        """Show Cyborg's version 2, and what is beside it."""
        return extension.beside(v2.V2.convert(), extension.V2)


class RootController(root.RootController):
    """Cyborg's root."""

    v2 = V2Controller()

    @expose.expose(extension.Root)
    def get(self) -> object:
        """List Cyborg's versions, and what is beside them."""
        return extension.beside(root.Root.convert(), extension.Root)

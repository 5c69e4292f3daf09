# SPDX-License-Identifier: Apache-2.0

"""nova-conductor as a service: what it answers besides Nova's own calls."""

from nova.conductor import manager

from nova_cyborg.nova.features import presence


class ConductorManager(manager.ConductorManager):
    """Nova's conductor manager, which says that the plugin is in it.

    Servers are built by :class:`nova_cyborg.nova.conductor.manager.
    ComputeTaskManager`, which is one of its endpoints.
    """

    def __init__(self, *args: object, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)
        self.additional_endpoints.append(presence.Presence())

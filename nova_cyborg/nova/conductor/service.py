# SPDX-License-Identifier: Apache-2.0

"""nova-conductor as a service: what it does besides Nova's own calls."""

from nova import context as nova_context
from nova.conductor import manager
from oslo_service import periodic_task

from nova_cyborg import plugin
from nova_cyborg.nova.conductor.recovery import builds, loop
from nova_cyborg.nova.features import presence


class ConductorManager(manager.ConductorManager):
    """Nova's conductor manager, which says that the plugin is in it.

    Servers are built by :class:`nova_cyborg.nova.conductor.manager.
    ComputeTaskManager`, which is one of its endpoints.
    """

    def __init__(self, *args: object, **kwargs: object) -> None:
        plugin.or_stop(builds.check)
        super().__init__(*args, **kwargs)
        self.additional_endpoints.append(presence.Presence())
        self._loop = loop.Loop(self.host)

    @periodic_task.periodic_task(spacing=loop.INTERVAL)
    def _end_interrupted_builds(
        self, context: nova_context.RequestContext
    ) -> None:
        self._loop.tick(context, self.compute_task_mgr)

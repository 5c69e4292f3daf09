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

"""A conductor hook that does nothing: where to begin one's own."""

from __future__ import annotations

from nova import context as nova_context
from nova import objects

from nova_cyborg.hooks import spec


class NoopHook(spec.ConductorHook):
    """Concerns no server, adds nothing, binds nothing."""

    def concerns(self, request_spec: objects.RequestSpec) -> bool:
        """See :meth:`.spec.ConductorHook.concerns`."""
        return False

    def before_scheduling(
        self,
        context: nova_context.RequestContext,
        request_spec: objects.RequestSpec,
        server_ids: list[str],
        operation: spec.Operation,
    ) -> None:
        """See :meth:`.spec.ConductorHook.before_scheduling`."""

    def pre_bind(
        self,
        context: nova_context.RequestContext,
        instance: objects.Instance,
        node: str,
        request_spec: objects.RequestSpec,
        operation: spec.Operation,
    ) -> list[str]:
        """See :meth:`.spec.ConductorHook.pre_bind`."""
        return []

    def unbind(
        self,
        context: nova_context.RequestContext,
        server_id: str,
        operation: spec.Operation,
    ) -> None:
        """See :meth:`.spec.ConductorHook.unbind`."""

    def release(
        self, context: nova_context.RequestContext, server_id: str
    ) -> None:
        """See :meth:`.spec.ConductorHook.release`."""

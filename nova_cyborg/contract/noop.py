# SPDX-License-Identifier: Apache-2.0

"""A conductor hook that does nothing: where to begin one's own."""

from __future__ import annotations

from nova import context as nova_context
from nova import objects

from nova_cyborg.contract import spec


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

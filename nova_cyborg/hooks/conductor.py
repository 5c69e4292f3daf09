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

"""nova-conductor: the hooks on a server's way to its host.

:mod:`nova_cyborg.hooks.plugin` puts :class:`ComputeTaskManager` in the place
of Nova's own class, which it extends at the points that all servers pass:
``_schedule_instances`` before scheduling, and
``_create_and_bind_arq_for_instance`` after it. It adds no public method,
which would be an RPC method.
"""

from __future__ import annotations

import collections.abc
import contextlib
import contextvars
import dataclasses
import logging
import typing as ty

from keystoneauth1 import exceptions as ks_exc
from nova import conf, objects
from nova import context as nova_context
from nova import exception as nova_exception
from nova.conductor import manager

from nova_cyborg import exception, model
from nova_cyborg.hooks import client, runner, signatures

CONF = conf.CONF
LOG = logging.getLogger(__name__)

_SIGNATURES = {
    'schedule_and_build_instances': 'context build_requests request_specs',
    'build_instances': 'context instances image filter_properties',
    '_schedule_instances': (
        'context request_spec instance_uuids return_alternates'
    ),
    '_create_and_bind_arq_for_instance': (
        'context instance hostname request_spec requested_networks'
    ),
    '_create_and_bind_arqs': (
        'cyclient instance_uuid extra_specs hostname resource_provider_mapping'
    ),
    '_cleanup_when_reschedule_fails': 'context instance exception',
}


@dataclasses.dataclass
class _Build:
    """A call that builds servers.

    :ivar booting: whether the servers are new.
    :ivar specs: their requests by server, of those that concern a hook.
    :ivar prepared: servers whose hooks were called before scheduling.
    :ivar bound: servers whose hooks have begun to bind.
    """

    booting: bool
    specs: dict[str, objects.RequestSpec]
    prepared: set[str] = dataclasses.field(default_factory=set)
    bound: set[str] = dataclasses.field(default_factory=set)


# The call that this thread, or green thread, is in: Nova's methods in
# between have no argument to hand it on.
_current: contextvars.ContextVar[_Build | None] = contextvars.ContextVar(
    'nova_cyborg_build', default=None
)


def _current_build() -> _Build:
    return _current.get() or _Build(False, {})


@contextlib.contextmanager
def _building(build: _Build) -> collections.abc.Iterator[_Build]:
    token = _current.set(build)
    try:
        yield build
    finally:
        _current.reset(token)


class ComputeTaskManager(manager.ComputeTaskManager):
    """Nova's compute task manager, with hooks."""

    def __init__(self, *args: object, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)
        self._hooks = runner.load(CONF.nova_cyborg.conductor_hooks)

    def schedule_and_build_instances(
        self,
        context: nova_context.RequestContext,
        build_requests: collections.abc.Sequence[objects.BuildRequest],
        request_specs: collections.abc.Sequence[objects.RequestSpec],
        *args: object,
        **kwargs: object,
    ) -> None:
        """Build new servers; what is not built is released."""
        specs = self._concerned(request_specs)
        for build_request in build_requests:
            if build_request.instance_uuid in specs:
                _mark(build_request.instance.flavor)
        with _building(_Build(True, specs)) as build:
            try:
                super().schedule_and_build_instances(
                    context, build_requests, request_specs, *args, **kwargs
                )
            except Exception:
                self._give_up(context, build, build.prepared)
                raise
            self._give_up(context, build, build.prepared - build.bound)

    def build_instances(
        self,
        context: nova_context.RequestContext,
        *args: object,
        request_spec: objects.RequestSpec | None = None,
        **kwargs: object,
    ) -> None:
        """Build servers again that could not be built on a first host."""
        specs = self._concerned([request_spec] if request_spec else [])
        with _building(_Build(False, specs)):
            super().build_instances(
                context, *args, request_spec=request_spec, **kwargs
            )

    def _schedule_instances(
        self,
        context: nova_context.RequestContext,
        request_spec: objects.RequestSpec,
        instance_uuids: list[str] | None = None,
        return_alternates: bool = False,
    ) -> ty.Any:
        if self._hooks.concerns(request_spec):
            build = _current_build()
            server_ids = instance_uuids or [request_spec.instance_uuid]
            self._hooks.before_scheduling(
                context, request_spec, server_ids, build.booting
            )
            if build.booting:
                build.prepared.update(server_ids)
        return super()._schedule_instances(
            context, request_spec, instance_uuids, return_alternates
        )

    def _create_and_bind_arq_for_instance(
        self,
        context: nova_context.RequestContext,
        instance: objects.Instance,
        hostname: str,
        request_spec: objects.RequestSpec,
        requested_networks: objects.NetworkRequestList | None = None,
    ) -> list[str]:
        # Nova's own first: Cyborg refuses them for a server that has ARQs.
        arqs = super()._create_and_bind_arq_for_instance(
            context, instance, hostname, request_spec, requested_networks
        )
        if not self._hooks.concerns(request_spec):
            return arqs
        try:
            bound = self._hooks.pre_bind(
                context, instance, hostname, request_spec
            )
        except Exception:
            _delete_arqs(context, instance, arqs)
            raise
        _current_build().bound.add(instance.uuid)
        return arqs + bound

    def _create_and_bind_arqs(
        self,
        cyclient: object,
        instance_uuid: str,
        extra_specs: dict[str, str],
        hostname: str,
        resource_provider_mapping: dict[str, list[str]],
    ) -> dict[str, dict[str, str]]:
        profile = extra_specs.get(model.PROFILE_EXTRA_SPEC)
        if profile == model.FLAVOR_MARKER:
            return {}
        return super()._create_and_bind_arqs(
            cyclient,
            instance_uuid,
            extra_specs,
            hostname,
            resource_provider_mapping,
        )

    def _cleanup_when_reschedule_fails(
        self,
        context: nova_context.RequestContext,
        instance: objects.Instance,
        *args: object,
        **kwargs: object,
    ) -> None:
        super()._cleanup_when_reschedule_fails(
            context, instance, *args, **kwargs
        )
        self._release(context, _current_build(), {instance.uuid})

    def _concerned(
        self, request_specs: collections.abc.Iterable[objects.RequestSpec]
    ) -> dict[str, objects.RequestSpec]:
        return {
            request_spec.instance_uuid: request_spec
            for request_spec in request_specs
            if self._hooks.concerns(request_spec)
        }

    def _give_up(
        self,
        context: nova_context.RequestContext,
        build: _Build,
        server_ids: collections.abc.Iterable[str],
    ) -> None:
        """Release servers that are not built.

        Nova keeps in Placement what a host was chosen for until the server
        in error is deleted. That would keep the devices from another server
        with the same device contexts.
        """
        self._release(context, build, server_ids)
        for server_id in server_ids:
            try:
                self.report_client.delete_allocation_for_instance(
                    context, server_id, force=True
                )
            except (
                nova_exception.AllocationDeleteFailed,
                ks_exc.ClientException,
            ) as exc:
                LOG.warning(
                    'Server %s is not built, and keeps its allocations in '
                    'Placement until it is deleted: %s',
                    server_id,
                    exc,
                )

    def _release(
        self,
        context: nova_context.RequestContext,
        build: _Build,
        server_ids: collections.abc.Iterable[str],
    ) -> None:
        for server_id in server_ids:
            if server_id in build.specs:
                self._hooks.release(context, build.specs[server_id], server_id)


def install() -> str:
    """Put the class with hooks in the place of Nova's.

    :returns: what was done, for the log.
    :raises PluginActivationFailed: if this release of Nova has other
        methods, or a hook cannot be loaded.
    """
    signatures.check(ComputeTaskManager.__base__, _SIGNATURES)
    names = CONF.nova_cyborg.conductor_hooks
    runner.load(names)
    manager.ComputeTaskManager = ComputeTaskManager
    return f'conductor hooks {", ".join(names)}'


def _mark(flavor: objects.Flavor) -> None:
    """Make Nova see that a server has accelerators.

    All of Nova's own handling of accelerators asks for the device profile in
    a server's copy of its flavor, and then looks ARQs up by server.
    """
    extra_specs = dict(flavor.extra_specs or {})
    extra_specs.setdefault(model.PROFILE_EXTRA_SPEC, model.FLAVOR_MARKER)
    flavor.extra_specs = extra_specs


def _delete_arqs(
    context: nova_context.RequestContext,
    instance: objects.Instance,
    arqs: list[str],
) -> None:
    """Delete the ARQs of profiles that Nova has begun to bind."""
    if not arqs:
        return
    try:
        client.allocation_client(context).delete_arqs(instance.uuid, arqs)
    except exception.DeviceContextError as exc:
        LOG.warning(
            'Accelerator requests %s could not be deleted: %s',
            ', '.join(arqs),
            exc,
            extra={'instance': instance},
        )

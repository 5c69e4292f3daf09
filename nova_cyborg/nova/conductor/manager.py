# SPDX-License-Identifier: Apache-2.0

"""nova-conductor: the hooks on a server's way to its host.

:mod:`nova_cyborg.plugin` puts :class:`ComputeTaskManager` in the place
of Nova's own class, which it extends at the points that all servers pass:
``_schedule_instances`` before scheduling, and
``_create_and_bind_arq_for_instance`` after it. It adds no public method,
which would be an RPC method.
"""

from __future__ import annotations

import collections.abc
import contextlib
import inspect
import logging
import typing as ty

from nova import conf, objects
from nova import context as nova_context
from nova import exception as nova_exception
from nova.compute import task_states
from nova.conductor import manager

from nova_cyborg import exception, model
from nova_cyborg.contract import runner, signatures, spec
from nova_cyborg.nova import accelerators, undo
from nova_cyborg.nova.conductor import calls, profiles

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
    'unshelve_instance': 'context instance request_spec',
    'rebuild_instance': 'context instance orig_image_ref image_ref',
    '_set_vm_state_and_notify': (
        'context instance_uuid method updates ex request_spec'
    ),
}
_NAMED = {
    'build_instances': 'requested_networks request_spec host_lists',
    'rebuild_instance': 'recreate request_spec',
}


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
        operation = spec.Operation(context.request_id, booting=True)
        with self._making(operation, request_specs) as call:
            for build_request in build_requests:
                if build_request.instance_uuid in call.specs:
                    _check_not_built(context, build_request.instance_uuid)
                    profiles.mark(build_request.instance)
            try:
                super().schedule_and_build_instances(
                    context, build_requests, request_specs, *args, **kwargs
                )
            except Exception:
                self._give_up(context, call, call.prepared)
                raise
            self._give_up(context, call, call.prepared - call.bound)

    def build_instances(
        self,
        context: nova_context.RequestContext,
        instances: collections.abc.Sequence[objects.Instance],
        *args: object,
        **kwargs: object,
    ) -> None:
        """Build servers again that could not be built on a first host."""
        build = super().build_instances
        given = (
            inspect.signature(build)
            .bind(context, instances, *args, **kwargs)
            .arguments
        )
        retry = given['filter_properties'].get('retry') or {}
        operation = spec.Operation(
            f'{context.request_id}/{retry.get("num_attempts", 0)}',
            booting=False,
        )
        request_spec = given.get('request_spec')
        specs = [request_spec] if request_spec else []
        with self._making(operation, specs) as call:
            for server_id in call.specs:
                # The database is that of the cell that has rejected it.
                _check_task_state(context, server_id, task_states.SCHEDULING)
            # Nova takes it out, and tells it to nobody but the log.
            call.last_error = str(retry.get('exc_reason') or '')
            if self._begin_again(context, call, instances, given):
                build(context, instances, *args, **kwargs)

    def _begin_again(
        self,
        context: nova_context.RequestContext,
        call: calls.Call,
        instances: collections.abc.Sequence[objects.Instance],
        arguments: collections.abc.Mapping[str, ty.Any],
    ) -> bool:
        """Call the hooks of servers that have alternate hosts.

        Nova does not schedule those, and claims at once what they have on
        the next host. Two calls that do so put the server in error.

        :returns: whether to go on; if not, the servers are in error.
        """
        host_lists = arguments.get('host_lists')
        if not call.specs or not host_lists or not host_lists[0]:
            return True
        request_spec = arguments['request_spec']
        try:
            with _dropping():
                self._hooks.before_scheduling(
                    context,
                    request_spec,
                    [instance.uuid for instance in instances],
                    call.operation,
                )
        except Exception as exc:  # noqa: BLE001 - a hook may raise anything
            for instance in instances:
                self._cleanup_when_reschedule_fails(
                    context,
                    instance,
                    exc,
                    request_spec.to_legacy_request_spec_dict(),
                    arguments['requested_networks'],
                )
            return False
        return True

    def unshelve_instance(
        self,
        context: nova_context.RequestContext,
        instance: objects.Instance,
        request_spec: objects.RequestSpec | None = None,
    ) -> None:
        """Unshelve a server; one that cannot be stays shelved as it was."""
        operation = spec.Operation(context.request_id, booting=False)
        specs = [request_spec] if request_spec else []
        with self._making(operation, specs) as call:
            try:
                _check_under_way(context, call, task_states.UNSHELVING)
                super().unshelve_instance(context, instance, request_spec)
            except Exception:
                self._unbind(context, call, instance.uuid)
                if instance.uuid in call.selected:
                    undo.forget_allocations(
                        self.report_client, context, instance.uuid
                    )
                raise

    def rebuild_instance(
        self,
        context: nova_context.RequestContext,
        instance: objects.Instance,
        *args: object,
        **kwargs: object,
    ) -> None:
        """Rebuild or evacuate a server; one that cannot be is in error."""
        rebuild = super().rebuild_instance
        given = inspect.signature(rebuild).bind(
            context, instance, *args, **kwargs
        )
        request_spec = given.arguments.get('request_spec')
        recreate = bool(given.arguments['recreate'])
        operation = spec.Operation(
            context.request_id,
            booting=False,
            evacuated_node=instance.node if recreate else '',
        )
        specs = [request_spec] if request_spec else []
        with self._making(operation, specs) as call:
            try:
                _check_under_way(
                    context,
                    call,
                    task_states.REBUILDING,
                    evacuating=recreate,
                )
                if recreate and call.specs:
                    undo.fail_earlier_evacuations(context, instance.uuid)
                with (
                    # It may not get to the other host: what it has is freed
                    # when it is there.
                    accelerators.instead_of_deleting(_do_nothing)
                    if recreate and call.specs
                    else contextlib.nullcontext()
                ):
                    rebuild(context, instance, *args, **kwargs)
            except Exception as exc:
                if call.specs:
                    self._undo_rebuild(
                        context, call, instance, given.arguments, exc
                    )
                raise

    def _undo_rebuild(
        self,
        context: nova_context.RequestContext,
        call: calls.Call,
        instance: objects.Instance,
        arguments: collections.abc.Mapping[str, ty.Any],
        error: Exception,
    ) -> None:
        server_id = instance.uuid
        self._unbind(context, call, server_id)
        if arguments['recreate']:
            selection = call.selected.get(server_id)
            if selection:
                undo.forget_destination(
                    self.report_client,
                    context,
                    server_id,
                    selection.compute_node_uuid,
                )
            undo.fail_migration(context, server_id)
        undo.fail_rebuild(
            self,
            context,
            server_id,
            arguments['orig_image_ref'],
            arguments['request_spec'],
            error,
        )

    def _schedule_instances(
        self,
        context: nova_context.RequestContext,
        request_spec: objects.RequestSpec,
        instance_uuids: list[str] | None = None,
        return_alternates: bool = False,
    ) -> ty.Any:
        concerned = self._hooks.concerns(request_spec)
        server_ids = instance_uuids or [request_spec.instance_uuid]
        call = calls.current()
        if concerned:
            with _dropping():
                self._hooks.before_scheduling(
                    context, request_spec, server_ids, call.operation
                )
            call.prepared.update(server_ids)
            if call.operation.evacuated_node:
                for server_id in server_ids:
                    undo.forget_earlier_destinations(
                        self.report_client,
                        context,
                        server_id,
                        call.operation.evacuated_node,
                    )
        host_lists = super()._schedule_instances(
            context, request_spec, instance_uuids, return_alternates
        )
        if concerned:
            chosen = (host_list[0] for host_list in host_lists)
            call.selected.update(zip(server_ids, chosen, strict=False))
        return host_lists

    def _create_and_bind_arq_for_instance(
        self,
        context: nova_context.RequestContext,
        instance: objects.Instance,
        hostname: str,
        request_spec: objects.RequestSpec,
        requested_networks: objects.NetworkRequestList | None = None,
    ) -> list[str]:
        concerned = self._hooks.concerns(request_spec)
        call = calls.current()
        if concerned and not call.operation.booting:
            profiles.delete_left(
                context, instance, call.operation.evacuated_node
            )
        # Nova's own first: Cyborg refuses them for a server that has ARQs.
        arqs = super()._create_and_bind_arq_for_instance(
            context, instance, hostname, request_spec, requested_networks
        )
        if not concerned:
            return arqs
        try:
            bound = self._hooks.pre_bind(
                context, instance, hostname, request_spec, call.operation
            )
        except Exception as exc:
            profiles.delete(context, instance, arqs)
            with _dropping():
                raise exc
        call.bound.add(instance.uuid)
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
        error: Exception,
        *args: object,
        **kwargs: object,
    ) -> None:
        call = calls.current()
        if instance.uuid in call.specs:
            error = _with_last_error(error, call.last_error)
        super()._cleanup_when_reschedule_fails(
            context, instance, error, *args, **kwargs
        )
        self._release(context, call, {instance.uuid})
        if instance.uuid in call.specs:
            # Nova has claimed what the server was to have on the next host.
            undo.forget_allocations(self.report_client, context, instance.uuid)

    @contextlib.contextmanager
    def _making(
        self,
        operation: spec.Operation,
        request_specs: collections.abc.Iterable[objects.RequestSpec],
    ) -> collections.abc.Iterator[calls.Call]:
        """Be in a call; it ends without a word if another one is at it."""
        specs = {
            request_spec.instance_uuid: request_spec
            for request_spec in request_specs
            if self._hooks.concerns(request_spec)
        }
        with calls.making(calls.Call(operation, specs)) as call:
            try:
                yield call
            except calls.Dropped as exc:
                LOG.warning(
                    'Dropped a message of request %s: %s', operation.name, exc
                )

    def _give_up(
        self,
        context: nova_context.RequestContext,
        call: calls.Call,
        server_ids: collections.abc.Iterable[str],
    ) -> None:
        """Release servers that are not built."""
        self._release(context, call, server_ids)
        for server_id in server_ids:
            undo.forget_allocations(self.report_client, context, server_id)

    def _unbind(
        self,
        context: nova_context.RequestContext,
        call: calls.Call,
        server_id: str,
    ) -> None:
        if server_id in call.bound:
            self._hooks.unbind(
                context, call.specs[server_id], server_id, call.operation
            )

    def _release(
        self,
        context: nova_context.RequestContext,
        call: calls.Call,
        server_ids: collections.abc.Iterable[str],
    ) -> None:
        for server_id in server_ids:
            if server_id in call.specs:
                self._hooks.release(context, call.specs[server_id], server_id)


def _do_nothing() -> None:
    """Delete no accelerator requests."""


def install() -> str:
    """Put the class with hooks in the place of Nova's.

    :returns: what was done, for the log.
    :raises PluginActivationFailed: if this release of Nova has other
        methods, or a hook cannot be loaded.
    """
    signatures.check(ComputeTaskManager.__base__, _SIGNATURES)
    signatures.check_named(ComputeTaskManager.__base__, _NAMED)
    names = CONF.nova_cyborg.conductor_hooks
    runner.load(names)
    manager.ComputeTaskManager = ComputeTaskManager
    return f'conductor hooks {", ".join(names)}'


@contextlib.contextmanager
def _dropping() -> collections.abc.Iterator[None]:
    """Drop the call if another one is at its servers."""
    try:
        yield
    except exception.SUPERSEDED as exc:
        raise calls.Dropped(str(exc)) from exc


def _with_last_error(error: Exception, last_error: str) -> Exception:
    """Let the fault of a server say why no host could build it.

    Nova's own says only that there are no more hosts.
    """
    if not last_error or not isinstance(
        error, nova_exception.MaxRetriesExceeded
    ):
        return error
    return nova_exception.MaxRetriesExceeded(
        reason=f'Last error: {last_error}'
    )


def _check_not_built(
    context: nova_context.RequestContext, server_id: str
) -> None:
    """Drop the call if a server was built, or has failed, before.

    Nova would take it for one that was deleted meanwhile, and forget which
    cell it is in.

    :raises Dropped: if it is in a cell.
    """
    try:
        objects.BuildRequest.get_by_instance_uuid(context, server_id)
    except nova_exception.BuildRequestNotFound:
        with contextlib.suppress(nova_exception.InstanceMappingNotFound):
            mapping = objects.InstanceMapping.get_by_instance_uuid(
                context, server_id
            )
            if mapping.cell_mapping is not None:
                raise calls.Dropped(
                    f'server {server_id} is in a cell already'
                ) from None


def _check_under_way(
    context: nova_context.RequestContext,
    call: calls.Call,
    task_state: str,
    evacuating: bool = False,
) -> None:
    """See :func:`_check_task_state`; of servers in any cell."""
    for server_id in call.specs:
        mapping = objects.InstanceMapping.get_by_instance_uuid(
            context, server_id
        )
        with nova_context.target_cell(context, mapping.cell_mapping) as cell:
            _check_task_state(cell, server_id, task_state, evacuating)


def _check_task_state(
    context: nova_context.RequestContext,
    server_id: str,
    task_state: str,
    evacuating: bool = False,
) -> None:
    """Drop the call if what it is to do was done, or given up, before.

    A message can come once more when other operations have followed. In it,
    the server is still as it was.

    :raises Dropped: if the server is not in the task state.
    """
    try:
        now = objects.Instance.get_by_uuid(context, server_id).task_state
    except nova_exception.InstanceNotFound as exc:
        # Nova would claim resources for it before it finds out.
        raise calls.Dropped(str(exc)) from exc
    if now == task_state:
        return
    if evacuating and now is None:
        # An administrator has reset it. The host that comes back would take
        # it for evacuated, and delete the guest.
        undo.fail_migration(context, server_id)
    raise calls.Dropped(f'server {server_id} is not {task_state} any more')

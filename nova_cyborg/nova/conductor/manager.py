# SPDX-License-Identifier: Apache-2.0

"""nova-conductor: the hooks on a server's way to its host.

:mod:`nova_cyborg.plugin` puts :class:`ComputeTaskManager` in the place of
Nova's own class, which it extends at the points that all servers pass:
``_schedule_instances`` before scheduling, and
``_create_and_bind_arq_for_instance`` after it. It adds no public method,
which would be an RPC method.
"""

from __future__ import annotations

import collections.abc
import contextlib
import dataclasses
import logging
import typing as ty

from nova import conf, objects
from nova import context as nova_context
from nova import exception as nova_exception
from nova.compute import task_states
from nova.conductor import manager

from nova_cyborg import signatures
from nova_cyborg.contract import runner, spec
from nova_cyborg.nova import carried, hint, marks, overrides, placement
from nova_cyborg.nova.conductor import (
    failures,
    guards,
    live,
    moves,
    profiles,
    refusals,
)
from nova_cyborg.nova.features import computes

CONF = conf.CONF
LOG = logging.getLogger(__name__)

# Of methods that are called, and not overridden.
_CALLED = {
    '_set_vm_state_and_notify': (
        'context instance_uuid method updates ex request_spec'
    ),
}


class ComputeTaskManager(manager.ComputeTaskManager):
    """Nova's compute task manager, with hooks."""

    def __init__(self, *args: object, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)
        self._hooks = runner.load(CONF.nova_cyborg.conductor_hooks)

    @overrides.method('context build_requests request_specs')
    def schedule_and_build_instances(self, stock: overrides.Stock) -> None:
        """Build new servers; what is not built is released."""
        context = stock['context']
        operation = spec.Operation(context.request_id, booting=True)
        with self._making(operation, stock['request_specs']) as call:
            for build_request in stock['build_requests']:
                if build_request.instance_uuid in call.specs:
                    guards.check_not_built(
                        context, build_request.instance_uuid
                    )
                    marks.mark(build_request.instance)
            try:
                stock()
            except Exception:
                self._release_unbuilt(context, call, call.prepared)
                raise
            self._release_unbuilt(context, call, call.prepared - call.bound)

    @overrides.method(
        'context instances image filter_properties',
        named='requested_networks request_spec host_lists',
    )
    def build_instances(self, stock: overrides.Stock) -> None:
        """Build servers again that could not be built on a first host."""
        context = stock['context']
        retry = stock['filter_properties'].get('retry') or {}
        operation = spec.Operation(
            f'{context.request_id}/{retry.get("num_attempts", 0)}',
            booting=False,
            requesters=refusals.asked_for(
                host for hosts in stock['host_lists'] or () for host in hosts
            ),
        )
        with self._making(operation, _specs(stock)) as call:
            for server_id in call.specs:
                # The database is that of the cell that has rejected it.
                guards.check_task_state(
                    context, server_id, task_states.SCHEDULING
                )
            # Nova takes it out, and tells it to nobody but the log.
            call.last_error = str(retry.get('exc_reason') or '')
            if self._begin_again(call, stock):
                stock()

    def _begin_again(self, call: carried.Call, stock: overrides.Stock) -> bool:
        """Call the hooks of servers that have alternate hosts.

        Nova does not schedule those, and claims the resources of the next
        host at once. Two calls that do so put the server in error.

        :returns: whether to go on; if not, the servers are in error.
        """
        host_lists = stock['host_lists']
        if not call.specs or not host_lists or not host_lists[0]:
            return True
        context, instances = stock['context'], stock['instances']
        request_spec = stock['request_spec']
        try:
            with guards.superseding():
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
                    stock['requested_networks'],
                )
            return False
        return True

    @overrides.method('context instance request_spec')
    def unshelve_instance(self, stock: overrides.Stock) -> None:
        """Unshelve a server; one that cannot be stays shelved as it was."""
        context, server_id = stock['context'], stock['instance'].uuid
        operation = spec.Operation(context.request_id, booting=False)
        with self._making(operation, _specs_of_holder(stock)) as call:
            try:
                guards.check_under_way(context, call, task_states.UNSHELVING)
                stock()
            except Exception:
                self._unbind(context, call, server_id)
                if server_id in call.selected or _stays_offloaded(stock):
                    placement.forget_allocations(
                        self.report_client, context, server_id
                    )
                raise

    @overrides.method(
        'context instance orig_image_ref image_ref',
        named='recreate request_spec',
    )
    def rebuild_instance(self, stock: overrides.Stock) -> None:
        """Rebuild or evacuate a server; one that cannot be is in error."""
        context, instance = stock['context'], stock['instance']
        evacuating = bool(stock['recreate'])
        operation = spec.Operation(
            context.request_id,
            booting=False,
            evacuated_node=instance.node if evacuating else '',
        )
        with self._making(operation, _specs_of_holder(stock)) as call:
            try:
                self._begin_rebuild(context, call, evacuating)
                if evacuating and call.specs:
                    self._evacuate(context, call, stock)
                else:
                    stock()
            except Exception as exc:
                if call.specs:
                    self._fail_rebuild(call, stock, exc)
                raise

    def _begin_rebuild(
        self,
        context: nova_context.RequestContext,
        call: carried.Call,
        evacuating: bool,
    ) -> None:
        """Go on with servers that are to be rebuilt, and no others.

        An evacuation is failed whose server an administrator has reset.
        """
        try:
            guards.check_under_way(context, call, task_states.REBUILDING)
        except guards.Reset:
            if evacuating:
                for server_id in call.specs:
                    with guards.in_its_cell(context, server_id) as cell:
                        failures.fail_evacuation(cell, server_id)
            raise

    def _evacuate(
        self,
        context: nova_context.RequestContext,
        call: carried.Call,
        stock: overrides.Stock,
    ) -> None:
        server_id = stock['instance'].uuid
        failures.fail_earlier_evacuations(context, server_id)
        begun = failures.evacuation(context, server_id)
        if begun is not None:
            call.operation = call.operation.of_migration(begun.uuid)
        # It may not get to the other host: the accelerator requests of the
        # old one are deleted when it is there.
        with carried.carrying(
            dataclasses.replace(carried.now(), delete_arqs=_delete_none)
        ):
            stock()

    def _fail_rebuild(
        self, call: carried.Call, stock: overrides.Stock, error: Exception
    ) -> None:
        context, server_id = stock['context'], stock['instance'].uuid
        self._unbind(context, call, server_id)
        if stock['recreate']:
            selection = call.selected.get(server_id)
            if selection:
                placement.forget_destination(
                    self.report_client,
                    context,
                    server_id,
                    selection.compute_node_uuid,
                )
            failures.fail_evacuation(context, server_id)
        failures.fail_rebuild(
            self,
            context,
            server_id,
            stock['orig_image_ref'],
            stock['request_spec'],
            error,
        )

    @overrides.method(
        'context instance flavor', named='request_spec host_list'
    )
    def _cold_migrate(self, stock: overrides.Stock) -> None:
        context, instance = stock['context'], stock['instance']
        # One that was booted without the plugin has the hint, and no more.
        holds = marks.has_accelerators(instance)
        if not holds:
            # It was that of the server before its last one was detached.
            stock['flavor'] = marks.unmarked(stock['flavor'])
        specs = _specs_of_holder(stock) if holds else []
        operation = spec.Operation(
            moves.operation_name(stock),
            booting=False,
            requesters=refusals.asked_for(stock['host_list']),
        )
        with self._making(operation, specs) as call:
            if call.specs:
                guards.check_task_state(
                    context, instance.uuid, task_states.RESIZE_PREP
                )
                # Nova's own has none after a resize.
                stock['flavor'] = marks.marked(stock['flavor'])
            with refusals.kept():
                stock()

    @overrides.method(
        'context instance flavor request_spec clean_shutdown host_list'
    )
    def _build_cold_migrate_task(self, stock: overrides.Stock) -> ty.Any:
        if stock['instance'].uuid not in carried.now().call.specs:
            return stock()
        return moves.MigrationTask(
            self._hooks,
            stock['context'],
            stock['instance'],
            stock['flavor'],
            stock['request_spec'],
            stock['clean_shutdown'],
            self.compute_rpcapi,
            self.query_client,
            self.report_client,
            stock['host_list'],
            self.network_api,
        )

    @overrides.method('context instance', named='request_spec')
    def _live_migrate(self, stock: overrides.Stock) -> None:
        context, instance = stock['context'], stock['instance']
        # One that was booted without the plugin has the hint, and no more.
        holds = marks.has_accelerators(instance)
        specs = _specs_of_holder(stock) if holds else []
        operation = spec.Operation(context.request_id, booting=False)
        with self._making(operation, specs) as call:
            if call.specs:
                guards.check_task_state(
                    context, instance.uuid, task_states.MIGRATING
                )
            stock()

    @overrides.method(
        'context instance destination block_migration disk_over_commit '
        'migration request_spec'
    )
    def _build_live_migrate_task(self, stock: overrides.Stock) -> ty.Any:
        if stock['instance'].uuid not in carried.now().call.specs:
            return stock()
        return live.LiveMigrationTask(
            self._hooks,
            stock['context'],
            stock['instance'],
            stock['destination'],
            stock['block_migration'],
            stock['disk_over_commit'],
            stock['migration'],
            self.compute_rpcapi,
            self.servicegroup_api,
            self.query_client,
            self.report_client,
            stock['request_spec'],
        )

    @overrides.method('context request_spec instance_uuids return_alternates')
    def _schedule_instances(self, stock: overrides.Stock) -> ty.Any:
        request_spec = stock['request_spec']
        if not self._hooks.concerns(request_spec):
            return stock()
        context, call = stock['context'], carried.now().call
        server_ids = stock['instance_uuids'] or [request_spec.instance_uuid]
        with guards.superseding():
            self._hooks.before_scheduling(
                context, request_spec, server_ids, call.operation
            )
        call.prepared.update(server_ids)
        if call.operation.evacuated_node:
            # A stock nova-compute would put the addresses of the old host's
            # devices into the guest.
            computes.require(request_spec)
            for server_id in server_ids:
                placement.forget_earlier_destinations(
                    self.report_client,
                    context,
                    server_id,
                    call.operation.evacuated_node,
                )
        host_lists = refusals.first_available(
            self._hooks,
            context,
            request_spec,
            server_ids,
            call.operation,
            stock,
        )
        if call.operation.booting:
            # The scheduler may take so long that the build was ended. What it
            # has claimed then is for the reconciler.
            for server_id in server_ids:
                guards.check_not_built(context, server_id)
        chosen = (host_list[0] for host_list in host_lists)
        call.selected.update(zip(server_ids, chosen, strict=False))
        return host_lists

    @overrides.method(
        'context instance hostname request_spec requested_networks'
    )
    def _create_and_bind_arq_for_instance(
        self, stock: overrides.Stock
    ) -> list[str]:
        request_spec = stock['request_spec']
        if not self._hooks.concerns(request_spec):
            return ty.cast(list[str], stock())
        context, instance = stock['context'], stock['instance']
        call = carried.now().call
        if call.operation.evacuated_node:
            computes.check(
                self.report_client, context, call.selected[instance.uuid]
            )
        if not call.operation.booting:
            profiles.unbind_left(
                context, instance, call.operation.evacuated_node
            )
        # Nova's own first: Cyborg refuses them for a server that has ARQs.
        arqs: list[str] = stock()
        try:
            bound = self._hooks.pre_bind(
                context,
                instance,
                stock['hostname'],
                request_spec,
                call.operation,
            )
        except Exception as exc:
            profiles.unbind(context, instance, arqs)
            with guards.superseding():
                raise exc
        call.bound.add(instance.uuid)
        return arqs + bound

    @overrides.method(
        'cyclient instance_uuid extra_specs hostname resource_provider_mapping'
    )
    def _create_and_bind_arqs(
        self, stock: overrides.Stock
    ) -> dict[str, dict[str, str]]:
        if marks.is_marker(stock['extra_specs']):
            return {}
        return ty.cast(dict[str, dict[str, str]], stock())

    @overrides.method('context instance exception')
    def _cleanup_when_reschedule_fails(self, stock: overrides.Stock) -> None:
        context, server_id = stock['context'], stock['instance'].uuid
        call = carried.now().call
        if server_id in call.specs:
            stock['exception'] = _with_last_error(
                stock['exception'], call.last_error
            )
        stock()
        self._release(context, call, {server_id})
        if server_id in call.specs:
            # Nova has claimed what the server was to have on the next host.
            placement.forget_allocations(
                self.report_client, context, server_id
            )

    @contextlib.contextmanager
    def _making(
        self,
        operation: spec.Operation,
        request_specs: collections.abc.Iterable[objects.RequestSpec],
    ) -> collections.abc.Iterator[carried.Call]:
        """Be in a call; it ends without a word if another one is at it."""
        specs = {
            request_spec.instance_uuid: request_spec
            for request_spec in request_specs
            if self._hooks.concerns(request_spec)
        }
        for request_spec in specs.values():
            request_spec.flavor = marks.unmarked(request_spec.flavor)
        call = carried.Call(operation, specs)
        with carried.carrying(dataclasses.replace(carried.now(), call=call)):
            try:
                yield call
            except guards.Superseded as exc:
                LOG.warning(
                    'Dropped a message of request %s: %s', operation.name, exc
                )

    def _release_unbuilt(
        self,
        context: nova_context.RequestContext,
        call: carried.Call,
        server_ids: collections.abc.Iterable[str],
    ) -> None:
        """Release servers that are not built, and forget their allocations."""
        self._release(context, call, server_ids)
        for server_id in server_ids:
            placement.forget_allocations(
                self.report_client, context, server_id
            )

    def _unbind(
        self,
        context: nova_context.RequestContext,
        call: carried.Call,
        server_id: str,
    ) -> None:
        if server_id in call.bound:
            self._hooks.unbind(
                context, call.specs[server_id], server_id, call.operation
            )

    def _release(
        self,
        context: nova_context.RequestContext,
        call: carried.Call,
        server_ids: collections.abc.Iterable[str],
    ) -> None:
        for server_id in server_ids:
            if server_id in call.specs:
                self._hooks.release(context, call.specs[server_id], server_id)


def _stays_offloaded(stock: overrides.Stock) -> bool:
    """Tell whether a server with a device profile could not be unshelved.

    Stock Nova leaves what it has claimed for it on a host.
    """
    context, instance = stock['context'], stock['instance']
    with (
        guards.in_its_cell(context, instance.uuid) as cell,
        instance.obj_alternate_context(cell),
    ):
        return marks.has_accelerators(instance) and guards.is_offloaded(
            cell, instance.uuid
        )


def install() -> str:
    """Put the class with hooks in the place of Nova's.

    :returns: what was done, for the log.
    :raises PluginActivationFailed: if this release of Nova has other
        methods, or a hook cannot be loaded.
    """
    overrides.check(ComputeTaskManager)
    moves.check()
    live.check()
    signatures.check(manager.ComputeTaskManager, _CALLED)
    names = CONF.nova_cyborg.conductor_hooks
    runner.load(names)
    manager.ComputeTaskManager = ComputeTaskManager
    return f'conductor hooks {", ".join(names)}'


def _specs(stock: overrides.Stock) -> list[objects.RequestSpec]:
    """Return the request of the only server of a call, if it has one."""
    request_spec = stock['request_spec']
    return [request_spec] if request_spec else []


def _specs_of_holder(stock: overrides.Stock) -> list[objects.RequestSpec]:
    """Return the request of a server that exists, seen by the hooks."""
    specs, instance = _specs(stock), stock['instance']
    # Not read from a database for this: the server's may be another cell's,
    # and what nova-api has attached is named by the request.
    if 'flavor' in instance and (
        marks.only_contexts(instance)
        or ('system_metadata' in instance and marks.has_contexts(instance))
    ):
        for request_spec in specs:
            hint.note_held(request_spec)
    return specs


def _delete_none() -> None:
    """Delete no accelerator requests."""


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

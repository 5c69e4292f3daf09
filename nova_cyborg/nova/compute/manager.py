# SPDX-License-Identifier: Apache-2.0

"""nova-compute: a server does not start without its accelerators.

Nova's compute manager goes on with an accelerator request whose binding
failed, when it learns of it by asking Cyborg and not by an event, and boots
the server without the device. This one fails the build, with the reason.
A server that comes from another host, or from none, gets no events yet: Cyborg
is asked until its accelerator requests are bound.

Device contexts of a server that is not going to be built are released, and
the devices of one that does not come to this host are unbound. A message that
is delivered twice is dropped the second time: Nova would destroy the guest.
"""

from __future__ import annotations

import collections
import collections.abc
import contextlib
import dataclasses
import functools
import logging
import typing as ty

from nova import conf, objects, utils
from nova import context as nova_context
from nova import exception as nova_exception
from nova.compute import build_results, task_states, vm_states

from nova_cyborg import exception, plugin
from nova_cyborg.nova import (
    carried,
    client,
    hint,
    marks,
    overrides,
    placement,
)
from nova_cyborg.nova.compute import arqs as server_arqs
from nova_cyborg.nova.compute import bindings, guards, hotplug, live, moves
from nova_cyborg.nova.compute.recovery import pending
from nova_cyborg.nova.features import computes

CONF = conf.CONF
LOG = logging.getLogger(__name__)

# Builds that are known as begun; a message comes again within minutes.
_REMEMBERED = 1000
_FAILED = (build_results.FAILED, build_results.FAILED_BY_POLICY)


def _timeout_class() -> type[BaseException]:
    # What a wait for an event raises: nova 34 has its own exception; before,
    # it was eventlet's, which is no Exception.
    own = getattr(nova_exception, 'InstanceEventTimeout', None)
    if own is not None:
        return own
    from eventlet import timeout

    return timeout.Timeout


_Timeout = _timeout_class()


class ComputeManager(pending.ComputeManager):
    """Nova's compute manager, strict about accelerator requests."""

    def __init__(self, *args: object, **kwargs: object) -> None:
        plugin.or_stop(moves.check)
        plugin.or_stop(live.check)
        plugin.or_stop(pending.check)
        plugin.or_stop(hotplug.check)
        plugin.or_stop(functools.partial(overrides.check, ComputeManager))
        super().__init__(*args, **kwargs)
        self.additional_endpoints.append(hotplug.Endpoint(self))
        self._begun: collections.deque[tuple[str, ...]] = collections.deque(
            maxlen=_REMEMBERED
        )
        LOG.info(
            'nova_cyborg is active in %s: check of accelerator requests',
            plugin.process_name(),
        )

    @overrides.method('')
    def cleanup_host(self, stock: overrides.Stock) -> None:
        """Stop; it is not known whether the plugin is on again then."""
        admin = nova_context.get_admin_context()
        for node in self.rt.compute_nodes.values():
            computes.withdraw(self.reportclient, admin, node.uuid)
        stock()

    @overrides.method('context raise_on_error')
    def periodic_tasks(self, stock: overrides.Stock) -> ty.Any:
        """Do what is due; return when the next is."""
        stock['context'] = client.with_credentials(stock['context'])
        return stock()

    @overrides.method('context instance')
    def _get_accel_info(
        self, stock: overrides.Stock
    ) -> list[dict[str, ty.Any]]:
        context, instance = stock['context'], stock['instance']
        if marks.bear(instance):
            arqs = bindings.own(context, instance)
            if not arqs:
                bindings.drop_stale_marks(context, instance)
            return arqs
        return ty.cast(list[dict[str, ty.Any]], stock())

    @overrides.method('context instance arq_uuids')
    def _get_bound_arq_resources(
        self, stock: overrides.Stock
    ) -> list[dict[str, ty.Any]]:
        context, instance = stock['context'], stock['instance']
        try:
            if carried.now().arrives:
                # Nova's API has no host to send the events to, or another.
                self._wait_for_devices(context, instance)
                if not (
                    marks.has_accelerators(instance)
                    or marks.bears_any(instance)
                ):
                    # What it was to get was released, as nobody was at it.
                    return []
            arqs: list[dict[str, ty.Any]] = stock()
        except exception.BindingFailed:
            raise
        except (Exception, _Timeout) as exc:
            # Asked for now: the ARQs, and what is known of them, are about
            # to be deleted.
            fault = server_arqs.fault(context, instance)
            if fault is None:
                raise
            raise exception.BindingFailed(
                server_id=instance.uuid, reason=fault or _reason(exc)
            ) from exc
        if not server_arqs.all_bound(arqs, stock['arq_uuids'] or ()):
            fault = server_arqs.fault(context, instance)
            if fault is not None:
                raise exception.BindingFailed(
                    server_id=instance.uuid,
                    reason=fault or 'an accelerator request is not bound.',
                )
        return arqs

    def _wait_for_devices(
        self, context: nova_context.RequestContext, instance: objects.Instance
    ) -> None:
        """Wait for the devices of a server that comes here, and use them."""
        migration_id = carried.now().migration_id
        if migration_id:
            bindings.wait_until_bound(context, instance, migration_id)
            bindings.activate(context, instance, migration_id)
        else:
            server_arqs.wait_until_resolved(context, instance)

    @overrides.method('context instance')
    @contextlib.contextmanager
    def _build_resources(
        self, stock: overrides.Stock
    ) -> collections.abc.Iterator[dict[str, ty.Any]]:
        try:
            with stock() as resources:
                yield resources
        except nova_exception.BuildAbortException as exc:
            _raise_cause(stock['instance'], exc)
            raise

    @overrides.method(
        'context instance image request_spec', named='accel_uuids'
    )
    def _do_build_and_run_instance(self, stock: overrides.Stock) -> str:
        context, instance = stock['context'], stock['instance']
        if not hint.of_request(stock['request_spec']):
            return ty.cast(str, stock())
        accel_uuids = stock['accel_uuids'] or ()
        if not self._begin_attempt(instance, accel_uuids) or guards.is_built(
            context, instance, self.host
        ):
            guards.log_dropped('build_and_run_instance', instance)
            if guards.is_never_built(context, instance, self.host):
                # A nova-compute that was stopped meanwhile has put it in
                # error, and knows nothing of what it was to have.
                server_arqs.release(context, instance)
            return ty.cast(str, build_results.ACTIVE)
        with _deleting_only(context, instance, accel_uuids):
            result: str = stock()
        if result in _FAILED:
            self._release_unbuilt(context, instance)
        return result

    def _begin_attempt(
        self,
        instance: objects.Instance,
        accel_uuids: collections.abc.Collection[str],
    ) -> bool:
        """Note that a build is begun here.

        Each attempt has accelerator requests of its own. Nova makes them
        wait for each other, and a failed one leaves the server as it was.

        :returns: False if the same attempt was begun here before.
        """
        if not accel_uuids:
            return True
        attempt = (instance.uuid, *sorted(accel_uuids))
        if attempt in self._begun:
            return False
        self._begun.append(attempt)
        return True

    def _release_unbuilt(
        self, context: nova_context.RequestContext, instance: objects.Instance
    ) -> None:
        """Release a server that is not built, unless somebody else does."""
        if instance.vm_state == vm_states.ERROR:
            # Nobody waits to delete it.
            server_arqs.release(context, instance)
            return
        now = guards.current(context, instance)
        if now is not None and now.host not in (None, self.host):
            # It is another host's by now.
            return
        if now is not None:
            with contextlib.suppress(nova_exception.InstanceNotFound):
                _show_as_deleting(now)
                return
        # It was deleted before it had a host.
        server_arqs.release(context, instance)

    @overrides.method('context instance bdms')
    def _delete_instance(self, stock: overrides.Stock) -> None:
        context, instance = stock['context'], stock['instance']
        if not marks.bear(instance):
            stock()
            return

        def release() -> None:
            server_arqs.release_deleted(context, instance)

        with carried.carrying(
            dataclasses.replace(carried.now(), delete_arqs=release)
        ):
            stock()

    @overrides.method('context instance clean_shutdown', named='accel_uuids')
    def _shelve_offload_instance(self, stock: overrides.Stock) -> None:
        context, instance = stock['context'], stock['instance']
        if not marks.has_contexts(instance):
            stock()
            return
        stock['accel_uuids'] = server_arqs.to_unbind(
            context, instance, stock['accel_uuids'] or []
        )
        try:
            with _deleting_only(context, instance, stock['accel_uuids']):
                stock()
        except (
            nova_exception.AcceleratorRequestOpFailed,
            nova_exception.AllocationDeleteFailed,
        ) as exc:
            # The guest is gone by now: to stop here would leave a server
            # that Nova takes to be on this host. If Placement fails again, it
            # can be offloaded again.
            if isinstance(exc, nova_exception.AcceleratorRequestOpFailed):
                server_arqs.unbind_sometime(
                    context, instance, stock['accel_uuids'] or ()
                )
            stock['accel_uuids'] = []
            stock()

    @overrides.method(
        'context instance image filter_properties node request_spec',
        named='accel_uuids',
    )
    def _unshelve_instance(self, stock: overrides.Stock) -> None:
        context, instance = stock['context'], stock['instance']
        if not stock['accel_uuids'] and marks.bear(instance):
            # What it was to get was released, as nobody was at it. Else the
            # next start of its guest has the marks dropped.
            with contextlib.suppress(exception.DeviceContextError):
                bindings.drop_stale_marks(context, instance)
        if not hint.of_request(stock['request_spec']):
            stock()
            return
        if not guards.is_offloaded(context, instance):
            guards.log_dropped('unshelve_instance', instance)
            return
        try:
            with carried.carrying(
                dataclasses.replace(carried.now(), arrives=True)
            ):
                stock()
        except (Exception, _Timeout):
            # Else it runs, and something failed that comes after.
            if guards.is_offloaded(context, instance):
                server_arqs.unbind_sometime(
                    context, instance, stock['accel_uuids'] or ()
                )
                # Nova does so itself, unless it failed before it began.
                placement.forget_allocations(
                    self.reportclient, context, instance.uuid
                )
            raise

    def rebuild_instance(
        self,
        context: nova_context.RequestContext,
        instance: objects.Instance,
        *args: object,
        **kwargs: ty.Any,
    ) -> None:
        """Rebuild a server, or evacuate it to this host."""
        # No override by argument name: a decorator of oslo.messaging hides
        # Nova's arguments. A message of Nova's RPC 6 names them.
        rebuild = functools.partial(
            super().rebuild_instance, context, instance, *args, **kwargs
        )
        if not kwargs.get('recreate') or not hint.of_request(
            kwargs.get('request_spec')
        ):
            rebuild()
            return

        @utils.synchronized(f'nova_cyborg-{instance.uuid}')
        def evacuate() -> None:
            if guards.is_on(context, instance, self.host):
                guards.log_dropped('rebuild_instance', instance)
            else:
                rebuild()
                if kwargs.get('migration'):
                    server_arqs.settle(
                        context, instance, kwargs['migration'].uuid
                    )

        evacuate()

    @overrides.method(
        'context instance orig_image_ref',
        named='evacuate migration request_spec accel_uuids',
    )
    def _do_rebuild_instance_with_claim(self, stock: overrides.Stock) -> None:
        context, instance = stock['context'], stock['instance']
        if not hint.of_request(stock['request_spec']):
            stock()
            return
        evacuated = bool(stock['evacuate'])
        migration = stock['migration']
        arriving = dataclasses.replace(
            carried.now(),
            arrives=evacuated,
            migration_id=migration.uuid if evacuated and migration else '',
        )
        try:
            with carried.carrying(arriving):
                stock()
        except (Exception, _Timeout) as exc:
            if evacuated and guards.is_rebuilding(context, instance):
                server_arqs.unbind_sometime(
                    context, instance, stock['accel_uuids'] or ()
                )
            _raise_cause(instance, exc)
            raise


def _deleting_only(
    context: nova_context.RequestContext,
    instance: objects.Instance,
    arq_ids: collections.abc.Collection[str],
) -> contextlib.AbstractContextManager[object]:
    """Have Nova delete no more than these where it deletes all of a server."""

    def delete() -> None:
        try:
            server_arqs.unbind(context, instance, arq_ids)
        except exception.DeviceContextError as exc:
            raise nova_exception.AcceleratorRequestOpFailed(
                op='delete', msg=str(exc)
            ) from exc

    return carried.carrying(
        dataclasses.replace(carried.now(), delete_arqs=delete)
    )


def _reason(error: BaseException) -> str:
    if isinstance(error, _Timeout):
        # It has no text, or only the number.
        return (
            f'it took longer than {CONF.arq_binding_timeout} s '
            '(arq_binding_timeout in nova.conf).'
        )
    return str(error)


def _raise_cause(instance: objects.Instance, error: BaseException) -> None:
    """Raise an error of Nova's again, with its cause, if it hides one.

    Nova's own says "Failure getting accelerator requests." and not why.

    :raises BuildAbortException: if it does.
    """
    cause = error.__context__
    if isinstance(error, nova_exception.BuildAbortException) and isinstance(
        cause,
        exception.BindingFailed | nova_exception.AcceleratorRequestOpFailed,
    ):
        raise nova_exception.BuildAbortException(
            instance_uuid=instance.uuid, reason=str(cause)
        ) from error


def _show_as_deleting(instance: objects.Instance) -> None:
    """Show that a delete waits for a server whose build has ended.

    The delete releases the server, if Nova's API shows Cyborg that it is one.
    Before Nova 34, only the task state shows it at that point, and the build
    has written its own over it.

    :raises InstanceNotFound: if the server is gone.
    """
    instance.task_state = task_states.DELETING
    instance.save()

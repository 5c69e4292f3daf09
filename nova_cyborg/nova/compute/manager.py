# SPDX-License-Identifier: Apache-2.0

"""nova-compute: a server does not start without its accelerators.

Nova's compute manager goes on with an accelerator request whose binding
failed, when it learns of it by asking Cyborg and not by an event, and boots
the server without the device. This one fails the build, with the reason.
A server that comes from another host, or from none, gets no events yet: Cyborg
is asked until its accelerator requests are bound.

Device contexts of a server that is not going to be built are given back, and
the devices of one that does not come to this host are freed. A message that
is delivered twice is dropped the second time: Nova would destroy the guest.
"""

from __future__ import annotations

import collections
import collections.abc
import contextlib
import contextvars
import functools
import inspect
import logging
import typing as ty

from nova import conf, objects, utils
from nova import context as nova_context
from nova import exception as nova_exception
from nova.compute import build_results, manager, task_states, vm_states

from nova_cyborg import exception, plugin
from nova_cyborg.contract import signatures
from nova_cyborg.nova import accelerators, client, undo
from nova_cyborg.nova.compute import arqs as server_arqs

CONF = conf.CONF
LOG = logging.getLogger(__name__)

_SIGNATURES = {
    '_build_resources': 'context instance',
    '_get_bound_arq_resources': 'context instance arq_uuids',
    '_do_build_and_run_instance': 'context instance image request_spec',
    '_shelve_offload_instance': 'context instance clean_shutdown',
    '_unshelve_instance': (
        'context instance image filter_properties node request_spec'
    ),
    '_do_rebuild_instance_with_claim': 'context instance orig_image_ref',
    '_init_instance': 'context instance',
    'periodic_tasks': 'context raise_on_error',
}
# Task states in which a guest that is rebuilt does not run yet.
_REBUILDING = (
    task_states.REBUILDING,
    task_states.REBUILD_BLOCK_DEVICE_MAPPING,
    task_states.REBUILD_SPAWNING,
)
# Builds that are known as begun; a message comes again within minutes.
_REMEMBERED = 1000


def _timeout_class() -> type[BaseException]:
    # What a wait for an event raises: nova 34 has its own exception; before,
    # it was eventlet's, which is no Exception.
    own = getattr(nova_exception, 'InstanceEventTimeout', None)
    if own is not None:
        return own
    from eventlet import timeout

    return timeout.Timeout


_Timeout = _timeout_class()


# Whether this thread, or green thread, brings a server with device contexts
# to this host. Nova's methods in between have no argument for it.
_comes: contextvars.ContextVar[bool] = contextvars.ContextVar(
    'nova_cyborg_comes', default=False
)


@contextlib.contextmanager
def _coming(comes: bool) -> collections.abc.Iterator[None]:
    token = _comes.set(comes)
    try:
        yield
    finally:
        _comes.reset(token)


class ComputeManager(manager.ComputeManager):
    """Nova's compute manager, strict about accelerator requests."""

    def __init__(self, *args: object, **kwargs: object) -> None:
        plugin.or_stop(
            functools.partial(
                signatures.check, manager.ComputeManager, _SIGNATURES
            )
        )
        super().__init__(*args, **kwargs)
        self._tried: collections.deque[tuple[str, ...]] = collections.deque(
            maxlen=_REMEMBERED
        )
        LOG.info(
            'nova_cyborg is active in %s: check of accelerator requests',
            plugin.process_name(),
        )

    def periodic_tasks(
        self,
        context: nova_context.RequestContext,
        *args: object,
        **kwargs: object,
    ) -> ty.Any:
        """Do what is due; return when the next is."""
        return super().periodic_tasks(
            client.with_credentials(context), *args, **kwargs
        )

    def _init_instance(
        self,
        context: nova_context.RequestContext,
        instance: objects.Instance,
    ) -> None:
        super()._init_instance(client.with_credentials(context), instance)

    def _get_bound_arq_resources(
        self,
        context: nova_context.RequestContext,
        instance: objects.Instance,
        arq_uuids: list[str] | None,
    ) -> list[dict[str, ty.Any]]:
        try:
            if _comes.get():
                # Nova's API has no host to send the events to, or another.
                server_arqs.wait_until_resolved(context, instance)
            arqs = super()._get_bound_arq_resources(
                context, instance, arq_uuids
            )
        except (Exception, _Timeout) as exc:
            # Asked for now: the ARQs, and what is known of them, are about
            # to be deleted.
            fault = server_arqs.fault(context, instance)
            if fault is None:
                raise
            raise exception.BindingFailed(
                server_id=instance.uuid, reason=fault or _reason(exc)
            ) from exc
        if not server_arqs.all_bound(arqs, arq_uuids or ()):
            fault = server_arqs.fault(context, instance)
            if fault is not None:
                raise exception.BindingFailed(
                    server_id=instance.uuid,
                    reason=fault or 'an accelerator request is not bound.',
                )
        return arqs

    @contextlib.contextmanager
    def _build_resources(
        self,
        context: nova_context.RequestContext,
        instance: objects.Instance,
        *args: object,
        **kwargs: object,
    ) -> collections.abc.Iterator[dict[str, ty.Any]]:
        try:
            with super()._build_resources(
                context, instance, *args, **kwargs
            ) as resources:
                yield resources
        except nova_exception.BuildAbortException as exc:
            _raise_with_cause(instance, exc)

    def _do_build_and_run_instance(
        self,
        context: nova_context.RequestContext,
        instance: objects.Instance,
        image: dict[str, ty.Any],
        request_spec: objects.RequestSpec,
        *args: object,
        **kwargs: object,
    ) -> str:
        concerned = server_arqs.has_hint(request_spec)
        build = super()._do_build_and_run_instance
        arguments = (context, instance, image, request_spec, *args)
        given = inspect.signature(build).bind(*arguments, **kwargs).arguments
        if concerned and (
            self._was_tried(instance, given.get('accel_uuids'))
            or _is_built(context, instance, self.host)
        ):
            _log_dropped('build_and_run_instance', instance)
            return build_results.ACTIVE
        accel_uuids = given.get('accel_uuids') or ()
        with (
            _freeing(context, instance, accel_uuids)
            if concerned
            else contextlib.nullcontext()
        ):
            result = build(*arguments, **kwargs)
        failed = (build_results.FAILED, build_results.FAILED_BY_POLICY)
        if (
            result in failed
            and concerned
            and not _left_to_delete(context, instance, self.host)
        ):
            server_arqs.release(context, instance)
        return result

    def _was_tried(
        self,
        instance: objects.Instance,
        accel_uuids: collections.abc.Iterable[str] | None,
    ) -> bool:
        """Tell whether a build was begun here before, and note that it is.

        Each attempt has accelerator requests of its own. Nova makes them
        wait for each other, and a failed one leaves the server as it was.
        """
        if not accel_uuids:
            return False
        attempt = (instance.uuid, *sorted(accel_uuids))
        if attempt in self._tried:
            return True
        self._tried.append(attempt)
        return False

    def _shelve_offload_instance(
        self,
        context: nova_context.RequestContext,
        instance: objects.Instance,
        *args: object,
        accel_uuids: list[str] | None = None,
        **kwargs: object,
    ) -> None:
        offload = functools.partial(
            super()._shelve_offload_instance, context, instance, *args
        )
        try:
            with (
                _freeing(context, instance, accel_uuids or ())
                if server_arqs.has_contexts(instance)
                else contextlib.nullcontext()
            ):
                offload(accel_uuids=accel_uuids, **kwargs)
        except (
            nova_exception.AcceleratorRequestOpFailed,
            nova_exception.AllocationDeleteFailed,
        ) as exc:
            if not server_arqs.has_contexts(instance):
                raise
            # The guest is gone by now: to stop here would leave a server
            # that Nova takes to be on this host. If Placement fails again, it
            # can be offloaded again.
            if isinstance(exc, nova_exception.AcceleratorRequestOpFailed):
                LOG.error(
                    'Server %s is off its host, and its accelerator requests '
                    'could not be deleted. Run "nova-cyborg-manage audit '
                    '--repair": %s',
                    instance.uuid,
                    exc,
                )
            offload(accel_uuids=[], **kwargs)

    def _unshelve_instance(
        self,
        context: nova_context.RequestContext,
        instance: objects.Instance,
        image: dict[str, ty.Any],
        filter_properties: dict[str, ty.Any],
        node: str,
        request_spec: objects.RequestSpec,
        *args: object,
        **kwargs: object,
    ) -> None:
        concerned = server_arqs.has_hint(request_spec)
        if concerned and not _is_offloaded(context, instance):
            _log_dropped('unshelve_instance', instance)
            return
        unshelve = super()._unshelve_instance
        given = inspect.signature(unshelve).bind(
            context,
            instance,
            image,
            filter_properties,
            node,
            request_spec,
            *args,
            **kwargs,
        )
        try:
            with _coming(concerned):
                unshelve(*given.args, **given.kwargs)
        except (Exception, _Timeout):
            # Else it runs, and something failed that comes after.
            if concerned and _is_offloaded(context, instance):
                server_arqs.free_if_possible(
                    context, instance, given.arguments['accel_uuids'] or ()
                )
                # Nova does so itself, unless it failed before it began.
                undo.forget_allocations(
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
        rebuild = functools.partial(
            super().rebuild_instance, context, instance, *args, **kwargs
        )
        # A message of Nova's RPC 6 has all arguments by name.
        if not kwargs.get('recreate') or not server_arqs.has_hint(
            kwargs.get('request_spec')
        ):
            rebuild()
            return

        @utils.synchronized(f'nova_cyborg-{instance.uuid}')
        def evacuate() -> None:
            if _is_on(context, instance, self.host):
                _log_dropped('rebuild_instance', instance)
            else:
                rebuild()
                server_arqs.settle(context, instance)

        evacuate()

    def _do_rebuild_instance_with_claim(
        self,
        context: nova_context.RequestContext,
        instance: objects.Instance,
        *args: object,
        **kwargs: object,
    ) -> None:
        method = super()._do_rebuild_instance_with_claim
        given = inspect.signature(method).bind(
            context, instance, *args, **kwargs
        )
        concerned = server_arqs.has_hint(given.arguments.get('request_spec'))
        evacuated = bool(given.arguments.get('evacuate'))
        accel_uuids = given.arguments.get('accel_uuids') or ()
        try:
            with _coming(concerned and evacuated):
                method(context, instance, *args, **kwargs)
        except (Exception, _Timeout) as exc:
            if not concerned:
                raise
            if evacuated and _is_rebuilding(context, instance):
                server_arqs.free_if_possible(context, instance, accel_uuids)
            _raise_with_cause(instance, exc)


def _freeing(
    context: nova_context.RequestContext,
    instance: objects.Instance,
    arq_ids: collections.abc.Collection[str],
) -> contextlib.AbstractContextManager[None]:
    """Have Nova delete no more than these where it deletes all of a server."""

    def free() -> None:
        try:
            server_arqs.free(context, instance, arq_ids)
        except exception.DeviceContextError as exc:
            raise nova_exception.AcceleratorRequestOpFailed(
                op='delete', msg=str(exc)
            ) from exc

    return accelerators.instead_of_deleting(free)


def _reason(error: BaseException) -> str:
    if isinstance(error, _Timeout):
        # It has no text, or only the number.
        return (
            f'it took longer than {CONF.arq_binding_timeout} s '
            '(arq_binding_timeout in nova.conf).'
        )
    return str(error)


def _raise_with_cause(
    instance: objects.Instance, error: BaseException
) -> ty.NoReturn:
    """Raise an error of Nova's, with the reason if it has none.

    Nova's own says "Failure getting accelerator requests." and not why.
    """
    cause = error.__context__
    if isinstance(error, nova_exception.BuildAbortException) and isinstance(
        cause,
        exception.BindingFailed | nova_exception.AcceleratorRequestOpFailed,
    ):
        raise nova_exception.BuildAbortException(
            instance_uuid=instance.uuid, reason=str(cause)
        ) from error
    raise error


def _log_dropped(method: str, instance: objects.Instance) -> None:
    LOG.warning(
        'Dropped a message %s for server %s: it has been done already',
        method,
        instance.uuid,
    )


def _now(
    context: nova_context.RequestContext, instance: objects.Instance
) -> objects.Instance | None:
    """Return what the database says of a server; None if it is gone."""
    try:
        return objects.Instance.get_by_uuid(context, instance.uuid)
    except nova_exception.InstanceNotFound:
        return None


def _is_built(
    context: nova_context.RequestContext,
    instance: objects.Instance,
    host: str,
) -> bool:
    """Tell whether a server is built, has failed, or is on another host."""
    now = _now(context, instance)
    return now is not None and (
        now.launched_at is not None
        or now.vm_state == vm_states.ERROR
        or now.host not in (None, host)
    )


def _is_offloaded(
    context: nova_context.RequestContext, instance: objects.Instance
) -> bool:
    now = _now(context, instance)
    return now is None or now.vm_state == vm_states.SHELVED_OFFLOADED


def _is_rebuilding(
    context: nova_context.RequestContext, instance: objects.Instance
) -> bool:
    """Tell whether the guest of a server does not run yet, or is gone."""
    now = _now(context, instance)
    return now is None or now.task_state in _REBUILDING


def _is_on(
    context: nova_context.RequestContext,
    instance: objects.Instance,
    host: str,
) -> bool:
    now = _now(context, instance)
    return now is not None and now.host == host


def _left_to_delete(
    context: nova_context.RequestContext,
    instance: objects.Instance,
    host: str,
) -> bool:
    """Leave a server that is not built to the delete that waits for it.

    The delete frees all, if Nova's API shows Cyborg that it is one. Before
    Nova 34, only the task state shows it at that point, and the build that
    ends has written its own over it.

    :returns: whether there is one, or another host builds the server; else
        nobody frees what it has.
    """
    if instance.vm_state == vm_states.ERROR:
        return False
    now = _now(context, instance)
    if now is None:
        # It was deleted before it had a host.
        return False
    if now.host not in (None, host):
        # It is another host's by now.
        return True
    now.task_state = task_states.DELETING
    try:
        now.save()
    except nova_exception.InstanceNotFound:
        return False
    return True

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

"""nova-compute: a server does not start without its accelerators.

Nova's compute manager goes on with an accelerator request whose binding
failed, when it learns of it by asking Cyborg and not by an event, and boots
the server without the device. This one fails the build, with the reason, and
gives the device contexts back of a server that is not going to be built.
"""

from __future__ import annotations

import collections.abc
import contextlib
import functools
import logging
import typing as ty

from nova import context as nova_context
from nova import exception as nova_exception
from nova import objects
from nova.compute import build_results, manager, vm_states

from nova_cyborg import exception, model
from nova_cyborg.hooks import client, plugin, signatures

LOG = logging.getLogger(__name__)

_SIGNATURES = {
    '_build_resources': 'context instance',
    '_get_bound_arq_resources': 'context instance arq_uuids',
    '_do_build_and_run_instance': 'context instance image request_spec',
}
_BOUND = 'Bound'


def _timeout_class() -> type[BaseException]:
    # What a wait for an event raises: nova 34 has its own exception; before,
    # it was eventlet's, which is no Exception.
    own = getattr(nova_exception, 'InstanceEventTimeout', None)
    if own is not None:
        return own
    from eventlet import timeout

    return timeout.Timeout


_Timeout = _timeout_class()


class ComputeManager(manager.ComputeManager):
    """Nova's compute manager, strict about accelerator requests."""

    def __init__(self, *args: object, **kwargs: object) -> None:
        plugin.or_stop(
            functools.partial(
                signatures.check, manager.ComputeManager, _SIGNATURES
            )
        )
        super().__init__(*args, **kwargs)
        LOG.info(
            'nova_cyborg is active in %s: check of accelerator requests',
            plugin.process_name(),
        )

    def _get_bound_arq_resources(
        self,
        context: nova_context.RequestContext,
        instance: objects.Instance,
        arq_uuids: list[str] | None,
    ) -> list[dict[str, ty.Any]]:
        try:
            arqs = super()._get_bound_arq_resources(
                context, instance, arq_uuids
            )
        except (Exception, _Timeout) as exc:
            # Asked for now: the ARQs, and what is known of them, are about
            # to be deleted.
            fault = _fault(context, instance)
            if fault is None:
                raise
            raise exception.BindingFailed(
                server_id=instance.uuid, reason=fault or exc
            ) from exc
        if not _all_bound(arqs, arq_uuids or ()):
            fault = _fault(context, instance)
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
            # Nova's own says "Failure getting accelerator requests." and
            # not why.
            if isinstance(exc.__context__, exception.BindingFailed):
                raise nova_exception.BuildAbortException(
                    instance_uuid=instance.uuid, reason=str(exc.__context__)
                ) from exc
            raise

    def _do_build_and_run_instance(
        self,
        context: nova_context.RequestContext,
        instance: objects.Instance,
        image: dict[str, ty.Any],
        request_spec: objects.RequestSpec,
        *args: object,
        **kwargs: object,
    ) -> str:
        result = super()._do_build_and_run_instance(
            context, instance, image, request_spec, *args, **kwargs
        )
        failed = (build_results.FAILED, build_results.FAILED_BY_POLICY)
        if (
            result in failed
            and has_hint(request_spec)
            and not _awaits_delete(context, instance)
        ):
            _release(context, instance)
        return result


def is_of_device_context(arq: collections.abc.Mapping[str, ty.Any]) -> bool:
    """Tell whether an accelerator request belongs to a device context.

    :param arq: the request as Cyborg's API shows it.
    :returns: True; False for one of a device profile.
    """
    return str(arq['device_profile_name']).startswith(model.PROFILE_PREFIX)


def has_hint(request_spec: objects.RequestSpec | None) -> bool:
    """Tell whether a server was asked for with device contexts.

    :param request_spec: the server's request.
    :returns: whether it has the scheduler hint.
    """
    if request_spec is None or 'scheduler_hints' not in request_spec:
        return False
    return model.HINT in (request_spec.scheduler_hints or {})


def _all_bound(
    arqs: collections.abc.Collection[collections.abc.Mapping[str, ty.Any]],
    awaited: collections.abc.Iterable[str],
) -> bool:
    lost = set(awaited) - {arq['uuid'] for arq in arqs}
    # What becomes of the requests of profiles is Nova's business.
    return not lost and all(
        arq['state'] == _BOUND for arq in arqs if is_of_device_context(arq)
    )


def _fault(
    context: nova_context.RequestContext, instance: objects.Instance
) -> str | None:
    """Ask Cyborg why a binding failed.

    :returns: the reason; empty if Cyborg knows of none; None if the server
        holds no device contexts, or it cannot be said whether it does.
    """
    try:
        return client.allocation_client(context).get(instance.uuid).fault or ''
    except exception.AllocationNotFound:
        return None
    except exception.DeviceContextError as exc:
        LOG.debug('Cyborg does not say why: %s', exc)
        profile = instance.flavor.extra_specs.get(model.PROFILE_EXTRA_SPEC)
        return '' if profile == model.FLAVOR_MARKER else None


def _awaits_delete(
    context: nova_context.RequestContext, instance: objects.Instance
) -> bool:
    """Tell whether a server that is not built is being deleted by now.

    The delete frees all. Nova's API does not show it at this point: the
    build that ends has written its own task state over that of the delete.
    """
    if instance.vm_state == vm_states.ERROR:
        return False
    try:
        objects.Instance.get_by_uuid(context, instance.uuid)
    except nova_exception.InstanceNotFound:
        # It was deleted before it had a host, and nobody else will free it.
        return False
    return True


def _release(
    context: nova_context.RequestContext, instance: objects.Instance
) -> None:
    try:
        client.allocation_client(context).release(instance.uuid)
    except exception.DeviceContextError as exc:
        LOG.error(
            'Server %s is not built, and its device contexts could not be '
            'released: %s',
            instance.uuid,
            exc,
        )

# SPDX-License-Identifier: Apache-2.0

"""nova-api: a boot whose hint cannot work is refused at once.

Otherwise the server is made, and goes to ERROR when nova-conductor finds out.
nova-conductor checks the hint all the same: what is found here may be another
by then, and there may be a nova-api without the plugin.
"""

from __future__ import annotations

import collections.abc
import contextvars
import inspect
import logging
import typing as ty

import wrapt
from nova import conf, objects
from nova import context as nova_context
from nova import exception as nova_exception
from nova.api.openstack.compute import servers
from nova.compute import api, vm_states

from nova_cyborg import cyborg_client, exception, model
from nova_cyborg.contract import signatures
from nova_cyborg.nova import client, request

CONF = conf.CONF
LOG = logging.getLogger(__name__)

# The conductor hook that the hint is for.
_HOOK = 'device_context'
_NAMED = {
    'create': 'min_count max_count display_name scheduler_hints',
    'get': 'cell_down_support',
}
# Nova counts the accelerators of device profiles in unified limits since
# 2026.2; before, it has no such method, and does not count ours either.
_COUNT = '_enforce_create_unified_limits'
_COUNT_SIGNATURE = {
    _COUNT: 'context flavor is_bfv port_resource_requests dp_request_groups',
}

# What the device contexts of the server that this thread, or green thread,
# creates ask for: Nova's methods in between cannot hand it on.
_requested: contextvars.ContextVar[
    collections.abc.Sequence[objects.RequestGroup]
] = contextvars.ContextVar('nova_cyborg_requested', default=())


class Refused(nova_exception.ValidationError):
    """An error that Nova's API answers with its own status and sentence.

    Of what is raised below Nova's controllers, only few exceptions get past
    their lists of expected errors; this kind is for requests that are wrong,
    and its status is left as it is. Any other would be answered with 500.

    :param error: what is wrong.
    """

    def __init__(self, error: exception.DeviceContextError) -> None:
        self.code = error.status
        super().__init__(detail=str(error))


class API(api.API):
    """Nova's compute API, which looks at the hints of new servers."""

    def create(
        self,
        context: nova_context.RequestContext,
        flavor: objects.Flavor,
        *args: object,
        **kwargs: object,
    ) -> ty.Any:
        """Create servers, unless their device contexts cannot be used.

        :raises Refused: if they cannot; nothing has been done yet.
        """
        given = inspect.signature(super().create).bind(
            context, flavor, *args, **kwargs
        )
        hint = _hint(given.arguments)
        found = self._checked(context, hint, given.arguments) if hint else ()
        token = _requested.set(request.request_groups(found))
        try:
            return super().create(context, flavor, *args, **kwargs)
        finally:
            _requested.reset(token)

    def _enforce_create_unified_limits(
        self,
        context: nova_context.RequestContext,
        flavor: objects.Flavor,
        is_bfv: bool,
        port_resource_requests: ty.Any,
        dp_request_groups: list[objects.RequestGroup],
        *args: object,
        **kwargs: object,
    ) -> int:
        # They are used for nothing but this: it is nova-conductor that asks
        # Placement for device contexts.
        return int(
            super()._enforce_create_unified_limits(
                context,
                flavor,
                is_bfv,
                port_resource_requests,
                [*dp_request_groups, *_requested.get()],
                *args,
                **kwargs,
            )
        )

    def _checked(
        self,
        context: nova_context.RequestContext,
        hint: collections.abc.Sequence[ty.Any],
        arguments: collections.abc.Mapping[str, ty.Any],
    ) -> list[cyborg_client.FoundContext]:
        name = str(arguments.get('display_name'))
        count = arguments.get('max_count') or arguments.get('min_count') or 1
        try:
            context_ids = request.checked_ids(hint, count)
            found = client.allocation_client(context).check(name, context_ids)
            for each in found:
                holder = each.holder
                if holder and self._is_in_the_way(context, holder):
                    raise exception.DeviceContextInUse(
                        id=each.uuid, server_id=holder
                    )
            request.check_group_count(found)
        except exception.DeviceContextError as exc:
            LOG.info('Server %s is refused: %s', name, exc)
            raise Refused(exc) from exc
        return found

    def _is_in_the_way(
        self, context: nova_context.RequestContext, server_id: str
    ) -> bool:
        """Tell whether a server keeps the device contexts that it holds.

        From one that is gone, or was never built, Cyborg takes them back
        when nova-conductor reserves them. Asked here and not by Cyborg, which
        would ask this API while it waits: one with a single thread would
        wait for ever.
        """
        try:
            holder = self.get(
                context.elevated(), server_id, cell_down_support=True
            )
        except nova_exception.InstanceNotFound:
            return False
        # Of one whose cell does not answer, no more is known.
        return (
            'vm_state' not in holder
            or holder.vm_state != vm_states.ERROR
            or holder.host is not None
            or holder.launched_at is not None
        )


def install() -> str:
    """Have the controllers of servers use the API that checks hints.

    Other processes use Nova's compute API, too, so it is not replaced where
    it is; and the class of the controllers stays what it is, because their
    methods call super() by its name.

    :returns: what was done, for the log.
    :raises PluginActivationFailed: if this release of Nova has other
        methods.
    """
    signatures.check_named(api.API, _NAMED)
    if hasattr(api.API, _COUNT):
        signatures.check(api.API, _COUNT_SIGNATURE)
    wrapt.wrap_function_wrapper(
        servers, 'ServersController.__init__', _with_checks
    )
    return 'check of the hint for device contexts'


def _with_checks(
    init: collections.abc.Callable[..., None],
    controller: ty.Any,
    args: tuple[object, ...],
    kwargs: dict[str, object],
) -> None:
    init(*args, **kwargs)
    controller.compute_api = API()


def _hint(arguments: collections.abc.Mapping[str, ty.Any]) -> list[ty.Any]:
    """Return what a hint names, which may be anything that JSON has."""
    hints = arguments.get('scheduler_hints') or {}
    if (
        model.HINT not in hints
        or _HOOK not in CONF.nova_cyborg.conductor_hooks
    ):
        return []
    named = hints[model.HINT]
    return list(named) if isinstance(named, list) else [named]

# SPDX-License-Identifier: Apache-2.0

"""nova-api: what cannot work is refused at once.

A boot whose hint cannot work: otherwise the server is made, and goes to ERROR
when nova-conductor finds out. What starts a server of which a device is
missing: otherwise a hard reboot seems to be done, and is not, and a rebuild
destroys the guest first.
nova-conductor checks the hint all the same: what is found here may be another
by then, and there may be a nova-api without the plugin.
What Nova refuses to servers with accelerators is done for those that have them
by device contexts: see :mod:`nova_cyborg.nova.api.gate`.
"""

from __future__ import annotations

import collections.abc
import dataclasses
import logging
import typing as ty

import wrapt
from nova import conf, objects
from nova import context as nova_context
from nova import exception as nova_exception
from nova.api.openstack.compute import (
    evacuate,
    migrate_server,
    servers,
    shelve,
    suspend_server,
)
from nova.compute import api, vm_states

from nova_cyborg import cyborg_client, exception, signatures
from nova_cyborg.nova import (
    carried,
    client,
    features,
    groups,
    hint,
    marks,
    overrides,
)
from nova_cyborg.nova.api import begun, deletion, gate, live, refusals
from nova_cyborg.nova.features import computes

CONF = conf.CONF
LOG = logging.getLogger(__name__)

# The conductor hook that the hint is for.
_HOOK = 'device_context'
# Of a migration that waits to be confirmed, or reverted.
_FINISHED = 'finished'
# A guest that restarts itself keeps its devices.
_SOFT = 'SOFT'
_CONTROLLERS = (
    (servers, 'ServersController'),
    (evacuate, 'EvacuateController'),
    (shelve, 'ShelveController'),
    (migrate_server, 'MigrateServerController'),
    (suspend_server, 'SuspendServerController'),
)
_CALLED = {'get': 'cell_down_support'}
#: Nova counts the accelerators of device profiles in unified limits since
#: 2026.2; before, it has no such method, and does not count ours either.
COUNT = '_enforce_create_unified_limits'
_COUNT_SIGNATURE = {
    COUNT: 'context flavor is_bfv port_resource_requests dp_request_groups',
}


class API(deletion.API):
    """Nova's compute API, for servers with device contexts."""

    @overrides.method(
        'context flavor',
        named='min_count max_count display_name scheduler_hints',
    )
    def create(self, stock: overrides.Stock) -> ty.Any:
        """Create servers, unless their device contexts cannot be used.

        :raises Refused: if they cannot; nothing has been done yet.
        """
        named = _named(stock)
        checked = self._checked(named, stock) if named else ()
        asked_for = groups.counted(checked)
        with carried.carrying(
            dataclasses.replace(carried.now(), request_groups=asked_for)
        ):
            return stock()

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
                [*dp_request_groups, *carried.now().request_groups],
                *args,
                **kwargs,
            )
        )

    @overrides.method('context instance reboot_type')
    def reboot(self, stock: overrides.Stock) -> ty.Any:
        """Reboot a server, unless a device of it is missing.

        :raises Refused: if it is; the server goes on as it is.
        """
        if stock['reboot_type'] != _SOFT:
            _refuse_missing(stock)
        return stock()

    @overrides.method('context instance')
    def start(self, stock: overrides.Stock) -> ty.Any:
        """Start a server, unless a device of it is missing.

        :raises Refused: if it is; the server stays stopped.
        """
        _refuse_missing(stock)
        return stock()

    @overrides.method('context instance')
    def rebuild(self, stock: overrides.Stock) -> ty.Any:
        """Rebuild a server, unless a device of it is missing.

        :raises Refused: if it is; the server goes on as it is.
        """
        _refuse_missing(stock)
        return stock()

    @overrides.method('context instance')
    def resize(self, stock: overrides.Stock) -> ty.Any:
        """Resize a server, or migrate it; its devices move with it.

        :raises ForbiddenWithAccelerators: if they cannot.
        """
        return gate.call(self, 'resize', stock)

    @overrides.method('context instance')
    def revert_resize(self, stock: overrides.Stock) -> ty.Any:
        """Move a server back, unless a device of it is missing there.

        :raises Refused: if it is, or the nova-compute there would start the
            guest without devices; the move can be confirmed.
        """
        _refuse_unable(stock)
        _refuse_missing_left(stock)
        return stock()

    @overrides.method('context instance', named='host_name force')
    def live_migrate(self, stock: overrides.Stock) -> ty.Any:
        """Migrate a server that runs; it gets devices of its new host.

        :raises ForbiddenWithAccelerators: if it cannot.
        :raises Refused: if its device contexts do not allow it.
        """
        return gate.call(self, 'live_migrate', stock, live.check)

    @overrides.method('context instance')
    def suspend(self, stock: overrides.Stock) -> ty.Any:
        """Suspend a server, which keeps its devices.

        :raises ForbiddenWithAccelerators: if its host cannot do so.
        """
        return gate.call(self, 'suspend', stock)

    @overrides.method('context instance')
    def resume(self, stock: overrides.Stock) -> ty.Any:
        """Resume a server, unless a device of it is missing.

        :raises Refused: if it is; the server stays suspended.
        """
        _refuse_missing(stock)
        return stock()

    def _checked(
        self, named: collections.abc.Sequence[ty.Any], stock: overrides.Stock
    ) -> tuple[cyborg_client.CheckedContext, ...]:
        context, name = stock['context'], str(stock['display_name'])
        count = stock['max_count'] or stock['min_count'] or 1
        with refusals.answering(f'Server {name}'):
            context_ids = hint.checked_ids(named, count)
            found = client.allocation_client(context).check(
                context_ids, groups.asked_by(stock['flavor'])
            )
            for each in found.contexts:
                holder = each.holder
                if holder and is_in_the_way(self, context, holder):
                    raise exception.DeviceContextInUse(
                        id=each.uuid, server_id=holder
                    )
            groups.check_count(found.contexts)
            groups.check_combinations(found.combinations)
        return found.contexts


def is_in_the_way(
    compute: api.API, context: nova_context.RequestContext, server_id: str
) -> bool:
    """Tell whether a server keeps the device contexts that it holds.

    From one that is gone, or was never built, Cyborg releases them when they
    are reserved for another one. Asked here and not by Cyborg, which would
    ask this API while it waits: one with a single thread would wait for ever.

    :param compute: Nova's compute API.
    :param context: the context of who asks for them.
    :param server_id: UUID of the server that holds them.
    """
    try:
        holder = compute.get(
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
    """Have the controllers of servers use the API above.

    Other processes use Nova's compute API, too, so it is not replaced where
    it is; and the class of the controllers stays what it is, because their
    methods call super() by its name.

    :returns: what was done, for the log.
    :raises PluginActivationFailed: if this release of Nova has other
        methods.
    """
    overrides.check(API)
    overrides.check(deletion.API)
    overrides.check(begun.API)
    signatures.check_named(api.API, _CALLED)
    if hasattr(api.API, COUNT):
        signatures.check(api.API, _COUNT_SIGNATURE)
    # The log says now what stays refused, not when somebody asks for it.
    gate.functions()
    for module, name in _CONTROLLERS:
        wrapt.wrap_function_wrapper(module, f'{name}.__init__', _with_api)
    return 'check of the hint for device contexts'


def _with_api(
    init: collections.abc.Callable[..., None],
    controller: ty.Any,
    args: tuple[object, ...],
    kwargs: dict[str, object],
) -> None:
    init(*args, **kwargs)
    controller.compute_api = API()


def _refuse_missing(stock: overrides.Stock) -> None:
    """Refuse to start the server that a method is called with.

    :raises Refused: if one of its devices is missing.
    """
    context, instance = stock['context'], stock['instance']
    if not marks.has_accelerators(instance):
        return
    try:
        found = client.allocation_client(context).arqs(instance.uuid)
        cyborg_client.refuse_missing(instance.uuid, found)
    except exception.DeviceMissing as exc:
        LOG.info('%s', exc)
        raise refusals.Refused(exc) from exc
    except exception.DeviceContextError as exc:
        # nova-compute asks again, and fails if there is no answer then.
        LOG.debug('Cyborg does not say what is missing: %s', exc)


def _refuse_unable(stock: overrides.Stock) -> None:
    """Refuse to move the server back to a nova-compute without the plugin.

    :raises Refused: if it has none any more.
    """
    context, instance = stock['context'], stock['instance']
    if not marks.has_contexts(instance):
        return
    try:
        migration = objects.Migration.get_by_instance_and_status(
            context.elevated(), instance.uuid, _FINISHED
        )
    except nova_exception.MigrationNotFoundByStatus:
        # Nova says so.
        return
    host = migration.source_compute
    if not computes.can(
        instance._context, host, migration.source_node, features.MOVE
    ):
        with refusals.answering(f'Reverting of server {instance.uuid}'):
            raise exception.SourceWithoutPlugin(
                server_id=instance.uuid, host=host
            )


def _refuse_missing_left(stock: overrides.Stock) -> None:
    """Refuse to move the server back that a method is called with.

    Its guest would be shut down, and not be started where it was.

    :raises Refused: if one of its devices there is missing.
    """
    context, instance = stock['context'], stock['instance']
    if not marks.has_contexts(instance):
        return
    try:
        held = client.allocation_client(context).get(instance.uuid)
    except exception.DeviceContextError as exc:
        # nova-compute asks again, or they have been released since.
        LOG.debug('Cyborg does not say what is missing: %s', exc)
        return
    slots = [slot for each in held.contexts for slot in each.left_missing]
    if slots:
        with refusals.answering(f'Reverting of server {instance.uuid}'):
            raise exception.LeftDeviceMissing(
                server_id=instance.uuid, slots=', '.join(slots)
            )


def _named(stock: overrides.Stock) -> list[ty.Any]:
    """Return what the hint of new servers names, if a hook looks at it.

    :raises Refused: if there is one, and it names nothing.
    """
    if _HOOK not in CONF.nova_cyborg.conductor_hooks:
        return []
    hints = stock['scheduler_hints']
    with refusals.answering(f'Server {stock["display_name"]}'):
        hint.check_given(hints)
    return hint.named(hints)

# SPDX-License-Identifier: Apache-2.0

"""nova-compute: a server is migrated or resized, and its devices with it.

While a server moves, it has devices on both hosts. Those of the destination
become its own when its guest is about to be started there, and those of the
source are kept for a revert. Placement's allocations are split between the
server and the migration in the same way, and change at the same points.

A message that is delivered twice is dropped the second time: Nova would take
the move for failed, and unbind the devices of the guest.
"""

from __future__ import annotations

import collections
import collections.abc
import dataclasses
import logging
import typing as ty

from nova import context as nova_context
from nova import exception as nova_exception
from nova import objects, utils
from nova.compute import manager, task_states
from nova.objects import fields

from nova_cyborg import exception, signatures
from nova_cyborg.nova import (
    carried,
    client,
    marks,
    overrides,
    placement,
)
from nova_cyborg.nova.compute import arqs as server_arqs
from nova_cyborg.nova.compute import bindings, guards

LOG = logging.getLogger(__name__)

# Of methods that are called, and not overridden.
_CALLED = {'_delete_stashed_flavor_info': 'instance'}
# Messages that are known; one comes again within minutes.
_REMEMBERED = 1000
# The state of a migration whose guest is not shut down yet.
_BEGUN = 'pre-migrating'
# States of a migration that waits for a confirmation, or for its end.
_UNCONFIRMED = ('finished', 'confirming')
_COLD = (fields.MigrationType.MIGRATION, fields.MigrationType.RESIZE)
_SETTLED = (*_COLD, fields.MigrationType.LIVE_MIGRATION)


class ComputeManager(manager.ComputeManager):
    """Nova's compute manager, for servers that move with their devices."""

    def __init__(self, *args: object, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)
        self._known: collections.deque[tuple[str, str, str]] = (
            collections.deque(maxlen=_REMEMBERED)
        )

    @overrides.method('context image instance', named='node')
    def prep_resize(self, stock: overrides.Stock) -> None:
        """Prepare for a server to come here, or have it go elsewhere."""
        with carried.carrying(
            dataclasses.replace(carried.now(), node=stock['node'] or '')
        ):
            stock()

    @overrides.method('context image instance', named='migration')
    def _prep_resize(self, stock: overrides.Stock) -> None:
        def prepare() -> None:
            try:
                bindings.wait_until_bound(
                    stock['context'],
                    stock['instance'],
                    stock['migration'].uuid,
                )
            except exception.DeviceContextError as exc:
                # The guest runs at the source: if there is no other host to
                # try, Nova is to leave the server as it was.
                raise nova_exception.InstanceFaultRollback(
                    inner_exception=exc
                ) from exc
            stock()

        self._once_begun('prep_resize', stock, prepare)

    @overrides.method('context instance image migration')
    def _resize_instance(self, stock: overrides.Stock) -> None:
        self._once_begun('resize_instance', stock)

    def _once_begun(
        self,
        name: str,
        stock: overrides.Stock,
        act: collections.abc.Callable[[], None] | None = None,
    ) -> None:
        """See :meth:`_once`; of a move whose guest is not shut down yet."""
        due = in_task(stock, task_states.RESIZE_PREP)

        def drop() -> None:
            if not self._end_begun(stock):
                guards.log_dropped(name, stock['instance'])

        self._once(name, stock, due, act, drop=drop)

    def _end_begun(self, stock: overrides.Stock) -> bool:
        """End a move whose message comes when it is not waited for any more.

        The nova-compute of the source was started again while the
        destination was prepared, and has taken the server for one that is
        not moved; or an administrator has reset its state.

        :returns: False if it was gone on with, and is not for this to end.
        """
        context, instance = stock['context'], stock['instance']
        migration = objects.Migration.get_by_id_and_instance(
            context, stock['migration'].id, instance.uuid
        )
        now = guards.current(context, instance)
        is_at_it = (
            now is not None
            and now.task_state == task_states.RESIZE_PREP
            and not bindings.is_followed(context, now, migration)
        )
        if is_at_it or migration.status != _BEGUN:
            return False
        LOG.warning(
            'Server %s is not moved by migration %s: the nova-compute of its '
            'host was started again while it was prepared, or its state was '
            'reset',
            instance.uuid,
            migration.uuid,
        )
        # What is left in Placement is found by its being over.
        migration.status = 'error'
        migration.save()
        if guards.is_on(
            context, instance, migration.source_compute
        ) and not bindings.is_followed(context, instance, migration):
            try:
                self._revert_allocation(context, instance, migration)
            except Exception:  # noqa: BLE001 - it is logged
                log_unended(instance)
        else:
            # The server is allocated by something newer, and the audit looks.
            bindings.unbind_sometime(
                context, instance, migration.uuid, _node_of(migration)
            )
        return True

    @overrides.method('context disk_info image instance migration')
    def _finish_resize_helper(self, stock: overrides.Stock) -> None:
        due = in_task(stock, task_states.RESIZE_MIGRATED)
        self._once('finish_resize', stock, due)

    @overrides.method('context instance migration')
    def _finish_resize(self, stock: overrides.Stock) -> ty.Any:
        context, instance = stock['context'], stock['instance']
        if not marks.bears_any(instance):
            return stock()
        arqs = bindings.activate(context, instance, stock['migration'].uuid)
        with carried.carrying(
            dataclasses.replace(carried.now(), accel_info=tuple(arqs))
        ):
            return stock()

    @overrides.method('context instance migration')
    def confirm_resize(self, stock: overrides.Stock) -> None:
        """Forget the guest at the source; the server stays where it is."""

        def is_due() -> bool:
            # Nova looks at what the message says.
            migration = objects.Migration.get_by_id_and_instance(
                stock['context'],
                stock['migration'].id,
                stock['instance'].uuid,
            )
            return migration.status in _UNCONFIRMED

        self._once('confirm_resize', stock, is_due)

    @overrides.method('context instance migration')
    def revert_resize(self, stock: overrides.Stock) -> None:
        """Shut the guest down at the destination; it is reverted."""
        due = in_task(stock, task_states.RESIZE_REVERTING)
        self._once('revert_resize', stock, due)

    @overrides.method('context instance migration')
    def finish_revert_resize(self, stock: overrides.Stock) -> None:
        """Start the guest at the source again."""
        due = in_task(stock, task_states.RESIZE_REVERTING)
        self._once('finish_revert_resize', stock, due)

    def _once(
        self,
        name: str,
        stock: overrides.Stock,
        is_due: collections.abc.Callable[[], bool],
        act: collections.abc.Callable[[], None] | None = None,
        migration_id: str = '',
        drop: collections.abc.Callable[[], None] | None = None,
    ) -> None:
        """Do what a message says, if it is due and was not done before.

        :param name: of the message.
        :param stock: Nova's way to do it.
        :param is_due: tells whether it is due.
        :param act: what is done for a server with device contexts instead.
        :param migration_id: UUID of the migration, or of the server; empty if
            the migration is an argument of Nova's method.
        :param drop: what is done if it is not due, in place of logging it.
        """
        instance = stock['instance']
        if not marks.has_contexts(instance):
            stock()
            return
        # A migration of a request comes to a host once.
        message = (
            name,
            stock['context'].request_id,
            migration_id or stock['migration'].uuid,
        )

        @utils.synchronized(f'nova_cyborg-{instance.uuid}')
        def once() -> None:
            if message in self._known:
                guards.log_dropped(name, instance)
                return
            if not is_due():
                if drop is None:
                    guards.log_dropped(name, instance)
                else:
                    drop()
                return
            self._known.append(message)
            (act or stock)()

        once()

    @overrides.method('context instance migration')
    def _delete_allocation_after_move(self, stock: overrides.Stock) -> None:
        instance, migration = stock['instance'], stock['migration']
        if migration.migration_type in _SETTLED and marks.has_contexts(
            instance
        ):
            # Nobody's token is there if it is confirmed automatically.
            context = client.with_credentials(stock['context'])
            server_arqs.settle(context, instance, migration.uuid)
        placement.in_turn(migration.uuid, stock)

    @overrides.method('context instance migration')
    def _revert_allocation(self, stock: overrides.Stock) -> ty.Any:
        instance, migration = stock['instance'], stock['migration']
        if not _is_ours(instance, migration):
            return stock()
        context = stock['context']
        node = _node_of(migration)
        if instance.task_state != task_states.RESIZE_REVERTING:
            bindings.unbind_sometime(context, instance, migration.uuid, node)
            return stock()
        try:
            bindings.unbind(context, instance, migration.uuid, node)
        except exception.DeviceContextError:
            # The devices of the source are not the server's own again.
            stock()
            raise
        return stock()

    @overrides.method('context instance')
    def _init_instance(self, stock: overrides.Stock) -> None:
        context = client.with_credentials(stock['context'])
        stock['context'], instance = context, stock['instance']
        if (
            instance.task_state != task_states.RESIZE_MIGRATING
            or not marks.has_contexts(instance)
        ):
            stock()
            return
        # Nova starts the guest again, and does not get as far as that
        # without the flavor that the server had before.
        instance.old_flavor = instance.flavor
        stock()
        self._end_interrupted_move(context, instance)

    def _end_interrupted_move(
        self, context: nova_context.RequestContext, instance: objects.Instance
    ) -> None:
        """End a move whose source has started the guest again.

        Nova leaves the migration as it was, and what Placement has allocated
        at the destination.
        """
        try:
            migration = objects.Migration.get_by_id_and_instance(
                context,
                instance.migration_context.migration_id,
                instance.uuid,
            )
            # Before Placement, which may fail: what is left there is found by
            # its being over, and this is not tried again.
            migration.status = 'error'
            migration.save()
            instance.drop_migration_context()
            self._delete_stashed_flavor_info(instance)
            self._revert_allocation(context, instance, migration)
        except Exception:  # noqa: BLE001 - it is logged
            log_unended(instance)


def in_task(
    stock: overrides.Stock, task_state: str
) -> collections.abc.Callable[[], bool]:
    """Return what tells whether a server is in a task of its move, or gone.

    :param stock: a call with the server as its instance, and its migration.
    :param task_state: the task state.
    :returns: a function.
    """

    def is_in_task() -> bool:
        now = guards.current(stock['context'], stock['instance'])
        return now is None or (
            now.task_state == task_state
            # An administrator may have reset its state, and moved it again.
            and not _is_past(stock['context'], now, stock['migration'])
        )

    return is_in_task


def log_unended(instance: objects.Instance) -> None:
    """Log that what an interrupted move has left is there still.

    nova-compute, which is being started, is to serve the other servers.

    :param instance: the server.
    """
    LOG.exception(
        'What server %s has in Placement could not be put right. Run '
        '"nova-cyborg-manage audit --repair", unless cyborg-conductor '
        'reconciles',
        instance.uuid,
    )


def check() -> None:
    """Check that this release of Nova has the methods that are extended.

    :raises PluginActivationFailed: naming the one that it has not.
    """
    overrides.check(ComputeManager)
    signatures.check(manager.ComputeManager, _CALLED)


def _is_past(
    context: nova_context.RequestContext,
    instance: objects.Instance,
    told: objects.Migration,
) -> bool:
    """Tell whether a move, as a message says it, is not the one of a server.

    :param told: the migration, as it was when the message was sent.
    """
    now = objects.Migration.get_by_id_and_instance(
        context, told.id, instance.uuid
    )
    return bool(
        now.status in bindings.OVER
        # Nova tries another host with it.
        or now.dest_compute != told.dest_compute
        or bindings.is_followed(context, instance, now)
    )


def _node_of(migration: objects.Migration) -> str | None:
    """Return the node that a server is migrated or resized to.

    Until this host has claimed its resources, the migration has that of the
    host that was tried before.
    """
    return carried.now().node or ty.cast('str | None', migration.dest_node)


def _is_ours(instance: objects.Instance, migration: objects.Migration) -> bool:
    return migration.migration_type in _COLD and marks.has_contexts(instance)

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

from nova_cyborg import exception
from nova_cyborg.nova import carried, client, marks, overrides
from nova_cyborg.nova.compute import arqs as server_arqs
from nova_cyborg.nova.compute import bindings, guards

LOG = logging.getLogger(__name__)

# Messages that are known; one comes again within minutes.
_REMEMBERED = 1000
_COLD = (fields.MigrationType.MIGRATION, fields.MigrationType.RESIZE)


class ComputeManager(manager.ComputeManager):
    """Nova's compute manager, for servers that move with their devices."""

    def __init__(self, *args: object, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)
        self._known: collections.deque[tuple[str, str, str]] = (
            collections.deque(maxlen=_REMEMBERED)
        )

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

        self._once('prep_resize', task_states.RESIZE_PREP, stock, prepare)

    @overrides.method('context instance image migration')
    def _resize_instance(self, stock: overrides.Stock) -> None:
        self._once('resize_instance', task_states.RESIZE_PREP, stock)

    @overrides.method('context disk_info image instance migration')
    def _finish_resize_helper(self, stock: overrides.Stock) -> None:
        self._once('finish_resize', task_states.RESIZE_MIGRATED, stock)

    @overrides.method('context instance migration')
    def _finish_resize(self, stock: overrides.Stock) -> ty.Any:
        context, instance = stock['context'], stock['instance']
        if not marks.has_contexts(instance):
            return stock()
        arqs = bindings.activate(context, instance, stock['migration'].uuid)
        with carried.carrying(
            dataclasses.replace(carried.now(), accel_info=tuple(arqs))
        ):
            return stock()

    @overrides.method('context instance migration')
    def revert_resize(self, stock: overrides.Stock) -> None:
        """Shut the guest down at the destination; it is reverted."""
        self._once('revert_resize', task_states.RESIZE_REVERTING, stock)

    @overrides.method('context instance migration')
    def _finish_revert_resize(self, stock: overrides.Stock) -> None:
        self._once('finish_revert_resize', task_states.RESIZE_REVERTING, stock)

    def _once(
        self,
        name: str,
        task_state: str,
        stock: overrides.Stock,
        act: collections.abc.Callable[[], None] | None = None,
    ) -> None:
        """Do what a message says, if it is due and was not done before.

        :param name: of the message.
        :param task_state: that of the server while it is due.
        :param stock: Nova's way to do it.
        :param act: what is done for a server with device contexts instead.
        """
        context, instance = stock['context'], stock['instance']
        if not marks.has_contexts(instance):
            stock()
            return
        # A migration of a request comes to a host once.
        message = (name, context.request_id, stock['migration'].uuid)

        @utils.synchronized(f'nova_cyborg-{instance.uuid}')
        def once() -> None:
            now = guards.current(context, instance)
            due = now is None or now.task_state == task_state
            if message in self._known or not due:
                guards.log_dropped(name, instance)
                return
            self._known.append(message)
            (act or stock)()

        once()

    @overrides.method('context instance migration')
    def _delete_allocation_after_move(self, stock: overrides.Stock) -> None:
        instance, migration = stock['instance'], stock['migration']
        if _is_ours(instance, migration):
            # Nobody's token is there if it is confirmed automatically.
            context = client.with_credentials(stock['context'])
            server_arqs.settle(context, instance, migration.uuid)
        stock()

    @overrides.method('context instance migration')
    def _revert_allocation(self, stock: overrides.Stock) -> ty.Any:
        instance, migration = stock['instance'], stock['migration']
        if not _is_ours(instance, migration):
            return stock()
        try:
            bindings.unbind(stock['context'], instance, migration.uuid)
        except exception.DeviceContextError as exc:
            allocations = stock()
            if instance.task_state == task_states.RESIZE_REVERTING:
                # The devices of the source are not the server's own again.
                raise
            LOG.error(
                'Server %s is not moved, and its devices at the destination '
                'could not be unbound. Run "nova-cyborg-manage audit '
                '--repair": %s',
                instance.uuid,
                exc,
            )
            return allocations
        return stock()

    def _end_interrupted_move(
        self, context: nova_context.RequestContext, instance: objects.Instance
    ) -> None:
        """End a move whose source has started the guest again.

        Nova leaves the migration as it was, and what Placement has allocated
        at the destination.

        :param instance: the server, which is on this host.
        """
        if not marks.has_contexts(instance):
            return
        migration = objects.Migration.get_by_id_and_instance(
            context, instance.migration_context.migration_id, instance.uuid
        )
        self._revert_allocation(context, instance, migration)
        migration.status = 'error'
        migration.save()


def _is_ours(instance: objects.Instance, migration: objects.Migration) -> bool:
    return migration.migration_type in _COLD and marks.has_contexts(instance)

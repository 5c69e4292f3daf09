# SPDX-License-Identifier: Apache-2.0

"""nova-compute: a server is migrated while it runs.

Until it is at the destination it uses the devices of the source. Those of the
destination are unbound when it stays, after what has come of its guest to the
destination is gone.
"""

from __future__ import annotations

import contextlib
import logging
import typing as ty

from nova import context as nova_context
from nova import exception as nova_exception
from nova import objects
from nova.compute import manager, task_states, vm_states

from nova_cyborg import exception, signatures
from nova_cyborg.nova import marks, overrides
from nova_cyborg.nova.compute import bindings, guards, moves
from nova_cyborg.nova.compute.recovery import restarted

LOG = logging.getLogger(__name__)

# Of methods that are called, and not overridden.
_CALLED = {
    '_live_migration_cleanup_flags': 'migrate_data migr_ctxt',
}
# States of a server whose guest runs, or is to be looked after: Nova puts one
# in error that has come, and was not taken over.
_RUNNING = (vm_states.ACTIVE, vm_states.PAUSED, vm_states.ERROR)
# The state of a migration that nova-conductor has not handed over.
_ACCEPTED = 'accepted'


class ComputeManager(restarted.ComputeManager):
    """Nova's compute manager, for servers that move while they run."""

    @overrides.method('ctxt instance', named='migration')
    def check_can_live_migrate_destination(
        self, stock: overrides.Stock
    ) -> ty.Any:
        """Check whether a server can come here, and has devices here."""
        instance, migration = stock['instance'], stock['migration']
        if marks.has_contexts(instance):
            try:
                bindings.wait_until_bound(
                    stock['ctxt'], instance, migration.uuid
                )
            except exception.DeviceContextError as exc:
                raise nova_exception.MigrationPreCheckError(
                    reason=str(exc)
                ) from exc
        return stock()

    @overrides.method('context instance dest', named='migrate_data')
    def _rollback_live_migration(self, stock: overrides.Stock) -> None:
        instance, migrate_data = stock['instance'], stock['migrate_data']
        if not marks.has_contexts(instance):
            stock()
            return
        # Nova tells the destination to clean up only if there is something.
        is_told, _destroy_disks = self._live_migration_cleanup_flags(
            migrate_data, migr_ctxt=instance.migration_context
        )
        _show_as_migrating(stock['context'], instance)
        stock()
        if not is_told:
            _unbind(stock['context'], instance, migrate_data)
        marks.take_stale(stock['context'], instance)

    @overrides.method('context dest instance', named='migration')
    def live_migration(self, stock: overrides.Stock) -> None:
        """Begin to migrate a server to another host."""
        due = moves.in_task(stock, task_states.MIGRATING)

        def drop() -> None:
            if not self._end_accepted(stock):
                guards.log_dropped('live_migration', stock['instance'])

        self._once('live_migration', stock, due, drop=drop)

    def _end_accepted(self, stock: overrides.Stock) -> bool:
        """End a migration that comes when it is not waited for any more.

        This nova-compute was started again while nova-conductor was looking
        for a host, and has taken the server for one that is not migrated.

        :returns: False if it was begun, and is not for this to end.
        """
        context, instance = stock['context'], stock['instance']
        migration = objects.Migration.get_by_id_and_instance(
            context, stock['migration'].id, instance.uuid
        )
        if migration.status != _ACCEPTED:
            return False
        LOG.warning(
            'Server %s is not migrated to %s: this nova-compute was started '
            'again while a host was looked for, or its state was reset',
            instance.uuid,
            stock['dest'],
        )
        # What is left in Placement is found by its being over.
        migration.status = 'error'
        migration.save()
        bindings.unbind_sometime(context, instance, migration.uuid)
        # Else it is allocated by something newer, and the audit looks.
        if guards.is_on(
            context, instance, self.host
        ) and not bindings.is_followed(context, instance, migration):
            try:
                self._revert_allocation(context, instance, migration)
            except Exception:  # noqa: BLE001 - it is logged
                moves.log_unended(instance)
        return True

    @overrides.method('ctxt instance dest')
    def _post_live_migration(self, stock: overrides.Stock) -> None:
        context, instance = stock['ctxt'], stock['instance']
        try:
            stock()
        except Exception:
            # Nova says that it is there, whatever has become of it.
            if marks.has_contexts(instance) and not guards.is_on(
                context, instance, stock['dest']
            ):
                LOG.error(
                    'Server %s was not taken over by %s, where it runs, and '
                    'may be without its devices there. Reboot it (hard)',
                    instance.uuid,
                    stock['dest'],
                )
            raise

    @overrides.method('context instance')
    def post_live_migration_at_destination(
        self, stock: overrides.Stock
    ) -> None:
        """Take over a server whose guest has come here."""
        context, instance = stock['context'], stock['instance']

        def is_due() -> bool:
            now = guards.current(context, instance)
            if now is None or now.task_state == task_states.MIGRATING:
                return True
            # The source waits, and whatever Nova says by now: the guest is
            # here.
            if bindings.comes_live(context, now, self.host):
                return True
            # The source may have given up waiting, and have said that it is
            # here. It ends the migration when it was told that this is done.
            return (
                now.host == self.host
                and now.task_state is None
                and now.vm_state in _RUNNING
                and self._is_unfinished_here(context, now)
            )

        def take_over() -> None:
            _show_as_migrating(context, instance)
            stock()
            marks.take_stale(context, instance)

        self._once(
            'post_live_migration_at_destination',
            stock,
            is_due,
            take_over,
            migration_id=instance.uuid,
        )

    def _is_unfinished_here(
        self, context: nova_context.RequestContext, instance: objects.Instance
    ) -> bool:
        """Tell whether a server's last move is a live one to here.

        And whether its source was not told that it is done.
        """
        last = bindings.last_live_migration(context, instance)
        return (
            last is not None
            and last.dest_compute == self.host
            and last.status != 'completed'
        )

    @overrides.method('context instance', named='migrate_data')
    def rollback_live_migration_at_destination(
        self, stock: overrides.Stock
    ) -> None:
        """Clean up here after a server that stays where it was."""
        context, instance = stock['context'], stock['instance']
        migration = _migration_of(stock['migrate_data'])

        def is_due() -> bool:
            if guards.is_on(context, instance, self.host):
                return False
            # Else what has come of the newer move to here would be removed:
            # its disks, or its guest, which may run here already.
            return migration is None or not bindings.comes_anew(
                context, instance, migration, self.host
            )

        def clean_up() -> None:
            stock()
            _unbind(context, instance, stock['migrate_data'])

        self._once(
            'rollback_live_migration_at_destination',
            stock,
            is_due,
            clean_up,
            migration_id=instance.uuid,
        )

    @overrides.method('context instance migration_id')
    def live_migration_abort(self, stock: overrides.Stock) -> None:
        """Abort a migration; one that waits for its turn is over then."""
        context, instance = stock['context'], stock['instance']
        stock()
        if not marks.has_contexts(instance):
            return
        migration = objects.Migration.get_by_id(context, stock['migration_id'])
        if migration.status == 'cancelled':
            bindings.unbind_sometime(context, instance, migration.uuid)


def _show_as_migrating(
    context: nova_context.RequestContext, instance: objects.Instance
) -> None:
    """Have Nova end the migration of a server whose state was reset meanwhile.

    Where its guest is, is known now. Nova would put the server in error as one
    with which something else is done; what came then would not be undone, or
    not be taken over. If something else is done, that is left to Nova.

    :param instance: the server, which libvirt has migrated, or has not.
    """
    now = guards.current(context, instance)
    if now is None or now.task_state is not None:
        return
    migration = bindings.live_migration(context, now)
    if migration is None or now.host != migration.source_compute:
        return
    LOG.warning(
        'The state of server %s was reset while it was migrated to %s; the '
        'migration is ended all the same',
        instance.uuid,
        migration.dest_compute,
    )
    now.task_state = task_states.MIGRATING
    # What has been begun since is seen by Nova.
    with contextlib.suppress(nova_exception.UnexpectedTaskStateError):
        now.save(expected_task_state=[None])


def _unbind(
    context: nova_context.RequestContext,
    instance: objects.Instance,
    migrate_data: ty.Any,
) -> None:
    migration = _migration_of(migrate_data)
    if migration is not None:
        bindings.unbind_sometime(context, instance, migration.uuid)


def _migration_of(migrate_data: ty.Any) -> objects.Migration | None:
    if migrate_data and migrate_data.obj_attr_is_set('migration'):
        return migrate_data.migration
    return None


def check() -> None:
    """Check that this release of Nova has the methods that are extended.

    :raises PluginActivationFailed: naming the one that it has not.
    """
    overrides.check(ComputeManager)
    restarted.check()
    signatures.check(manager.ComputeManager, _CALLED)

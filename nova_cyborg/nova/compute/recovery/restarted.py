# SPDX-License-Identifier: Apache-2.0

"""nova-compute is started again: servers that it was migrating live.

Stock Nova takes each for one that stays, and has not even stopped: it starts
the guest again, if told to do so with guests whose host was rebooted. Here it
is seen first where the guest is. Two guests of a server would write to the
same disk.
"""

from __future__ import annotations

import collections.abc
import functools
import logging

from nova import conf, objects, utils
from nova import context as nova_context
from nova.compute import manager, power_state, task_states, vm_states

from nova_cyborg import signatures
from nova_cyborg.nova import client, marks, overrides
from nova_cyborg.nova.compute import bindings, guards, moves
from nova_cyborg.nova.compute.recovery import interrupted

CONF = conf.CONF
LOG = logging.getLogger(__name__)

# Of methods that are called, and not overridden.
_CALLED = {
    '_resume_guests_state': 'context instance net_info',
    '_revert_allocation': 'context instance migration',
}
_WHERE = {
    interrupted.Guest.LEFT: (
        'is not here any more, as libvirt has migrated it'
    ),
    interrupted.Guest.MIGRATES: 'may be migrated by libvirt still',
    interrupted.Guest.OFF: (
        'was shut down here when it had gone on at the destination'
    ),
}
# What Nova shows to who asks why the server is locked.
_REASON = 'nova_cyborg: its guest may run on another host'


class ComputeManager(moves.ComputeManager):
    """Nova's compute manager, for servers that it was migrating live."""

    @overrides.method('context instance')
    def _reset_live_migration(self, stock: overrides.Stock) -> None:
        """Abort what was under way when this nova-compute was stopped.

        libvirt may be at it still: Nova's record of the server says so until
        that is over, so that nobody begins anything else with it, or takes
        the devices away that it is to have at the destination.
        """
        context, instance = stock['context'], stock['instance']
        migration = None
        if marks.has_contexts(instance):
            migration = bindings.live_migration(context, instance)
        if migration is None:
            stock()
            return
        if migration.status not in bindings.TOLD:
            # The guest has all its devices.
            self._put_right(context, instance, migration)
            stock()
            _end(migration)
            return
        look = functools.partial(
            self.driver.guest_of_migration,
            instance,
            migration.status == bindings.SWITCHED,
        )
        guest = look()
        if guest is interrupted.Guest.LEFT:
            self._give_up(instance, migration, guest, stock)
        else:
            if (
                migration.status == bindings.RUNNING
                and guest is not interrupted.Guest.OFF
            ):
                self._abort(instance, guest)
            interrupted.when_over(
                instance.uuid,
                look,
                functools.partial(self._end_when_over, stock, migration),
            )
        # Not saved. Nova compares it, when this is done, with what libvirt
        # says, and starts the guest again.
        instance.power_state = power_state.NOSTATE
        instance.obj_reset_changes(['power_state'])

    def _abort(
        self, instance: objects.Instance, guest: interrupted.Guest
    ) -> None:
        """Have libvirt abort a migration, as Nova does when it starts."""
        try:
            self.driver.live_migration_abort(instance)
        except Exception as exc:  # noqa: BLE001 - libvirt raises many
            # It may just be over; it is looked at again.
            LOG.log(
                logging.WARNING
                if guest is interrupted.Guest.MIGRATES
                else logging.DEBUG,
                'libvirt does not abort the migration of server %s: %s',
                instance.uuid,
                exc,
            )

    def _end_when_over(
        self,
        stock: overrides.Stock,
        migration: objects.Migration,
        guest: interrupted.Guest,
    ) -> None:
        """End a migration for which libvirt was waited for."""
        context = client.with_credentials(nova_context.get_admin_context())
        server_id = stock['instance'].uuid

        # Nova's own lock, with which it deletes servers.
        @utils.synchronized(server_id)
        def end() -> None:
            now = guards.current(context, stock['instance'])
            if now is None:
                LOG.info(
                    'Server %s was deleted before libvirt said where its '
                    'guest is',
                    server_id,
                )
                return
            if now.task_state != task_states.MIGRATING or bindings.is_followed(
                context, now, migration
            ):
                self._end_after_reset(context, now, migration, guest)
                return
            stock['context'], stock['instance'] = context, now
            if _stays(guest, migration):
                self._end_interrupted(stock, migration, guest)
            else:
                self._give_up(now, migration, guest, stock)

        end()

    def _end_after_reset(
        self,
        context: nova_context.RequestContext,
        instance: objects.Instance,
        migration: objects.Migration,
        guest: interrupted.Guest,
    ) -> None:
        """End a migration of a server whose state was reset meanwhile.

        Unless something has been begun with it since.
        """
        is_idle = (
            instance.task_state is None
            and instance.host == self.host
            and not bindings.is_followed(context, instance, migration)
        )
        LOG.warning(
            'The state of server %s was reset before libvirt said where its '
            'guest is%s',
            instance.uuid,
            ''
            if is_idle
            else ', and something else has been begun. It may be without its '
            'devices. Reboot it (hard)',
        )
        if not is_idle:
            return
        if not _stays(guest, migration):
            self._give_up(
                instance,
                migration,
                guest,
                functools.partial(instance.save, expected_task_state=[None]),
            )
            return
        if guest is interrupted.Guest.STAYS:
            self.driver.plug_own_again(context, instance)
        self._put_right(context, instance, migration)
        _end(migration)

    def _give_up(
        self,
        instance: objects.Instance,
        migration: objects.Migration,
        guest: interrupted.Guest,
        save: collections.abc.Callable[[], object],
    ) -> None:
        """Have Nova take a migration for ended, and the server for broken.

        It is locked: its owner would start a second guest, or delete the
        server and leave the guest behind with devices that are free then.
        """
        # With a server in error, nobody looks for devices that it does not
        # use.
        instance.vm_state = vm_states.ERROR
        if instance.locked_by != 'admin':
            instance.locked, instance.locked_by = True, 'admin'
            instance.system_metadata = {
                **instance.system_metadata,
                'locked_reason': _REASON,
            }
        LOG.error(
            'Server %s %s, and Nova has it here. It keeps the devices of '
            'both hosts, and is in error, and locked. See where its guest '
            'runs, put it right, and unlock it ("openstack server unlock")',
            instance.uuid,
            _WHERE[guest],
        )
        save()
        _end(migration)

    def _end_interrupted(
        self,
        stock: overrides.Stock,
        migration: objects.Migration,
        guest: interrupted.Guest,
    ) -> None:
        """End a migration of a guest that has stayed here.

        Before Nova says that nothing is done with the server: it can be
        migrated again at once then.
        """
        context, instance = stock['context'], stock['instance']
        if guest is interrupted.Guest.STAYS:
            self.driver.plug_own_again(context, instance)
        self._put_right(context, instance, migration)
        if (
            guest is interrupted.Guest.OFF
            and CONF.resume_guests_state_on_host_boot
            and instance.power_state == power_state.RUNNING
        ):
            # As Nova would have done.
            self._resume_guests_state(
                context, instance, instance.get_network_info()
            )
        stock()
        _end(migration)

    def _put_right(
        self,
        context: nova_context.RequestContext,
        instance: objects.Instance,
        migration: objects.Migration,
    ) -> None:
        """Give up what a server was to have at the destination.

        Nova leaves in Placement what is allocated there.
        """
        try:
            bindings.unbind_sometime(context, instance, migration.uuid)
            self._revert_allocation(context, instance, migration)
        except Exception:  # noqa: BLE001 - it is logged
            moves.log_unended(instance)


def _stays(guest: interrupted.Guest, migration: objects.Migration) -> bool:
    """Tell whether a guest has stayed, if only to be shut down."""
    if guest is interrupted.Guest.OFF:
        # Its memory was on both hosts: that at the destination may go on.
        return bool(migration.status != bindings.SWITCHED)
    return guest is interrupted.Guest.STAYS


def _end(migration: objects.Migration) -> None:
    """End the record of a migration: Nova ends only one that is running."""
    migration.status = 'error'
    migration.save()


def check() -> None:
    """Check that this release of Nova has the methods that are extended.

    :raises PluginActivationFailed: naming the one that it has not.
    """
    overrides.check(ComputeManager)
    signatures.check(manager.ComputeManager, _CALLED)

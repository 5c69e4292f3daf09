# SPDX-License-Identifier: Apache-2.0

"""nova-conductor: a server is migrated or resized, and its devices with it.

Devices are bound on the chosen host beside those that the server has: its
guest runs with those until it is shut down there.
"""

from __future__ import annotations

import typing as ty

from nova import exception as nova_exception
from nova import objects
from nova.conductor.tasks import migrate

from nova_cyborg import exception, signatures
from nova_cyborg.contract import runner
from nova_cyborg.nova import carried, groups, marks, overrides
from nova_cyborg.nova.conductor import failures, guards, refusals
from nova_cyborg.nova.features import computes

# What is called with arguments by their place.
_CALLED = {
    '__init__': (
        'context instance flavor request_spec clean_shutdown compute_rpcapi '
        'query_client report_client host_list network_api'
    ),
}


class MigrationTask(migrate.MigrationTask):
    """Nova's task for a server that concerns a hook.

    :param hooks: the hooks.
    :param args: what Nova's own task is made with.
    """

    flavor: objects.Flavor

    def __init__(self, hooks: runner.HookRunner, *args: ty.Any) -> None:
        super().__init__(*args)
        self._hooks = hooks
        self._call = carried.now().call
        self._bound = False
        # That of the request is stored, and hooks may change it.
        self.request_spec.flavor = marks.unmarked(self.flavor)

    @overrides.method('')
    def _execute(self, stock: overrides.Stock) -> None:
        _refuse_profiles(self.instance.flavor, self.flavor)
        if 'requested_destination' in self.request_spec:
            destination = self.request_spec.requested_destination
            if destination:
                # That is another task, with other ways to a host.
                destination.allow_cross_cell_move = False
        stock()

    @overrides.method('')
    def _preallocate_migration(
        self, stock: overrides.Stock
    ) -> objects.Migration:
        # Before Nova changes Placement's allocations: of two calls for one
        # message, the second is to change nothing. And after Nova has
        # overwritten the groups of the request.
        with guards.superseding():
            self._hooks.before_scheduling(
                self.context,
                self.request_spec,
                [self.instance.uuid],
                self._call.operation,
            )
        if not groups.are_asked(self.request_spec):
            # It has lost its device contexts, or not got them, just now.
            self.flavor = marks.unmarked(self.flavor)
            marks.forget(self.instance)
        computes.require(self.request_spec)
        if self.host_list is None:
            failures.fail_earlier_moves(
                self.reportclient, self.context, self.instance
            )
        migration: objects.Migration = stock()
        self._call.operation = self._call.operation.of_migration(
            migration.uuid
        )
        return migration

    @overrides.method('')
    def _schedule(self, stock: overrides.Stock) -> objects.Selection:
        selection: objects.Selection = refusals.first_available(
            self._hooks,
            self.context,
            self.request_spec,
            [self.instance.uuid],
            self._call.operation,
            stock,
        )
        return self._pre_bind(selection)

    @overrides.method('')
    def _reschedule(self, stock: overrides.Stock) -> objects.Selection:
        return self._pre_bind(stock())

    def _pre_bind(self, selection: objects.Selection) -> objects.Selection:
        computes.check(self.reportclient, self.context, selection)
        try:
            self._hooks.pre_bind(
                self.context,
                self.instance,
                selection.nodename,
                self.request_spec,
                self._call.operation,
            )
        except exception.SUPERSEDED as exc:
            if isinstance(exc, exception.AlreadyBegun) or self._is_over():
                raise guards.Superseded(str(exc)) from exc
            # This call has begun it, and nobody else ends it.
            raise
        self._bound = True
        return selection

    def _is_over(self) -> bool:
        """Tell whether another move of the server has been begun since."""
        now = objects.Migration.get_by_id(self.context, self._migration.id)
        return bool(now.status == 'error')

    @overrides.method('ex')
    def rollback(self, stock: overrides.Stock) -> None:
        """Unbind what is bound on the chosen host; the server stays."""
        if self._bound:
            self._hooks.unbind(
                self.context,
                self.request_spec,
                self.instance.uuid,
                self._call.operation,
            )
        stock()


def check() -> None:
    """Check that this release of Nova has the methods that are extended.

    :raises PluginActivationFailed: naming the one that it has not.
    """
    overrides.check(MigrationTask)
    signatures.check(migrate.MigrationTask, _CALLED)


def operation_name(stock: overrides.Stock) -> str:
    """Name a call of nova-conductor that migrates or resizes a server.

    Nova does not count the attempts of one request; each has fewer alternate
    hosts than the one before, and the first has no list of them.

    :param stock: the call.
    :returns: a name that only a second delivery of the message has, too.
    """
    alternates = stock['host_list']
    attempt = 'first' if alternates is None else f'{len(alternates)} left'
    return f'{stock["context"].request_id}/{attempt}'


def _refuse_profiles(*flavors: objects.Flavor) -> None:
    """Refuse to move a server with a device profile, or to one.

    nova-api does so before.

    :raises ForbiddenWithAccelerators: if a flavor names one, beside device
        contexts.
    """
    if not all(marks.is_marker(flavor.extra_specs) for flavor in flavors):
        raise nova_exception.ForbiddenWithAccelerators()

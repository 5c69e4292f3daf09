# SPDX-License-Identifier: Apache-2.0

"""nova-conductor: a server is migrated while it runs.

Devices are bound on each host that is tried, before it is asked whether it can
take the server, and unbound if it cannot. Until the server is there, it uses
those that it has.
"""

from __future__ import annotations

import typing as ty

from nova import exception as nova_exception
from nova import objects
from nova.conductor.tasks import live_migrate

from nova_cyborg import exception, signatures
from nova_cyborg.contract import runner, spec
from nova_cyborg.nova import features, marks, overrides
from nova_cyborg.nova.conductor import guards
from nova_cyborg.nova.features import computes

# What is called, with arguments by their place.
_CALLED = {
    '__init__': (
        'context instance destination block_migration disk_over_commit '
        'migration compute_rpcapi servicegroup_api query_client '
        'report_client request_spec'
    ),
    '_get_compute_info': 'host',
}
# After these, no other host would be better.
_CYBORG = (exception.CyborgUnreachable, exception.CyborgFailed)


class LiveMigrationTask(live_migrate.LiveMigrationTask):
    """Nova's task for a server that concerns a hook.

    :param hooks: the hooks.
    :param args: what Nova's own task is made with.
    """

    def __init__(self, hooks: runner.HookRunner, *args: ty.Any) -> None:
        super().__init__(*args)
        self._hooks = hooks
        self._hosts = 0
        self._operation = self._next_host()
        self._bound = False
        self._last_error = ''

    def _next_host(self) -> spec.Operation:
        """Return the attempt to bring the server to another host."""
        self._hosts += 1
        return spec.Operation(
            f'{self.context.request_id}/{self._hosts}',
            booting=False,
            migration_id=self.migration.uuid,
            live=True,
        )

    @overrides.method('')
    def _execute(self, stock: overrides.Stock) -> ty.Any:
        self._check()
        # Before Nova changes Placement's allocations: of two calls for one
        # message, the second is to change nothing.
        try:
            with guards.superseding():
                self._before_scheduling()
        except guards.Superseded:
            # Nova has made its record before the task.
            self.migration.status = 'error'
            self.migration.save()
            raise
        except Exception as exc:
            raise _not_possible(exc) from exc
        return stock()

    def _check(self) -> None:
        """Refuse what nova-api refuses before, if it has the plugin.

        :raises MigrationPreCheckError: if it is to be refused.
        """
        if self.destination:
            raise _not_possible(
                exception.LiveMigrationForced(server_id=self.instance.uuid)
            )
        if not marks.only_contexts(self.instance):
            raise _not_possible(nova_exception.ForbiddenWithAccelerators())

    def _before_scheduling(self) -> None:
        self._hooks.before_scheduling(
            self.context,
            self.request_spec,
            [self.instance.uuid],
            self._operation,
        )

    @overrides.method('')
    def _get_request_spec_for_select_destinations(
        self, stock: overrides.Stock
    ) -> objects.RequestSpec:
        request_spec: objects.RequestSpec = stock()
        # Once more: Nova has overwritten the groups of the request.
        self._before_scheduling()
        computes.require(request_spec)
        return request_spec

    @overrides.method('')
    def _find_destination(self, stock: overrides.Stock) -> ty.Any:
        try:
            return stock()
        except nova_exception.NoValidHost as exc:
            if not self._last_error:
                raise
            # Nova tells it to nobody but the log.
            raise nova_exception.NoValidHost(
                reason=f'Last error: {self._last_error}'
            ) from exc

    @overrides.method('destination provider_mapping')
    def _call_livem_checks_on_host(self, stock: overrides.Stock) -> None:
        try:
            self._pre_bind(stock['destination'])
            stock()
        except nova_exception.MigrationPreCheckError as exc:
            self._last_error = str(exc)
            raise

    def _pre_bind(self, host: str) -> None:
        """Bind devices on a host.

        :raises MigrationPreCheckError: if another one is to be tried.
        :raises NoValidHost: if none is.
        """
        node = self._get_compute_info(host)
        try:
            self._check_compute(node)
            self._hooks.pre_bind(
                self.context,
                self.instance,
                node.hypervisor_hostname,
                self.request_spec,
                self._operation,
            )
        except (*_CYBORG, *exception.SUPERSEDED) as exc:
            self._last_error = str(exc)
            raise nova_exception.NoValidHost(reason=str(exc)) from exc
        except Exception as exc:
            raise _not_possible(exc) from exc
        self._bound = True

    def _check_compute(self, node: objects.ComputeNode) -> None:
        """Check that the nova-compute of a host plugs devices into a guest.

        :raises NoValidHost: if it does not.
        """
        selection = objects.Selection(
            service_host=node.host,
            nodename=node.hypervisor_hostname,
            compute_node_uuid=node.uuid,
        )
        computes.check(
            self.report_client, self.context, selection, features.LIVE_MIGRATE
        )

    @overrides.method('compute_node_uuid')
    def _remove_host_allocations(self, stock: overrides.Stock) -> None:
        self._unbind()
        stock()
        self._operation = self._next_host()

    @overrides.method('ex')
    def rollback(self, stock: overrides.Stock) -> None:
        """Unbind what is bound on the chosen host; the server stays."""
        self._unbind()
        stock()

    def _unbind(self) -> None:
        if self._bound:
            self._hooks.unbind(
                self.context,
                self.request_spec,
                self.instance.uuid,
                self._operation,
            )
        self._bound = False


def check() -> None:
    """Check that this release of Nova has the methods that are extended.

    :raises PluginActivationFailed: naming the one that it has not.
    """
    overrides.check(LiveMigrationTask)
    signatures.check(live_migrate.LiveMigrationTask, _CALLED)


def _not_possible(
    error: Exception,
) -> nova_exception.MigrationPreCheckError:
    """Return an error after which Nova leaves the server as it was."""
    return nova_exception.MigrationPreCheckError(reason=str(error))

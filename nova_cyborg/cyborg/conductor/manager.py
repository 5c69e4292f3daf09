# SPDX-License-Identifier: Apache-2.0

"""cyborg-conductor: an inventory that knows what is in use.

Stock Cyborg takes a report for the truth: what it lacks is deleted, though a
server has it, and given again under a new row when it comes back; and one
card of which Placement refuses something ends the report of the whole host.
Here, a slot that a server has stays, as *missing*; a slot is given once,
whatever rows it has; each card is compared by itself; and one conductor at a
time records what a host reports.
"""

from __future__ import annotations

import logging
import time
import typing as ty

from cyborg import context as cyborg_context
from cyborg.common import exception
from cyborg.conductor import manager
from cyborg.conf import CONF
from cyborg.objects import attach_handle, ext_arq
from cyborg.objects.driver_objects import driver_attach_handle, driver_device

from nova_cyborg import conf as our_conf
from nova_cyborg import signatures
from nova_cyborg.cyborg import own_name, presence
from nova_cyborg.cyborg.conductor import (
    binding,
    comparison,
    events,
    recording,
)
from nova_cyborg.cyborg.conductor.reconciler import loop, rounds
from nova_cyborg.db import session
from nova_cyborg.db.inventory import reports, slots
from nova_cyborg.db.migrations import migration
from nova_cyborg.lifecycle.cleaning import end, stock
from nova_cyborg.lifecycle.events import telling
from nova_cyborg.lifecycle.inventory import publishing

LOG = logging.getLogger(__name__)

_CALLED = {
    'report_data': 'context hostname driver_device_list',
    'drv_device_make_diff': 'context host old_driver_device_list '
    'new_driver_device_list',
    '_get_root_provider': 'context hostname',
    '_delete_provider_and_sub_providers': 'context rp_uuid',
    'get_placement_needed_info_and_report': 'context obj parent_uuid',
    'get_rp_uuid_from_obj': 'obj',
    'periodic_tasks': 'context raise_on_error',
    'arq_apply_patch': 'context patch_list valid_fields',
}


_CALLED_BY_NAME = {
    'drv_ah_make_diff': 'context dep_id cpid_id old_driver_ah_list '
    'new_driver_ah_list',
}


class ConductorManager(
    presence.Presence, own_name.OwnName, manager.ConductorManager
):
    """Cyborg's conductor, with reports that keep what servers have.

    :raises PluginActivationFailed: if the database has not our schema.
    """

    def __init__(self, *args: ty.Any, **kwargs: ty.Any) -> None:
        migration.check(session.engine(), 'cyborg-conductor')
        super().__init__(*args, **kwargs)
        our_conf.register_conductor_opts(CONF)
        telling.start('cyborg-conductor')
        self._reconciler = self._make_reconciler()

    def _make_reconciler(self) -> loop.Loop | None:
        options = CONF.nova_cyborg
        if not options.reconcile_interval:
            return None
        settings = rounds.Settings(
            options.reconcile_interval,
            options.reconcile_grace,
            options.reconcile_budget,
            options.reconcile_resync,
            options.event_days,
            options.deleted_events_per_project,
        )
        return loop.Loop(self.host, settings, self)

    def periodic_tasks(
        self,
        context: cyborg_context.RequestContext,
        raise_on_error: bool = False,
    ) -> float | None:
        """Look for what disagrees, and put it right; Cyborg calls it.

        :param raise_on_error: Cyborg's own.
        :returns: seconds until the next time; None for Cyborg's own.
        """
        pause: float | None = super().periodic_tasks(context, raise_on_error)
        if self._reconciler is None:
            return pause
        return self._reconciler.tick()

    def arq_apply_patch(
        self,
        context: cyborg_context.RequestContext,
        patch_list: dict[str, ty.Any],
        valid_fields: dict[str, ty.Any],
    ) -> None:
        """Bind ARQs, or unbind them, as Cyborg does; record what is bound.

        :param patch_list: what becomes of each ARQ, by its UUID.
        :param valid_fields: what is to be bound, by its UUID.
        """
        begun = time.monotonic()
        by_another = False
        try:
            super().arq_apply_patch(context, patch_list, valid_fields)
        except exception.ARQBadState:
            by_another = True
            raise
        finally:
            # It raises, too, when all were bound and only Nova is not told.
            if not by_another:
                events.bound(list(valid_fields), time.monotonic() - begun)

    def report_data(
        self,
        context: cyborg_context.RequestContext,
        hostname: str,
        driver_device_list: list[driver_device.DriverDevice],
    ) -> None:
        """Take an agent's report of the devices of its host.

        :param hostname: the name of the node.
        :param driver_device_list: the devices.
        :raises PlacementResourceProviderNotFound: if Placement does not know
            the host yet.
        """
        claim = reports.claim(context, hostname)
        if claim is None:
            LOG.info(
                'A report of host %s is left out, because another one is '
                'being recorded; the agent reports again',
                hostname,
            )
            return
        recorded = False
        try:
            root = self._get_root_provider(context, hostname)
            compared = comparison.Comparison(self.placement_client, root)
            one = recording.Recording(compared, context, claim)
            recorded = one.take(driver_device_list)
        finally:
            finish = reports.end if recorded else reports.leave
            finish(context, claim)

    def is_to_be_cleaned(
        self,
        context: cyborg_context.RequestContext,
        handle_id: str,
        cleaning_id: str,
    ) -> bool:
        """Tell an agent whether a slot is still to be cleaned.

        :param handle_id: UUID of its attach handle.
        :param cleaning_id: the id of the cleaning that the agent was told to
            begin.
        :returns: whether it is.
        """
        return end.find(context, handle_id, cleaning_id) is not None

    def end_cleaning(
        self,
        context: cyborg_context.RequestContext,
        handle_id: str,
        cleaning_id: str,
        error: str | None,
    ) -> None:
        """Take an agent's word of how the cleaning of a slot has ended.

        :param handle_id: UUID of its attach handle.
        :param cleaning_id: the id of the cleaning.
        :param error: why it failed; None if it did not.
        """
        slot = end.record(context, handle_id, cleaning_id, error)
        if slot is None or slot.provider is None:
            return
        if publishing.publish(context, [slot.provider], self.placement_client):
            reports.ask_for_all(context, slot.hostname)


def allocate(
    _cls: type, context: cyborg_context.RequestContext, deployable_id: int
) -> ty.Any:
    """Take a slot of a device that no server has, under whatever row.

    In the place of Cyborg's ``AttachHandle.allocate``.

    :param deployable_id: row id of the device's deployable.
    :returns: the attach handle, which is in use now.
    :raises ResourceNotFound: if there is none to give.
    """
    row_id = slots.take(context, deployable_id)
    if row_id is None:
        raise exception.ResourceNotFound(
            resource='AttachHandle',
            msg='that can be given of the device: its slots are in use, '
            'missing or taken out of service',
        )
    return attach_handle.AttachHandle.get_by_id(context, row_id)


def _destroy(
    handle: driver_attach_handle.DriverAttachHandle,
    context: cyborg_context.RequestContext,
    deployable_id: int,
) -> None:
    """Remove an attach handle with its device, unless a server has it."""
    slots.remove(context, deployable_id, [handle.attach_info])


def install() -> str:
    """Put the class in the place of Cyborg's, and give slots as above.

    :returns: what was done, for the log.
    :raises PluginActivationFailed: if this release of Cyborg has other
        methods.
    """
    signatures.check(manager.ConductorManager, _CALLED)
    signatures.check_named(manager.ConductorManager, _CALLED_BY_NAME)
    # Stock Cyborg deletes the handle of the deployable that was made last.
    driver_attach_handle.DriverAttachHandle.destroy = _destroy
    signatures.check_named(
        attach_handle.AttachHandle, {'allocate': 'deployable_id'}
    )
    attach_handle.AttachHandle.allocate = classmethod(allocate)
    signatures.check(
        ext_arq.ExtARQ,
        {
            'unbind': 'context',
            'bind': 'context deployable',
            '_allocate_attach_handle': 'context deployable',
            'update_state': 'context state scope',
        },
    )
    stock.install()
    binding.install()
    manager.ConductorManager = ConductorManager
    return 'inventory that knows what is in use'

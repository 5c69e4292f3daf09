# SPDX-License-Identifier: Apache-2.0

"""cyborg-conductor: an inventory that knows what is in use.

Stock Cyborg takes a report for the truth: what it lacks is deleted, though a
server has it, and given again under a new row when it comes back; and one
card of which Placement refuses something ends the report of the whole host.
Here, a slot that a server has stays, as *missing*; a slot is given once,
whatever rows it has; and each card is compared by itself.
"""

from __future__ import annotations

import collections.abc
import logging
import math
import typing as ty

from cyborg import context as cyborg_context
from cyborg.common import exception, placement_client
from cyborg.conductor import manager
from cyborg.objects import attach_handle
from cyborg.objects.driver_objects import (
    driver_attach_handle,
    driver_deployable,
    driver_device,
)
from keystoneauth1 import exceptions as ks_exc
from openstack import exceptions as sdk_exc
from oslo_concurrency import lockutils

from nova_cyborg import signatures
from nova_cyborg.cyborg.conductor import report
from nova_cyborg.db import session
from nova_cyborg.db.inventory import outages, slots
from nova_cyborg.db.migrations import migration
from nova_cyborg.lifecycle import inventory

LOG = logging.getLogger(__name__)

_CALLED = {
    'report_data': 'context hostname driver_device_list',
    'drv_device_make_diff': 'context host old_driver_device_list '
    'new_driver_device_list',
    '_get_root_provider': 'context hostname',
    '_delete_provider_and_sub_providers': 'context rp_uuid',
    'get_placement_needed_info_and_report': 'context obj parent_uuid',
    'get_rp_uuid_from_obj': 'obj',
}


_CALLED_BY_NAME = {
    'drv_ah_make_diff': 'context dep_id cpid_id old_driver_ah_list '
    'new_driver_ah_list',
}


class ConductorManager(manager.ConductorManager):
    """Cyborg's conductor, with reports that keep what servers have.

    :raises PluginActivationFailed: if the database has not our schema.
    """

    def __init__(self, *args: ty.Any, **kwargs: ty.Any) -> None:
        migration.check(session.engine(), 'cyborg-conductor')
        super().__init__(*args, **kwargs)
        # Names of deployables of which Placement could not be told, by host.
        self._unpublished: dict[str, set[str]] = {}

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
        # An agent that waits in vain reports again, while the first report
        # is still being recorded.
        with lockutils.lock(f'nova-cyborg-report-{hostname}'):
            root = self._get_root_provider(context, hostname)
            comparison = _Comparison(self.placement_client, root)
            unpublished = self._unpublished.setdefault(hostname, set())
            one = _Report(comparison, context, hostname, unpublished)
            one.take(driver_device_list)


class _Comparison(manager.ConductorManager):
    """Stock Cyborg's comparison of devices with what is recorded.

    :param client: Cyborg's client of Placement.
    :param root: UUID of the host's resource provider, which stock Cyborg
        asks for each time.
    """

    def __init__(
        self, client: placement_client.PlacementClient, root: str
    ) -> None:
        self.placement_client = _Client(client)
        self.root = root

    def _get_root_provider(self, context: object, hostname: object) -> str:
        return self.root

    @classmethod
    def drv_ah_make_diff(
        cls,
        context: cyborg_context.RequestContext,
        dep_id: int,
        cpid_id: int,
        old_driver_ah_list: collections.abc.Iterable[ty.Any],
        new_driver_ah_list: collections.abc.Iterable[ty.Any],
    ) -> None:
        """Record the attach handles of a deployable.

        Stock Cyborg looks for the handle of an address by the deployable
        alone: it deletes, or changes, the one that was made last.

        :param dep_id: row id of the deployable.
        :param cpid_id: row id of its device's control path.
        :param old_driver_ah_list: the handles that are recorded.
        :param new_driver_ah_list: those of the report.
        """
        old = {handle.attach_info: handle for handle in old_driver_ah_list}
        new = {handle.attach_info: handle for handle in new_driver_ah_list}
        slots.remove(context, dep_id, old.keys() - new.keys())
        for text, handle in new.items():
            if text not in old:
                handle.create(context, dep_id, cpid_id)
            elif handle.attach_type != old[text].attach_type:
                slots.change_type(context, dep_id, text, handle.attach_type)

    def reserve(self, kept: collections.abc.Iterable[slots.Slot]) -> None:
        """Note the slots that are not to be given, though they are recorded.

        :param kept: slots that stay, or are of devices in maintenance.
        """
        for slot in kept:
            if slot.maintained:
                self.placement_client.reserve(self._provider(slot), None)
            elif not slot.of_arq:
                self.placement_client.reserve(self._provider(slot), 1)

    def _provider(self, slot: slots.Slot) -> str:
        named = driver_deployable.DriverDeployable(name=slot.deployable)
        return str(self.get_rp_uuid_from_obj(named))


class _Client:
    """A client of Placement that reserves what is not to be given.

    Stock Cyborg writes the inventory of a device as if all its slots were to
    be given, each time that their number changes.

    :param client: Cyborg's client.
    """

    def __init__(self, client: placement_client.PlacementClient) -> None:
        self._client = client
        self._reserved: dict[str, float] = {}

    def __getattr__(self, name: str) -> ty.Any:
        return getattr(self._client, name)

    def reserve(self, provider: str, count: int | None) -> None:
        """Reserve slots of a resource provider.

        :param provider: its UUID.
        :param count: how many more; None for all that it has.
        """
        more = math.inf if count is None else count
        self._reserved[provider] = self._reserved.get(provider, 0) + more

    def update_inventory(
        self,
        resource_provider_uuid: str,
        inventories: dict[str, dict[str, int]],
        *args: ty.Any,
        **kwargs: ty.Any,
    ) -> ty.Any:
        """Write an inventory, with what is reserved of it.

        One that fails is no reason to leave the slots as they are: it is
        written again when they are recorded.
        """
        reserved = self._reserved.get(resource_provider_uuid, 0)
        for each in inventories.values():
            each['reserved'] = int(min(reserved, each['total']))
        try:
            return self._client.update_inventory(
                resource_provider_uuid, inventories, *args, **kwargs
            )
        except (
            # Of an answer that has not what it should.
            LookupError,
            exception.CyborgException,
            ks_exc.ClientException,
            sdk_exc.SDKException,
        ) as exc:
            LOG.debug('Placement does not take an inventory: %s', exc)
            return None


class _Report:
    """A report of one host.

    :param comparison: what compares devices, one at a time.
    :param hostname: the name of the node.
    :param unpublished: names of deployables of which Placement could not be
        told by an earlier report; changed in place.
    """

    def __init__(
        self,
        comparison: _Comparison,
        context: cyborg_context.RequestContext,
        hostname: str,
        unpublished: set[str],
    ) -> None:
        self._comparison = comparison
        self._context = context
        self._hostname = hostname
        self._unpublished = unpublished

    def take(
        self, reported: collections.abc.Sequence[driver_device.DriverDevice]
    ) -> None:
        """Compare the report with what is recorded, and record it.

        :param reported: the devices.
        """
        recorded = driver_device.DriverDevice.list(
            self._context, self._hostname
        )
        stubs = {report.identity(each) for each in reported if each.stub}
        reported = [each for each in reported if not each.stub]
        recorded = [
            each for each in recorded if report.identity(each) not in stubs
        ]
        known = self._known(recorded)
        completed = report.complete(reported, recorded, known, ())
        going = report.lacking(completed.devices.values(), known)
        kept: list[slots.Slot] = []
        if going:
            kept = self._kept(going, recorded, completed)
            completed = report.complete(
                reported, recorded, self._known(recorded), kept
            )
        for left_out in completed.left_out:
            LOG.warning(
                'The report of host %s: left out is %s',
                self._hostname,
                left_out,
            )
        self._comparison.reserve(
            [*kept, *(slot for slot in known if slot.maintained)]
        )
        self._compare(recorded, completed.devices)
        self._end_outages(known, going)
        self._tell_placement(
            report.changed(recorded, completed.devices.values())
            | {
                slot.deployable
                for slot in known
                if slot in going or slot.out or slot.maintained
            },
            completed.devices.values(),
        )

    def _known(
        self, recorded: collections.abc.Iterable[driver_device.DriverDevice]
    ) -> list[slots.Slot]:
        """Read the slots of devices."""
        names = {
            deployable.name
            for device in recorded
            for deployable in device.deployable_list
        }
        return [
            slot
            for slot in slots.of_host(self._context, self._hostname)
            if slot.deployable in names
        ]

    def _kept(
        self,
        going: collections.abc.Collection[slots.Slot],
        recorded: collections.abc.Collection[driver_device.DriverDevice],
        completed: report.Completed,
    ) -> list[slots.Slot]:
        """Find those of the slots that stay, though the report lacks them.

        What servers have; and all of a device that was allocated to a server
        in Placement, for which it is not bound yet.
        """
        # First, so that none is given any more. Who has taken one has it
        # when the slots are read after that.
        outages.begin(
            self._context,
            [ty.cast(str, slot.handle_id) for slot in going],
            outages.MISSING,
        )
        gone = {slot.key for slot in going}
        missing = [slot for slot in self._known(recorded) if slot.key in gone]
        # A device that is disabled is to be so when it comes back.
        kept = [slot for slot in missing if slot.held or slot.maintained]
        staying = {slot.deployable for slot in kept} | {
            deployable.name
            for device in completed.devices.values()
            for deployable in device.deployable_list
        }
        for name in sorted({slot.deployable for slot in missing} - staying):
            if not self._removed_from_placement(recorded, name):
                kept += [slot for slot in missing if slot.deployable == name]
        return kept

    def _removed_from_placement(
        self,
        recorded: collections.abc.Iterable[driver_device.DriverDevice],
        name: str,
    ) -> bool:
        """Remove the resource provider of a deployable, if it is not used."""
        for device in recorded:
            for deployable in device.deployable_list:
                if deployable.name != name:
                    continue
                try:
                    self._comparison._delete_provider_and_sub_providers(
                        self._context,
                        self._comparison.get_rp_uuid_from_obj(deployable),
                    )
                except exception.ResourceProviderInUse:
                    LOG.info(
                        'Device %s of host %s is not reported any more, and '
                        'stays until its last server is deleted or moved',
                        name,
                        self._hostname,
                    )
                    return False
                except (
                    exception.CyborgException,
                    ks_exc.ClientException,
                    sdk_exc.SDKException,
                ) as exc:
                    # Another one may have been first; it is tried again.
                    LOG.warning(
                        'Device %s of host %s is not reported any more, and '
                        'stays until Placement lets its resource provider be '
                        'deleted: %s',
                        name,
                        self._hostname,
                        exc,
                    )
                    return False
        return True

    def _compare(
        self,
        recorded: collections.abc.Iterable[driver_device.DriverDevice],
        devices: collections.abc.Mapping[str, driver_device.DriverDevice],
    ) -> None:
        """Have stock Cyborg record each device, whatever becomes of others."""
        before: dict[str, driver_device.DriverDevice] = {}
        for device in recorded:
            # Of several with one identity, stock Cyborg compares the first.
            before.setdefault(report.identity(device), device)
        # What goes goes first: a deployable may have moved to another device,
        # with its name, and so its resource provider.
        for identity in (
            *sorted(before.keys() - devices.keys()),
            *sorted(devices),
        ):
            old, new = before.get(identity), devices.get(identity)
            try:
                self._comparison.drv_device_make_diff(
                    self._context,
                    self._hostname,
                    [old] if old else [],
                    [new] if new else [],
                )
            except Exception as exc:
                # Of any kind, of Placement's and the database's: the other
                # devices of the host are recorded all the same.
                LOG.exception(
                    'Device %s of host %s could not be recorded, and is '
                    'tried again with the next report: %s',
                    report.place(ty.cast(ty.Any, new or old)),
                    self._hostname,
                    exc,
                )

    def _end_outages(
        self,
        known: collections.abc.Iterable[slots.Slot],
        going: collections.abc.Collection[slots.Slot],
    ) -> None:
        """Have what is back given again, and forget what is gone."""
        gone = {slot.key for slot in going}
        back = [
            slot for slot in known if slot.missing and slot.key not in gone
        ]
        outages.end(
            self._context,
            [ty.cast(str, slot.handle_id) for slot in back],
            outages.MISSING,
        )
        for slot in back:
            LOG.info('Slot %s of host %s is back', slot.place, self._hostname)
        outages.forget_removed(
            self._context, [ty.cast(str, slot.handle_id) for slot in going]
        )

    def _tell_placement(
        self,
        names: collections.abc.Set[str],
        devices: collections.abc.Iterable[driver_device.DriverDevice],
    ) -> None:
        """Tell Placement what can be given, as far as it may not know.

        What fails is tried again with the next report.
        """
        names = names | self._unpublished
        self._unpublished.clear()
        if not names:
            return
        deployables = {
            deployable.name: deployable
            for device in devices
            for deployable in device.deployable_list
        }
        untold = inventory.publish(
            self._context,
            [
                self._comparison.get_rp_uuid_from_obj(deployables[name])
                for name in sorted(names & deployables.keys())
            ],
            self._comparison.placement_client,
        )
        for name in sorted(names & deployables.keys()):
            deployable = deployables[name]
            uuid = self._comparison.get_rp_uuid_from_obj(deployable)
            if uuid not in untold:
                continue
            self._unpublished.add(name)
            if untold[uuid] is inventory.Untold.NO_PROVIDER:
                self._restore(deployable)

    def _restore(self, deployable: driver_deployable.DriverDeployable) -> None:
        """Give a deployable a resource provider again.

        It has lost it to what was interrupted, or never had one.
        """
        try:
            self._comparison.get_placement_needed_info_and_report(
                self._context, deployable, self._comparison.root
            )
        except Exception as exc:  # noqa: BLE001
            # Of any kind, of Placement's and the database's: the other
            # devices of the host are looked after all the same.
            LOG.warning(
                'Device %s of host %s could not be given a resource provider, '
                'and is tried again with the next report: %s',
                deployable.name,
                self._hostname,
                exc,
            )


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
    manager.ConductorManager = ConductorManager
    return 'inventory that knows what is in use'

# SPDX-License-Identifier: Apache-2.0

"""Recording an agent's report, in Cyborg's database and in Placement."""

from __future__ import annotations

import collections.abc
import logging
import typing as ty

from cyborg import context as cyborg_context
from cyborg.common import exception
from cyborg.objects.driver_objects import driver_deployable, driver_device
from keystoneauth1 import exceptions as ks_exc
from openstack import exceptions as sdk_exc

from nova_cyborg.cyborg.conductor import comparison as comparing
from nova_cyborg.cyborg.conductor import health, report
from nova_cyborg.db.inventory import outages, slots, taints
from nova_cyborg.lifecycle.cleaning import begin
from nova_cyborg.lifecycle.inventory import publishing

LOG = logging.getLogger(__name__)


class Recording:
    """The recording of a report of one host.

    :param comparison: what compares devices, one at a time.
    :param hostname: the name of the node.
    :param unpublished: names of deployables of which Placement could not be
        told by an earlier report; changed in place.
    """

    def __init__(
        self,
        comparison: comparing.Comparison,
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
        said = health.take_out(reported)
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
        gone = {slot.key for slot in going}
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
        sick = health.record(self._context, self._hostname, said)
        if any(
            report.identity(each) not in completed.devices for each in recorded
        ):
            taints.forget_removed(self._context)
        given_again = begin.of_host(self._context, self._hostname)
        self._tell_placement(
            report.changed(recorded, completed.devices.values())
            | given_again
            | {
                slot.deployable
                for slot in known
                if slot.key in gone or slot.out or slot.maintained
            }
            | {
                deployable.name
                for identity in sick & completed.devices.keys()
                for deployable in completed.devices[identity].deployable_list
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
        # A device that is disabled or tainted is to be so when it comes back.
        kept = [
            slot
            for slot in missing
            if slot.held or slot.maintained or slot.tainted
        ]
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
        untold = publishing.publish(
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
            if untold[uuid] is publishing.Untold.UNKNOWN:
                self._restore(deployable)

    def _restore(self, deployable: driver_deployable.DriverDeployable) -> None:
        """Give a deployable its resource provider and its class again.

        It has lost them to what was interrupted, or never had them: on
        MariaDB, Placement says of the second of two classes that are made at
        once that it is there, though it has not made it.
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

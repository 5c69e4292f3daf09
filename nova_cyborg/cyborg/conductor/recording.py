# SPDX-License-Identifier: Apache-2.0

"""Recording an agent's report, in Cyborg's database and in Placement."""

from __future__ import annotations

import collections.abc
import enum
import logging
import typing as ty

from cyborg import context as cyborg_context
from cyborg.common import exception
from cyborg.objects.driver_objects import driver_device
from keystoneauth1 import exceptions as ks_exc
from openstack import exceptions as sdk_exc

from nova_cyborg.cyborg.conductor import comparison as comparing
from nova_cyborg.cyborg.conductor import health, publication, report
from nova_cyborg.db.inventory import outages, reports, slots, taints, twins
from nova_cyborg.lifecycle.cleaning import begin

LOG = logging.getLogger(__name__)


class Compared(enum.Enum):
    """What became of the devices of a report."""

    ALL = 'all'
    IN_PART = 'in part'
    BY_ANOTHER = 'by another'


class Recording:
    """The recording of a report of one host.

    :param comparison: what compares devices, one at a time.
    :param claim: the right to record it, which is renewed with each device.
    """

    def __init__(
        self,
        comparison: comparing.Comparison,
        context: cyborg_context.RequestContext,
        claim: reports.Claim,
    ) -> None:
        self._comparison = comparison
        self._context = context
        self._claim = claim
        self._hostname = claim.hostname

    def take(
        self, reported: collections.abc.Sequence[driver_device.DriverDevice]
    ) -> bool:
        """Compare the report with what is recorded, and record it.

        :param reported: the devices.
        :returns: whether all is recorded, and Placement told of it. If not,
            the next report of the host looks after all its devices.
        """
        said = health.take_out(reported)
        healed = twins.remove(self._context, self._hostname)
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
        compared = self._compare(recorded, completed.devices)
        if compared is Compared.BY_ANOTHER:
            return False
        self._end_outages(known, going)
        sick = health.record(self._context, self._hostname, said)
        if any(
            report.identity(each) not in completed.devices for each in recorded
        ):
            taints.forget_removed(self._context)
        given_again = begin.of_host(self._context, self._hostname)
        changed = report.changed(recorded, completed.devices.values())
        told = publication.publish(
            self._comparison,
            self._context,
            self._claim,
            changed
            | healed
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
        return told and compared is Compared.ALL

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
    ) -> Compared:
        """Have stock Cyborg record each device, whatever becomes of others."""
        before: dict[str, driver_device.DriverDevice] = {}
        for device in recorded:
            # Of several with one identity, stock Cyborg compares the first.
            before.setdefault(report.identity(device), device)
        result = Compared.ALL
        # What goes goes first: a deployable may have moved to another device,
        # with its name, and so its resource provider.
        for identity in (
            *sorted(before.keys() - devices.keys()),
            *sorted(devices),
        ):
            if not reports.renew(self._context, self._claim):
                LOG.warning(
                    'Recording the report of host %s took so long that '
                    'another one is recorded now; the rest is left to that',
                    self._hostname,
                )
                return Compared.BY_ANOTHER
            if not self._compare_one(
                before.get(identity), devices.get(identity)
            ):
                result = Compared.IN_PART
        return result

    def _compare_one(
        self,
        old: driver_device.DriverDevice | None,
        new: driver_device.DriverDevice | None,
    ) -> bool:
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
                'Device %s of host %s could not be recorded, and is tried '
                'again with the next report: %s',
                report.place(ty.cast(ty.Any, new or old)),
                self._hostname,
                exc,
            )
            return False
        return True

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

# SPDX-License-Identifier: Apache-2.0

"""Telling Placement of a report, once it is recorded."""

from __future__ import annotations

import collections.abc
import logging

from cyborg import context as cyborg_context
from cyborg.objects.driver_objects import driver_deployable, driver_device

from nova_cyborg.cyborg.conductor import comparison as comparing
from nova_cyborg.db.inventory import providers, reports
from nova_cyborg.lifecycle.inventory import publishing

LOG = logging.getLogger(__name__)


def publish(
    comparison: comparing.Comparison,
    context: cyborg_context.RequestContext,
    claim: reports.Claim,
    names: collections.abc.Set[str],
    devices: collections.abc.Iterable[driver_device.DriverDevice],
) -> bool:
    """Tell Placement what can be given, as far as it may not know.

    Of all deployables of the host, if an earlier report was not recorded to
    its end; else of those that have changed, and of those without a resource
    provider.

    :param comparison: what has compared the devices.
    :param claim: the right to record the report.
    :param names: the names of the deployables that have changed.
    :param devices: the devices of the report.
    :returns: whether Placement knows all of it.
    """
    deployables = {
        deployable.name: deployable
        for device in devices
        for deployable in device.deployable_list
    }
    return _Publication(comparison, context, claim, deployables).make(names)


class _Publication:
    def __init__(
        self,
        comparison: comparing.Comparison,
        context: cyborg_context.RequestContext,
        claim: reports.Claim,
        deployables: collections.abc.Mapping[
            str, driver_deployable.DriverDeployable
        ],
    ) -> None:
        self._comparison = comparison
        self._client = comparison.placement_client
        self._context = context
        self._hostname = claim.hostname
        self._resumed = claim.resumed
        # What could not be recorded is not told, either.
        self._recorded = providers.of_host(context, claim.hostname)
        self._deployables = {
            name: deployable
            for name, deployable in deployables.items()
            if name in self._recorded
        }

    def make(self, names: collections.abc.Set[str]) -> bool:
        told = self._restore_lost()
        uuids = {
            uuid
            for name in self._deployables
            if (uuid := self._uuid(name)) in self._client.changed
            or self._resumed
            or name in names
        }
        untold = publishing.publish(self._context, sorted(uuids), self._client)
        unknown = {
            self._uuid(name): name
            for name in self._deployables
            if untold.get(self._uuid(name)) is publishing.Untold.UNKNOWN
        }
        # The class is not there, or the provider not any more.
        for uuid, name in sorted(unknown.items()):
            if self._restore(name):
                del untold[uuid]
                untold |= publishing.publish(
                    self._context, [uuid], self._client
                )
        self._delete_unused_classes()
        return told and not untold

    def _uuid(self, name: str) -> str:
        return str(
            self._comparison.get_rp_uuid_from_obj(self._deployables[name])
        )

    def _restore_lost(self) -> bool:
        """Give providers to those that have none, in Cyborg or Placement.

        With one call to Placement, unless there are such ones.

        :returns: whether all have one.
        """
        try:
            tree = self._client.get_providers_in_tree(
                self._context, self._comparison.root
            )
        except Exception as exc:  # noqa: BLE001 - as in _restore
            LOG.warning(
                'Placement does not say which resource providers host %s '
                'has: %s',
                self._hostname,
                exc,
            )
            return False
        there = {each['uuid'] for each in tree}
        lost = [
            name
            for name in sorted(self._deployables)
            if self._recorded[name] not in there
        ]
        restored = [name for name in lost if self._restore(name)]
        return restored == lost

    def _restore(self, name: str) -> bool:
        """Give a deployable its resource provider and its class again.

        It has lost them to what was interrupted, or never had them: on
        MariaDB, Placement says of the second of two classes that are made at
        once that it is there, though it has not made it.
        """
        try:
            self._comparison.get_placement_needed_info_and_report(
                self._context, self._deployables[name], self._comparison.root
            )
        except Exception as exc:  # noqa: BLE001
            # Of any kind, of Placement's and the database's: the other
            # devices of the host are looked after all the same.
            LOG.warning(
                'Device %s of host %s could not be given a resource provider, '
                'and is tried again with the next report: %s',
                name,
                self._hostname,
                exc,
            )
            return False
        return True

    def _delete_unused_classes(self) -> None:
        try:
            self._client.delete_unused_classes(self._context)
        except Exception as exc:  # noqa: BLE001 - nothing depends on it
            LOG.info('A resource class could not be deleted: %s', exc)

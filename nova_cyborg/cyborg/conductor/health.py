# SPDX-License-Identifier: Apache-2.0

"""What a report says of the health of devices, recorded as taints.

A driver says it with an attribute of a deployable,
:data:`model.HEALTH_ATTRIBUTE`. A device without it is well; one that is sick
is to go on being reported.
"""

import collections.abc
import logging

from cyborg import context as cyborg_context
from cyborg.objects.driver_objects import driver_device

from nova_cyborg import exception, model
from nova_cyborg.cyborg.conductor import report
from nova_cyborg.db.inventory import taints
from nova_cyborg.lifecycle.inventory import publishing

LOG = logging.getLogger(__name__)


def take_out(
    reported: collections.abc.Iterable[driver_device.DriverDevice],
) -> dict[str, str]:
    """Take out of a report what it says of the health of devices.

    Stock Cyborg would make a trait of each attribute that comes later.

    :param reported: the devices of the report; changed in place.
    :returns: what is wrong with devices, by what identifies them; empty for
        those that are well.
    """
    said: dict[str, list[str]] = {}
    for device in reported:
        sentences = said.setdefault(report.identity(device), [])
        for deployable in device.deployable_list:
            found = [
                attribute.value
                for attribute in deployable.attribute_list
                if attribute.key == model.HEALTH_ATTRIBUTE
            ]
            if found:
                sentences += found
                deployable.attribute_list = [
                    attribute
                    for attribute in deployable.attribute_list
                    if attribute.key != model.HEALTH_ATTRIBUTE
                ]
    return {
        identity: ' '.join(sentences) for identity, sentences in said.items()
    }


def record(
    context: cyborg_context.RequestContext,
    hostname: str,
    said: collections.abc.Mapping[str, str],
) -> set[str]:
    """Record the health of devices; safe to repeat.

    :param hostname: the name of the node.
    :param said: what :func:`take_out` has found.
    :returns: what identifies the devices that have got a taint, or another
        reason, or lost it: of these, Placement is to be told.
    """
    changes = taints.reported(context, hostname, said)
    if any(change.begun for change in changes):
        try:
            # What Placement does not know, no request may forbid.
            publishing.make_trait(taints.UNHEALTHY)
        except exception.PlacementFailed as exc:
            LOG.warning(
                'The health of devices of host %s is recorded with the next '
                'report: %s',
                hostname,
                exc.in_full(),
            )
            return set()
    for change in changes:
        if change.ended:
            taints.remove(context, change.ended)
        if change.begun:
            taints.add(context, change.begun)
            LOG.warning(
                'Device %s of host %s is unhealthy: %s',
                change.begun.device_id,
                hostname,
                change.begun.reason,
            )
        else:
            LOG.info(
                'Device %s of host %s is well again',
                change.device_id,
                hostname,
            )
    return {change.identity for change in changes}

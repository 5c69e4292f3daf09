# SPDX-License-Identifier: Apache-2.0

"""Tainting a device, in Cyborg's database and in Placement.

What Placement cannot be told is not done: the scheduler would go on sending
servers to a device that they are not given.
"""

import logging

from cyborg import context as cyborg_context

from nova_cyborg import exception
from nova_cyborg.db.inventory import taints
from nova_cyborg.lifecycle.inventory import publishing

LOG = logging.getLogger(__name__)


def begin(context: cyborg_context.RequestContext, taint: taints.Taint) -> None:
    """Taint a device.

    :param taint: the taint.
    :raises InvalidRequest: if the database cannot store its reason.
    :raises DeviceNotFound: if there is no such device.
    :raises DeviceTaintExists: if the device has one with this key.
    :raises TooManyTaints: if there are too many different keys.
    :raises PlacementFailed: if Placement does not answer, or refuses.
    :raises DeviceTaintUntold: if it does so later.
    """
    taints.check_reason(context, taint)
    providers = taints.provider_ids(context, taint.device_id)
    # First: what Placement does not know, no request may forbid.
    publishing.make_trait(taint.key)
    taints.add(context, taint)
    if publishing.publish(context, providers):
        taints.remove(context, taint.uuid)
        raise exception.DeviceTaintUntold(device_id=taint.device_id)
    LOG.info(
        'Device %s has the taint %s now: %s',
        taint.device_id,
        taint.key,
        taint.reason,
    )


def end(context: cyborg_context.RequestContext, taint: taints.Taint) -> None:
    """Have a device without a taint.

    :param taint: the taint, which need not be there any more.
    :raises DeviceTaintUntold: if Placement does not answer, or refuses.
    """
    try:
        providers = taints.provider_ids(context, taint.device_id)
    except exception.DeviceNotFound:
        providers = []
    taints.remove(context, taint.uuid)
    if publishing.publish(context, providers):
        taints.add(context, taint)
        raise exception.DeviceTaintUntold(device_id=taint.device_id)
    LOG.info(
        'Device %s does not have the taint %s any more',
        taint.device_id,
        taint.key,
    )

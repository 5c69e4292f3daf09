# SPDX-License-Identifier: Apache-2.0

"""The device profile of a server's flavor, beside its device contexts."""

from __future__ import annotations

import logging

from nova import context as nova_context
from nova import objects

from nova_cyborg import exception
from nova_cyborg.nova import client, marks

LOG = logging.getLogger(__name__)


def unbind_left(
    context: nova_context.RequestContext,
    instance: objects.Instance,
    evacuated_node: str,
) -> None:
    """Unbind the devices of its flavor's profile that a server has left.

    Nova asks Cyborg to delete their ARQs when the server leaves a host, and
    goes on when Cyborg does not answer. They would keep Nova from binding
    the profile anew; the ARQs of device contexts do not.

    :param instance: the server.
    :param evacuated_node: the name of the compute node that it is evacuated
        from, where it keeps its devices until it is on the other one; empty
        if it is not.
    :raises DeviceContextError: if Cyborg does not answer, or refuses.
    """
    if marks.only_contexts(instance):
        return
    allocations = client.allocation_client(context)
    left = [
        arq['uuid']
        for arq in allocations.arqs(instance.uuid)
        if not marks.is_of_device_context(arq)
        and not (evacuated_node and arq['hostname'] == evacuated_node)
    ]
    if left:
        allocations.delete_arqs(left)


def unbind(
    context: nova_context.RequestContext,
    instance: objects.Instance,
    arqs: list[str],
) -> None:
    """Unbind the devices of profiles that Nova has begun to bind.

    :param instance: the server.
    :param arqs: UUIDs of their ARQs.
    """
    if not arqs:
        return
    try:
        client.allocation_client(context).delete_arqs(arqs)
    except exception.DeviceContextError as exc:
        LOG.warning(
            'The accelerator requests %s of a device profile could not be '
            'deleted: %s',
            ', '.join(arqs),
            exc,
            extra={'instance': instance},
        )

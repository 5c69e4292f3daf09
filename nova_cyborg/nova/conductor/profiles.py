# SPDX-License-Identifier: Apache-2.0

"""The device profile of a server's flavor, beside its device contexts."""

from __future__ import annotations

import logging

from nova import context as nova_context
from nova import objects

from nova_cyborg import exception, model
from nova_cyborg.nova import client
from nova_cyborg.nova.compute import arqs as server_arqs

LOG = logging.getLogger(__name__)


def mark(instance: objects.Instance) -> None:
    """Make Nova see that a server has accelerators, and us, that it is ours.

    All of Nova's own handling of accelerators asks for the device profile in
    a server's copy of its flavor, and then looks ARQs up by server.

    :param instance: the server; changed in place, not saved.
    """
    flavor = instance.flavor
    extra_specs = dict(flavor.extra_specs or {})
    extra_specs.setdefault(model.PROFILE_EXTRA_SPEC, model.FLAVOR_MARKER)
    flavor.extra_specs = extra_specs
    metadata = dict(instance.system_metadata or {})
    metadata[model.SYSTEM_METADATA_KEY] = 'true'
    instance.system_metadata = metadata


def delete_left(
    context: nova_context.RequestContext,
    instance: objects.Instance,
    evacuated_node: str,
) -> None:
    """Delete what a server has left of its flavor's device profile.

    Nova asks for it when the server leaves a host, and goes on when Cyborg
    does not answer. Those of device contexts are no obstacle.

    :param instance: the server.
    :param evacuated_node: the name of the compute node that it is evacuated
        from, where it keeps all until it is on the other one; empty if it is
        not.
    :raises DeviceContextError: if Cyborg does not answer, or refuses.
    """
    if server_arqs.is_marked(instance):
        return
    allocations = client.allocation_client(context)
    left = [
        arq['uuid']
        for arq in allocations.arqs(instance.uuid)
        if not server_arqs.is_of_device_context(arq)
        and not (evacuated_node and arq['hostname'] == evacuated_node)
    ]
    if left:
        allocations.delete_arqs(instance.uuid, left)


def delete(
    context: nova_context.RequestContext,
    instance: objects.Instance,
    arqs: list[str],
) -> None:
    """Delete the ARQs of profiles that Nova has begun to bind.

    :param instance: the server.
    :param arqs: their UUIDs.
    """
    if not arqs:
        return
    try:
        client.allocation_client(context).delete_arqs(instance.uuid, arqs)
    except exception.DeviceContextError as exc:
        LOG.warning(
            'Accelerator requests %s could not be deleted: %s',
            ', '.join(arqs),
            exc,
            extra={'instance': instance},
        )

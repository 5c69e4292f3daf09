# SPDX-License-Identifier: Apache-2.0

"""nova-api: servers that it deletes by itself release their device contexts.

A server that is on no host, or on one that is down, has no nova-compute to
delete it. Of one that never got to a host stock Nova tells Cyborg nothing; of
others it tells it once, and goes on when there is no answer.
"""

from __future__ import annotations

import contextlib
import dataclasses
import logging
import time

from nova import context as nova_context
from nova import exception as nova_exception
from nova import objects

from nova_cyborg import exception
from nova_cyborg.nova import carried, client, hint, marks, overrides
from nova_cyborg.nova.api import begun

LOG = logging.getLogger(__name__)

# Seconds for which Cyborg is called, in all: a user's request waits.
_USER_WAITS = 2
# Those between two calls, and what one call is given at least.
_PAUSES = (0.5, 0.5, 0.5)
_LEAST = 0.1


class API(begun.API):
    """Nova's compute API, for servers that it deletes by itself."""

    @overrides.method('context instance delete_type cb')
    def _delete(self, stock: overrides.Stock) -> None:
        context, instance = stock['context'], stock['instance']
        if not _may_hold(context, instance):
            stock()
            return
        server_id = instance.uuid

        def release() -> None:
            _release(context, server_id)

        with carried.carrying(
            dataclasses.replace(carried.now(), delete_arqs=release)
        ):
            stock()
        if 'id' not in instance:
            _forget_unmapped(context, server_id)

    @overrides.method('context instance_uuid')
    def _local_delete_cleanup(self, stock: overrides.Stock) -> None:
        stock()
        release = carried.now().delete_arqs
        if release is not None:
            release()


def _may_hold(
    context: nova_context.RequestContext, instance: objects.Instance
) -> bool:
    """Tell whether a server may hold device contexts."""
    if marks.has_contexts(instance):
        return True
    if 'id' in instance:
        return False
    # It is in no cell yet, and bears no mark before.
    return bool(hint.of_unmapped(context, instance.uuid))


def _forget_unmapped(
    context: nova_context.RequestContext, server_id: str
) -> None:
    """Do away with the row of a server whose cell Nova does not know.

    A nova-conductor that dies before it has noted the cell leaves one. Stock
    Nova then lists the server, and cannot delete it.
    """
    found = nova_context.scatter_gather_all_cells(
        context,
        objects.InstanceList.get_by_filters,
        {'uuid': [server_id], 'deleted': False},
    )
    for instances in found.values():
        if nova_context.is_cell_failure_sentinel(instances):
            continue
        for instance in instances:
            # A nova-conductor that lives is doing the same.
            with contextlib.suppress(nova_exception.InstanceNotFound):
                instance.destroy()


def _release(context: nova_context.RequestContext, server_id: str) -> None:
    """Release the device contexts of a server that is deleted.

    A user waits, and the server is gone all the same.
    """
    allocations = client.allocation_client(context)
    end = time.monotonic() + _USER_WAITS

    def release() -> None:
        left = max(end - time.monotonic(), _LEAST)
        allocations.release(server_id, terminated=True, within=left)

    try:
        client.repeating(release, _PAUSES, end - _LEAST)
    except exception.DeviceContextError as exc:
        LOG.error(
            'Server %s is deleted, and its device contexts could not be '
            'released. cyborg-conductor does that when it reconciles; if its '
            'reconcile_interval is 0, run "nova-cyborg-manage audit '
            '--repair": %s',
            server_id,
            exc,
        )

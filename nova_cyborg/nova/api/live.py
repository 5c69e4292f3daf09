# SPDX-License-Identifier: Apache-2.0

"""nova-api: whether a server with device contexts is migrated while it runs.

Its device contexts say so. A guest that is to let go of its devices cannot
while it is paused; and the scheduler must choose the host, since Placement
chooses the devices.
"""

from __future__ import annotations

from nova.compute import vm_states

from nova_cyborg import exception, model
from nova_cyborg.nova import client, groups, overrides
from nova_cyborg.nova.api import refusals


def check(stock: overrides.Stock) -> None:
    """Refuse a live migration that cannot be done.

    :param stock: a call of live_migrate of Nova's compute API, for a server
        with device contexts.
    :raises Refused: if it cannot be done; nothing has been done yet.
    """
    instance = stock['instance']
    with refusals.answering(f'Live migration of server {instance.uuid}'):
        # As Nova tells it: before microversion 2.30, to name a host was to
        # force it.
        if stock['host_name'] and stock['force'] is not False:
            raise exception.LiveMigrationForced(server_id=instance.uuid)
        try:
            held = client.allocation_client(stock['context']).get(
                instance.uuid
            )
        except exception.AllocationNotFound:
            # Its device contexts have been released since it was booted.
            return
        groups.check_live(held.contexts)
        if instance.vm_state == vm_states.PAUSED and any(
            context.live_migration == model.LiveMigration.DETACH
            for context in held.contexts
        ):
            raise exception.LiveMigrationPaused(server_id=instance.uuid)

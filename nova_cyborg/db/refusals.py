# SPDX-License-Identifier: Apache-2.0

"""Why there was no host for a server, recorded with its device contexts."""

import sqlalchemy as sa
from cyborg import context as cyborg_context

from nova_cyborg import exception
from nova_cyborg.db import session, tables
from nova_cyborg.db.events import actions, recording


def names(
    context: cyborg_context.RequestContext, server_id: str
) -> dict[str, str]:
    """Read what the device contexts of a server are called.

    :param server_id: UUID of the server.
    :returns: the name of each, or its UUID if it has none, by UUID.
    :raises AllocationNotFound: if it holds no device contexts.
    """
    held, allocation = tables.DeviceContext, tables.DeviceAllocation
    query = (
        sa.select(held.uuid, held.name)
        .join(allocation, allocation.id == held.allocation_id)
        .where(allocation.server_id == server_id)
    )
    found = {uuid: name or uuid for uuid, name in session.rows(context, query)}
    if not found:
        raise exception.AllocationNotFound(server_id=server_id)
    return found


@session.retry
def record(
    context: cyborg_context.RequestContext, server_id: str, sentence: str
) -> None:
    """Record why there is no host for a server.

    Until it is brought to a host again, or another server takes them, it is
    the fault of its device contexts, and their timelines have it for good.
    They do not stop working: a server that runs goes on.

    :param server_id: UUID of the server.
    :param sentence: why.
    """
    held, allocation = tables.DeviceContext, tables.DeviceAllocation
    of_server = sa.select(allocation.id).where(
        allocation.server_id == server_id
    )
    conditions = (
        held.allocation_id.in_(of_server),
        held.transition.is_(None),
    )
    with session.writing(context) as db:
        found = db.scalars(
            sa.select(held).where(*conditions).order_by(held.id)
        ).all()
        db.execute(
            sa.update(held).where(*conditions).values(fault=sentence),
            execution_options={'synchronize_session': False},
        )
        what = recording.What(
            actions.Action.SCHEDULE,
            actions.Outcome.ERROR,
            server_id=server_id,
            message=sentence,
        )
        recording.record(db, found, what)

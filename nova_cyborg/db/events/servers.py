# SPDX-License-Identifier: Apache-2.0

"""Servers that events tell of, which may be gone."""

import sqlalchemy as sa
from cyborg import context as cyborg_context

from nova_cyborg.db import session, tables


def is_told_of(context: cyborg_context.RequestContext, server_id: str) -> bool:
    """Tell whether a server has held a device context.

    Not by an index: it is asked of few.

    :param server_id: UUID of what may have been a server.
    :returns: whether an event that is kept says so.
    """
    row = tables.DeviceContextEvent
    query = sa.select(row.id).where(row.server_id == server_id).limit(1)
    with session.reading(context) as db:
        return db.scalar(query) is not None

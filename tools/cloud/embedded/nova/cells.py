# SPDX-License-Identifier: Apache-2.0

"""Nova's databases and cells."""

import nova.conf
from nova import context, exception, objects
from nova.db import migration
from oslo_utils import uuidutils

from tools.cloud.configs import base
from tools.cloud.model import state as cloud_state

CONF = nova.conf.CONF


def create(state: cloud_state.State) -> None:
    """Bring the databases up to date, and map the cells once."""
    migration.db_sync(database='api')
    # cell1 is what nova.conf's [database] points to.
    migration.db_sync(database='main')
    admin = context.get_admin_context()
    try:
        objects.CellMapping.get_by_uuid(admin, objects.CellMapping.CELL0_UUID)
    except exception.CellMappingNotFound:
        _map(state, admin)


def _map(state: cloud_state.State, admin: context.RequestContext) -> None:
    cell0 = objects.CellMapping(
        admin,
        uuid=objects.CellMapping.CELL0_UUID,
        name='cell0',
        transport_url='none:///',
        database_connection=base.database(state, 'nova_cell0')['connection'],
    )
    cell0.create()
    with context.target_cell(admin, cell0) as targeted:
        migration.db_sync(context=targeted)
    objects.CellMapping(
        admin,
        uuid=uuidutils.generate_uuid(),
        name='cell1',
        transport_url=CONF.transport_url,
        database_connection=CONF.database.connection,
    ).create()

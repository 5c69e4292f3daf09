# SPDX-License-Identifier: Apache-2.0

"""What servers that were moved have left, or have lost."""

import collections.abc
import typing as ty

_Rows: ty.TypeAlias = 'collections.abc.Callable[[str], list[ty.Any]]'
# Nova keeps what a server may come back to.
_UNCONFIRMED = 'resized'


def migrations(cells: _Rows) -> dict[str, str]:
    """Return whose the migrations are.

    :param cells: reads the databases of all cells.
    :returns: UUID of the server, by UUID of the migration.
    """
    query = 'SELECT uuid, instance_uuid FROM migrations'
    return dict(cells(query))


def leaked(cyborg: _Rows, cells: _Rows) -> list[str]:
    """Find what servers have that are on another host to stay.

    :param cyborg: reads Cyborg's database.
    :param cells: reads the databases of all cells.
    :returns: a line for each.
    """
    query = (
        'SELECT uuid, node, vm_state FROM instances '
        'WHERE deleted = 0 AND task_state IS NULL AND node IS NOT NULL'
    )
    at_rest = {
        server_id: node
        for server_id, node, vm_state in cells(query)
        if vm_state != _UNCONFIRMED
    }
    bindings = cyborg(
        'SELECT a.server_id, b.node, b.state FROM device_bindings b '
        'JOIN device_allocations a ON a.id = b.allocation_id'
    )
    return [
        f'server {server_id} is on {at_rest[server_id]}, and has a binding '
        f'({state}) on {node}'
        for server_id, node, state in bindings
        if server_id in at_rest
        if (node, state) != (at_rest[server_id], 'active')
    ]

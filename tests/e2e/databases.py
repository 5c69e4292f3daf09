# SPDX-License-Identifier: Apache-2.0


"""A look into the services' databases, where their APIs do not show it."""

import functools
import json
import typing as ty

import sqlalchemy

from tools.cloud import cloud as cloud_module

_LEFT_BY_SERVERS = {
    'device contexts': ('cyborg', 'device_contexts', ''),
    'device allocations': ('cyborg', 'device_allocations', ''),
    'links to ARQs': ('cyborg', 'device_context_arqs', ''),
    'ARQs': ('cyborg', 'extended_accelerator_requests', ''),
    'attach handles in use': ('cyborg', 'attach_handles', 'WHERE in_use'),
    'hidden device profiles': (
        'cyborg',
        'device_profiles',
        "WHERE name LIKE 'nova-cyborg-%'",
    ),
    'Placement allocations': ('placement', 'allocations', ''),
}


def query(
    cloud: cloud_module.Cloud, database: str, statement: str, *values: ty.Any
) -> list[tuple[ty.Any, ...]]:
    """Read from a database; values stand for question marks, in order."""
    with _engine(cloud.database_url(database)).connect() as connection:
        result = connection.execute(*_bound(statement, values))
        return [tuple(row) for row in result]


def leftovers(cloud: cloud_module.Cloud) -> dict[str, int]:
    """Count what must not be there when there are no servers and contexts.

    :returns: how many of each kind there are, where there are any.
    """
    found = {}
    for what, (database, table, where) in _LEFT_BY_SERVERS.items():
        statement = f'SELECT COUNT(*) FROM {table} {where}'  # noqa: S608
        found[what] = query(cloud, database, statement)[0][0]
    for what in ('domains', 'mdevs'):
        files = (cloud.folder / what).glob('*/*')
        found[f'{what} of hypervisors'] = len(list(files))
    return {what: count for what, count in found.items() if count}


def arq_groups(
    cloud: cloud_module.Cloud, server_id: str
) -> list[dict[str, str]]:
    """Return the device profile group of each ARQ of a server."""
    rows = query(
        cloud,
        'cyborg',
        'SELECT profile_json, device_profile_group_id '
        'FROM extended_accelerator_requests AS arq '
        'JOIN device_profiles AS profile ON profile.id = device_profile_id '
        'WHERE arq.instance_uuid = ? ORDER BY arq.id',
        server_id,
    )
    return [json.loads(text)['groups'][number] for text, number in rows]


@functools.cache
def _engine(url: str) -> sqlalchemy.Engine:
    # A connection that is kept would keep what it has once seen.
    return sqlalchemy.create_engine(url, poolclass=sqlalchemy.NullPool)


def _bound(
    statement: str, values: tuple[ty.Any, ...]
) -> tuple[sqlalchemy.TextClause, dict[str, ty.Any]]:
    """Name the values, as each kind of database has its own mark for them."""
    first, *rest = statement.split('?')
    names = [f'value{number}' for number in range(len(rest))]
    parts = (f':{name}{part}' for name, part in zip(names, rest, strict=True))
    text = sqlalchemy.text(first + ''.join(parts))
    return text, dict(zip(names, values, strict=True))

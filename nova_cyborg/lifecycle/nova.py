# SPDX-License-Identifier: Apache-2.0

"""What Nova says of a server.

Nova's request to delete a server's ARQs does not tell whether the server is
being deleted or only leaves its host. Nova's API does.
"""

import collections.abc
import enum
import functools
import logging
import typing as ty

from cyborg.common import nova_client
from keystoneauth1 import exceptions as ks_exc
from openstack import exceptions as sdk_exc
from openstack import proxy
from oslo_utils import timeutils

LOG = logging.getLogger(__name__)


class State(enum.Enum):
    """As much of a server's state as matters to its device contexts."""

    #: Nova does not know it, or not any more.
    GONE = 'gone'
    #: It is being deleted, or is soft-deleted.
    LEAVING = 'leaving'
    #: It is in error, and was never running.
    NEVER_BUILT = 'never built'
    #: It is shelved, and on no host.
    OFFLOADED = 'offloaded'
    #: It is on a host, and nothing is being done with it.
    SETTLED = 'settled'
    #: It is in error, and nothing is being done with it.
    FAILED = 'failed'
    #: It is being unshelved, evacuated or rebuilt.
    ARRIVING = 'arriving'
    #: It is there, and something else may be under way.
    EXISTS = 'exists'
    #: Nova does not say.
    UNKNOWN = 'unknown'


_BY_STATUS = {
    'DELETED': State.GONE,
    'SOFT_DELETED': State.LEAVING,
    'BUILD': State.EXISTS,
}

# A server that is soft-deleted on no host, or on one that is down, is deleted
# for good; one on a host asks for nothing until it is reclaimed.
_LEAVING_TASKS = ('deleting', 'soft-deleting')
_ARRIVING_TASKS = (
    'unshelving',
    'rebuilding',
    'rebuild_block_device_mapping',
    'rebuild_spawning',
)
# It is shelved until it is on its host; the task is that of a build, too.
_UNSHELVED = ('SHELVED_OFFLOADED', 'spawning')
# Of these, Nova takes what the old host has when it comes back. One that is
# under way, or was never ended, is among them.
_EVACUATED = ('accepted', 'pre-migrating', 'done')
# How long to wait for Nova: all threads of nova-api may be waiting for
# cyborg-api meanwhile.
_SECONDS = 30


def state(server_id: str) -> State:
    """Ask Nova for a server.

    :param server_id: UUID of the server.
    :returns: its state.
    """
    status, body = _get(f'/servers/{server_id}', server_id)
    if status == 404:
        return _confirmed(server_id)
    if status != 200:
        return State.UNKNOWN
    return _classify(body['server'])


def _classify(server: dict[str, ty.Any]) -> State:
    status, task = server['status'], server.get('OS-EXT-STS:task_state', '')
    if task in _LEAVING_TASKS:
        return State.LEAVING
    if status == 'ERROR' and _is_nowhere(server):
        return State.NEVER_BUILT
    if status in _BY_STATUS:
        return _BY_STATUS[status]
    if task is not None:
        arriving = task in _ARRIVING_TASKS or (status, task) == _UNSHELVED
        return State.ARRIVING if arriving else State.EXISTS
    if status == 'ERROR':
        return State.FAILED
    if status == 'SHELVED_OFFLOADED':
        return State.OFFLOADED
    return State.SETTLED if _is_on_host(server) else State.EXISTS


def _is_on_host(server: dict[str, ty.Any]) -> bool:
    # Only administrators are shown the host: to others, it is on one.
    return server.get('OS-EXT-SRV-ATTR:host', '') is not None


def _is_nowhere(server: dict[str, ty.Any]) -> bool:
    """Tell whether a server is on no host, and never ran on one."""
    launched = server.get('OS-SRV-USG:launched_at', '') is not None
    return not _is_on_host(server) and not launched


def node(server_id: str) -> str | None:
    """Ask Nova where a server is.

    :param server_id: UUID of the server.
    :returns: the name of its compute node; None if Nova does not say.
    """
    status, body = _get(f'/servers/{server_id}', server_id)
    if status != 200:
        return None
    found: str | None = body['server'].get(
        'OS-EXT-SRV-ATTR:hypervisor_hostname'
    )
    return found


def is_evacuated(server_id: str) -> bool:
    """Tell whether a server has left a host that has not come back yet.

    :param server_id: UUID of the server.
    :returns: whether it has; True as well if Nova does not say.
    """
    found = _evacuations(server_id)
    return found is None or any(
        migration['status'] in _EVACUATED for migration in found
    )


def may_run_elsewhere(server_id: str) -> bool:
    """Tell whether the guest was started where a server was evacuated to.

    What fails in nova-compute after that leaves the server on its old host.

    :param server_id: UUID of the server, which is on its old host.
    :returns: whether it was; True as well if Nova does not say.
    """
    status, body = _get(f'/servers/{server_id}', server_id)
    found = _evacuations(server_id)
    if status != 200 or found is None:
        return True
    launched = body['server'].get('OS-SRV-USG:launched_at')
    begun = [migration['created_at'] for migration in found]
    return bool(begun and launched) and (
        timeutils.parse_isotime(launched)
        > max(map(timeutils.parse_isotime, begun))
    )


def _evacuations(server_id: str) -> list[dict[str, ty.Any]] | None:
    path = f'/os-migrations?instance_uuid={server_id}'
    status, body = _get(path, server_id)
    if status != 200:
        return None
    return [
        migration
        for migration in body['migrations']
        if migration.get('migration_type', 'evacuation') == 'evacuation'
    ]


def migrations() -> frozenset[str] | None:
    """Ask Nova for migrations, of which each allocates as a server does.

    While a server is resized or migrated, what it had on its old host is
    allocated to the migration.

    :returns: their UUIDs; None if Nova does not say, or not of all.
    """
    found: set[str] = set()
    path = '/os-migrations?'
    try:
        for page in _pages(path, 'migrations', 'that is migrated'):
            found |= {migration['uuid'] for migration in page}
    except _NotSaid:
        return None
    return frozenset(found) if _all_cells_answer() else None


def _all_cells_answer() -> bool:
    """Tell whether a list of Nova's has what is in each cell.

    It leaves out those of a cell that is down without a word, except that of
    the services, which shows no more of them than that.
    """
    status, body = _get('/os-services?binary=nova-compute', 'on any host')
    return status == 200 and all(
        service['status'] != 'UNKNOWN' for service in body['services']
    )


def faults() -> dict[str, str]:
    """Ask Nova why servers are in error.

    :returns: the message of each server's fault, by the server's UUID; of
        none if Nova does not say.
    """
    found: dict[str, str] = {}
    path = '/servers/detail?all_tenants=true&status=ERROR&'
    try:
        for page in _pages(path, 'servers', 'in error'):
            found |= {
                server['id']: server['fault']['message']
                for server in page
                if 'fault' in server
            }
    except _NotSaid:
        return {}
    return found


def _confirmed(server_id: str) -> State:
    """Find out whether a server that Nova does not show is gone.

    To a user who is no administrator Nova answers 404 for the servers of
    other projects, too. A list of all projects it refuses such a user.
    """
    path = f'/servers/detail?all_tenants=true&uuid={server_id}'
    status, body = _get(path, server_id)
    if status != 200:
        return State.UNKNOWN
    if not body['servers']:
        return State.GONE
    if not all(map(_is_nowhere, body['servers'])):
        return State.EXISTS
    # It was made in between; or it is one that nobody can see or delete: a
    # nova-conductor that dies while the server is being deleted can leave it
    # in the database of a cell, and the record of the cell it is in unwritten.
    status, body = _get(f'/servers/{server_id}', server_id)
    if status == 404:
        return State.GONE
    return _classify(body['server']) if status == 200 else State.UNKNOWN


class _NotSaid(Exception):
    """Nova does not answer with a list, or not with all of it."""


def _pages(
    path: str, collection: str, server_id: str
) -> collections.abc.Iterator[list[dict[str, ty.Any]]]:
    """Go through a list of Nova's, page by page.

    :param path: its path and query, open for one more parameter.
    :param collection: what is listed.
    :param server_id: which servers a warning is to speak of.
    :returns: what is on each page.
    :raises _NotSaid: if Nova does not answer with a page.
    """
    marker = ''
    while True:
        status, body = _get(f'{path}{marker}', server_id)
        if status != 200:
            raise _NotSaid
        page = body[collection]
        yield page
        if f'{collection}_links' not in body:
            return
        last = page[-1]
        # What has both is known to other cells by its UUID alone.
        marker = f'marker={last.get("uuid") or last["id"]}'


def _get(path: str, server_id: str) -> tuple[int, dict[str, ty.Any]]:
    try:
        response = _compute().get(path, timeout=_SECONDS)
    except (ks_exc.ClientException, sdk_exc.SDKException) as exc:
        LOG.warning('Nova did not answer for server %s: %s', server_id, exc)
        return 0, {}
    if response.status_code == 404:
        return 404, {}
    if response.status_code != 200:
        LOG.warning(
            'Nova answered with HTTP status %d for server %s. Check that '
            "the user of cyborg.conf's [nova] section has the role admin, "
            'which shows the servers of all projects.',
            response.status_code,
            server_id,
        )
        return response.status_code, {}
    return 200, response.json()


@functools.cache
def _compute() -> proxy.Proxy:
    # Made once: each making asks Keystone for a token.
    return nova_client.NovaAPI().nova_client

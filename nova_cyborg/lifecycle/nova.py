# SPDX-License-Identifier: Apache-2.0

"""What Nova says of servers.

Nova's request to delete a server's ARQs does not tell whether the server is
being deleted or only leaves its host. Nova's API does.
"""

from __future__ import annotations

import collections.abc
import contextlib
import contextvars
import dataclasses
import datetime
import functools
import logging
import time
import typing as ty

from cyborg.common import nova_client
from cyborg.conf import CONF
from keystoneauth1 import exceptions as ks_exc
from openstack import exceptions as sdk_exc
from openstack import proxy
from oslo_utils import timeutils

from nova_cyborg.lifecycle import servers

LOG = logging.getLogger(__name__)

# The statuses of evacuations after which Nova takes the guest from the old
# host when that comes back. One that is under way, or was never ended, is
# among them.
_EVACUATED = ('accepted', 'pre-migrating', 'done')
# The statuses of a live migration from when it waits for its turn until the
# guest is Nova's at the destination; libvirt goes on whatever the server's
# state is reset to.
_MIGRATES = (
    'queued',
    'preparing',
    'running',
    'running (post-copy)',
    'post-migrating',
)
# Those of an evacuation until its guest is Nova's at the destination.
_EVACUATES = ('accepted', 'pre-migrating')
# Those of any after which what was begun before it is over.
_GOT_THERE = ('completed', 'done', 'finished', 'confirmed', 'reverted')
# As it shows the status of a server that is.
_DELETED = 'DELETED'
# Servers on a page of those that have changed: each takes Nova some
# milliseconds.
_CHANGES = 100
# How long to wait for Nova: all threads of nova-api may be waiting for
# cyborg-api meanwhile.
_SECONDS = 30
# How long to wait for Keystone, for a token.
_KEYSTONE = 10
# The same, where a user waits for what can be done without.
_SHORTLY = 5
# The same, of whoever has said so; see waiting_at_most().
_patience: contextvars.ContextVar[float] = contextvars.ContextVar(
    '_patience', default=_SECONDS
)
# Seconds after which what Nova has not answered once is no more in the log's
# last word: one server of many may be what it fails with.
_QUIET = 60
# When Nova did not answer the last time, by what was asked and what it said.
_failed_at: dict[tuple[str, int], float] = {}


@contextlib.contextmanager
def waiting_at_most(seconds: int) -> collections.abc.Iterator[None]:
    """Wait for no answer of Nova's for longer.

    :param seconds: how long.
    """
    token = _patience.set(seconds)
    try:
        yield
    finally:
        _patience.reset(token)


class Nova:
    """What Nova says of servers; asks once for each server while it lives.

    One is made for a request, for a binding in the background or for a look
    of the audit, in one thread, and handed in where it is needed. What must
    be asked anew is asked with a new one.
    """

    def __init__(self) -> None:
        self._servers: dict[str, servers.Server] = {}
        self._moves: dict[str, list[dict[str, ty.Any]]] = {}

    def server(self, server_id: str) -> servers.Server:
        """Ask for a server, unless it was asked for already.

        :param server_id: UUID of the server.
        :returns: the server, whether there is one or not.
        """
        if server_id not in self._servers:
            self._servers[server_id] = _server(server_id)
        return self._servers[server_id]

    def is_evacuated(self, server_id: str) -> bool:
        """Tell whether a server has left a host that is not back yet.

        :param server_id: UUID of the server.
        :returns: whether it has; True as well if Nova does not say.
        """
        found = self._evacuations(server_id)
        return found is None or any(
            migration['status'] in _EVACUATED for migration in found
        )

    def may_run_elsewhere(self, server: servers.Server) -> bool:
        """Tell whether the guest was started where it was evacuated to.

        What fails in nova-compute after that leaves the server on its old
        host.

        :param server: the server, which is on its old host.
        :returns: whether it was; True as well if Nova does not say.
        """
        found = self._evacuations(server.server_id)
        if found is None or server.node is None:
            return True
        begun = [
            timeutils.parse_isotime(migration['created_at'])
            for migration in found
        ]
        if not begun or server.launched_at is None:
            return False
        return server.launched_at > max(begun)

    def may_be_moving(self, server: servers.Server) -> bool:
        """Tell whether a guest may be on its way to another host.

        What Nova says of a server does not tell that: an administrator may
        have reset its state while libvirt migrates it live.

        :param server: the server, with which nothing is being done.
        :returns: whether a migration of it says that it may be; True as well
            if Nova does not say.
        """
        found = self._migrations(server.server_id)
        if found is None:
            return True
        for migration in sorted(found, key=_order, reverse=True):
            if migration.get('status') in _GOT_THERE:
                return False
            if _is_under_way(migration, server):
                return True
        return False

    def migrations_of(self, server_id: str) -> list[str] | None:
        """Find the migrations of a server, those that are over, too.

        :param server_id: UUID of the server.
        :returns: their UUIDs; None if Nova does not say.
        """
        found = self._migrations(server_id)
        if found is None:
            return None
        return [each['uuid'] for each in found if 'uuid' in each]

    def was_server(self, server_id: str) -> bool | None:
        """Tell whether there was a server that is gone.

        :param server_id: UUID of what may have been one.
        :returns: whether Nova has a record of it still: not once that is
            archived; None if Nova does not say.
        """
        status, body = _get(
            f'/servers/detail?all_tenants=true&deleted=true&uuid={server_id}'
        )
        return bool(body['servers']) if status == 200 else None

    def _evacuations(self, server_id: str) -> list[dict[str, ty.Any]] | None:
        found = self._migrations(server_id)
        if found is None:
            return None
        return [
            migration
            for migration in found
            if migration.get('migration_type', 'evacuation') == 'evacuation'
        ]

    def _migrations(self, server_id: str) -> list[dict[str, ty.Any]] | None:
        found = self._moves.get(server_id)
        if found is None:
            found = _migrations(server_id)
        if found is not None:
            self._moves[server_id] = found
        return found

    @functools.cached_property
    def migrations(self) -> dict[str, Migration] | None:
        """All migrations, by their UUIDs.

        Each of these allocates as a server does: while a server is resized or
        migrated, the resources of its old host are allocated to the migration.
        None if Nova does not say, or not of all.
        """
        found: dict[str, Migration] = {}
        try:
            for page in _pages('/os-migrations?', 'migrations'):
                found |= {
                    each['uuid']: Migration.from_body(each) for each in page
                }
        except NotSaid:
            return None
        return found if self.all_cells_answer else None

    @functools.cached_property
    def all_cells_answer(self) -> bool:
        """Whether Nova's lists have what is in each cell.

        They leave out those of a cell that is down without a word, except that
        of the services, which shows no more of them than that.
        """
        status, body = _get('/os-services?binary=nova-compute')
        return status == 200 and all(
            service['status'] != 'UNKNOWN' for service in body['services']
        )

    def faults(self) -> dict[str, str]:
        """Ask why servers are in error.

        :returns: the message of each server's fault, by the server's UUID;
            of none if Nova does not say.
        """
        found: dict[str, str] = {}
        path = '/servers/detail?all_tenants=true&status=ERROR&'
        try:
            for page in _pages(path, 'servers'):
                found |= {
                    server['id']: server['fault']['message']
                    for server in page
                    if 'fault' in server
                }
        except NotSaid:
            return {}
        return found


@dataclasses.dataclass(frozen=True)
class Migration:
    """A server's way to another host, as Nova lists it.

    :ivar server_id: UUID of the server.
    :ivar updated_at: when it has changed; None if it has not, or Nova does
        not say.
    """

    server_id: str
    updated_at: datetime.datetime | None

    @classmethod
    def from_body(cls, body: dict[str, ty.Any]) -> Migration:
        """Read what Nova answers.

        :param body: one of the ``migrations`` of Nova's answer.
        :returns: the migration.
        """
        updated = body.get('updated_at')
        return cls(
            body['instance_uuid'],
            timeutils.parse_isotime(updated) if updated else None,
        )


@dataclasses.dataclass(frozen=True)
class Change:
    """A server that has changed, as Nova lists it.

    :ivar server_id: its UUID.
    :ivar updated: when it has changed, in Nova's words.
    :ivar deleted: whether it is deleted.
    """

    server_id: str
    updated: str
    deleted: bool


def changes(
    since: datetime.datetime,
) -> collections.abc.Iterator[list[Change]]:
    """List the servers that have changed, those that were deleted too.

    One that was deleted before Nova has changed it once is not among them.

    :param since: a time, in UTC.
    :returns: what is on each page of Nova's.
    :raises NotSaid: if Nova does not answer with a page.
    """
    path = (
        f'/servers/detail?all_tenants=true&limit={_CHANGES}'
        f'&changes-since={since:%Y-%m-%dT%H:%M:%SZ}&'
    )
    for page in _pages(path, 'servers'):
        yield [
            Change(
                each['id'],
                each.get('updated', ''),
                each['status'] == _DELETED,
            )
            for each in page
        ]


def availability_zones() -> dict[str, str] | None:
    """Find out which availability zones hosts are in, with one request.

    Aggregates would not do: a host that is in none with a zone is in Nova's
    default one, of which only the services tell the name.

    :returns: the zone of each host, by its name, but for those of a cell that
        is down; None if Nova does not say.
    """
    status, body = _get('/os-services?binary=nova-compute', _SHORTLY)
    if status != 200:
        return None
    return {
        service['host']: service['zone']
        for service in body['services']
        if service.get('zone')
    }


def _server(server_id: str) -> servers.Server:
    status, body = _get(f'/servers/{server_id}')
    if status == 200:
        return servers.Server.from_body(server_id, body['server'])
    if status == 404:
        return _confirmed(server_id)
    return servers.Server(server_id, servers.State.UNKNOWN)


def _confirmed(server_id: str) -> servers.Server:
    """Find out whether a server that Nova does not show is gone.

    To a user who is no administrator Nova answers 404 for the servers of
    other projects, too. A list of all projects it refuses such a user.
    """
    status, body = _get(f'/servers/detail?all_tenants=true&uuid={server_id}')
    if status != 200:
        return servers.Server(server_id, servers.State.UNKNOWN)
    if not body['servers']:
        return servers.Server(server_id, servers.State.GONE)
    if not all(map(servers.was_never_on_a_host, body['servers'])):
        return servers.Server(server_id, servers.State.EXISTS)
    # It was made in between; or it is one that nobody can see or delete: a
    # nova-conductor that dies while the server is being deleted can leave it
    # in the database of a cell, and the record of the cell it is in unwritten.
    status, body = _get(f'/servers/{server_id}')
    if status == 200:
        return servers.Server.from_body(server_id, body['server'])
    gone = status == 404
    return servers.Server(
        server_id, servers.State.GONE if gone else servers.State.UNKNOWN
    )


def _order(migration: dict[str, ty.Any]) -> tuple[str, int]:
    """Return what migrations are in order of, as they were begun."""
    return migration.get('created_at') or '', migration.get('id') or 0


def _is_under_way(
    migration: dict[str, ty.Any], server: servers.Server
) -> bool:
    if migration.get('dest_node') == server.node:
        # The guest is there. A process that dies at the very end leaves the
        # migration as if it were not.
        return False
    kind, status = migration.get('migration_type'), migration.get('status')
    if kind == 'evacuation':
        # Of one in error it is said otherwise whether its guest was started.
        return status in _EVACUATES and (server.state is servers.State.RESTING)
    # A resize that goes on sees that its devices are gone, before it starts
    # the guest. A server that is on neither host has left both since.
    return (
        kind == 'live-migration'
        and status in _MIGRATES
        and migration.get('source_node') in (None, server.node)
    )


def _migrations(server_id: str) -> list[dict[str, ty.Any]] | None:
    status, body = _get(f'/os-migrations?instance_uuid={server_id}')
    if status != 200:
        return None
    found: list[dict[str, ty.Any]] = body['migrations']
    return found


class NotSaid(Exception):
    """Nova does not answer with a list, or not with all of it."""


def _pages(
    path: str, collection: str
) -> collections.abc.Iterator[list[dict[str, ty.Any]]]:
    """Go through a list of Nova's, page by page.

    :param path: its path and query, open for one more parameter.
    :param collection: what is listed.
    :returns: what is on each page.
    :raises NotSaid: if Nova does not answer with a page.
    """
    marker = ''
    while True:
        status, body = _get(f'{path}{marker}')
        if status != 200:
            raise NotSaid
        page = body[collection]
        yield page
        if f'{collection}_links' not in body:
            return
        last = page[-1]
        # What has both is known to other cells by its UUID alone.
        marker = f'marker={last.get("uuid") or last["id"]}'


def _get(
    path: str, seconds: float = _SECONDS
) -> tuple[int, dict[str, ty.Any]]:
    """Ask; a status of 0 is no answer at all."""
    patience = min(seconds, _patience.get())
    try:
        response = _compute().get(path, timeout=patience)
    except (ks_exc.ClientException, sdk_exc.SDKException) as exc:
        _note_failure(path, 0, 'Nova did not answer GET %s: %s', path, exc)
        return 0, {}
    if response.status_code == 404:
        _note_answer(path)
        return 404, {}
    if response.status_code != 200:
        _note_failure(
            path,
            response.status_code,
            'Nova answered GET %s with HTTP status %d. Check that the user '
            "of cyborg.conf's [nova] section has the role admin, which shows "
            'the servers of all projects.',
            path,
            response.status_code,
        )
        return response.status_code, {}
    _note_answer(path)
    return 200, response.json()


def _asked_for(path: str) -> str:
    """Return what is asked for, of whichever server."""
    return path.partition('?')[0].split('/')[1]


def _note_failure(path: str, status: int, words: str, *args: ty.Any) -> None:
    """Log what Nova does not answer: aloud when that begins."""
    # One that does not answer does not, whatever it is asked.
    key = (_asked_for(path) if status else '', status)
    level = logging.DEBUG if key in _failed_at else logging.WARNING
    _failed_at[key] = time.monotonic()
    LOG.log(level, words, *args)


def _note_answer(path: str) -> None:
    """Log that Nova answers again what it did not."""
    if not _failed_at:
        return
    asked_for, now = _asked_for(path), time.monotonic()
    for key, failed_at in list(_failed_at.items()):
        if key[0] in ('', asked_for) and now - failed_at > _QUIET:
            _failed_at.pop(key, None)
            LOG.info('Nova answers GET %s again', path)


@functools.cache
def _compute() -> proxy.Proxy:
    # Made once a process: each making asks Keystone for a token. Two threads
    # that are the first may each make one, of which one is kept. Neither
    # Keystone nor what Nova says of its versions is waited for without end.
    CONF.set_default('timeout', _KEYSTONE, group='nova')
    try:
        return nova_client.NovaAPI().nova_client
    finally:
        # It has that for its own. Cyborg's own client tells Nova of what is
        # bound, which may take longer.
        CONF.set_default('timeout', _SECONDS, group='nova')

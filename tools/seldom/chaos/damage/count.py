# SPDX-License-Identifier: Apache-2.0

"""The count: straight from the databases and the hosts' files.

None of it is the audit's code, so that they cannot be wrong together.
"""

import collections
import dataclasses
import typing as ty

import sqlalchemy

from tools.cloud import cloud as cloud_module
from tools.cloud.production import topology
from tools.seldom.chaos.damage import ledger, moved, slots

_HIDDEN = "'nova-cyborg-%'"


@dataclasses.dataclass(frozen=True)
class Damage:
    """What is wrong, a line for each.

    :ivar lost: of device contexts.
    :ivar leaked: what nobody can use, as nobody holds it.
    :ivar doubled: what two have.
    """

    lost: list[str]
    leaked: list[str]
    doubled: list[str]

    def __bool__(self) -> bool:
        return bool(self.lost or self.leaked or self.doubled)

    def numbers(self) -> str:
        """Return the three counts."""
        return (
            f'lost {len(self.lost)}, leaked {len(self.leaked)}, '
            f'doubled {len(self.doubled)}'
        )

    def lines(self) -> list[str]:
        """Return all of it, each with its kind."""
        return [
            f'{kind}: {line}'
            for kind, found in dataclasses.asdict(self).items()
            for line in found
        ]


class Count:
    """Counts the damage.

    :param notes: what the clients saw.
    """

    def __init__(
        self, cloud: cloud_module.Cloud, notes: ledger.Ledger
    ) -> None:
        self._cloud = cloud
        self._notes = notes

    def damage(self) -> Damage:
        """Look at everything.

        :returns: what is wrong.
        """
        servers = self._servers()
        return Damage(
            lost=self._lost(servers),
            leaked=[
                *self._leaked_handles(servers),
                *self._leaked_rows(servers),
                *self._leaked_allocations(servers),
                *self._leaked_guests(servers),
                *moved.leaked(self._cyborg, self._cells),
            ],
            doubled=[*self._doubled_handles(), *self._doubled_slots()],
        )

    def _servers(self) -> set[str]:
        found = {
            server_id
            for (server_id,) in self._rows(
                topology.API_DATABASE,
                'SELECT instance_uuid FROM build_requests',
            )
        }
        query = 'SELECT uuid FROM instances WHERE deleted = 0'
        found |= {uuid for (uuid,) in self._cells(query)}
        return found - self._nowhere()

    def _building(self) -> set[str]:
        """Return servers that Nova builds, or takes to be built."""
        requests = self._rows(
            topology.API_DATABASE, 'SELECT instance_uuid FROM build_requests'
        )
        query = (
            'SELECT uuid FROM instances '
            "WHERE deleted = 0 AND vm_state = 'building'"
        )
        found = {uuid for (uuid,) in (*requests, *self._cells(query))}
        return found - self._nowhere()

    def _nowhere(self) -> set[str]:
        """Return servers whose cell Nova does not know: nobody has them."""
        rows = self._rows(
            topology.API_DATABASE,
            'SELECT m.instance_uuid FROM instance_mappings m '
            'LEFT JOIN build_requests b ON b.instance_uuid = m.instance_uuid '
            'WHERE m.cell_id IS NULL AND b.id IS NULL',
        )
        return {server_id for (server_id,) in rows}

    def _lost(self, servers: set[str]) -> list[str]:
        rows = self._cyborg(
            'SELECT c.uuid, c.allocation_id, a.server_id '
            'FROM device_contexts c '
            'LEFT JOIN device_allocations a ON a.id = c.allocation_id'
        )
        there = {uuid for uuid, _allocation, _server_id in rows}
        return [
            *(
                f'context {uuid} is held by server {server_id}, of which '
                'there is none'
                for uuid, allocation, server_id in rows
                if allocation is not None and server_id not in servers
            ),
            *(
                f'context {uuid} was to be kept, and is gone'
                for uuid in sorted(self._notes.kept - there)
            ),
            *(
                f'server {server_id} ran without its device'
                for server_id in self._notes.without_device
            ),
        ]

    def _leaked_handles(self, servers: set[str]) -> list[str]:
        rows = self._cyborg(
            'SELECT h.uuid, r.uuid, r.instance_uuid FROM attach_handles h '
            'LEFT JOIN extended_accelerator_requests r '
            'ON r.attach_handle_id = h.id WHERE h.in_use'
        )
        return [
            f'handle {uuid} is in use by request {arq_id} of server '
            f'{server_id}'
            for uuid, arq_id, server_id in rows
            if server_id not in servers
        ]

    def _leaked_rows(self, servers: set[str]) -> list[str]:
        arqs = self._cyborg(
            'SELECT uuid, instance_uuid, state '
            'FROM extended_accelerator_requests'
        )
        profiles = self._cyborg(
            'SELECT p.name FROM device_profiles p '  # noqa: S608
            'LEFT JOIN extended_accelerator_requests r '
            'ON r.device_profile_id = p.id '
            f'WHERE p.name LIKE {_HIDDEN} AND r.id IS NULL'
        )
        held = self._cyborg('SELECT server_id FROM device_allocations')
        contexts = self._cyborg('SELECT uuid FROM device_contexts')
        left = self._notes.ended & {uuid for (uuid,) in contexts}
        return [
            *(
                f'request {uuid} ({state}) is of server {server_id}'
                for uuid, server_id, state in arqs
                if server_id not in servers
            ),
            *(f'hidden profile {name} has no request' for (name,) in profiles),
            *(
                f'allocation in Cyborg of server {server_id}'
                for (server_id,) in held
                if server_id not in servers
            ),
            *(f'context {uuid} outlived its server' for uuid in sorted(left)),
        ]

    def _leaked_allocations(self, servers: set[str]) -> list[str]:
        """Compare Placement with Cyborg, for each provider and server."""
        providers = {
            uuid for (uuid,) in self._cyborg('SELECT rp_uuid FROM deployables')
        }
        migrations = moved.migrations(self._cells)
        building = self._building()
        in_placement: collections.Counter[tuple[str, str]] = (
            collections.Counter()
        )
        for provider, consumer, used in self._rows(
            'placement',
            'SELECT p.uuid, a.consumer_id, SUM(a.used) FROM allocations a '
            'JOIN resource_providers p ON p.id = a.resource_provider_id '
            'GROUP BY p.uuid, a.consumer_id',
        ):
            if provider in providers:
                # What a server may come back to is its migration's.
                server_id = migrations.get(consumer, consumer)
                in_placement[provider, server_id] += int(used)
        in_cyborg = collections.Counter(
            self._cyborg(
                'SELECT device_rp_uuid, instance_uuid '
                'FROM extended_accelerator_requests '
                'WHERE device_rp_uuid IS NOT NULL'
            )
        )
        return [
            f'server {server_id} has {in_placement[provider, server_id]} in '
            f'Placement, {in_cyborg[provider, server_id]} in Cyborg, of '
            f'provider {provider}'
            for provider, server_id in {*in_placement, *in_cyborg}
            # It is first in the one and then in the other; when nothing is
            # done with it any more, it is a build that has never ended.
            if server_id not in building
            # What Cyborg alone has for no server is counted as its request.
            if (provider, server_id) in in_placement or server_id in servers
            if in_placement[provider, server_id]
            != in_cyborg[provider, server_id]
        ]

    def _leaked_guests(self, servers: set[str]) -> list[str]:
        handles = self._cyborg('SELECT uuid FROM attach_handles WHERE in_use')
        used = {uuid for (uuid,) in handles}
        return [
            *(
                f'host {guest.host} has a guest of server {guest.server_id}'
                for guest in self._guests()
                # Of a host that a server has left, Nova may forget to remove
                # the definition; what does not run has no device.
                if guest.runs and guest.server_id not in servers
            ),
            *(
                f'host {path.parent.name} has mediated device {path.name}'
                for path in (self._cloud.folder / 'mdevs').glob('*/*')
                if path.name not in used
            ),
        ]

    def _doubled_handles(self) -> list[str]:
        rows = self._cyborg(
            'SELECT h.uuid, h.in_use, COUNT(r.id) FROM attach_handles h '
            'JOIN extended_accelerator_requests r '
            'ON r.attach_handle_id = h.id GROUP BY h.uuid, h.in_use'
        )
        return [
            f'handle {uuid} (in use: {bool(in_use)}) is that of {count} '
            'requests'
            for uuid, in_use, count in rows
            # One that counts as free is given to the next, too.
            if count > 1 or not in_use
        ]

    def _doubled_slots(self) -> list[str]:
        found: dict[slots.Slot, list[str]] = {}
        running = [guest for guest in self._guests() if guest.runs]
        hosts = collections.Counter(guest.server_id for guest in running)
        for guest in running:
            for slot in guest.slots:
                found.setdefault(slot, []).append(guest.server_id)
        return [
            *(
                f'server {server_id} runs on {count} hosts'
                for server_id, count in hosts.items()
                if count > 1
            ),
            *(f'slot {line}' for line in self._notes.doubled),
            *(
                f'slot {slot}: {", ".join(holders)}'
                for slot, holders in found.items()
                if len(holders) > 1
            ),
        ]

    def _guests(self) -> list[slots.Guest]:
        return list(slots.guests(self._cloud.folder / 'domains'))

    def _cells(self, statement: str) -> list[ty.Any]:
        """Read the databases of all cells, with that of no cell."""
        cells = [topology.cell_database(cell) for cell in topology.CELLS]
        return [
            row
            for database in (topology.CELL0_DATABASE, *cells)
            for row in self._rows(database, statement)
        ]

    def _cyborg(self, statement: str) -> list[ty.Any]:
        return self._rows('cyborg', statement)

    def _rows(self, database: str, statement: str) -> list[ty.Any]:
        # A connection that is kept would keep what it has once seen.
        engine = sqlalchemy.create_engine(
            self._cloud.database_url(database), poolclass=sqlalchemy.NullPool
        )
        with engine.connect() as connection:
            found = connection.execute(sqlalchemy.text(statement))
            return [tuple(row) for row in found]

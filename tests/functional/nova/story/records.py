# SPDX-License-Identifier: Apache-2.0

"""What the databases of Cyborg and Placement have of slots, by SQL."""

import collections
import collections.abc
import dataclasses
import json
import typing as ty

import sqlalchemy as sa


@dataclasses.dataclass(frozen=True)
class Slot:
    """A slot of a device: an attach handle.

    :ivar host: the name of its node.
    :ivar card: the PCI address of the card it is reported on.
    :ivar place: the PCI address of the slot.
    :ivar in_use: whether it counts as in use.
    :ivar outages: why it is not given.
    :ivar provider: UUID of the card's resource provider, if any.
    """

    host: str
    card: str
    place: str
    in_use: bool
    outages: frozenset[str]
    provider: str | None

    @property
    def missing(self) -> bool:
        """Whether the last report did not have it."""
        return 'missing' in self.outages

    @property
    def is_free(self) -> bool:
        """Whether it can be given."""
        return not (self.in_use or self.outages)


@dataclasses.dataclass(frozen=True)
class Request:
    """An accelerator request.

    :ivar uuid: its UUID.
    :ivar server_id: UUID of the server.
    :ivar host: the node that it is bound on.
    :ivar provider: UUID of the resource provider that it is bound to.
    :ivar slot: its slot; None without.
    """

    uuid: str
    server_id: str | None
    host: str | None
    provider: str | None
    slot: Slot | None


@dataclasses.dataclass(frozen=True)
class Records:
    """All slots and accelerator requests, those that are deleted left out.

    :ivar slots: the slots.
    :ivar requests: the accelerator requests.
    :ivar bindings: UUID of the server, state and node of each binding.
    """

    slots: list[Slot]
    requests: list[Request]
    bindings: list[tuple[str, str, str]]

    def of(self, server_id: str) -> list[Request]:
        """Return the accelerator requests of a server."""
        return [each for each in self.requests if each.server_id == server_id]


def read(
    rows: collections.abc.Callable[[str], list[dict[str, ty.Any]]],
) -> Records:
    """Read the records.

    :param rows: returns the rows of a table.
    """
    slots = _slots(rows)
    requests = [
        Request(
            row['uuid'],
            row['instance_uuid'],
            row['hostname'],
            row['device_rp_uuid'],
            slots.get(row['attach_handle_id']),
        )
        for row in rows('extended_accelerator_requests')
    ]
    servers = {
        row['id']: row['server_id'] for row in rows('device_allocations')
    }
    bindings = [
        (servers[row['allocation_id']], row['state'], row['node'])
        for row in rows('device_bindings')
    ]
    return Records(list(slots.values()), requests, bindings)


def _slots(
    rows: collections.abc.Callable[[str], list[dict[str, ty.Any]]],
) -> dict[int, Slot]:
    hosts = {row['id']: row['hostname'] for row in rows('devices')}
    cards = {row['id']: row for row in rows('deployables')}
    outages = collections.defaultdict(set)
    for row in rows('attach_handle_outages'):
        outages[row['handle_uuid']].add(row['reason'])
    found = {}
    for row in rows('attach_handles'):
        card = cards[row['deployable_id']]
        host = hosts[card['device_id']]
        found[row['id']] = Slot(
            host,
            card['name'].removeprefix(f'{host}_'),
            '{domain}:{bus}:{device}.{function}'.format(
                **json.loads(row['attach_info'])
            ),
            bool(row['in_use']),
            frozenset(outages[row['uuid']]),
            card['rp_uuid'],
        )
    return found


@dataclasses.dataclass(frozen=True)
class Provider:
    """A resource provider of Placement.

    :ivar name: its name.
    :ivar offered: how much of it is offered.
    :ivar used: how much of it a consumer has.
    """

    name: str
    offered: int
    used: collections.Counter[str]


def read_providers(engine: sa.Engine) -> dict[str, Provider]:
    """Read the resource providers that have one resource class, by UUID.

    :param engine: an engine on Placement's database.
    """
    used = collections.defaultdict(collections.Counter)
    with engine.connect() as connection:
        for provider, consumer, amount in connection.execute(
            sa.text(
                'SELECT resource_provider_id, consumer_id, used '
                'FROM allocations'
            )
        ):
            used[provider][consumer] += amount
        rows = connection.execute(
            sa.text(
                'SELECT p.id, p.uuid, p.name, i.total, i.reserved '
                'FROM resource_providers p LEFT JOIN inventories i '
                'ON i.resource_provider_id = p.id '
                'WHERE p.parent_provider_id IS NOT NULL'
            )
        ).all()
    return {
        uuid: Provider(
            name,
            (total or 0) - (reserved or 0) - used[row_id].total(),
            used[row_id],
        )
        for row_id, uuid, name, total, reserved in rows
    }

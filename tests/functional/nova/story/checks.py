# SPDX-License-Identifier: Apache-2.0

"""What must be true of a cloud after each step."""

from tests.functional.nova import step  # isort: skip - first

import collections
import collections.abc
import dataclasses
import time
import typing as ty

from nova.tests.fixtures import libvirt as fakelibvirt
from placement import db_api

from tests.functional.nova import hotplug
from tests.functional.nova.story import records

_TIDY_SECONDS = 20


@dataclasses.dataclass
class Devices:
    """What a server has on a host.

    :ivar host: the name of the node.
    :ivar consumer: UUID of whom Placement has allocated it to: the server, or
        its migration.
    :ivar slots: its slots, by the UUID of the accelerator request.
    :ivar unclean: those of the slots that are to be cleaned after it.
    """

    host: str
    consumer: str
    slots: dict[str, str] = dataclasses.field(default_factory=dict)
    unclean: set[str] = dataclasses.field(default_factory=set)


@dataclasses.dataclass
class Guest:
    """A server, as the test knows it.

    :ivar server: the server, as the API has shown it last.
    :ivar of_contexts: how many devices it has by its device context.
    :ivar of_profile: how many it has by its flavor's device profile.
    :ivar flavor: UUID of its flavor.
    :ivar used: what it has on its host; None if it is on none.
    :ivar left: what is kept for it where it was, until its move is confirmed.
    :ivar rested: its status before it was moved.
    """

    server: dict[str, ty.Any]
    of_contexts: int
    of_profile: int
    flavor: str
    used: Devices | None = None
    left: Devices | None = None
    rested: str = ''

    @property
    def id(self) -> str:
        """The UUID of the server."""
        return str(self.server['id'])

    @property
    def places(self) -> list[Devices]:
        """What it has on all hosts."""
        return [each for each in (self.used, self.left) if each]

    @property
    def runs(self) -> bool:
        """Whether its guest is to run."""
        moved = self.status == 'VERIFY_RESIZE'
        return (self.rested if moved else self.status) == 'ACTIVE'

    @property
    def status(self) -> str:
        """The status of the server."""
        return str(self.server['status'])


class TestCase(step.TestCase):
    """A cloud that is looked over.

    :ivar servers: the servers that there are.
    """

    def setUp(self) -> None:
        super().setUp()
        self.servers: list[Guest] = []

    def read_records(self) -> records.Records:
        """Read Cyborg's database."""
        return records.read(
            lambda table: self.cyborg.control('rows', table=table)
        )

    def look(self, sure: ty.Container[str]) -> None:
        """Check that what is recorded, offered and running agrees.

        Nova may be tidying up still when a server has its last status.

        :param sure: the hosts whose last report is recorded.
        """
        end = time.monotonic() + _TIDY_SECONDS
        while True:
            try:
                self._look(sure)
                return
            except AssertionError:
                if time.monotonic() > end:
                    raise
            time.sleep(0.2)

    def _look(self, sure: ty.Container[str]) -> None:
        found = self.read_records()
        self._check_requests(found)
        self._check_bindings(found)
        self._check_placement(found, sure)
        for host, compute in self.computes.items():
            self._check_guests(host, compute)

    def _check_requests(self, found: records.Records) -> None:
        """Each server has its slots, and nobody has another one."""
        for guest in self.servers:
            of_server = {
                each.uuid: each.slot and (each.slot.host, each.slot.place)
                for each in found.of(guest.id)
            }
            self.assertEqual(
                {
                    uuid: (place.host, at)
                    for place in guest.places
                    for uuid, at in place.slots.items()
                },
                of_server,
            )
        known = {guest.id for guest in self.servers}
        taken = [each.slot for each in found.requests if each.slot]
        self.assertLessEqual(
            {each.server_id for each in found.requests}, known
        )
        self.assertCountEqual(
            [slot for slot in found.slots if slot.in_use], taken
        )
        places = collections.Counter((slot.host, slot.place) for slot in taken)
        self.assertEqual([], [at for at, n in places.items() if n > 1])

    def _check_bindings(self, found: records.Records) -> None:
        """Each server with a context uses what it has on one host."""
        self.assertCountEqual(
            [
                (guest.id, state, place.host)
                for guest in self.servers
                if guest.of_contexts
                for state, place in (
                    ('active', guest.used),
                    ('leaving', guest.left),
                )
                if place
            ],
            found.bindings,
        )

    def _check_placement(
        self, found: records.Records, sure: ty.Container[str]
    ) -> None:
        """Placement has what servers have, and offers what can be given."""
        engine = db_api.placement_context_manager.writer.get_engine()
        providers = records.read_providers(engine)
        consumers = {
            uuid: place.consumer
            for guest in self.servers
            for place in guest.places
            for uuid in place.slots
        }
        wanted = collections.defaultdict(collections.Counter)
        for request in found.requests:
            wanted[request.provider][consumers[request.uuid]] += 1
        self.assertLessEqual(set(wanted), set(providers))
        for uuid, provider in providers.items():
            self.assertEqual(wanted[uuid], provider.used, provider)
        for host, uuid in {(slot.host, slot.provider) for slot in found.slots}:
            if host in sure:
                mine = [slot for slot in found.slots if slot.provider == uuid]
                self.assertIn(uuid, providers, mine)
                free = [slot for slot in mine if slot.is_free]
                offered = max(providers[uuid].offered, 0)
                self.assertEqual(len(free), offered, mine)

    def _check_guests(self, host: str, compute: ty.Any) -> None:
        """Each guest that runs has the slots of its server, and no others."""
        running = collections.defaultdict(list)
        for server_id, slot in self._running(compute):
            running[server_id].append(slot)
        here = {
            guest.id: guest
            for guest in self.servers
            if guest.used and guest.used.host == host
        }
        for server_id, slots in running.items():
            self.assertIn(server_id, here)
            used = here[server_id].used
            self.assertCountEqual(used.slots.values(), slots)
        for guest in here.values():
            self.assertEqual(guest.runs, guest.id in running, guest.server)
        slots = [slot for found in running.values() for slot in found]
        self.assertCountEqual(set(slots), slots)

    def _running(
        self, compute: ty.Any
    ) -> collections.abc.Iterator[tuple[str, str]]:
        """Find the slots in the guests that run, as libvirt has them now."""
        connection = compute.driver._host.get_connection()
        for domain in connection.listAllDomains(
            fakelibvirt.VIR_CONNECT_LIST_DOMAINS_ACTIVE
        ):
            for element in domain.live:
                yield domain.UUIDString(), hotplug.slot_of(element)

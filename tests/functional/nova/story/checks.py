# SPDX-License-Identifier: Apache-2.0

"""What must be true of a cloud after each step."""

from tests.functional.nova import step  # isort: skip - first

import collections
import dataclasses
import time
import typing as ty

from placement import db_api

from tests.functional.nova.story import records

_TIDY_SECONDS = 20


@dataclasses.dataclass
class Guest:
    """A server, as the test knows it.

    :ivar server: the server, as the API has shown it last.
    :ivar wanted: how many devices it has.
    :ivar host: the name of its node; None if it is on none.
    :ivar slots: its slots, by the UUID of the accelerator request.
    :ivar unclean: those of the slots that are to be cleaned after it.
    """

    server: dict[str, ty.Any]
    wanted: int
    host: str | None = None
    slots: dict[str, str] = dataclasses.field(default_factory=dict)
    unclean: set[str] = dataclasses.field(default_factory=set)

    @property
    def id(self) -> str:
        """The UUID of the server."""
        return str(self.server['id'])

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
                {uuid: (guest.host, at) for uuid, at in guest.slots.items()},
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

    def _check_placement(
        self, found: records.Records, sure: ty.Container[str]
    ) -> None:
        """Placement has what servers have, and offers what can be given."""
        engine = db_api.placement_context_manager.writer.get_engine()
        providers = records.read_providers(engine)
        wanted = collections.defaultdict(collections.Counter)
        for request in found.requests:
            wanted[request.provider][request.server_id] += 1
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
            guest.id: guest for guest in self.servers if guest.host == host
        }
        for server_id, slots in running.items():
            self.assertIn(server_id, here)
            self.assertCountEqual(here[server_id].slots.values(), slots)
        for guest in here.values():
            if guest.status == 'ACTIVE':
                self.assertIn(guest.id, running)
        slots = [slot for found in running.values() for slot in found]
        self.assertCountEqual(set(slots), slots)

# SPDX-License-Identifier: Apache-2.0

"""What the clients saw: it must be true at the end, too."""

import collections
import dataclasses
import pathlib
import threading
import time

from tools.seldom.chaos.damage import slots

BOOT = 'boot'
DELETE = 'delete'


@dataclasses.dataclass(frozen=True)
class Left:
    """A server that a client has left, as nothing became of it in time.

    :ivar asked: what the client has asked for: its boot, or its end.
    :ivar since: when it has, by a clock that only goes forward.
    """

    asked: str
    since: float = dataclasses.field(default_factory=time.monotonic)


@dataclasses.dataclass
class Ledger:
    """The clients' notes, from all of their threads.

    :ivar outcomes: how many boots ended how.
    :ivar actions: how many things that were done with servers ended how.
    :ivar late: how many boots and deletes that clients left ended how.
    :ivar kept: device contexts that must outlive their servers.
    :ivar ended: device contexts that must be gone with their servers.
    :ivar doubled: slots that two running servers had at once.
    :ivar without_device: servers that ran without what they asked for.
    """

    outcomes: collections.Counter[str] = dataclasses.field(
        default_factory=collections.Counter
    )
    actions: collections.Counter[str] = dataclasses.field(
        default_factory=collections.Counter
    )
    late: collections.Counter[str] = dataclasses.field(
        default_factory=collections.Counter
    )
    kept: set[str] = dataclasses.field(default_factory=set)
    ended: set[str] = dataclasses.field(default_factory=set)
    doubled: list[str] = dataclasses.field(default_factory=list)
    without_device: list[str] = dataclasses.field(default_factory=list)
    _holders: dict[slots.Slot, str] = dataclasses.field(default_factory=dict)
    _left: dict[str, Left] = dataclasses.field(default_factory=dict)
    _lock: threading.Lock = dataclasses.field(default_factory=threading.Lock)

    def note(self, outcome: str) -> int:
        """Count the end of a boot.

        :param outcome: how it ended.
        :returns: how many boots have ended.
        """
        with self._lock:
            self.outcomes[outcome] += 1
            return self.outcomes.total()

    def note_action(self, action: str, outcome: str) -> None:
        """Count something that was done with a server.

        :param action: what.
        :param outcome: how it ended.
        """
        with self._lock:
            self.actions[f'{action} {outcome}'] += 1

    def leave(self, server_id: str, left: Left) -> None:
        """Leave a server, which is deleted when somebody can.

        :param left: what it was left with.
        """
        # What it has may soon be another one's.
        self.leaves(server_id)
        with self._lock:
            self._left[server_id] = left

    def left(self) -> dict[str, Left]:
        """Return the servers that were left, and have not ended yet."""
        with self._lock:
            return dict(self._left)

    def note_late(self, server_id: str, outcome: str) -> None:
        """Count the end of what a server was left with.

        :param outcome: how it ended.
        """
        with self._lock:
            left = self._left.pop(server_id)
            self.late[f'{left.asked} {outcome}'] += 1

    def runs(self, folder: pathlib.Path, server_id: str) -> None:
        """Note the slots of a server that is ACTIVE.

        :param folder: the folder of all hosts' guests.
        """
        found = [
            slot
            for guest in slots.guests(folder, server_id)
            # What is kept for a revert was noted when it was started.
            if guest.runs
            for slot in guest.slots
        ]
        with self._lock:
            if not found:
                self.without_device.append(server_id)
            for slot in found:
                holder = self._holders.setdefault(slot, server_id)
                if holder != server_id:
                    self.doubled.append(f'{slot}: {holder}, {server_id}')

    def leaves(self, server_id: str) -> None:
        """Forget the slots of a server that is about to leave its host."""
        with self._lock:
            self._holders = {
                slot: holder
                for slot, holder in self._holders.items()
                if holder != server_id
            }

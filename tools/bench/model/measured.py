# SPDX-License-Identifier: Apache-2.0

"""What comes of measuring something once."""

from __future__ import annotations

import dataclasses


@dataclasses.dataclass(frozen=True)
class Unit:
    """A unit of work: an HTTP request that is served, or a message.

    :ivar service: the service that has done it.
    :ivar name: what it is, with ``{id}`` for each UUID.
    :ivar seconds: how long it took.
    :ivar statements: its SQL statements.
    :ivar writes: its transactions that write.
    :ivar messages: messages that it has sent.
    :ivar size: bytes of its answer.
    """

    service: str
    name: str
    seconds: float
    statements: int = 0
    writes: int = 0
    messages: int = 0
    size: int = 0


@dataclasses.dataclass(frozen=True)
class Table:
    """A table of Cyborg's database.

    :ivar plugin: whether the services have the plugin.
    :ivar bound: how many accelerators were bound.
    :ivar name: its name.
    :ivar rows: how many rows it has.
    :ivar size: bytes that it takes, with its indexes; None if the database
        does not say.
    """

    plugin: bool
    bound: int
    name: str
    rows: int
    size: int | None


@dataclasses.dataclass(frozen=True)
class Sample:
    """What one operation took, once.

    :ivar system: the name of the system.
    :ivar operation: what was done.
    :ivar bound: how many accelerators were bound already.
    :ivar seconds: seconds by phase.
    :ivar counts: statements, transactions, transactions that write and
        messages, by service; and calls of Cyborg.
    :ivar units: what was done.
    """

    system: str
    operation: str
    bound: int
    seconds: dict[str, float]
    counts: dict[str, int]
    units: list[Unit]


@dataclasses.dataclass(frozen=True)
class Failure:
    """What was not done.

    :ivar system: the name of the system.
    :ivar operation: what it was.
    :ivar bound: how many accelerators were bound already.
    :ivar reason: why not.
    """

    system: str
    operation: str
    bound: int
    reason: str


@dataclasses.dataclass(frozen=True)
class Throughput:
    """What several clients have done at once.

    :ivar system: the name of the system.
    :ivar bound: how many accelerators were bound already.
    :ivar clients: how many there were.
    :ivar done: how many servers were booted and deleted.
    :ivar failed: how many were not.
    :ivar seconds: how long that took.
    """

    system: str
    bound: int
    clients: int
    done: int
    failed: int
    seconds: float

    @property
    def rate(self) -> float:
        """Servers that were booted and deleted, in a minute."""
        return 60 * self.done / self.seconds


@dataclasses.dataclass(frozen=True)
class Memory:
    """What a program takes, with its workers.

    :ivar plugin: whether the services have the plugin.
    :ivar program: its name.
    :ivar bound: how many accelerators were bound.
    :ivar processes: how many processes it is.
    :ivar resident: bytes in memory, of all of them together.
    :ivar own: bytes that would be free without them.
    """

    plugin: bool
    program: str
    bound: int
    processes: int
    resident: int
    own: int

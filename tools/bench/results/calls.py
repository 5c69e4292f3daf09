# SPDX-License-Identifier: Apache-2.0

"""What an operation has Cyborg do, request by request."""

from __future__ import annotations

import collections
import collections.abc
import dataclasses

from tools.bench.model import measured
from tools.bench.results import statistics

_SERVICES = ('cyborg-api', 'cyborg-conductor')


@dataclasses.dataclass(frozen=True)
class Call:
    """Requests of one kind, of one operation.

    :ivar system: the name of the system.
    :ivar operation: the operation.
    :ivar bound: how many accelerators are bound already.
    :ivar service: the service of Cyborg that serves them.
    :ivar name: what they are.
    :ivar times: how many there are in an operation.
    :ivar seconds: the median of how long they take.
    :ivar statements: the median of their SQL statements.
    :ivar most: the most of these; and, of them, of the next two.
    :ivar writes: the most of their transactions that write.
    :ivar messages: the most of the messages that they send.
    :ivar size: the median of the bytes of their answers.
    """

    system: str
    operation: str
    bound: int
    service: str
    name: str
    times: float
    seconds: float
    statements: float
    most: int
    writes: int
    messages: int
    size: float


def of(samples: collections.abc.Iterable[measured.Sample]) -> list[Call]:
    """Find the requests of operations.

    :param samples: what was measured.
    :returns: the requests of Cyborg, in the order in which they came first.
    """
    operations: collections.Counter[tuple[str, str, int]] = (
        collections.Counter()
    )
    found: dict[tuple[str, str, int, str, str], list[measured.Unit]] = {}
    for sample in samples:
        key = sample.system, sample.operation, sample.bound
        operations[key] += 1
        for unit in sample.units:
            if unit.service in _SERVICES:
                one = (*key, unit.service, unit.name)
                found.setdefault(one, []).append(unit)
    return [
        Call(
            *key,
            times=len(units) / operations[key[:3]],
            seconds=_median(unit.seconds for unit in units),
            statements=_median(unit.statements for unit in units),
            most=max(unit.statements for unit in units),
            writes=max(unit.writes for unit in units),
            messages=max(unit.messages for unit in units),
            size=_median(unit.size for unit in units),
        )
        for key, units in found.items()
    ]


def _median(values: collections.abc.Iterable[float]) -> float:
    return statistics.percentile(values, 0.5)

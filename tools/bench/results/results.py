# SPDX-License-Identifier: Apache-2.0

"""What a run has found, in short, as it is kept in a file."""

from __future__ import annotations

import collections
import collections.abc
import dataclasses
import json
import pathlib
import typing as ty

from tools.bench.operations import memory as memory_module
from tools.bench.operations import samples as samples_module
from tools.bench.operations import throughput as throughput_module
from tools.bench.results import statistics


@dataclasses.dataclass(frozen=True)
class Operation:
    """What an operation takes on a system, with so much there already.

    :ivar system: the name of the system.
    :ivar name: what is done.
    :ivar bound: how many accelerators are bound already.
    :ivar seconds: of each phase.
    :ivar counts: the median of each count.
    :ivar failed: how often it was not done.
    """

    system: str
    name: str
    bound: int
    seconds: dict[str, statistics.Summary]
    counts: dict[str, float]
    failed: int


@dataclasses.dataclass(frozen=True)
class Unit:
    """The most that a unit of work had, of all of its kind.

    :ivar statements: its SQL statements.
    :ivar writes: its transactions that write.
    :ivar messages: messages that it has sent.
    """

    statements: int
    writes: int
    messages: int


@dataclasses.dataclass
class Results:
    """All that a run has found.

    :ivar machine: what it was made on.
    :ivar parameters: how much was done.
    :ivar operations: what each operation takes.
    :ivar throughput: what several clients do at once.
    :ivar memory: what each program takes.
    :ivar bind: the most that binding of one device had; None if none was.
    :ivar ended: whether all was done that was asked for.
    """

    machine: dict[str, str]
    parameters: dict[str, ty.Any]
    operations: list[Operation]
    throughput: list[throughput_module.Throughput]
    memory: list[memory_module.Memory]
    bind: Unit | None
    ended: bool = False

    def find(self, system: str, name: str, bound: int) -> Operation | None:
        """Find what an operation takes.

        :param system: the name of the system.
        :param name: what is done.
        :param bound: how many accelerators are bound already.
        :returns: it; None if that was not measured.
        """
        for each in self.operations:
            if (each.system, each.name, each.bound) == (system, name, bound):
                return each
        return None

    def rate(self, system: str, clients: int, bound: int) -> float | None:
        """Find how many servers clients boot and delete in a minute.

        :param clients: how many clients.
        :returns: the rate; None if that was not measured.
        """
        for each in self.throughput:
            if (each.system, each.clients, each.bound) == (
                system,
                clients,
                bound,
            ):
                return each.rate
        return None

    @property
    def bounds(self) -> list[int]:
        """The numbers of accelerators that were bound."""
        return sorted({each.bound for each in self.operations})

    def save(self, path: pathlib.Path, figures: list[ty.Any]) -> None:
        """Write all to a file.

        :param path: the file.
        :param figures: the figures that are to be shown.
        """
        content = dataclasses.asdict(self)
        content['throughput'] = [
            {**dataclasses.asdict(each), 'rate': each.rate}
            for each in self.throughput
        ]
        content['figures'] = [dataclasses.asdict(each) for each in figures]
        text = json.dumps(_rounded(content), indent=1, sort_keys=True)
        path.write_text(text + '\n')


def summarise(
    samples: samples_module.Samples,
) -> list[Operation]:
    """Return samples in short.

    :param samples: what was measured.
    :returns: what each operation takes, those that always fail included.
    """
    found = collections.defaultdict(list)
    for sample in samples.found:
        found[sample.system, sample.operation, sample.bound].append(sample)
    failed = collections.Counter(
        (each.system, each.operation, each.bound) for each in samples.failures
    )
    return [
        Operation(
            *key,
            seconds=_seconds(found.get(key, [])),
            counts=_counts(found.get(key, [])),
            failed=failed[key],
        )
        for key in sorted({*found, *failed}, key=lambda key: key[2])
    ]


def most(
    samples: collections.abc.Iterable[samples_module.Sample], ending: str
) -> Unit | None:
    """Find the most that a kind of work had.

    :param samples: of what.
    :param ending: what the name of its units ends with.
    :returns: the most; None if there was none.
    """
    found = [
        unit[2:]
        for sample in samples
        for unit in sample.units
        if unit[1].endswith(ending)
    ]
    if not found:
        return None
    return Unit(*(max(numbers) for numbers in zip(*found, strict=True)))


def _seconds(
    samples: list[samples_module.Sample],
) -> dict[str, statistics.Summary]:
    phases = samples[0].seconds if samples else {}
    return {
        phase: statistics.summary([each.seconds[phase] for each in samples])
        for phase in phases
    }


def _counts(samples: list[samples_module.Sample]) -> dict[str, float]:
    names = sorted({name for each in samples for name in each.counts})
    return {
        name: statistics.percentile(
            [each.counts.get(name, 0) for each in samples], 0.5
        )
        for name in names
    }


def _rounded(value: ty.Any) -> ty.Any:
    """Leave out digits that no clock has measured."""
    if isinstance(value, float):
        return float(f'{value:.4g}')
    if isinstance(value, dict):
        return {key: _rounded(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_rounded(each) for each in value]
    return value

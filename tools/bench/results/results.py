# SPDX-License-Identifier: Apache-2.0

"""What a run has found, in short, as it is kept in a file."""

from __future__ import annotations

import collections
import collections.abc
import dataclasses
import json
import pathlib
import typing as ty

from tools.bench.model import measured, operations
from tools.bench.results import calls, statistics


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


@dataclasses.dataclass
class Results:
    """All that a run has found.

    :ivar machine: what it was made on.
    :ivar parameters: how much was done.
    :ivar operations: what each operation takes.
    :ivar throughput: what several clients do at once.
    :ivar memory: what each program takes.
    :ivar calls: what operations have Cyborg do.
    :ivar tables: what Cyborg's database has.
    :ivar ended: whether all was done that was asked for.
    """

    machine: dict[str, str]
    parameters: dict[str, ty.Any]
    operations: list[Operation]
    throughput: list[measured.Throughput]
    memory: list[measured.Memory]
    calls: list[calls.Call]
    tables: list[measured.Table]
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

    @classmethod
    def load(cls, path: pathlib.Path) -> Results:
        """Read what :meth:`save` has written.

        :param path: the file.
        """
        content = json.loads(path.read_text())
        return cls(
            content['machine'],
            content['parameters'],
            [_operation(each) for each in content['operations']],
            [
                measured.Throughput(**_without(each, 'rate'))
                for each in content['throughput']
            ],
            [measured.Memory(**each) for each in content['memory']],
            [calls.Call(**each) for each in content['calls']],
            [measured.Table(**each) for each in content['tables']],
            content['ended'],
        )

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
    samples: collections.abc.Iterable[measured.Sample],
    failures: collections.abc.Iterable[measured.Failure],
) -> list[Operation]:
    """Return samples in short.

    :param samples: what was measured.
    :param failures: what has failed.
    :returns: what each operation takes, those that always fail included.
    """
    found = collections.defaultdict(list)
    for sample in samples:
        found[sample.system, sample.operation, sample.bound].append(sample)
    failed = collections.Counter(
        (each.system, each.operation, each.bound) for each in failures
    )
    return [
        Operation(
            *key,
            seconds=_seconds(found.get(key, [])),
            counts=_counts(found.get(key, [])),
            failed=failed[key],
        )
        for key in sorted({*found, *failed}, key=_order)
    ]


def _order(key: tuple[str, str, int]) -> tuple[int, int, str]:
    system, name, bound = key
    return operations.ALL.index(name), bound, system


def _seconds(
    samples: list[measured.Sample],
) -> dict[str, statistics.Summary]:
    phases = samples[0].seconds if samples else {}
    return {
        phase: statistics.summary([each.seconds[phase] for each in samples])
        for phase in phases
    }


def _counts(samples: list[measured.Sample]) -> dict[str, float]:
    names = sorted({name for each in samples for name in each.counts})
    return {
        name: statistics.percentile(
            [each.counts.get(name, 0) for each in samples], 0.5
        )
        for name in names
    }


def _operation(item: dict[str, ty.Any]) -> Operation:
    seconds = {
        phase: statistics.Summary(**each)
        for phase, each in item['seconds'].items()
    }
    return Operation(**{**item, 'seconds': seconds})


def _without(item: dict[str, ty.Any], name: str) -> dict[str, ty.Any]:
    return {key: value for key, value in item.items() if key != name}


def _rounded(value: ty.Any) -> ty.Any:
    """Leave out digits that no clock has measured."""
    if isinstance(value, float):
        return float(f'{value:.4g}')
    if isinstance(value, dict):
        return {key: _rounded(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_rounded(each) for each in value]
    return value

# SPDX-License-Identifier: Apache-2.0

"""The figures that are to be shown, each with its bound."""

from __future__ import annotations

import collections.abc
import dataclasses
import operator
import typing as ty

from tools.bench.model import operations, systems
from tools.bench.results import calls, phases, results, statistics

_FEW, _PAGE, _MANY, _MOST = 10, 100, 1000, 10000
_CLIENTS = 32
_STATEMENTS = 12
_BIND = '/bind'
_PLAIN = (
    operations.BOOT_PLAIN,
    operations.REBOOT_PLAIN,
    operations.DELETE_PLAIN,
)


@dataclasses.dataclass(frozen=True)
class Figure:
    """A number that was measured, and what it may be.

    :ivar name: what it is.
    :ivar value: the number; None if it was not measured.
    :ivar bound: what it may be.
    :ivar at_least: whether it may be more than that, and not less.
    """

    name: str
    value: float | None
    bound: float
    at_least: bool = False

    @property
    def holds(self) -> bool | None:
        """Whether it is what it may be; None if it was not measured."""
        if self.value is None:
            return None
        if self.at_least:
            return self.value >= self.bound
        return self.value <= self.bound

    @property
    def verdict(self) -> str:
        """That in a word."""
        return {True: 'pass', False: 'FAIL', None: 'not measured'}[self.holds]


def of(found: results.Results) -> list[Figure]:
    """Compute the figures.

    :param found: what was measured.
    :returns: the figures, those that were not measured included.
    """
    contexts, stock = systems.CONTEXTS, systems.STOCK
    look = _Look(found)
    accelerators = phases.ACCELERATORS
    return [
        Figure(
            'accelerator part of a boot, 10,000 bound against 10',
            look.growth(operations.BOOT, accelerators, _MOST, _FEW),
            1.2,
        ),
        Figure(
            'the same against stock, at 1,000',
            look.against(operations.BOOT, accelerators, _MANY),
            1 / 50,
        ),
        Figure(
            'the same against stock, at 10',
            look.against(operations.BOOT, accelerators, _FEW),
            1.0,
        ),
        *(
            Figure(
                f'accelerator part of a {name}, 10,000 bound against 10',
                look.growth(name, accelerators, _MOST, _FEW),
                1.2,
            )
            for name in (operations.REBOOT, operations.DELETE)
        ),
        *(
            Figure(
                f'{name}: a page of 100, among 10,000 against among 100',
                look.growth(name, phases.CYBORG, _MOST, _PAGE),
                1.5,
            )
            for name in (operations.LIST, operations.LIST_BOUND)
        ),
        *(
            Figure(
                f'{_CLIENTS} clients against stock, at {at:,}',
                _ratio(
                    found.rate(contexts, _CLIENTS, at),
                    found.rate(stock, _CLIENTS, at),
                ),
                bound,
                at_least=True,
            )
            for at, bound in ((_FEW, 1.2), (_MANY, 20.0))
        ),
        *_bind(found.calls),
        *look.plain(),
        Figure(
            f'accelerator part of a {operations.BOOT_MANY} device contexts, '
            'against one',
            look.many(),
            1.5,
        ),
    ]


def _bind(found: list[calls.Call]) -> list[Figure]:
    """Say what it is to bind one device, with the most there is already."""
    bind = [
        each
        for each in found
        if (each.system, each.operation) == (systems.CONTEXTS, operations.BOOT)
        and each.name.endswith(_BIND)
    ]
    return [
        Figure(
            f'bind of one PCI device: {name}',
            max((value(each) for each in bind), default=None),
            bound,
        )
        for name, value, bound in (
            ('statements', operator.attrgetter('most'), _STATEMENTS),
            ('transactions that write', operator.attrgetter('writes'), 1),
            ('messages', operator.attrgetter('messages'), 0),
        )
    ]


def _ratio(one: float | None, other: float | None) -> float | None:
    if one is None or other is None:
        return None
    return statistics.ratio(one, other)


class _Look:
    """Looks numbers up."""

    def __init__(self, found: results.Results) -> None:
        self._found = found

    def growth(
        self, name: str, phase: str, many: int, few: int
    ) -> float | None:
        """Return the ratio of medians of device contexts, many to few."""
        return _ratio(
            self._median(systems.CONTEXTS, name, phase, many),
            self._median(systems.CONTEXTS, name, phase, few),
        )

    def against(self, name: str, phase: str, bound: int) -> float | None:
        """Return the ratio of medians, device contexts to stock."""
        return _ratio(
            self._median(systems.CONTEXTS, name, phase, bound),
            self._median(systems.STOCK, name, phase, bound),
        )

    def many(self) -> float | None:
        """Return the ratio of many device contexts to one, at the most."""
        for bound in reversed(self._found.bounds):
            many, one = (
                self._median(
                    systems.CONTEXTS, name, phases.ACCELERATORS, bound
                )
                for name in (operations.BOOT_MANY, operations.BOOT)
            )
            if many is not None:
                return _ratio(many, one)
        return None

    def plain(self) -> collections.abc.Iterator[Figure]:
        """Say what the plugin costs a server without accelerators."""
        for name in _PLAIN:
            yield Figure(
                f'{name}: more statements, messages and calls of Cyborg with '
                'the plugin',
                self._more(name),
                0,
            )
            yield Figure(
                f'{name}: time more with the plugin, in spreads',
                self._noise(name),
                1.0,
            )

    def _median(
        self, name: str, operation: str, phase: str, bound: int
    ) -> float | None:
        found = self._found.find(name, operation, bound)
        if found is None or phase not in found.seconds:
            return None
        return found.seconds[phase].p50

    def _pairs(
        self, name: str
    ) -> collections.abc.Iterator[tuple[results.Operation, ...]]:
        for bound in self._found.bounds:
            found = tuple(
                each
                for each in (
                    self._found.find(one, name, bound)
                    for one in (systems.CONTEXTS, systems.STOCK)
                )
                if each and each.seconds
            )
            if len(found) == 2:
                yield found

    def _more(self, name: str) -> float | None:
        """Return how much more there is, of what there is more, at most."""
        differences = [
            ours.counts.get(what, 0) - stock.counts.get(what, 0)
            for ours, stock in self._pairs(name)
            for what in {*ours.counts, *stock.counts}
            if not what.startswith(('glance', 'neutron'))
        ]
        return max(differences, default=None)

    def _noise(self, name: str) -> float | None:
        """Return the difference of medians, in ranges of half of all."""
        found: list[float] = []
        for ours, stock in self._pairs(name):
            one, other = (each.seconds[phases.WHOLE] for each in (ours, stock))
            spread = max(one.spread, other.spread)
            found.append(
                statistics.ratio(max(one.p50 - other.p50, 0.0), spread)
            )
        return _middle(found)


def _middle(values: list[float]) -> float | None:
    return statistics.percentile(values, 0.5) if values else None


def all_hold(figures: collections.abc.Iterable[Figure]) -> bool:
    """Tell whether all figures that were measured are what they may be.

    :param figures: the figures.
    """
    return all(each.holds is not False for each in figures)


def as_words(figure: Figure) -> tuple[str, str, str, str]:
    """Return a figure as a line of a table.

    :param figure: the figure.
    :returns: what it is, the number, the bound, and whether it holds.
    """
    value = '-' if figure.value is None else number(figure.value)
    sign = '≥' if figure.at_least else '≤'
    return figure.name, value, f'{sign} {number(figure.bound)}', figure.verdict


def number(value: ty.SupportsFloat) -> str:
    """Return a number with as many digits as mean something.

    :param value: the number.
    """
    found = float(value)
    if found.is_integer():
        return f'{found:,.0f}'
    return f'{found:.3g}' if abs(found) < 100 else f'{found:,.0f}'

# SPDX-License-Identifier: Apache-2.0

"""What was found, as tables that people read: the ratios first."""

from __future__ import annotations

import collections.abc

from tools.bench.model import systems
from tools.bench.results import figures as figures_module
from tools.bench.results import phases, results, statistics

Rows = collections.abc.Sequence[collections.abc.Sequence[str]]


def lines(rows: Rows) -> list[str]:
    """Lay a table out, with its columns beneath each other.

    :param rows: the rows, the first one the head.
    :returns: the lines.
    """
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    laid = [
        '  '.join(
            cell.ljust(width) if place == 0 else cell.rjust(width)
            for place, (cell, width) in enumerate(
                zip(row, widths, strict=True)
            )
        ).rstrip()
        for row in rows
    ]
    return [laid[0], '  '.join('-' * width for width in widths), *laid[1:]]


def figures(found: list[figures_module.Figure]) -> Rows:
    """Return the table of the figures.

    :param found: the figures.
    """
    head = 'figure', 'measured', 'bound', ''
    return [head, *map(figures_module.as_words, found)]


def ratios(found: results.Results) -> Rows:
    """Return the table of device contexts against stock.

    Of each operation and number of accelerators: the ratio of the medians of
    the accelerator part, and of all of it.

    :param found: what was measured.
    """
    rows: list[tuple[str, ...]] = [
        ('contexts / stock', 'bound', 'accelerators', 'whole')
    ]
    for ours in found.operations:
        stock = found.find(systems.STOCK, ours.name, ours.bound)
        if ours.system != systems.CONTEXTS or not stock:
            continue
        if not (ours.seconds and stock.seconds):
            continue
        rows.append(
            (
                ours.name,
                f'{ours.bound:,}',
                *(
                    _ratio(ours.seconds[phase].p50, stock.seconds[phase].p50)
                    for phase in (phases.ACCELERATORS, phases.WHOLE)
                ),
            )
        )
    return rows


def _ratio(one: float, other: float) -> str:
    # Of a server without accelerators, there is no such part.
    if not (one or other):
        return '-'
    return figures_module.number(statistics.ratio(one, other))


def times(found: results.Results, phase: str) -> Rows:
    """Return the table of a phase, in milliseconds.

    :param found: what was measured.
    :param phase: the phase.
    """
    rows: list[tuple[str, ...]] = [
        (f'{phase}, ms', 'bound', 'system', 'n', 'p50', 'p90', 'p99')
    ]
    for each in found.operations:
        summary = each.seconds.get(phase)
        if summary is None or not summary.p99:
            continue
        rows.append(
            (
                each.name,
                f'{each.bound:,}',
                each.system,
                _count(summary, each.failed),
                *(
                    f'{1000 * value:,.0f}'
                    for value in (summary.p50, summary.p90, summary.p99)
                ),
            )
        )
    return rows


def _count(summary: statistics.Summary, failed: int) -> str:
    return f'{summary.count} (+{failed})' if failed else str(summary.count)


def throughput(found: results.Results) -> Rows:
    """Return the table of what several clients do at once.

    :param found: what was measured.
    """
    rows = [
        (
            'servers booted and deleted',
            'bound',
            'system',
            'n',
            'failed',
            'a minute',
        )
    ]
    for each in sorted(
        found.throughput, key=lambda each: (each.bound, each.clients)
    ):
        rows.append(
            (
                f'{each.clients} clients',
                f'{each.bound:,}',
                each.system,
                str(each.done),
                str(each.failed),
                figures_module.number(each.rate),
            )
        )
    return rows


def memory(found: results.Results) -> Rows:
    """Return the table of the memory of programs, in MiB.

    :param found: what was measured: its least and its most accelerators.
    """
    bounds = sorted({each.bound for each in found.memory})
    chosen = sorted({*bounds[:1], *bounds[-1:]})
    rows = [('memory, MiB', 'plugin', 'processes', *map(_bound, chosen))]
    programs = sorted({(each.program, each.plugin) for each in found.memory})
    for program, plugin in programs:
        sizes = {
            each.bound: each
            for each in found.memory
            if (each.program, each.plugin) == (program, plugin)
        }
        rows.append(
            (
                program,
                'on' if plugin else 'off',
                str(max(each.processes for each in sizes.values())),
                *(
                    f'{sizes[bound].own / 2**20:,.0f}'
                    if bound in sizes
                    else '-'
                    for bound in chosen
                ),
            )
        )
    return rows


def _bound(bound: int) -> str:
    return f'{bound:,} bound'


def requests(found: results.Results) -> Rows:
    """Return the table of what device contexts have Cyborg do.

    :param found: what was measured: with the most accelerators.
    """
    rows: list[tuple[str, ...]] = [
        (
            'operation',
            'request',
            'times',
            'statements',
            'ms',
            'bytes',
        )
    ]
    for each in found.calls:
        if (each.system, each.bound) != (systems.CONTEXTS, found.bounds[-1]):
            continue
        rows.append(
            (
                each.operation,
                f'{each.service}: {each.name}',
                figures_module.number(each.times),
                figures_module.number(each.statements),
                f'{1000 * each.seconds:,.0f}',
                f'{each.size:,.0f}',
            )
        )
    return rows


def tables(found: results.Results) -> Rows:
    """Return the table of Cyborg's database, by what one accelerator takes.

    :param found: what was measured: with the most accelerators.
    """
    most = max((each.bound for each in found.tables), default=0)
    rows: list[tuple[str, ...]] = [
        ('table', 'rows each', 'bytes each', 'GiB for 100,000')
    ]
    total = 0
    for each in found.tables:
        if each.bound != most or not each.plugin or each.rows < most / 100:
            continue
        total += each.size or 0
        rows.append(
            (
                each.name,
                figures_module.number(each.rows / most),
                *_size(each.size, most),
            )
        )
    rows.append(('all', '', *_size(total or None, most)))
    return rows


def _size(size: int | None, bound: int) -> tuple[str, str]:
    if size is None:
        return '-', '-'
    each = size / bound
    return f'{each:,.0f}', figures_module.number(each * 100_000 / 2**30)

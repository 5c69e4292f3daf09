# SPDX-License-Identifier: Apache-2.0

"""``python -m tools.bench``: what servers with accelerators cost."""

import collections.abc
import pathlib
import sys

from tools.bench import arguments, exception, run
from tools.bench.clouds import up
from tools.bench.results import (
    figures,
    phases,
    plot,
    readme,
    results,
    table,
)
from tools.cloud import exception as cloud_exception
from tools.cloud.machine import installation
from tools.command_line import progress, signals


def main(argv: collections.abc.Sequence[str] | None = None) -> int:
    """Measure, and write down what is found.

    :param argv: its arguments; by default those of the process.
    :returns: the exit status: 0 if all figures are what they may be, 1 if
        one is not, 2 if it could not be measured.
    """
    size, output = arguments.parse(argv)
    signals.heed()
    output.mkdir(parents=True, exist_ok=True)
    report = progress.Progress()
    shown: list[figures.Figure] = []
    try:
        with up.both(size.database, report) as clouds:
            for found in run.Run(clouds, size, report).go():
                shown = _keep(found, output)
    except (cloud_exception.CloudError, exception.BenchError) as error:
        print(error, file=sys.stderr)
        return 2
    return 0 if figures.all_hold(shown) else 1


def _keep(
    found: results.Results, output: pathlib.Path
) -> list[figures.Figure]:
    """Write down what was found until now; the next one has it, too."""
    shown = figures.of(found)
    found.save(output / 'results.json', shown)
    tables = [
        table.figures(shown),
        table.ratios(found),
        table.throughput(found),
        *(table.times(found, phase) for phase in phases.PHASES),
        table.requests(found),
        table.tables(found),
        table.memory(found),
    ]
    text = '\n\n'.join('\n'.join(table.lines(each)) for each in tables)
    machine = '\n'.join(
        f'{name}: {value}' for name, value in found.machine.items()
    )
    text = f'{text}\n\n{machine}\n'
    (output / 'tables.txt').write_text(text)
    plot.draw(found, output)
    if found.ended:
        print(text, flush=True)
        if output.resolve() == arguments.DOCUMENTED:
            picture = arguments.DOCUMENTED / f'{readme.PICTURE}.png'
            readme.show(installation.ROOT / 'README.rst', picture)
    return shown


if __name__ == '__main__':
    sys.exit(main())

# SPDX-License-Identifier: Apache-2.0

"""A Sphinx directive for the tables of a benchmark's results, and its plot.

``benchmark`` reads ``benchmark/results.json``, which ``tox -e bench`` writes:
what stands in the documentation is what was measured.
"""

import collections.abc
import pathlib
import typing as ty

from docutils import nodes
from sphinx.util.docutils import SphinxDirective

from tools.bench.results import figures, phases, results, table

#: In the folder of the sources.
RESULTS = pathlib.Path('benchmark', 'results.json')
# Beside it; as the directive of an image has it, from the sources on.
_PLOT = f'/{RESULTS.parent.as_posix()}/plot.svg'
_PLOT_LINES = (
    f'.. image:: {_PLOT}',
    '   :alt: Seconds by the number of accelerators that are bound already, '
    'and servers booted and deleted in a minute by the number of clients',
)

_NONE = 'No run is written down yet: ``tox -e bench`` makes one.'


def _machine(found: results.Results) -> table.Rows:
    said = {**found.machine, **{k: str(v) for k, v in _said(found).items()}}
    return [('what', ''), *said.items()]


def _said(found: results.Results) -> dict[str, ty.Any]:
    """Return what was asked for, in the words of the command line."""
    return {
        f'--{name}': ', '.join(map(str, value))
        if isinstance(value, list)
        else value
        for name, value in sorted(found.parameters.items())
    }


_TABLES: dict[str, collections.abc.Callable[[results.Results], table.Rows]] = {
    'figures': lambda found: table.figures(figures.of(found)),
    'ratios': table.ratios,
    'throughput': table.throughput,
    'memory': table.memory,
    'requests': table.requests,
    'tables': table.tables,
    'machine': _machine,
    'accelerators': lambda found: table.times(found, phases.ACCELERATORS),
    'conductor': lambda found: table.times(found, phases.CONDUCTOR),
    'compute': lambda found: table.times(found, phases.COMPUTE),
    'Cyborg': lambda found: table.times(found, phases.CYBORG),
    'API': lambda found: table.times(found, phases.API),
    'whole': lambda found: table.times(found, phases.WHOLE),
}


class Benchmark(SphinxDirective):
    """A table of what was measured, named by the argument; or its plot."""

    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        """Return the table, or the plot."""
        name = self.arguments[0]
        make = _TABLES.get(name)
        if make is None and name != 'plot':
            raise self.error(f'there is no table {name}')
        path = pathlib.Path(self.env.srcdir, RESULTS)
        self.env.note_dependency(str(path))
        if not path.exists():
            return self.parse_text_to_nodes(_NONE)
        if make is None:
            return self.parse_text_to_nodes('\n'.join(_PLOT_LINES))
        rows = make(results.Results.load(path))
        return self.parse_text_to_nodes('\n'.join(_lines(rows)))


def _lines(rows: table.Rows) -> list[str]:
    lines = ['.. list-table::', '   :header-rows: 1', '']
    for row in rows:
        for place, cell in enumerate(row):
            lines.append(f'   {"  " if place else "* "}- {_plain(cell)}')
    return lines


def _plain(text: str) -> str:
    """Return a text of which nothing is markup."""
    return text.replace('\\', r'\\').replace('*', r'\*').replace('-', r'\-')


def setup(app: ty.Any) -> dict[str, bool]:
    """Register the directive; Sphinx calls it.

    :param app: Sphinx.
    :returns: what the extension can do.
    """
    app.add_directive('benchmark', Benchmark)
    return {'parallel_read_safe': True, 'parallel_write_safe': True}

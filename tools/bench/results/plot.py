# SPDX-License-Identifier: Apache-2.0

"""What was found, drawn: PNG and SVG."""

from __future__ import annotations

import pathlib

import matplotlib as mpl
from matplotlib import axes, figure, ticker

from tools.bench.model import operations, systems
from tools.bench.results import phases, readme, results

_NAMES = {
    systems.STOCK: 'stock: device profile of the flavor',
    systems.PROFILES: 'the same, with the plugin',
    systems.CONTEXTS: 'device context',
}
_COLOURS = {
    systems.STOCK: '#b2182b',
    systems.PROFILES: '#e08214',
    systems.CONTEXTS: '#2166ac',
}
_MARKS = {systems.STOCK: 's', systems.PROFILES: '^', systems.CONTEXTS: 'o'}
_OPERATIONS = (operations.BOOT, operations.REBOOT, operations.DELETE)
_SUFFIXES = ('png', 'svg')
# The same picture is the same file.
_STYLE = {
    'svg.hashsalt': 'bench',
    'svg.fonttype': 'none',
    'font.size': 9,
    'axes.grid': True,
    'grid.alpha': 0.3,
}
_NO_DATE = {'svg': {'Date': None}, 'png': {'Software': None}}


def draw(found: results.Results, folder: pathlib.Path) -> None:
    """Draw the plot of the documentation, and that of the README.

    :param found: what was measured.
    :param folder: where to put them.
    """
    with mpl.rc_context(_STYLE):
        _draw_all(found, folder)
        _draw_one(found, folder)


def _draw_all(found: results.Results, folder: pathlib.Path) -> None:
    drawn = figure.Figure(figsize=(10, 6.4), layout='constrained')
    places = drawn.subplots(2, len(_OPERATIONS))
    for place, name in zip(places[0], _OPERATIONS, strict=True):
        _lines(place, found, name)
        place.set_title(f'accelerator part of a {name}')
    places[0][0].legend(fontsize='small')
    _bars(places[1][0], found)
    for place, phase in zip(
        places[1][1:], (phases.CYBORG, phases.WHOLE), strict=True
    ):
        _lines(place, found, operations.BOOT, phase)
        place.set_title(
            'a whole boot' if phase == phases.WHOLE else f'{phase} in a boot'
        )
    _save(drawn, folder / 'plot')


def _draw_one(found: results.Results, folder: pathlib.Path) -> None:
    drawn = figure.Figure(figsize=(6.4, 3.6), layout='constrained')
    place = drawn.subplots()
    _lines(place, found, operations.BOOT)
    place.set_title('What the accelerator adds to the boot of a server')
    place.legend()
    _save(drawn, folder / readme.PICTURE)


def _lines(
    place: axes.Axes,
    found: results.Results,
    name: str,
    phase: str = phases.ACCELERATORS,
) -> None:
    for one, words in _NAMES.items():
        known = [
            (each.bound, each.seconds[phase])
            for each in found.operations
            if (each.system, each.name) == (one, name) and each.seconds
        ]
        if not known:
            continue
        bounds = [bound for bound, _summary in known]
        place.plot(
            bounds,
            [summary.p50 for _bound, summary in known],
            color=_COLOURS[one],
            marker=_MARKS[one],
            label=words,
        )
        place.fill_between(
            bounds,
            [summary.p50 for _bound, summary in known],
            [summary.p90 for _bound, summary in known],
            color=_COLOURS[one],
            alpha=0.15,
            linewidth=0,
        )
    place.set_xscale('log')
    place.set_yscale('log')
    place.set_xticks(found.bounds)
    place.xaxis.set_minor_locator(ticker.NullLocator())
    place.xaxis.set_major_formatter(ticker.StrMethodFormatter('{x:,.0f}'))
    place.yaxis.set_major_formatter(ticker.FormatStrFormatter('%g'))
    place.set_xlabel('accelerators bound already')
    place.set_ylabel('seconds (median; shade: to p90)')


def _bars(place: axes.Axes, found: results.Results) -> None:
    """Draw the throughput: a group for each number of clients."""
    groups = sorted({(each.bound, each.clients) for each in found.throughput})
    systems = [one for one in _NAMES if one in found.parameters['systems']]
    width = 0.8 / max(len(systems), 1)
    for nth, one in enumerate(systems):
        rates = [found.rate(one, clients, bound) for bound, clients in groups]
        place.bar(
            [at + nth * width for at in range(len(groups))],
            [rate or 0 for rate in rates],
            width,
            color=_COLOURS[one],
        )
    place.set_yscale('symlog', linthresh=1)
    place.set_xticks(
        [at + width * (len(systems) - 1) / 2 for at in range(len(groups))],
        [f'{clients}\n{bound:,}' for bound, clients in groups],
    )
    place.yaxis.set_major_formatter(ticker.FormatStrFormatter('%g'))
    place.set_title('clients that boot and delete')
    place.set_xlabel('clients; beneath, accelerators bound already')
    place.set_ylabel('servers a minute')


def _save(drawn: figure.Figure, path: pathlib.Path) -> None:
    for suffix in _SUFFIXES:
        drawn.savefig(
            path.with_suffix(f'.{suffix}'),
            dpi=120,
            metadata=_NO_DATE[suffix],
        )

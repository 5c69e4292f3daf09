# SPDX-License-Identifier: Apache-2.0

"""What the documentation shows can be read, and is all there."""

from tools.bench import arguments
from tools.bench.results import figures, results, table

KEPT = arguments.DOCUMENTED


def test_what_is_kept_is_read():
    found = results.Results.load(KEPT / 'results.json')

    assert found.ended
    assert len(table.ratios(found)) > 1
    # The figures that were kept are those that are computed of it.
    assert figures.all_hold(figures.of(found)) in (True, False)


def test_the_plots_are_there():
    for name in ('plot', 'readme'):
        for suffix in ('png', 'svg'):
            assert (KEPT / f'{name}.{suffix}').stat().st_size

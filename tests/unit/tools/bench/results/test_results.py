# SPDX-License-Identifier: Apache-2.0

import json

from tools.bench.model import measured
from tools.bench.results import figures, results


def sample(seconds, statements, bound=10, units=()):
    return measured.Sample(
        'contexts',
        'boot',
        bound,
        {'whole': seconds},
        {'messages': statements},
        list(units),
    )


def test_samples_in_short():
    samples = [sample(n, 5) for n in (1.0, 2.0, 3.0)]
    failures = [measured.Failure('stock', 'boot', 10, 'it timed out')]

    ours, stock = results.summarise(samples, failures)

    assert (ours.seconds['whole'].count, ours.seconds['whole'].p50) == (3, 2)
    assert ours.counts == {'messages': 5}
    assert not ours.failed
    assert (stock.system, stock.failed, stock.seconds) == ('stock', 1, {})


def test_the_most_that_a_kind_of_work_had():
    units = [
        ('cyborg-api POST /x/bind', measured.Unit(9, 1, 0)),
        ('cyborg-api GET /x', measured.Unit(99, 9, 9)),
    ]
    samples = [
        sample(1.0, 5, units=units),
        sample(
            1.0, 5, units=[('cyborg-api POST /y/bind', measured.Unit(8, 2, 0))]
        ),
    ]

    assert results.most(samples, '/bind') == measured.Unit(9, 2, 0)
    assert results.most(samples, '/other') is None


def test_a_file_has_all_of_it(found, tmp_path):
    path = tmp_path / 'results.json'

    found.save(path, figures.of(found))

    kept = json.loads(path.read_text())
    assert kept['machine'] == {'processor': 'Any'}
    assert kept['ended'] is True
    assert kept['throughput'][0]['rate'] == 60
    assert kept['operations'][0]['seconds']['accelerators']['p50'] == 0.1
    assert kept['figures'][0]['bound'] == 1.2


def test_what_was_kept_is_read(found, tmp_path):
    path = tmp_path / 'results.json'
    found.save(path, figures.of(found))

    assert results.Results.load(path) == found

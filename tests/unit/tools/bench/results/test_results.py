# SPDX-License-Identifier: Apache-2.0

import json

from tools.bench.model import measured
from tools.bench.results import figures, results


def sample(seconds, statements):
    return measured.Sample(
        'contexts',
        'boot',
        10,
        {'whole': seconds},
        {'messages': statements},
        [],
    )


def test_samples_in_short():
    samples = [sample(n, 5) for n in (1.0, 2.0, 3.0)]
    failures = [measured.Failure('stock', 'boot', 10, 'it timed out')]

    ours, stock = results.summarise(samples, failures)

    assert (ours.seconds['whole'].count, ours.seconds['whole'].p50) == (3, 2)
    assert ours.counts == {'messages': 5}
    assert not ours.failed
    assert (stock.system, stock.failed, stock.seconds) == ('stock', 1, {})


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

# SPDX-License-Identifier: Apache-2.0

import math

import pytest

from tools.bench.results import statistics


@pytest.mark.parametrize(
    ('part', 'value'), [(0, 1), (0.5, 3), (0.25, 2), (0.9, 4.6), (1, 5)]
)
def test_a_percentile_is_between_two_measurements(part, value):
    assert statistics.percentile([5, 1, 4, 2, 3], part) == pytest.approx(value)


def test_of_one_measurement_all_are_the_same():
    assert statistics.summary([7.0]) == statistics.Summary(1, 7, 7, 7, 0)


def test_a_summary():
    found = statistics.summary(range(101))

    assert found == statistics.Summary(101, 50, 90, 99, 50)


def test_ratios():
    assert statistics.ratio(1, 4) == 0.25
    assert statistics.ratio(0, 0) == 1
    assert statistics.ratio(1, 0) == math.inf

# SPDX-License-Identifier: Apache-2.0

"""Numbers of many measurements."""

from __future__ import annotations

import collections.abc
import dataclasses
import math


@dataclasses.dataclass(frozen=True)
class Summary:
    """Measurements, in short.

    :ivar count: how many there are.
    :ivar p50: their median.
    :ivar p90: what nine in ten do not exceed.
    :ivar p99: what 99 in a hundred do not exceed.
    :ivar spread: the range of the middle half of them.
    """

    count: int
    p50: float
    p90: float
    p99: float
    spread: float


def percentile(values: collections.abc.Iterable[float], part: float) -> float:
    """Return a percentile, between two measurements if need be.

    :param values: the measurements, one or more.
    :param part: from 0 to 1; 0.5 is the median.
    """
    ordered = sorted(values)
    place = part * (len(ordered) - 1)
    low = math.floor(place)
    high = math.ceil(place)
    return ordered[low] + (ordered[high] - ordered[low]) * (place - low)


def summary(values: collections.abc.Collection[float]) -> Summary:
    """Return measurements in short.

    :param values: the measurements, one or more.
    """
    p50, p90, p99 = (percentile(values, part) for part in (0.5, 0.9, 0.99))
    spread = percentile(values, 0.75) - percentile(values, 0.25)
    return Summary(len(values), p50, p90, p99, spread)


def ratio(one: float, other: float) -> float:
    """Return how many times another one something is.

    :param one: the one.
    :param other: the other one.
    :returns: the ratio; without an end, if there is nothing of the other.
    """
    if not other:
        return math.inf if one else 1.0
    return one / other

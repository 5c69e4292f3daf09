# SPDX-License-Identifier: Apache-2.0

"""What is asked of a cloud: what cannot be had."""

import math

import pytest

from tools.cloud import cloud, exception, kinds, wanted


@pytest.mark.parametrize(
    'fields',
    [
        {'computes': 0},
        {'computes': -1},
        {'real': -1},
        {'conductors': 0},
        {'seconds': 0.0},
        {'seconds': -1.0},
        {'seconds': math.nan},
        {'seconds': math.inf},
    ],
)
def test_a_number_that_is_none(fields):
    (field,) = fields

    with pytest.raises(exception.BadNumber, match=f'"{field}" is .*must be'):
        wanted.Wanted(**fields)


@pytest.mark.parametrize('kind', [kinds.EMBEDDED, kinds.PRODUCTION])
def test_more_hosts_than_a_machine_can_have(kind, tmp_path):
    with pytest.raises(exception.TooManyHosts, match='at most 64'):
        cloud.Cloud(tmp_path / 'cloud').up(wanted.Wanted(kind, 65))

    assert not list(tmp_path.iterdir())


def test_more_real_hosts_than_a_machine_can_have():
    asked = wanted.Wanted(kinds.PRODUCTION, real=65)

    with pytest.raises(exception.TooManyHosts, match='at most 64'):
        asked.settings()


@pytest.mark.parametrize(
    ('kind', 'number', 'most'),
    [(kinds.EMBEDDED, 2, '1'), (kinds.PRODUCTION, 9, '8')],
)
def test_more_conductors_than_a_kind_can_have(kind, number, most):
    asked = wanted.Wanted(kind, conductors=number)

    with pytest.raises(exception.BadNumber, match=f'must be {most} or less'):
        asked.settings()


def test_all_hosts_that_there_can_be():
    asked = wanted.Wanted(kinds.PRODUCTION, computes=64, real=0, seconds=0.1)

    assert len(asked.settings().hosts) == 64

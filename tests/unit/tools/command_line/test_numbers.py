# SPDX-License-Identifier: Apache-2.0

"""Numbers on command lines: those that are none are refused."""

import argparse

import pytest

from tools.command_line import numbers


@pytest.mark.parametrize(
    ('read', 'text', 'number'),
    [
        (numbers.whole, '0', 0),
        (numbers.whole, '17', 17),
        (numbers.positive, '1', 1),
        (numbers.seconds, '0.5', 0.5),
        (numbers.seconds, '90', 90.0),
    ],
)
def test_numbers(read, text, number):
    assert read(text) == number


@pytest.mark.parametrize('text', ['-1', 'two', '1.5', '', '²', 'nan', 'inf'])
@pytest.mark.parametrize('read', [numbers.whole, numbers.positive])
def test_what_is_no_whole_number(read, text):
    with pytest.raises(argparse.ArgumentTypeError, match='a whole number'):
        read(text)


def test_zero_is_not_positive():
    with pytest.raises(argparse.ArgumentTypeError, match='0 is not a whole'):
        numbers.positive('0')


@pytest.mark.parametrize(
    'text', ['0', '-1', 'nan', 'inf', '-inf', '1e999', 'soon', '']
)
def test_what_is_no_time(text):
    with pytest.raises(argparse.ArgumentTypeError, match='number of seconds'):
        numbers.seconds(text)

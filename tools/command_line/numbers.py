# SPDX-License-Identifier: Apache-2.0

"""Numbers as arguments: the type of each says what it takes."""

import argparse
import math


def whole(text: str) -> int:
    """Read a whole number.

    :param text: the argument.
    :returns: the number.
    :raises ArgumentTypeError: if it is none.
    """
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f'{text} is not a whole number')
    return int(text)


def positive(text: str) -> int:
    """Read a whole number that is not 0.

    :param text: the argument.
    :returns: the number.
    :raises ArgumentTypeError: if it is none.
    """
    if not text.isdecimal() or not int(text):
        raise argparse.ArgumentTypeError(
            f'{text} is not a whole number above 0'
        )
    return int(text)


def seconds(text: str) -> float:
    """Read how long something may take.

    :param text: the argument.
    :returns: the number of seconds.
    :raises ArgumentTypeError: if that is no time, or has no end.
    """
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not (math.isfinite(number) and number > 0):
        raise argparse.ArgumentTypeError(
            f'{text} is not a number of seconds above 0'
        )
    return number

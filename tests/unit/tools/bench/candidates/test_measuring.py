# SPDX-License-Identifier: Apache-2.0

import signal
import sys

from tools.bench.candidates import measuring

_LONG = 60.0


def test_what_a_request_takes():
    def ask():
        return 3, len(b'x' * 2**26) // 2**20

    found = measuring.measure(ask, _LONG)

    assert (found.candidates, found.size) == (3, 64)
    assert found.memory > 2**26
    assert 0 <= found.seconds < _LONG


def test_what_takes_too_long_is_ended():
    def ask():
        signal.pause()

    assert measuring.measure(ask, 0.01) is None


def test_what_fails_is_not_waited_for():
    assert measuring.measure(sys.exit, _LONG) is None

# SPDX-License-Identifier: Apache-2.0
"""What ends a program that has a cloud to take down."""

import signal
import subprocess
import sys

import pytest

_PROGRAM = """
import os, signal, time, weakref
from tools.command_line import signals

class Session:
    pass

def interrupted(number):
    os.kill(os.getpid(), number)
    time.sleep(0)

# What a shell's background job starts ignores Ctrl-C.
signal.signal(signal.SIGINT, signal.default_int_handler)
signals.heed()
session = Session()
weakref.finalize(session, interrupted, {number})
try:
    del session
    time.sleep(20)
except KeyboardInterrupt:
    print('taken down')
"""
_COMPLAINING = """
import weakref
from tools.command_line import signals

class Session:
    pass

signals.heed()
session = Session()
weakref.finalize(session, lambda: 1 / 0)
del session
"""


def _run(program: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, '-c', program],
        capture_output=True,
        text=True,
        timeout=60,
    )


@pytest.mark.parametrize('number', [signal.SIGINT, signal.SIGTERM])
def test_an_interrupt_in_a_finalizer_is_not_lost(number):
    done = _run(_PROGRAM.format(number=int(number)))

    assert done.returncode == 0, done
    assert done.stdout == 'taken down\n', done
    assert done.stderr == ''


def test_any_other_error_in_a_finalizer_is_shown():
    done = _run(_COMPLAINING)

    assert done.returncode == 0, done
    assert 'ZeroDivisionError' in done.stderr

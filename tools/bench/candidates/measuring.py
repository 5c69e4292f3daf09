# SPDX-License-Identifier: Apache-2.0

"""Doing something in a process of its own, to see what it takes."""

from __future__ import annotations

import collections.abc
import dataclasses
import multiprocessing
import resource
import time
from multiprocessing import connection

_Ask = collections.abc.Callable[[], tuple[int, int]]


@dataclasses.dataclass(frozen=True)
class Cost:
    """What a request to Placement takes.

    :ivar seconds: how long it takes.
    :ivar candidates: how many candidates there are.
    :ivar size: bytes of the answer.
    :ivar memory: the most bytes of memory that the process had.
    """

    seconds: float
    candidates: int
    size: int
    memory: int


def measure(ask: _Ask, most: float) -> Cost | None:
    """Measure a request, after one that loads what all of them need.

    :param ask: makes the request.
    :param most: how many seconds it may take.
    :returns: what it takes; None if it takes longer.
    """
    context = multiprocessing.get_context('fork')
    answer, end = context.Pipe(duplex=False)
    process = context.Process(target=_run, args=(ask, end))
    process.start()
    # This one's, so that the other one's end is seen.
    end.close()
    try:
        return answer.recv() if answer.poll(most) else None
    except EOFError:
        return None
    finally:
        process.kill()
        process.join()


def _run(ask: _Ask, end: connection.Connection) -> None:
    begin = time.monotonic()
    candidates, size = ask()
    seconds = time.monotonic() - begin
    # In units of 1024 bytes.
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    end.send(Cost(seconds, candidates, size, memory))

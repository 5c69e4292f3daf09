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

    :ivar seconds: seconds of a processor: Placement, its database, and who
        asks are one process, and others may use the machine.
    :ivar candidates: how many candidates there are.
    :ivar size: bytes of the answer.
    :ivar memory: the most bytes of memory that the process had.
    """

    seconds: float
    candidates: int
    size: int
    memory: int


def measure(ask: _Ask, most: float) -> Cost | None:
    """Measure a request, in a process of its own.

    :param ask: makes the request; returns how many candidates there are, and
        how many bytes the answer has.
    :param most: how many seconds it may take, by the clock on the wall.
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
    begin = time.process_time()
    candidates, size = ask()
    seconds = time.process_time() - begin
    # In units of 1024 bytes.
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    end.send(Cost(seconds, candidates, size, memory))

# SPDX-License-Identifier: Apache-2.0

"""Tells how far ``up`` has come."""

import collections.abc
import contextlib
import time


def _print(line: str) -> None:
    print(line, flush=True)


class Progress:
    """Prints a line for each step, with the seconds since the start.

    :param write: called with each line.
    """

    def __init__(
        self, write: collections.abc.Callable[[str], None] = _print
    ) -> None:
        self._write = write
        self._start = time.monotonic()

    @contextlib.contextmanager
    def step(self, what: str) -> collections.abc.Iterator[None]:
        """Report a step when it is done, or has failed.

        :param what: the step.
        """
        try:
            yield
        except BaseException:
            self._report(f'FAILED: {what}')
            raise
        self._report(what)

    def _report(self, what: str) -> None:
        self._write(f'{time.monotonic() - self._start:6.1f} s  {what}')

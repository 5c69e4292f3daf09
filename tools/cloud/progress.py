# Licensed under the Apache License, Version 2.0 (the "License"); you may
# not use this file except in compliance with the License. You may obtain
# a copy of the License at
#
#      http://www.apache.org/licenses/LICENSE-2.0
#
# Unless required by applicable law or agreed to in writing, software
# distributed under the License is distributed on an "AS IS" BASIS, WITHOUT
# WARRANTIES OR CONDITIONS OF ANY KIND, either express or implied. See the
# License for the specific language governing permissions and limitations
# under the License.

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

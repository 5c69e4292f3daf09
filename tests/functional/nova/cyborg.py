# SPDX-License-Identifier: Apache-2.0

"""Cyborg, as tests in Nova's process see it: it may be killed."""

import contextlib
import functools
import pathlib
import typing as ty

import requests
from nova_cyborg.fixture import process


class Cyborg(process.CyborgProcess):
    """A Cyborg that can have faults, for all tests of this process."""

    MODULE = 'tests.functional.nova.cyborg_server'
    FOLDER = pathlib.Path(__file__).parents[3]

    def start(self) -> bool:
        """Start it again if it was killed; return whether it was."""
        with contextlib.suppress(requests.ConnectionError):
            self.control('under_way')
            return False
        self.start_again()
        return True

    def start_again(self) -> None:
        """Start it again, as it was killed."""
        stdin = ty.cast(ty.IO[str], self._process.stdin)
        stdin.write('start\n')
        stdin.flush()
        self._wait_for_start()


@functools.cache
def get() -> Cyborg:
    """Return the Cyborg of this process, started when first asked for."""
    return Cyborg()

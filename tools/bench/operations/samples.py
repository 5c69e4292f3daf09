# SPDX-License-Identifier: Apache-2.0

"""Doing something, and writing down what it took."""

from __future__ import annotations

import collections.abc
import time
import typing as ty

from tools.bench import exception
from tools.bench.clouds import api
from tools.bench.clouds import system as system_module
from tools.bench.model import measured
from tools.bench.results import phases

_Result = ty.TypeVar('_Result')


class Samples:
    """All that is measured.

    :ivar found: what was measured.
    :ivar failures: what has failed.
    """

    def __init__(self) -> None:
        self.found: list[measured.Sample] = []
        self.failures: list[measured.Failure] = []

    def take(
        self,
        system: system_module.System,
        operation: str,
        bound: int,
        do: collections.abc.Callable[[str], _Result],
    ) -> _Result:
        """Do something, and write down what it took.

        :param system: the system.
        :param operation: what it is.
        :param bound: how many accelerators are bound already.
        :param do: does it, with the id by which it is followed.
        :returns: what comes of it.
        :raises BenchError: if it is not done, which is written down as well.
        """
        request = api.new_request()
        begin = time.monotonic()
        try:
            result = do(request)
        except exception.BenchError as error:
            self.failures.append(
                measured.Failure(system.name, operation, bound, str(error))
            )
            raise
        seconds = time.monotonic() - begin
        records = system.measured.traces.of([request])
        found = phases.of(records, system.cyborg_port)
        self.found.append(
            measured.Sample(
                system.name,
                operation,
                bound,
                {phases.USER: seconds, **found.seconds},
                found.counts,
                found.units,
            )
        )
        return result

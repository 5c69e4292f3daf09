# SPDX-License-Identifier: Apache-2.0

"""The memory that each program of a cloud takes."""

from __future__ import annotations

import dataclasses

import psutil

from tools.bench.clouds import up
from tools.cloud.supervisor import processes

_PROGRAM = 'SUPERVISOR_PROCESS_NAME'


@dataclasses.dataclass(frozen=True)
class Memory:
    """What a program takes, with its workers.

    :ivar plugin: whether the services have the plugin.
    :ivar program: its name.
    :ivar bound: how many accelerators were bound.
    :ivar processes: how many processes it is.
    :ivar resident: bytes in memory, of all of them together.
    :ivar own: bytes that would be free without them.
    """

    plugin: bool
    program: str
    bound: int
    processes: int
    resident: int
    own: int


def look(measured: up.Measured, bound: int) -> list[Memory]:
    """Look at the memory of all programs of a cloud.

    :param measured: the cloud.
    :param bound: how many accelerators are bound.
    :returns: what each of them takes.
    """
    found: dict[str, list[tuple[int, int]]] = {}
    for pid in processes.of(measured.cloud.folder):
        try:
            process = psutil.Process(pid)
            with process.oneshot():
                program = process.environ().get(_PROGRAM)
                sizes = process.memory_full_info()
        except psutil.Error:
            # It has just ended.
            continue
        if program:
            found.setdefault(program, []).append((sizes.rss, sizes.uss))
    return [
        Memory(
            measured.plugin,
            program,
            bound,
            len(sizes),
            sum(resident for resident, _own in sizes),
            sum(own for _resident, own in sizes),
        )
        for program, sizes in sorted(found.items())
    ]

# SPDX-License-Identifier: Apache-2.0

"""The memory that each program of a cloud takes."""

from __future__ import annotations

import psutil

from tools.bench.clouds import up
from tools.bench.model import measured as model
from tools.cloud.supervisor import processes

_PROGRAM = 'SUPERVISOR_PROCESS_NAME'


def look(measured: up.Measured, bound: int) -> list[model.Memory]:
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
        model.Memory(
            measured.plugin,
            program,
            bound,
            len(sizes),
            sum(resident for resident, _own in sizes),
            sum(own for _resident, own in sizes),
        )
        for program, sizes in sorted(found.items())
    ]

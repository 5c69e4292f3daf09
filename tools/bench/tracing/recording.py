# SPDX-License-Identifier: Apache-2.0

"""The files that processes write to: lines of JSON, a file for each."""

import json
import os
import pathlib
import typing as ty

#: Names the folder of the files; nothing is written without it.
VARIABLE = 'NOVA_CYBORG_BENCH_TRACES'
# supervisord gives each process this.
_PROGRAM = 'SUPERVISOR_PROCESS_NAME'


class Recorder:
    """Writes down what a process does.

    :param folder: the folder of the files.
    """

    def __init__(self, folder: pathlib.Path) -> None:
        self._folder = folder
        self._program = os.environ.get(_PROGRAM, '')
        self._pid = 0
        self._file = -1

    def write(self, kind: str, **fields: ty.Any) -> None:
        """Write a line.

        :param kind: what it is about: ``unit``, ``part``, ``call``, ``rpc``
            or ``apart``.
        :param fields: what there is to say.
        """
        record = {'kind': kind, 'program': self._program, **fields}
        line = json.dumps(record, separators=(',', ':')) + '\n'
        # Whole lines, whatever other threads write.
        os.write(self._opened(), line.encode())

    def _opened(self) -> int:
        # Each process that was forked has a file of its own.
        if os.getpid() != self._pid:
            self._file = os.open(
                self._folder / f'{os.getpid()}.jsonl',
                os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC,
                0o600,
            )
            self._pid = os.getpid()
        return self._file


def recorder() -> Recorder | None:
    """Return what this process writes with.

    :returns: it; None if nothing is measured.
    """
    folder = os.environ.get(VARIABLE)
    return Recorder(pathlib.Path(folder)) if folder else None

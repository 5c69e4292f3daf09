# SPDX-License-Identifier: Apache-2.0

"""The processes of a cloud, found by a mark that each inherits.

The supervisor knows those that it has started. The mark finds theirs, too:
workers, daemons, and what is left over when a supervisor was killed.
"""

import contextlib
import os
import pathlib
import signal

from tools.cloud import waiting

_MARK = 'NOVA_CYBORG_CLOUD_PROCESS'
# supervisord gives each child this.
_PROGRAM = 'SUPERVISOR_PROCESS_NAME'
_SECONDS = 20


def mark(folder: pathlib.Path) -> dict[str, str]:
    """Return the environment that marks a process as a cloud's.

    :param folder: the cloud's folder.
    :returns: variables to set.
    """
    # Else those that give themselves a title write it over the mark.
    return {_MARK: str(folder), 'SPT_NOENV': '1'}


def of(folder: pathlib.Path, *programs: str) -> set[int]:
    """Find processes.

    :param folder: the cloud's folder.
    :param programs: names of programs; all of them if none is given.
    :returns: the process ids.
    """
    found = set()
    for path in pathlib.Path('/proc').glob('[0-9]*/environ'):
        variables = _variables(path)
        if variables.get(_MARK) != str(folder):
            continue
        if not programs or variables.get(_PROGRAM) in programs:
            found.add(int(path.parent.name))
    return found - {os.getpid()}


def kill(folder: pathlib.Path, *programs: str) -> None:
    """End processes the hard way, and wait until they are gone.

    :param folder: the cloud's folder.
    :param programs: names of programs; all of them if none is given.
    :raises StepFailed: if they stay.
    """

    def all_gone() -> bool:
        left = of(folder, *programs)
        for pid in left:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        return not left

    waiting.until('the processes to end', all_gone, _SECONDS)


def _variables(path: pathlib.Path) -> dict[str, str]:
    try:
        content = path.read_bytes()
    except OSError:
        # It has just ended, or is somebody else's.
        return {}
    pairs = (each.partition('=') for each in os.fsdecode(content).split('\0'))
    return {name: value for name, _sign, value in pairs}

# SPDX-License-Identifier: Apache-2.0

"""What a cloud must not leave behind when it has been stopped."""

import os
import pathlib

from tools.cloud.supervisor import processes


def find(folder: pathlib.Path) -> list[str]:
    """Find what is left of a cloud.

    Namespaces are there as long as a process or a mount has them. Databases
    and the definitions of guests are files of the folder.

    :param folder: the cloud's folder.
    :returns: a line for each thing.
    """
    pids = processes.of(folder) | _with_arguments_in(folder)
    found = [f'process {pid}' for pid in sorted(pids)]
    mounts = pathlib.Path('/proc/self/mounts').read_text().splitlines()
    found += [f'mount {line}' for line in mounts if str(folder) in line]
    if folder.exists():
        found.append(f'folder {folder}')
    return found


def _with_arguments_in(folder: pathlib.Path) -> set[int]:
    """Find processes by their arguments: guests do not inherit the mark."""
    path = os.fsencode(folder)
    return {
        int(each.parent.name)
        for each in pathlib.Path('/proc').glob('[0-9]*/cmdline')
        if path in _content(each)
    } - {os.getpid()}


def _content(path: pathlib.Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:
        # It has just ended.
        return b''

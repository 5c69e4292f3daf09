# SPDX-License-Identifier: Apache-2.0

"""Commands with an end: what they print, or why they failed."""

import os
import pathlib
import subprocess

from tools.seldom.guest import exception

_SECONDS = 300.0


def run(
    *command: str,
    folder: pathlib.Path | None = None,
    tools: tuple[pathlib.Path, ...] = (),
    seconds: float = _SECONDS,
) -> bytes:
    """Run a command.

    :param command: the command and its arguments.
    :param folder: where to run it; by default where this process is.
    :param tools: folders of programs that go before those of the machine.
    :param seconds: how long it may take.
    :returns: what it prints.
    :raises CommandFailed: if it fails, is not there, or takes longer.
    """
    path = os.pathsep.join((*map(str, tools), os.environ['PATH'], '/usr/sbin'))
    # A shell's lookup: subprocess would look where this process does.
    program = next(
        (each for each in _candidates(path, command[0])), command[0]
    )
    try:
        done = subprocess.run(
            [program, *command[1:]],
            cwd=folder,
            env={**os.environ, 'PATH': path, 'LC_ALL': 'C.UTF-8'},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=seconds,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise exception.CommandFailed(command, str(error)) from error
    if done.returncode:
        reason = done.stderr.decode(errors='replace').strip()[-2000:]
        raise exception.CommandFailed(command, reason)
    return done.stdout


def _candidates(path: str, program: str) -> list[str]:
    return [
        str(pathlib.Path(each, program))
        for each in path.split(os.pathsep)
        if os.access(pathlib.Path(each, program), os.X_OK)
    ]

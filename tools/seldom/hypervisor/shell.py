# SPDX-License-Identifier: Apache-2.0

"""Commands inside a hypervisor machine, by its second serial port."""

import os
import pathlib
import re
import socket

_SECONDS = 60.0
# The terminal echoes the command, in which there is no number.
_END = re.compile(rb'command ends: (\d+)\r?\n')
_COMMAND = '{{ {command}; }} </dev/null; echo "command ends: $?"\n'


class ShellFailed(Exception):
    """A command did not end, or not as it should."""


def run(path: pathlib.Path, command: str, seconds: float = _SECONDS) -> str:
    """Run a command.

    :param path: the machine's socket for the shell.
    :param command: the command, as typed.
    :param seconds: how long each part of its output may take.
    :returns: what the terminal shows of it.
    :raises ShellFailed: if it fails, or does not end.
    """
    output = b''
    with _connect(path, seconds) as connection:
        connection.sendall(_COMMAND.format(command=command).encode())
        while not (end := _END.search(output)):
            try:
                part = connection.recv(4096)
            except TimeoutError as error:
                raise ShellFailed(f'"{command}" does not end') from error
            if not part:
                raise ShellFailed(f'"{command}": the machine has ended')
            output += part
    text = output[: end.start()].decode(errors='replace')
    if int(end[1]):
        raise ShellFailed(f'"{command}" failed: {text}')
    return text


def _connect(path: pathlib.Path, seconds: float) -> socket.socket:
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    connection.settimeout(seconds)
    folder = os.open(path.parent, os.O_PATH)
    try:
        # The path itself may be longer than a socket's can be.
        connection.connect(f'/proc/self/fd/{folder}/{path.name}')
    except OSError as error:
        connection.close()
        raise ShellFailed(f'{path}: {error}') from error
    finally:
        os.close(folder)
    return connection

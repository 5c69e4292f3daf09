# SPDX-License-Identifier: Apache-2.0

"""A terminal session: commands as a person types them, and what they say."""

import collections.abc
import os
import pathlib
import subprocess
import sys
import sysconfig
import time

from tools.cloud import exception

_STARTED = time.monotonic()
_COLOURS = sys.stdout.isatty()


def step(text: str) -> None:
    """Print the headline of a step, with the seconds since the start."""
    seconds = time.monotonic() - _STARTED
    print(_bold(f'\n== {text}'), f'({seconds:.0f} s)', flush=True)


def note(text: str) -> None:
    """Print a line beside what the commands print."""
    print(text, flush=True)


def failure(text: str) -> None:
    """Print why the demo failed."""
    print(_bold('\nFAILED:'), text, flush=True)


class Session:
    """A shell of one user, whose variables live on between commands.

    :param environment: the variables with which the clients log in.
    """

    def __init__(self, environment: collections.abc.Mapping[str, str]) -> None:
        scripts = sysconfig.get_path('scripts')
        path = os.pathsep.join((scripts, os.environ.get('PATH', os.defpath)))
        self._environment = {
            'HOME': str(pathlib.Path.home()),
            'LANG': 'C.UTF-8',
            **environment,
            'PATH': path,
            # Deprecations of the clients' libraries are not the story.
            'PYTHONWARNINGS': 'ignore',
        }

    def assign(self, variable: str, command: str) -> str:
        """Run ``VARIABLE=$(command)``.

        :param variable: the variable's name.
        :param command: the command, as typed.
        :returns: what the command printed.
        :raises StepFailed: if it fails.
        """
        print(f'$ {variable}=$({command})', flush=True)
        value = self._output(command).strip()
        self._environment[variable] = value
        return value

    def run(self, command: str) -> str:
        """Run a command, and show what it prints.

        :param command: the command, as typed.
        :returns: what it printed.
        :raises StepFailed: if it fails.
        """
        print(f'$ {command}', flush=True)
        output = self._output(command)
        print(output, end='', flush=True)
        return output

    def ask(self, command: str) -> str:
        """Run a command, and show nothing.

        :param command: the command.
        :returns: what it printed.
        :raises StepFailed: if it fails.
        """
        return self._output(command).strip()

    def _output(self, command: str) -> str:
        done = subprocess.run(
            ['bash', '-c', command],
            env=self._environment,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        if done.returncode:
            raise exception.StepFailed(
                f'"{command}" ended with status {done.returncode}:\n'
                f'{done.stdout}{done.stderr}'
            )
        return done.stdout


def _bold(text: str) -> str:
    return f'\033[1m{text}\033[0m' if _COLOURS else text

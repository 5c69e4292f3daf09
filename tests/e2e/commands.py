# SPDX-License-Identifier: Apache-2.0

"""The commands of the test clouds, as a person types them."""

import pathlib
import subprocess
import sys

from tests.e2e import person
from tools.cloud.machine import installation

SECONDS = 400


def command(folder: pathlib.Path, *arguments: str) -> list[str]:
    """Return the words of a command."""
    state = ('--state', str(folder))
    return [sys.executable, '-m', 'tools.cloud', *state, *arguments]


def run(
    folder: pathlib.Path, *arguments: str
) -> subprocess.CompletedProcess[str]:
    """Run a command to its end."""
    return subprocess.run(
        command(folder, *arguments),
        cwd=installation.ROOT,
        env=person.shell_environment(),
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )

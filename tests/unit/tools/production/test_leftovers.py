# SPDX-License-Identifier: Apache-2.0

import subprocess
import sys

import pytest

from tools.production import leftovers

_WAIT = 'import sys; sys.stdin.read()'


@pytest.fixture
def process(tmp_path):
    """A process that knows the folder by its arguments only, as guests do."""
    command = [sys.executable, '-c', _WAIT, f'{tmp_path}/cloud/disk']
    with subprocess.Popen(command, stdin=subprocess.PIPE) as running:
        yield running


def test_a_guest(tmp_path, process):
    folder = tmp_path / 'cloud'

    assert leftovers.find(folder) == [f'process {process.pid}']


def test_a_folder(tmp_path):
    folder = tmp_path / 'cloud'
    folder.mkdir()

    assert leftovers.find(folder) == [f'folder {folder}']


def test_nothing(tmp_path):
    assert leftovers.find(tmp_path / 'cloud') == []

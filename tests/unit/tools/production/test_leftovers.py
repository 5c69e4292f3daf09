# Licensed under the Apache License, Version 2.0 (the "License"); you may
# not use this file except in compliance with the License. You may obtain
# a copy of the License at
#
#      http://www.apache.org/licenses/LICENSE-2.0
#
# Unless required by applicable law or agreed to in writing, software
# distributed under the License is distributed on an "AS IS" BASIS, WITHOUT
# WARRANTIES OR CONDITIONS OF ANY KIND, either express or implied. See the
# License for the specific language governing permissions and limitations
# under the License.

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

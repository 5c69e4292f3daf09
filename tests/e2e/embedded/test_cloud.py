# SPDX-License-Identifier: Apache-2.0

"""The embedded cloud: tempest on it, a second one, and one interrupted."""

import collections.abc
import pathlib
import queue
import signal
import subprocess
import threading

import pytest

from tests.e2e import commands, person, waiting
from tools.cloud import cloud as cloud_module
from tools.cloud.machine import installation


def _processes(folder: pathlib.Path) -> list[str]:
    """Return the command lines that name the folder of a cloud."""
    found = []
    for path in pathlib.Path('/proc').glob('[0-9]*/cmdline'):
        try:
            text = path.read_bytes().replace(b'\0', b' ').decode()
        except OSError:
            continue
        if str(folder) in text:
            found.append(text)
    return found


@pytest.fixture
def empty_folder(
    tmp_path: pathlib.Path,
) -> collections.abc.Iterator[pathlib.Path]:
    """A folder for a throw-away cloud, which is stopped in any case."""
    folder = tmp_path / 'second cloud'
    yield folder
    cloud_module.Cloud(folder).down()


def test_tempest(cloud: cloud_module.Cloud) -> None:
    test = 'DeviceContextsTest.test_create_show_delete'
    done = commands.run(cloud.folder, 'tempest', '--regex', test)
    assert done.returncode == 0, done
    assert f'{test} [' in done.stdout
    assert 'Passed: 1' in done.stdout


def test_tempest_lists_the_tests_of_device_contexts(
    cloud: cloud_module.Cloud,
) -> None:
    done = commands.run(cloud.folder, 'tempest', '--list-tests')
    assert done.returncode == 0, done
    for kind in ('api', 'scenario'):
        assert f'\nnova_cyborg.tempest.tests.{kind}.' in done.stdout
    # Its status is passed on.
    done = commands.run(cloud.folder, 'tempest', '--regex', 'no_such_test')
    assert done.returncode == 1, done


def test_a_second_cloud_beside_the_first(
    cloud: cloud_module.Cloud, empty_folder: pathlib.Path
) -> None:
    up = commands.run(empty_folder, 'up', '--no-plugin')
    assert up.returncode == 0, up
    assert 'keystone answers' in up.stdout
    for folder in (cloud.folder, empty_folder):
        assert commands.run(folder, 'status').returncode == 0
    assert _processes(empty_folder)
    down = commands.run(empty_folder, 'down')
    assert down.returncode == 0, down
    assert _processes(empty_folder) == []
    assert not empty_folder.exists()
    assert commands.run(empty_folder, 'status').returncode == 1
    assert commands.run(cloud.folder, 'status').returncode == 0


def _heed_interrupts() -> None:
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def test_an_interrupted_up_leaves_no_process(
    empty_folder: pathlib.Path,
) -> None:
    with subprocess.Popen(
        commands.command(empty_folder, 'up', '--no-plugin'),
        cwd=installation.ROOT,
        env=person.shell_environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        # A shell's background job, which a gate may be, ignores Ctrl-C, and
        # so does what it starts.
        preexec_fn=_heed_interrupts,
    ) as up:
        lines = _lines(up)
        while 'supervisor started' not in lines.get(timeout=commands.SECONDS):
            pass
        assert _processes(empty_folder)
        up.send_signal(signal.SIGINT)
        assert up.wait(commands.SECONDS) == 130
    waiting.until(
        'no process to be left', lambda: not _processes(empty_folder)
    )


def _lines(process: subprocess.Popen[str]) -> queue.Queue[str]:
    """Read what a process prints, so that waiting for it has an end."""
    lines: queue.Queue[str] = queue.Queue()

    def read() -> None:
        for line in process.stdout or ():
            lines.put(line)

    threading.Thread(target=read, daemon=True).start()
    return lines

# SPDX-License-Identifier: Apache-2.0


"""The commands of the embedded cloud itself."""

import collections.abc
import pathlib
import queue
import signal
import subprocess
import sys
import threading

import pytest

from tests.e2e import person, waiting
from tools.cloud import cloud as cloud_module
from tools.cloud.machine import installation

_SERVICES = ('cyborg', 'glance', 'keystone', 'neutron', 'nova', 'placement')
_SECONDS = 400


def _command(folder: pathlib.Path, *arguments: str) -> list[str]:
    state = ('--state', str(folder))
    return [sys.executable, '-m', 'tools.cloud', *state, *arguments]


def _run(
    folder: pathlib.Path, *arguments: str
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        _command(folder, *arguments),
        cwd=installation.ROOT,
        env=person.shell_environment(),
        capture_output=True,
        text=True,
        timeout=_SECONDS,
        check=False,
    )


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


def test_status(cloud: cloud_module.Cloud) -> None:
    done = _run(cloud.folder, 'status')
    assert done.returncode == 0, done
    lines = done.stdout.splitlines()[1:]
    names = [line.split()[0] for line in lines]
    # A program each, or several whose names begin so.
    for service in _SERVICES:
        assert any(name.startswith(service) for name in names), names
    assert {line.split()[2] for line in lines} == {'RUNNING'}


def test_env_for_a_plain_member(cloud: cloud_module.Cloud) -> None:
    done = _run(cloud.folder, 'env', '--user', 'demo')
    assert done.returncode == 0, done
    shell = subprocess.run(
        ['bash', '-c', f'{done.stdout}\nopenstack token issue -f value'],
        env=person.shell_environment(),
        capture_output=True,
        text=True,
        timeout=person.COMMAND_SECONDS,
        check=False,
    )
    assert shell.returncode == 0, shell
    assert all(
        line.startswith('export OS_') for line in done.stdout.splitlines()
    )


def test_up_again_says_that_it_runs(cloud: cloud_module.Cloud) -> None:
    done = _run(cloud.folder, 'up')
    assert done.returncode == 0, done
    assert 'runs already' in done.stdout


def test_logs(cloud: cloud_module.Cloud) -> None:
    # The last of the programs of Nova; on the embedded cloud, the only one.
    name = list(cloud.log_paths('nova'))[-1]
    done = _run(cloud.folder, 'logs', name, '-n', '3')
    assert done.returncode == 0, done
    assert len(done.stdout.splitlines()) == 3


def test_tempest(cloud: cloud_module.Cloud) -> None:
    test = 'DeviceContextsTest.test_create_show_delete'
    done = _run(cloud.folder, 'tempest', '--regex', test)
    assert done.returncode == 0, done
    assert f'{test} [' in done.stdout
    assert 'Passed: 1' in done.stdout


def test_tempest_lists_the_tests_of_device_contexts(
    cloud: cloud_module.Cloud,
) -> None:
    done = _run(cloud.folder, 'tempest', '--list-tests')
    assert done.returncode == 0, done
    listed = [
        line
        for line in done.stdout.splitlines()
        if line.startswith('nova_cyborg.tempest.tests.')
    ]
    assert any('.api.' in line for line in listed)
    assert any('.scenario.' in line for line in listed)


def test_tempests_status_is_passed_on(cloud: cloud_module.Cloud) -> None:
    done = _run(cloud.folder, 'tempest', '--regex', 'no_such_test')
    assert done.returncode == 1, done


def test_a_second_cloud_beside_the_first(
    cloud: cloud_module.Cloud, empty_folder: pathlib.Path
) -> None:
    up = _run(empty_folder, 'up', '--no-plugin')
    assert up.returncode == 0, up
    assert 'keystone answers' in up.stdout
    for folder in (cloud.folder, empty_folder):
        assert _run(folder, 'status').returncode == 0
    assert _processes(empty_folder)
    down = _run(empty_folder, 'down')
    assert down.returncode == 0, down
    assert _processes(empty_folder) == []
    assert not empty_folder.exists()
    assert _run(empty_folder, 'status').returncode == 1
    assert _run(cloud.folder, 'status').returncode == 0


def _heed_interrupts() -> None:
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def test_an_interrupted_up_leaves_no_process(
    empty_folder: pathlib.Path,
) -> None:
    with subprocess.Popen(
        _command(empty_folder, 'up', '--no-plugin'),
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
        while 'supervisor started' not in lines.get(timeout=_SECONDS):
            pass
        assert _processes(empty_folder)
        up.send_signal(signal.SIGINT)
        assert up.wait(_SECONDS) == 130
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

# SPDX-License-Identifier: Apache-2.0

"""What one asks a cloud that is up, whichever it is."""

import subprocess

from tests.e2e import commands, person
from tools.cloud import cloud as cloud_module

_SERVICES = ('cyborg', 'glance', 'keystone', 'neutron', 'nova', 'placement')


def test_status(cloud: cloud_module.Cloud) -> None:
    done = commands.run(cloud.folder, 'status')
    assert done.returncode == 0, done
    lines = done.stdout.splitlines()[1:]
    names = [line.split()[0] for line in lines]
    # A program each, or several whose names begin so.
    for service in _SERVICES:
        assert any(name.startswith(service) for name in names), names
    assert {line.split()[2] for line in lines} == {'RUNNING'}


def test_env_for_a_plain_member(cloud: cloud_module.Cloud) -> None:
    done = commands.run(cloud.folder, 'env', '--user', 'demo')
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
    done = commands.run(cloud.folder, 'up')
    assert done.returncode == 0, done
    assert 'runs already' in done.stdout


def test_logs(cloud: cloud_module.Cloud) -> None:
    # The last of the programs of Nova; on the embedded cloud, the only one.
    name = list(cloud.log_paths('nova'))[-1]
    done = commands.run(cloud.folder, 'logs', name, '-n', '3')
    assert done.returncode == 0, done
    assert len(done.stdout.splitlines()) == 3

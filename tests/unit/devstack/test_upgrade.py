# SPDX-License-Identifier: Apache-2.0

"""What grenade's part of the plugin keeps, and what it looks for."""

import os
import subprocess

import pytest

from tests.unit.devstack import stack

UPGRADE = stack.PLUGIN / 'upgrade'
# In the place of grenade's functions: what is kept is a file.
FUNCTIONS = """
function resource_save { echo "$3" > "$KEPT/$2"; }
function resource_get { cat "$KEPT/$2"; }
function die { shift; echo "$*" >&2; exit 1; }
"""
# In the place of systemctl and of grenade's function: $UNITS names the units
# that there are.
SERVICES = """
SYSTEMCTL=systemctl_is_enabled
function systemctl_is_enabled { [[ " $UNITS " == *" ${2#devstack@} "* ]]; }
function ensure_services_started { told ensure_services_started "$@"; }
"""
# In the place of the command: a status is what is in the file.
OPENSTACK = """#!/bin/bash
echo "$*" >> "$CALLS"
case "$*" in
    *" context create "*) echo "id-of-${6}" ;;
    *" context show "*) cat "$STATUS/$5" 2>/dev/null ;;
    "server delete "*) rm -f "$STATUS/id-of-grenade-held" ;;
esac
"""


@pytest.fixture
def cloud(tmp_path):
    """Statuses of device contexts, by their ids."""
    for name, text in (('grenaderc', ''), ('functions', FUNCTIONS)):
        (tmp_path / name).write_text(text)
    (tmp_path / 'openrc').write_text('')
    command = tmp_path / 'openstack'
    command.write_text(OPENSTACK)
    command.chmod(0o755)
    (tmp_path / 'kept').mkdir()
    status = tmp_path / 'status'
    status.mkdir()
    (status / 'id-of-grenade-held').write_text('bound')
    (status / 'id-of-grenade-unused').write_text('available')
    return status


@pytest.fixture
def run(cloud, tmp_path):
    """Run resources.sh as grenade does."""

    def _run(what):
        calls = tmp_path / 'calls'
        calls.write_text('')
        done = subprocess.run(
            [UPGRADE / 'resources.sh', what],
            env={
                'PATH': f'{tmp_path}:{os.environ["PATH"]}',
                'GRENADE_DIR': str(tmp_path),
                'TARGET_DEVSTACK_DIR': str(tmp_path),
                'KEPT': str(tmp_path / 'kept'),
                'STATUS': str(cloud),
                'CALLS': str(calls),
                'DEFAULT_IMAGE_NAME': 'cirros',
            },
            capture_output=True,
            text=True,
            check=False,
        )
        return done.returncode, done.stderr, calls.read_text().splitlines()

    return _run


def test_a_server_and_its_context_are_made(run):
    code, err, calls = run('create')

    assert code == 0, err
    create = [call for call in calls if 'server create' in call]
    assert len(create) == 1
    assert '--device-context-id id-of-grenade-held' in create[0]
    assert '--flavor m1.tiny' in create[0]


def test_they_are_looked_for_after_the_upgrade(run):
    run('create')

    assert run('verify')[0] == 0


@pytest.mark.parametrize('name', ['held', 'unused'])
def test_one_that_is_lost(run, cloud, name):
    run('create')
    (cloud / f'id-of-grenade-{name}').write_text('error')

    code, err, _calls = run('verify')

    assert code == 1
    assert f'Device context {name} is error' in err


def test_all_is_deleted(run):
    run('create')

    code, err, calls = run('destroy')

    assert code == 0, err
    assert calls[-1] == (
        'accelerator device context delete id-of-grenade-unused'
    )


def test_a_phase_without_the_apis(run):
    code, _err, calls = run('verify_noapi')

    assert (code, calls) == (0, [])


@pytest.mark.parametrize(
    ('units', 'restarted'),
    [
        (
            'n-api n-sch n-cond n-cpu cyborg-api cyborg-agent',
            ['n-api', 'n-cond', 'n-cpu', 'cyborg-agent'],
        ),
        (
            'n-api n-super-cond n-cond-cell1 n-cond-cell2 cyborg-api',
            ['n-api', 'n-super-cond', 'n-cond-cell1', 'n-cond-cell2'],
        ),
    ],
)
def test_the_units_that_there_are_get_the_package(tmp_path, units, restarted):
    host = stack.Stack(tmp_path)
    host.run('stack post-config', 'stack extra')
    for name in ('grenaderc', 'functions', 'lib/tls', 'lib/nova'):
        host.write(f'devstack/{name}', '')
    host.write('devstack/stackrc', stack.STACKRC + SERVICES)
    calls = tmp_path / 'calls'
    calls.write_text('')

    done = subprocess.run(
        [UPGRADE / 'upgrade.sh'],
        env={
            **host.environment,
            'GRENADE_DIR': str(host.etc / 'devstack'),
            'TARGET_DEVSTACK_DIR': str(host.etc / 'devstack'),
            'TARGET_RELEASE_DIR': host.environment['DEST'],
            'UNITS': units,
        },
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stderr
    found = calls.read_text().splitlines()
    restarts = [call for call in found if 'restart_service' in call]
    restarted = ['cyborg-api', *restarted]
    assert restarts == [f'restart_service devstack@{x}' for x in restarted]
    assert f'ensure_services_started {" ".join(restarted)}' in found
    assert found[-1].startswith('nova-cyborg-status')


@pytest.mark.parametrize(
    'name', [path.name for path in UPGRADE.iterdir() if path.is_file()]
)
def test_bash_can_read_it(name):
    subprocess.run(['bash', '-n', UPGRADE / name], check=True)

# SPDX-License-Identifier: Apache-2.0

"""Tests that services are killed and started, and that a failure is told."""

import threading
from unittest import mock

import pytest

from tools.cloud import cloud as cloud_module
from tools.cloud import exception, running
from tools.command_line import progress
from tools.seldom.chaos.actors import saboteur

_NAMES = (
    'nova-conductor-super1',
    'nova-compute-compute1',
    'cyborg-api',
    'cyborg-conductor',
    'keystone',
    'rabbitmq',
)


@pytest.fixture
def cloud():
    cloud = mock.create_autospec(cloud_module.Cloud, instance=True)
    cloud.status.return_value = [
        running.ServiceStatus(name, 'RUNNING', 1, '') for name in _NAMES
    ]
    cloud.is_ready.return_value = True
    return cloud


def _saboteur(cloud, seed=1):
    report = mock.create_autospec(progress.Progress, instance=True)
    return saboteur.Saboteur(cloud, seed, report)


def test_only_what_deals_with_devices_is_killed(cloud):
    assert saboteur.victims(cloud) == list(_NAMES[:4])


def test_all_that_it_killed_runs_again(cloud):
    killed = threading.Event()
    cloud.kill_service.side_effect = lambda _name: killed.set()
    enemy = _saboteur(cloud)
    enemy.start()
    assert killed.wait(30)
    enemy.finish()

    names = {call.args[0] for call in cloud.kill_service.call_args_list}
    started = {call.args[0] for call in cloud.start_service.call_args_list}
    assert names
    assert names <= started
    assert enemy.faults.total() == cloud.kill_service.call_count


def test_it_waits_until_there_is_a_cloud_to_speak_of(cloud):
    asked = threading.Event()
    ready = dict.fromkeys(_NAMES, False)

    def is_ready(name):
        if name == 'cyborg-conductor':
            asked.set()
        return ready[name]

    cloud.is_ready.side_effect = is_ready
    enemy = _saboteur(cloud)
    enemy.start()
    assert asked.wait(30)
    assert not cloud.kill_service.called

    killed = threading.Event()
    cloud.kill_service.side_effect = lambda _name: killed.set()
    ready.update(dict.fromkeys(_NAMES[:2], True))
    assert killed.wait(30)
    enemy.finish()


def test_it_tells_that_it_failed(cloud):
    failed = threading.Event()

    def fail(_name):
        failed.set()
        raise exception.StepFailed('No answer.', 'supervisord')

    cloud.kill_service.side_effect = fail
    enemy = _saboteur(cloud)
    enemy.start()
    assert failed.wait(30)

    with pytest.raises(exception.StepFailed, match='No answer'):
        enemy.finish()
    assert cloud.start_service.call_count == 4


def test_seed_decides(cloud):
    def strike():
        cloud.kill_service.reset_mock()
        enemy = _saboteur(cloud, seed=7)
        with mock.patch.object(enemy._stop_now, 'wait') as wait:
            for _number in range(5):
                enemy._strike()
        return cloud.kill_service.call_args_list, wait.call_args_list

    first = strike()
    kills = list(first[0])
    assert strike()[0] == kills

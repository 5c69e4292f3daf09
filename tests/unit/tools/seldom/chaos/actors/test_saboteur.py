# SPDX-License-Identifier: Apache-2.0

"""Tests that services are killed and started, and that a failure is told."""

import threading
from unittest import mock

import pytest

from tools.cloud import cloud as cloud_module
from tools.cloud import exception, running
from tools.command_line import progress
from tools.seldom.chaos.actors import holds, saboteur

_NAMES = (
    'nova-conductor-super1',
    'nova-compute-compute1',
    'cyborg-api',
    'cyborg-conductor',
    'keystone',
    'rabbitmq',
)
_VICTIMS = _NAMES[:4]


@pytest.fixture
def cloud():
    cloud = mock.create_autospec(cloud_module.Cloud, instance=True)
    cloud.status.return_value = [
        running.ServiceStatus(name, 'RUNNING', 1, '') for name in _NAMES
    ]
    cloud.is_ready.return_value = True
    return cloud


@pytest.fixture
def held():
    return holds.Holds()


@pytest.fixture
def make(cloud, held):
    def _make(names=_VICTIMS, seed=1):
        report = mock.create_autospec(progress.Progress, instance=True)
        return saboteur.Saboteur(cloud, names, seed, held, report)

    return _make


def _killed(cloud):
    return [call.args[0] for call in cloud.kill_service.call_args_list]


@pytest.mark.parametrize(
    ('kinds', 'names'),
    [
        (saboteur.VICTIMS, [*_VICTIMS, 'rabbitmq']),
        (['nova-conductor', 'cyborg-api'], [_NAMES[0], 'cyborg-api']),
    ],
)
def test_who_may_be_killed(cloud, kinds, names):
    assert saboteur.find(cloud, kinds) == names


def test_all_that_it_killed_runs_again(cloud, make):
    killed = threading.Event()
    cloud.kill_service.side_effect = lambda _name: killed.set()
    enemy = make()
    enemy.start()
    assert killed.wait(30)
    enemy.finish()

    names = set(_killed(cloud))
    started = {call.args[0] for call in cloud.launch_service.call_args_list}
    assert names
    assert names <= started
    assert enemy.faults.total() == cloud.kill_service.call_count


def test_it_waits_until_there_is_a_cloud_to_speak_of(cloud, make):
    asked = threading.Event()
    ready = dict.fromkeys(_NAMES, False)

    def is_ready(name):
        if name == 'cyborg-conductor':
            asked.set()
        return ready[name]

    cloud.is_ready.side_effect = is_ready
    enemy = make()
    enemy.start()
    assert asked.wait(30)
    assert not cloud.kill_service.called

    killed = threading.Event()
    cloud.kill_service.side_effect = lambda _name: killed.set()
    ready.update(dict.fromkeys(_NAMES[:2], True))
    assert killed.wait(30)
    enemy.finish()


def test_it_tells_that_it_failed(cloud, make):
    failed = threading.Event()

    def fail(_name):
        failed.set()
        raise exception.StepFailed('No answer.', 'supervisord')

    cloud.kill_service.side_effect = fail
    enemy = make()
    enemy.start()
    assert failed.wait(30)

    with pytest.raises(exception.StepFailed, match='No answer'):
        enemy.finish()


def test_what_has_ended_by_itself_is_started(cloud, make, held):
    ended = _NAMES[2:5]
    cloud.status.return_value = [
        running.ServiceStatus(name, 'EXITED', 0, '') for name in ended
    ]
    held.take('cyborg-conductor')
    make()._revive()

    # Another one has killed the second one; the third one is no victim.
    cloud.launch_service.assert_called_once_with('cyborg-api')
    assert held.take('cyborg-api')


def test_what_another_one_holds_is_let_be(cloud, make, held):
    held.take(*_VICTIMS[1:])
    enemy = make()
    with mock.patch.object(enemy._stop_now, 'wait'):
        for _number in range(20):
            enemy._strike()

    assert set(_killed(cloud)) == {_VICTIMS[0]}


def test_without_the_broker_nothing_else_is_killed(make):
    enemy = make(names=_NAMES)
    chosen = [enemy._choose() for _number in range(1000)]

    assert 10 < chosen.count(['rabbitmq']) < 200
    assert not [each for each in chosen if 'rabbitmq' in each and each[1:]]


def test_only_the_broker_is_killed(make):
    assert make(names=['rabbitmq'])._choose() == ['rabbitmq']


def test_what_others_need_is_started_first(cloud):
    saboteur.start_all(cloud)

    started = [call.args[0] for call in cloud.start_service.call_args_list]
    assert started == ['rabbitmq', *_NAMES[:-1]]


def test_seed_decides(cloud, make):
    def strike():
        cloud.kill_service.reset_mock()
        enemy = make(seed=7)
        with mock.patch.object(enemy._stop_now, 'wait') as wait:
            for _number in range(5):
                enemy._strike()
        return cloud.kill_service.call_args_list, wait.call_args_list

    first = strike()
    kills = list(first[0])
    assert strike()[0] == kills

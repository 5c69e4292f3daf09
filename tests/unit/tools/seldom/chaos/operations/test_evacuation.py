# SPDX-License-Identifier: Apache-2.0

"""Tests that a host is down while a server is evacuated from it."""

from unittest import mock

import pytest

from tools.cloud import cloud as cloud_module
from tools.seldom.chaos.actors import holds
from tools.seldom.chaos.operations import evacuation

_PROGRAM = 'nova-compute-compute1'


@pytest.fixture
def cloud(server, tmp_path):
    made = mock.create_autospec(cloud_module.Cloud, instance=True)
    made.folder = tmp_path
    made.kill_service.side_effect = lambda name: server.asked.append(
        f'kill {name}'
    )
    made.launch_service.side_effect = lambda name: server.asked.append(
        f'start {name}'
    )
    return made


@pytest.fixture
def held():
    return holds.Holds()


@pytest.fixture
def evacuating(cloud, deeds, held):
    return evacuation.Evacuation(cloud, deeds, held)


def test_a_server_is_evacuated(server, evacuating, held):
    assert evacuating.evacuate('server') == 'ACTIVE'
    assert server.asked == [
        f'kill {_PROGRAM}',
        {'forced_down': True},
        'evacuate',
        f'start {_PROGRAM}',
        {'forced_down': False},
        'os-start',
    ]
    assert held.take('evacuation', _PROGRAM)


def test_nova_does_not_say_that_it_is_elsewhere(
    server, evacuating, monkeypatch
):
    monkeypatch.setattr(evacuation, '_SECONDS', 0.0)
    server.evacuated_to = 'compute1'
    assert evacuating.evacuate('server') == 'stuck'
    assert server.asked[-2:] == [f'start {_PROGRAM}', {'forced_down': False}]


@pytest.mark.parametrize('name', ['evacuation', _PROGRAM])
def test_another_one_has_the_host(server, evacuating, held, name):
    held.take(name)
    assert evacuating.evacuate('server') == 'ACTIVE'
    assert server.asked == []


def test_an_evacuation_that_does_not_end(server, evacuating, held):
    server.is_stuck = True
    assert evacuating.evacuate('server') == 'stuck'
    assert server.asked[-2:] == [f'start {_PROGRAM}', {'forced_down': False}]
    assert held.take(_PROGRAM)


def test_the_guest_stays_on_the_old_host(
    server, evacuating, cloud, monkeypatch
):
    monkeypatch.setattr(evacuation, '_SECONDS', 0.0)
    folder = cloud.folder / 'domains' / 'compute1'
    folder.mkdir(parents=True)
    for suffix in ('xml', 'running'):
        (folder / f'server.{suffix}').write_text('<domain/>')
    assert evacuating.evacuate('server') == 'stuck'
    assert 'os-start' not in server.asked

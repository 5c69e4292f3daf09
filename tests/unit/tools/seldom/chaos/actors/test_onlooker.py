# SPDX-License-Identifier: Apache-2.0

"""Tests that the damage is told while the run goes."""

import threading
from unittest import mock

import pytest
import sqlalchemy.exc

from tools.command_line import progress
from tools.seldom.chaos.actors import administrator, onlooker
from tools.seldom.chaos.damage import count, looking


@pytest.mark.parametrize(
    ('seen', 'words'),
    [
        (
            {'return_value': count.Damage(['a'], [], [])},
            'lost 1, leaked 0, doubled 0',
        ),
        (
            {'side_effect': sqlalchemy.exc.OperationalError('', {}, None)},
            'the database does not answer',
        ),
    ],
)
def test_damage_is_told(monkeypatch, seen, words):
    monkeypatch.setattr(looking, 'PAUSE', 0.0)
    counter = mock.create_autospec(count.Count, instance=True)
    counter.damage.configure_mock(**seen)
    helper = mock.create_autospec(administrator.Administrator, instance=True)
    said, told = [], threading.Event()

    def write(line):
        said.append(line)
        told.set()

    looks = onlooker.Onlooker(counter, helper, progress.Progress(write))
    looks.start()
    assert told.wait(30)
    looks.finish()

    assert said[0].endswith(f'meanwhile: {words}')
    assert helper.look_after.called

# SPDX-License-Identifier: Apache-2.0

"""Tests of what is done with servers, and how its end is noted."""

import random
from unittest import mock

import pytest
import requests

from tools.seldom.chaos.actors import api, moves
from tools.seldom.chaos.damage import ledger

_ENDS = {
    'migrate': 'VERIFY_RESIZE',
    'resize': 'VERIFY_RESIZE',
    'suspend': 'SUSPENDED',
}


class _Nova:
    """A server that does what it is asked, or does not."""

    def __init__(self):
        self.status, self.task = 'ACTIVE', None
        self.asked = []
        self.code = 202
        self.is_stuck = False

    def ask(self, _service, method, _path, *args, **_options):
        answer = mock.create_autospec(requests.Response, instance=True)
        answer.status_code = 200
        if method == 'POST':
            answer.status_code = self.code
            (action,) = args[-1]
            self.asked.append(action)
            if self.code < 400:
                self.status = _ENDS.get(action, 'ACTIVE')
                self.task = 'at it' if self.is_stuck else None
        answer.json.return_value = {
            'server': {
                'status': self.status,
                'OS-EXT-STS:task_state': self.task,
            }
        }
        return answer


@pytest.fixture
def server():
    return _Nova()


@pytest.fixture
def act(server, monkeypatch):
    """Do something; returns the status after it, and what was noted."""
    monkeypatch.setattr(moves, '_SECONDS', 0.0)

    def _act(number, arrived=lambda: None):
        chance = mock.create_autospec(random.Random, instance=True)
        chance.choice.side_effect = lambda choices: choices[number]
        user = mock.create_autospec(api.User, instance=True)
        user.ask.side_effect = server.ask
        notes = ledger.Ledger()
        mover = moves.Mover(user, user, chance, 'a flavor', notes)
        return mover.move('server', arrived), dict(notes.actions)

    return _act


def test_a_move_is_ended(server, act):
    arrived = mock.Mock()
    assert act(-1, arrived) == (
        'ACTIVE',
        {'migrate VERIFY_RESIZE': 1, 'revertResize ACTIVE': 1},
    )
    assert server.asked == ['migrate', 'revertResize']
    arrived.assert_called_once_with()


def test_a_server_is_suspended_and_resumed(server, act):
    assert act(1) == (
        'ACTIVE',
        {'suspend SUSPENDED': 1, 'resume ACTIVE': 1},
    )


def test_what_is_refused(server, act):
    server.code = 400
    assert act(-1) == ('ACTIVE', {'migrate refused': 1})


def test_what_does_not_end(server, act):
    server.is_stuck = True
    assert act(-1) == ('stuck', {'migrate stuck': 1})


def test_perhaps_nothing_is_done(server, act):
    assert act(0) == ('ACTIVE', {})

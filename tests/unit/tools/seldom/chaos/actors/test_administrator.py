# SPDX-License-Identifier: Apache-2.0

"""Tests of who looks after servers that clients have left."""

import time
from unittest import mock

import pytest
import requests

from tools.seldom.chaos.actors import administrator, api
from tools.seldom.chaos.damage import ledger


class _Nova:
    """Lists servers, and deletes those that it knows."""

    def __init__(self):
        self.statuses = {}
        self.unknown = set()
        self.deleted = []
        self.is_down = False

    def ask(self, _service, method, path, **_options):
        if self.is_down:
            raise api.GaveUp(path, 'no answer')
        answer = mock.create_autospec(requests.Response, instance=True)
        answer.status_code = 200
        name = path.removeprefix('/servers/')
        if name.startswith('detail'):
            answer.json.return_value = {
                'servers': [
                    {'id': each, 'status': status}
                    for each, status in self.statuses.items()
                ]
            }
        elif name not in self.statuses or name in self.unknown:
            answer.status_code = 404
        elif method == 'DELETE':
            answer.status_code = 204
            self.deleted.append(name)
        else:
            found = {'status': self.statuses[name]}
            answer.json.return_value = {'server': found}
        return answer


@pytest.fixture
def nova():
    return _Nova()


@pytest.fixture
def notes():
    return ledger.Ledger()


@pytest.fixture
def helper(nova, notes):
    user = mock.create_autospec(api.User, instance=True)
    user.ask.side_effect = nova.ask
    return administrator.Administrator(user, notes)


def _left(notes, asked, seconds=61):
    since = time.monotonic() - seconds
    notes.leave('server', ledger.Left(asked, since))


@pytest.mark.parametrize(
    ('seconds', 'status', 'word'),
    [
        (61, 'ACTIVE', 'boot slow ACTIVE'),
        (149, 'ERROR', 'boot slow ERROR'),
        (151, 'ERROR', 'boot late ERROR'),
    ],
)
def test_a_boot_ends_after_all(nova, notes, helper, seconds, status, word):
    _left(notes, ledger.BOOT, seconds)
    nova.statuses['server'] = status
    helper.look_after()

    assert notes.late == {word: 1}
    assert nova.deleted == ['server']
    # Its end is seen to as well.
    assert notes.left()['server'].asked == ledger.DELETE


def test_a_boot_does_not_end(nova, notes, helper):
    _left(notes, ledger.BOOT, 1000)
    nova.statuses['server'] = 'BUILD'
    helper.look_after()

    assert not notes.late
    assert not nova.deleted
    assert 'server' in notes.left()


def test_a_deletion_is_asked_for_again(nova, notes, helper):
    _left(notes, ledger.DELETE)
    nova.statuses['server'] = 'ACTIVE'
    helper.look_after()
    assert nova.deleted == ['server']
    assert not notes.late

    del nova.statuses['server']
    helper.look_after()
    assert notes.late == {'delete slow gone': 1}
    assert not notes.left()


def test_nova_does_not_answer(nova, notes, helper):
    _left(notes, ledger.BOOT)
    nova.is_down = True
    helper.look_after()

    assert 'server' in notes.left()
    assert helper.clear(spare=True) is None


def test_what_a_left_server_has_may_be_given_on(notes):
    notes._holders = {('host', '1'): 'server'}
    _left(notes, ledger.DELETE)

    assert not notes._holders


def test_servers_that_are_built_are_spared(nova, helper):
    nova.statuses = {'new': 'BUILD', 'old': 'ACTIVE', 'bad': 'ERROR'}

    assert helper.clear(spare=True) == administrator.Servers(
        building=frozenset({'new'}), deleting=frozenset({'old', 'bad'})
    )
    assert sorted(nova.deleted) == ['bad', 'old']


def test_servers_that_were_never_built(nova, helper):
    nova.statuses = {'new': 'BUILD', 'lost': 'BUILD', 'old': 'ACTIVE'}
    nova.unknown = {'lost'}

    assert helper.clear(spare=False) == administrator.Servers(
        unbuilt=frozenset({'new'}), deleting=frozenset({'lost', 'old'})
    )
    assert sorted(nova.deleted) == ['new', 'old']


def test_no_server_is_left(helper):
    assert not helper.clear(spare=True)

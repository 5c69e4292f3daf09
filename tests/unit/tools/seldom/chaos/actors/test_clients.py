# SPDX-License-Identifier: Apache-2.0

"""Tests of one who boots servers: what is waited for, and what is left."""

from unittest import mock

import pytest
import requests

from tools.cloud import cloud as cloud_module
from tools.seldom.chaos.actors import api, clients, holds, offer
from tools.seldom.chaos.damage import ledger
from tools.seldom.chaos.operations import choice

_GUEST = """<domain><devices><hostdev><source><address bus='0x1'/></source>
</hostdev></devices></domain>"""


class _Apis:
    """Nova with one server, and Cyborg."""

    def __init__(self):
        self.status = 'ACTIVE'
        self.is_there = False
        self.stays = False
        self.is_down = False
        self.made = []

    def ask(self, service, method, path, *_args, json=None, **_options):
        answer = mock.create_autospec(requests.Response, instance=True)
        answer.status_code = 200
        if service == 'accelerator':
            self.made.append(json)
            answer.json.return_value = {'uuid': f'context{len(self.made)}'}
        elif path == '/servers':
            self.is_there = True
            answer.status_code = 202
            answer.json.return_value = {'server': {'id': 'server'}}
        elif self.is_down:
            raise api.GaveUp(path, 'no answer')
        elif method == 'DELETE':
            self.is_there = self.stays
        elif not self.is_there:
            answer.status_code = 404
        else:
            answer.json.return_value = {
                'server': {'id': 'server', 'status': self.status}
            }
        return answer


@pytest.fixture
def apis(monkeypatch):
    made = _Apis()
    user = mock.create_autospec(api.User, instance=True)
    user.ask.side_effect = made.ask
    monkeypatch.setattr(api, 'User', lambda _cloud, _name: user)
    monkeypatch.setattr(clients, '_BOOT_SECONDS', 0.0)
    monkeypatch.setattr(clients, '_DELETE_SECONDS', 0.0)
    return made


@pytest.fixture
def notes():
    return ledger.Ledger()


@pytest.fixture
def make(apis, notes, tmp_path, monkeypatch):
    """Make a client whose device contexts are kept, or are not."""
    monkeypatch.setattr(choice, 'NAMES', ('nothing',))
    folder = tmp_path / 'domains' / 'compute1'
    folder.mkdir(parents=True)
    for suffix in ('xml', 'running'):
        (folder / f'server.{suffix}').write_text(_GUEST)
    cloud = mock.create_autospec(cloud_module.Cloud, instance=True)
    cloud.folder = tmp_path

    def _make(keep=False):
        monkeypatch.setattr(clients, '_KEEP', float(keep))
        flavors = dict.fromkeys(offer.RESOURCES, 'a flavor')
        goods = offer.Offer(False, 'an image', flavors, 'a larger flavor')
        scene = clients.Scene(cloud, 1, goods, notes, holds.Holds())
        return clients.Client(scene, 'demo', 1)

    return _make


def test_a_server_lives(make, notes):
    assert make().boot() == 'ACTIVE'
    assert notes.ended == {'context1'}
    assert not notes.left()
    assert not notes.without_device
    assert not notes._holders


def test_a_context_is_kept(make, apis, notes):
    client = make(keep=True)
    assert [client.boot(), client.boot()] == ['ACTIVE', 'ACTIVE']
    assert notes.kept == {'context1'}
    assert not notes.ended
    # The second server had the same.
    assert len(apis.made) == 1


def test_a_boot_takes_long(make, apis, notes):
    apis.status = 'BUILD'
    assert make().boot() == 'not ended in time'
    assert notes.left()['server'].asked == ledger.BOOT
    # Nobody has asked for its end.
    assert apis.is_there


def test_a_deletion_takes_long(make, apis, notes):
    apis.stays = True
    assert make(keep=True).boot() == 'ACTIVE'
    assert notes.left()['server'].asked == ledger.DELETE
    assert not notes.ended


def test_nova_does_not_answer_any_more(make, apis, notes):
    apis.is_down = True
    assert make().boot() == 'no answer'
    assert notes.left()['server'].asked == ledger.DELETE

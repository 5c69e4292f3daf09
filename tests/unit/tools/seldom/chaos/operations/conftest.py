# SPDX-License-Identifier: Apache-2.0

"""A server that does what it is asked, or does not."""

import random
from unittest import mock

import pytest
import requests

from tools.seldom.chaos.actors import api
from tools.seldom.chaos.damage import ledger
from tools.seldom.chaos.operations import acting

_ENDS = {
    'evacuate': 'SHUTOFF',
    'migrate': 'VERIFY_RESIZE',
    'resize': 'VERIFY_RESIZE',
    'shelve': 'SHELVED_OFFLOADED',
    'suspend': 'SUSPENDED',
}


class Nova:
    """A server, and a device context that it may get.

    :ivar asked: what was done with it.
    :ivar evacuated_to: the host that it has then.
    :ivar code: the HTTP status of its answers to what is asked for.
    :ivar is_stuck: whether nothing becomes of that.
    """

    def __init__(self):
        self.status, self.task = 'ACTIVE', None
        self.context = 'available'
        self.asked = []
        self.evacuated_to = 'compute2'
        self.code = 202
        self.is_stuck = False

    def ask(self, service, method, path, *args, **options):
        """Answer a request."""
        answer = mock.create_autospec(requests.Response, instance=True)
        answer.status_code = 200
        if method == 'GET':
            answer.json.return_value = self._show(service, path)
        elif path == '/device_contexts':
            answer.json.return_value = {'uuid': 'context'}
        else:
            answer.status_code = self.code
            self._take(method, path, args, options)
        return answer

    def _show(self, service, path):
        if service == 'accelerator':
            return {'status': self.context}
        if path.startswith('/os-services'):
            return {'services': [{'id': 'service'}]}
        return {
            'server': {
                'status': self.status,
                'OS-EXT-STS:task_state': self.task,
                'OS-EXT-SRV-ATTR:host': self._host(),
            }
        }

    def _host(self):
        return self.evacuated_to if self.status == 'SHUTOFF' else 'compute1'

    def _take(self, method, path, args, options):
        if path.startswith('/os-services'):
            self.asked.append(options['json'])
            return
        if 'os-device-contexts' in path:
            action = {'POST': 'attach', 'DELETE': 'detach'}[method]
            self.asked.append(action)
            if self.code < 400:
                ends = {'attach': 'bound', 'detach': 'available'}
                self.context = (
                    f'{action}ing' if self.is_stuck else ends[action]
                )
            return
        (action,) = args[-1]
        self.asked.append(action)
        if self.code < 400:
            self.status = _ENDS.get(action, 'ACTIVE')
            self.task = 'at it' if self.is_stuck else None


@pytest.fixture
def server(monkeypatch):
    """The server; nobody waits for it."""
    monkeypatch.setattr(acting, 'SECONDS', 0.0)
    return Nova()


@pytest.fixture
def notes():
    return ledger.Ledger()


@pytest.fixture
def user(server):
    made = mock.create_autospec(api.User, instance=True)
    made.ask.side_effect = server.ask
    return made


@pytest.fixture
def deeds(user, notes):
    return acting.Acting(user, user, notes)


@pytest.fixture
def chance():
    """The last of each choice."""
    made = mock.create_autospec(random.Random, instance=True)
    made.choice.side_effect = lambda choices: choices[-1]
    return made

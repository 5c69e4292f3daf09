# SPDX-License-Identifier: Apache-2.0

"""Nova's client for Cyborg: what it keeps from one call to the next."""

import http.server
import json
import threading
import time
import types

import pytest
from nova import conf
from nova import context as nova_context
from nova import exception as nova_exception
from oslo_config import fixture as config_fixture

from nova_cyborg import exception
from nova_cyborg.nova import client
from nova_cyborg.nova.api import deletion

SERVER_ID = '5e4e4a11-0000-4000-8000-000000000000'
#: Seconds for which a machine may be busy, and a server keeps silent.
TOO_LATE, MOST = 5, 60


class Handler(http.server.BaseHTTPRequestHandler):
    """As much of cyborg-api as one call takes; connections stay open."""

    protocol_version = 'HTTP/1.1'

    def do_GET(self):
        self.server.seen.append((self.client_address, self.headers))
        body = json.dumps(
            {'generation': 1, 'fault': None, 'device_contexts': []}
        ).encode()
        self.send_response(200)
        self.send_header('Content-Type', 'application/json')
        self.send_header('Content-Length', str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_DELETE(self):
        self.server.seen.append((self.client_address, self.headers))
        if self.server.status is None:
            self.server.over.wait(MOST)
            self.close_connection = True
            return
        self.send_response(self.server.status)
        self.send_header('Content-Length', '0')
        self.end_headers()

    def log_message(self, *_arguments):
        pass


@pytest.fixture
def cyborg():
    """A server that notes by which connection a call came, and its tokens."""
    server = http.server.ThreadingHTTPServer(('127.0.0.1', 0), Handler)
    server.daemon_threads = True
    server.seen, server.status = [], 200
    server.over = threading.Event()
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server
    server.over.set()
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def config(cyborg):
    conf.CONF([], project='nova', default_config_files=[])
    with config_fixture.Config(conf.CONF) as found:
        found.config(
            group='cyborg',
            endpoint_override=f'http://127.0.0.1:{cyborg.server_port}/v2',
        )
        yield found


@pytest.fixture
def clock(monkeypatch):
    """Time passes in pauses alone, or as a test says."""
    now = [0.0]

    def sleep(pause):
        now[0] += pause

    monkeypatch.setattr(
        client,
        'time',
        types.SimpleNamespace(monotonic=lambda: now[0], sleep=sleep),
    )
    return now


class Unreachable:
    """A call that fails some times, after a while."""

    def __init__(self, clock, seconds=0, times=99):
        self._clock, self._seconds, self._times = clock, seconds, times
        self.made = []

    def __call__(self):
        self.made.append(self._clock[0])
        self._clock[0] += self._seconds
        if len(self.made) <= self._times:
            raise exception.CyborgUnreachable(reason='it is down')
        return 'done'


def test_what_fails_is_repeated_while_cyborg_is_started(clock):
    call = Unreachable(clock)
    with pytest.raises(exception.CyborgUnreachable):
        client.repeating(call)
    assert call.made == [0, 0.5, 2.5, 10.5]


def test_what_succeeds_then_is_not_repeated(clock):
    call = Unreachable(clock, times=2)
    assert client.repeating(call) == 'done'
    assert call.made == [0, 0.5, 2.5]


@pytest.mark.parametrize(
    ('seconds', 'times'), [(9, 3), (14, 2), (30, 1), (120, 1)]
)
def test_what_is_not_answered_is_not_repeated_for_long(clock, seconds, times):
    call = Unreachable(clock, seconds)
    with pytest.raises(exception.CyborgUnreachable):
        client.repeating(call)
    assert len(call.made) == times


def test_what_is_repeated_has_an_end(clock):
    call = Unreachable(clock)
    with pytest.raises(exception.CyborgUnreachable):
        client.repeating(call, pauses=(1, 1, 1), end=2)
    assert call.made == [0, 1, 2]


def test_what_is_refused_is_not_repeated():
    calls = []

    def call():
        calls.append(None)
        raise exception.AllocationNotFound(server_id=SERVER_ID)

    with pytest.raises(exception.AllocationNotFound):
        client.repeating(call)
    assert len(calls) == 1


@pytest.mark.usefixtures('config')
@pytest.mark.parametrize('status', [200, 503, None])
def test_a_user_who_deletes_a_server_does_not_wait_for_long(cyborg, status):
    """Whatever nova.conf says of how long Cyborg is waited for."""
    cyborg.status, before = status, time.monotonic()
    deletion._release(
        nova_context.RequestContext(
            'user', 'project', is_admin=False, auth_token='token'
        ),
        SERVER_ID,
    )
    # One that does not answer is asked once.
    times = {200: (1,), 503: (2, 3, 4), None: (1,)}
    assert len(cyborg.seen) in times[status]
    assert time.monotonic() - before < 2 + TOO_LATE


def call(token):
    """Call Cyborg with a user's token."""
    context = nova_context.RequestContext(
        'user', 'project', is_admin=False, auth_token=token
    )
    return client.allocation_client(context).get(SERVER_ID)


@pytest.mark.usefixtures('config')
def test_connections_are_kept_and_tokens_are_not(cyborg):
    for token in ('first', 'second', 'third'):
        assert call(token).generation == 1

    assert len({connection for connection, _headers in cyborg.seen}) == 1
    tokens = [headers['X-Auth-Token'] for _connection, headers in cyborg.seen]
    assert tokens == ['first', 'second', 'third']


def test_a_session_is_made_anew_when_its_options_change(cyborg, config):
    call('first')
    config.config(group='cyborg', timeout=7)
    call('second')

    assert len({connection for connection, _headers in cyborg.seen}) == 2
    assert client._session().timeout == 7


@pytest.mark.usefixtures('config')
def test_it_does_not_wait_for_ever():
    assert client._session().timeout == 120


@pytest.mark.usefixtures('config')
def test_its_session_has_nobodys_credentials():
    call('first')

    assert client._session().auth is None


@pytest.mark.parametrize(
    ('error', 'told'),
    [
        (
            exception.DetachPaused(server_id=SERVER_ID),
            str(exception.DetachPaused(server_id=SERVER_ID)),
        ),
        (nova_exception.InstanceNotFound(instance_id='x'), 'x could not'),
        (OSError('mysql://db1'), 'Nova failed (OSError).'),
        (TimeoutError(), 'Nova failed (TimeoutError).'),
    ],
)
def test_told_of(error, told):
    assert told in client.told_of(error)
    assert 'mysql' not in client.told_of(error)

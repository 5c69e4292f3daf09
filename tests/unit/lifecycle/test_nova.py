# SPDX-License-Identifier: Apache-2.0

"""What Nova is asked, how often, and what the log says of it."""

import pytest
from cyborg.common import nova_client
from cyborg.conf import CONF
from keystoneauth1 import exceptions as ks_exc

from nova_cyborg.lifecycle import nova, servers

SERVER = '5e44e400-0000-4000-8000-000000000000'


class Response:
    """As much of a response of Nova's as is read."""

    def __init__(self, status_code, body=None):
        self.status_code = status_code
        self._body = body

    def json(self):
        return self._body


class Session:
    """Answers by path; what is not given is not found."""

    def __init__(self):
        self.answers = {}
        self.paths = []
        self.timeouts = []

    def get(self, path, timeout):
        assert timeout > 0
        self.timeouts.append(timeout)
        self.paths.append(path)
        answer = self.answers.get(path, Response(404))
        if isinstance(answer, Exception):
            raise answer
        return answer

    def show(self, **fields):
        """Let Nova know the server."""
        body = {'status': 'ACTIVE', 'OS-EXT-STS:task_state': None} | fields
        self.answers[f'/servers/{SERVER}'] = Response(200, {'server': body})


@pytest.fixture
def session(monkeypatch):
    session = Session()
    monkeypatch.setattr(nova, '_compute', lambda: session)
    monkeypatch.setattr(nova, '_failed_at', {})
    return session


def test_a_server_is_asked_for_once(session):
    session.show(
        **{
            'OS-EXT-SRV-ATTR:hypervisor_hostname': 'compute1',
            'OS-SRV-USG:launched_at': '2026-11-26T12:00:09.000000',
        }
    )
    one = nova.Nova()

    found = one.server(SERVER)

    assert one.server(SERVER) is found
    assert session.paths == [f'/servers/{SERVER}']
    assert (found.server_id, found.node) == (SERVER, 'compute1')
    assert found.state is servers.State.RESTING
    assert found.launched_at.isoformat() == '2026-11-26T12:00:09+00:00'


def test_another_one_asks_anew(session):
    session.show()
    assert nova.Nova().server(SERVER).state is servers.State.RESTING

    session.show(status='DELETED')

    assert nova.Nova().server(SERVER).state is servers.State.GONE


def test_a_server_that_is_gone_is_asked_for_once_too(session):
    listed = f'/servers/detail?all_tenants=true&uuid={SERVER}'
    session.answers[listed] = Response(200, {'servers': []})
    one = nova.Nova()

    assert one.server(SERVER) == one.server(SERVER)
    assert one.server(SERVER).state is servers.State.GONE
    assert session.paths == [f'/servers/{SERVER}', listed]


def test_migrations_are_asked_for_once(session):
    session.answers = {
        '/os-migrations?': Response(
            200, {'migrations': [{'uuid': 'a', 'instance_uuid': SERVER}]}
        ),
        '/os-services?binary=nova-compute': Response(200, {'services': []}),
    }
    one = nova.Nova()

    assert one.migrations is one.migrations
    assert one.migrations == {'a': nova.Migration(SERVER, None)}
    assert len(session.paths) == 2


@pytest.mark.parametrize(
    ('path', 'ask'),
    [
        (f'/servers/{SERVER}', lambda one: one.server(SERVER)),
        ('/os-migrations?', lambda one: one.migrations),
        (
            '/servers/detail?all_tenants=true&status=ERROR&',
            lambda one: one.faults(),
        ),
        (
            f'/os-migrations?instance_uuid={SERVER}',
            lambda one: one.is_evacuated(SERVER),
        ),
    ],
)
@pytest.mark.parametrize(
    ('answer', 'words'),
    [
        (Response(403), 'Nova answered GET {} with HTTP status 403.'),
        (ks_exc.ConnectFailure('none'), 'Nova did not answer GET {}: none'),
    ],
)
def test_the_log_names_what_was_asked_for(
    session, caplog, path, ask, answer, words
):
    session.answers[path] = answer

    ask(nova.Nova())

    (line,) = [record.getMessage() for record in caplog.records]
    assert line.startswith(words.format(path))


class TestTheLogOfWhatLasts:
    @pytest.fixture
    def clock(self, monkeypatch):
        class Clock:
            now = 1000.0

            def monotonic(self):
                return self.now

        clock = Clock()
        monkeypatch.setattr(nova, 'time', clock)
        return clock

    @staticmethod
    def ask(session, answer, times=1):
        session.answers[f'/servers/{SERVER}'] = answer
        for _n in range(times):
            nova.Nova().server(SERVER)

    @pytest.mark.parametrize(
        'answer', [Response(503), ks_exc.ConnectFailure('none')]
    )
    def test_it_says_so_when_it_begins_and_when_it_is_over(
        self, session, caplog, clock, answer
    ):
        caplog.set_level('INFO')
        self.ask(session, answer, 5)
        clock.now += 100
        session.show()
        self.ask(session, session.answers[f'/servers/{SERVER}'], 5)

        first, last = [record.getMessage() for record in caplog.records]
        assert first.startswith('Nova ')
        assert last == f'Nova answers GET /servers/{SERVER} again'

    def test_it_begins_again(self, session, caplog, clock):
        for _n in range(2):
            self.ask(session, Response(503), 2)
            clock.now += 100
            self.ask(session, Response(404))
        warnings = [r for r in caplog.records if r.levelname == 'WARNING']
        assert len(warnings) == 2

    def test_one_server_of_many(self, session, caplog, clock):
        """Nova answers what it is asked of the others."""
        for _n in range(5):
            self.ask(session, Response(500))
            nova.Nova().server('another')
            clock.now += 30

        warnings = [r for r in caplog.records if r.levelname == 'WARNING']
        assert len(warnings) == 1


def test_who_does_not_wait_for_long(session):
    with nova.waiting_at_most(7):
        nova.Nova().server(SERVER)
        assert set(session.timeouts) == {7}
        nova.availability_zones()
        # It is shorter by itself.
        assert session.timeouts[-1] < 7
    nova.Nova().server(SERVER)
    assert session.timeouts[-1] > 7


@pytest.mark.parametrize('error', [None, OSError])
def test_keystone_is_not_waited_for_as_long_as_nova(monkeypatch, error):
    seen = []

    class API:
        def __init__(self):
            seen.append(CONF.nova.timeout)
            if error:
                raise error
            self.nova_client = 'client'

    monkeypatch.setattr(nova_client, 'NovaAPI', API)
    make = nova._compute.__wrapped__
    if error:
        with pytest.raises(error):
            make()
    else:
        assert make() == 'client'
    assert seen == [10]
    # Cyborg's own client has more.
    assert CONF.nova.timeout == 30


def test_nova_does_not_say_where_the_guest_runs(session):
    one = nova.Nova()
    server = servers.Server(SERVER, servers.State.FAILED, 'compute1')

    assert one.may_run_elsewhere(server)
    session.answers[f'/os-migrations?instance_uuid={SERVER}'] = Response(
        200, {'migrations': []}
    )
    assert not one.may_run_elsewhere(server)
    nowhere = servers.Server(SERVER, servers.State.FAILED)
    assert one.may_run_elsewhere(nowhere)


LIVE = {
    'id': 1,
    'migration_type': 'live-migration',
    'status': 'running',
    'source_node': 'compute1',
    'dest_node': 'compute2',
}


@pytest.mark.parametrize(
    ('migrations', 'found'),
    [
        (None, True),
        ([], False),
        ([LIVE], True),
        ([LIVE | {'status': 'running (post-copy)'}], True),
        # It is looked for a host, or that is over.
        ([LIVE | {'status': 'accepted'}], False),
        ([LIVE | {'status': 'completed'}], False),
        # It has left that host since.
        ([LIVE | {'source_node': 'compute3'}], False),
        # It was never ended, and others have followed.
        (
            [
                LIVE,
                LIVE
                | {
                    'id': 2,
                    'migration_type': 'migration',
                    'status': 'confirmed',
                },
            ],
            False,
        ),
        # A message came twice.
        ([LIVE, LIVE | {'id': 2, 'status': 'error', 'dest_node': None}], True),
    ],
)
def test_a_server_that_libvirt_may_be_migrating(session, migrations, found):
    if migrations is not None:
        path = f'/os-migrations?instance_uuid={SERVER}'
        session.answers[path] = Response(200, {'migrations': migrations})
    server = servers.Server(SERVER, servers.State.RESTING, 'compute1')

    assert nova.Nova().may_be_moving(server) is found


class TestAvailabilityZones:
    PATH = '/os-services?binary=nova-compute'

    def test_that_of_each_host_with_one_request(self, session):
        hosts = [
            {'host': 'compute1', 'zone': 'north', 'status': 'enabled'},
            # In no aggregate: it is Nova's default one.
            {'host': 'compute2', 'zone': 'nova', 'status': 'disabled'},
            # In a cell that is down.
            {'host': 'compute3', 'status': 'UNKNOWN'},
        ]
        session.answers[self.PATH] = Response(200, {'services': hosts})

        found = nova.availability_zones()

        assert found == {'compute1': 'north', 'compute2': 'nova'}
        assert session.paths == [self.PATH]

    def test_nova_does_not_answer(self, session):
        session.answers[self.PATH] = ks_exc.ConnectTimeout('too late')

        assert nova.availability_zones() is None
        # Members wait for it.
        assert max(session.timeouts) <= 5

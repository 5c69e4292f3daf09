# SPDX-License-Identifier: Apache-2.0

"""Events are sent as versioned notifications, as the documentation shows."""

import json
import pathlib
import re
import threading
from concurrent import futures

import oslo_messaging
import pytest
from cyborg.conf import CONF
from oslo_messaging.notify import _impl_test

from nova_cyborg import model
from nova_cyborg.db.events import actions, recording
from nova_cyborg.lifecycle.events import payloads, sending, telling
from tests.functional.api import cyborg
from tests.functional.api.conftest import providers, wait_for_status

SAMPLES = pathlib.Path(__file__).parents[3] / 'doc/notification_samples'
TOPIC = 'versioned_notifications'
MIGRATION = '0000a1a1-0000-4000-8000-000000000000'
UUID = re.compile('[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}')
# What differs from time to time, where it is in a message.
BY_CHANCE = {
    'request_id': 'req-3bd2a2bc-0bd8-4c26-8a4a-fcd3f1ab5c8b',
    'occurred_at': '2026-11-30T11:06:05Z',
    'timestamp': '2026-11-30 11:06:05.000000',
}
PEOPLE = {
    f'user-of-{cyborg.PROJECT}': 'c8186ba76759450e86cea761dddaa20b',
    cyborg.PROJECT: 'c4f33c0f3e2b45538cc51326a0104059',
}


@pytest.fixture
def sent(cloud):
    """Has events sent, and returns those that were; waits for them."""
    _impl_test.reset()
    cloud.config.config(group='oslo_messaging_notifications', driver=['test'])
    cloud.config.config(
        group='nova_cyborg', versioned_notifications_topics=[TOPIC]
    )
    cloud.config.config(host='controller1')
    telling.start('cyborg-api')
    sender = recording._subscribers['notifications']

    def _sent():
        sender.drain()
        return [
            (context, message, priority)
            for context, message, priority, _retry in _impl_test.NOTIFICATIONS
        ]

    yield _sent
    recording.subscribe('notifications', None)
    _impl_test.reset()


def kinds(sent):
    return [message['event_type'] for _context, message, _priority in sent]


def data(message):
    return message['payload']['nova_cyborg_object.data']


def plain(message):
    """Return a message with the same ids and times every time."""
    text = json.dumps(message)
    for found, shown in PEOPLE.items():
        text = text.replace(found, shown)
    text = UUID.sub('00000000-0000-4000-8000-000000000000', text)
    made = json.loads(text)
    for name, value in BY_CHANCE.items():
        if name in made:
            made[name] = value
        if data(made).get(name):
            data(made)[name] = value
    return made


@pytest.fixture
def everything(cloud, placement, member, nova, boot, sent):
    """Has all happen that can; returns the messages by event type."""
    cloud.nova.boot()
    server_id, uuid = boot(
        cloud.add_device(), name='gzip', delete_on_termination=False
    )
    member.update(uuid, name='zip', tag='crypto')
    with cloud.held_bindings():
        programmed = member.create_one(name='gzip')
        building = cloud.nova.boot()
        nova.reserve(building, programmed)
        nova.bind(building, providers(cloud.add_device(), programmed))
    cloud.drain()
    failing = member.create_one(name='gzip')
    failed = cloud.nova.boot()
    nova.reserve(failed, failing)
    nova.bind(failed, providers(cyborg.UNKNOWN, failing))
    wait_for_status(member, failing, 'error')
    generation = nova.begin(server_id).json['generation']
    there = cloud.add_device(host='compute2')
    nova.bind(
        server_id,
        providers(there, uuid),
        host='compute2',
        generation=generation,
        migration=MIGRATION,
    )
    nova.of_migration(server_id, 'activate', MIGRATION)
    nova.of_migration(server_id, 'settle', MIGRATION)
    placement.candidates = []
    nova.post(
        f'/v2/device_allocations/{server_id}/explain',
        {'query': f'resources{model.requester_id(uuid, 0)}=FPGA:1'},
    )
    # Nobody asks for that: an agent reports it.
    with futures.ThreadPoolExecutor(1) as agent:
        for missing in (True, False):
            agent.submit(cloud.database.set_missing, there, missing).result()
    other, provider = member.create_one(name='gzip'), cloud.add_device()
    one = (building, other)
    nova.attach(*one)
    nova.detached(*one, fault='The host has no free device.')
    nova.attach(*one)
    nova.bind_attached(*one, providers(provider, other))
    nova.attached(*one)
    nova.detach(*one)
    nova.attached(*one, fault='The guest did not let go of it.')
    nova.detach(*one)
    nova.unplug(*one, [provider])
    nova.detached(*one)
    cloud.nova.delete(server_id)
    nova.release(server_id)
    member.delete(uuid)
    return {message['event_type']: message for _c, message, _p in sent()}


ALL = sorted(
    payloads.event_type(
        recording.Event('', recording.What(action, outcome), *[None] * 4)
    )
    for action in actions.Action.ALL
    for outcome in actions.outcomes(action)
)


def test_each_kind_is_as_its_sample(everything):
    assert sorted(everything) == ALL
    for kind, message in everything.items():
        message.pop('message_id')
        sample = json.loads((SAMPLES / f'{kind}.json').read_text())
        assert plain(message) == sample


def test_there_is_no_other_sample():
    assert sorted(path.stem for path in SAMPLES.iterdir()) == ALL


def test_the_version_stands_for_the_fields(everything):
    """Another field needs another version, here and there."""
    fields = {tuple(data(message)) for message in everything.values()}

    assert (payloads.VERSION, fields) == (
        '1.0',
        {
            (
                'uuid',
                'project_id',
                'user_id',
                'name',
                'tag',
                'device_profile_id',
                'delete_on_termination',
                'live_migration',
                'server_id',
                'host',
                'fault',
                'updated_fields',
                'action_initiator_user',
                'action_initiator_project',
                'request_id',
                'event_id',
                'occurred_at',
            )
        },
    )


def test_failures_are_errors(member, cloud, nova, boot, sent):
    server_id, uuid = boot(cloud.add_device())
    nova.detach(server_id, uuid)
    nova.attached(server_id, uuid, fault='No.')

    assert [priority for _c, _m, priority in sent()][-2:] == ['INFO', 'ERROR']


def test_nothing_secret_is_in_them(member, sent):
    member.create_one(config={'key': 'the-config'}, description='described')

    ((context, message, _priority),) = sent()

    text = json.dumps([context, message])
    # The token of the request is "secret".
    assert context == {}
    for secret in ('secret', 'the-config', 'described'):
        assert secret not in text


def test_what_is_refused_or_rolled_back_is_not_sent(cloud, member, sent, nova):
    member.create(resources={'FPGA': 0}, status=400)
    uuid = member.create_one()
    nova.reserve(cloud.nova.boot(), uuid, cyborg.UNKNOWN, status=404)

    assert kinds(sent()) == ['device_context.create']


def test_none_are_sent_by_default(cloud, member):
    _impl_test.reset()
    cloud.config.config(group='oslo_messaging_notifications', driver=['test'])
    assert CONF.nova_cyborg.versioned_notifications_topics == []
    telling.start('cyborg-api')

    member.create_one()

    assert 'notifications' not in recording._subscribers
    assert not _impl_test.NOTIFICATIONS


class _Bus:
    """A message bus that can be down, or take its time."""

    def __init__(self):
        self.down = False
        self.free = threading.Event()
        self.free.set()
        self.taken = []

    def info(self, _context, event_type, _payload):
        self.free.wait(cyborg.PATIENCE)
        if self.down:
            raise oslo_messaging.MessageDeliveryFailure('it is down')
        self.taken.append(event_type)


@pytest.fixture
def bus(monkeypatch, sent):
    made = _Bus()
    monkeypatch.setattr(
        oslo_messaging, 'Notifier', lambda *args, **kwargs: made
    )
    return made


def test_a_bus_that_is_down_fails_no_request(bus, member, sent, caplog):
    bus.down = True
    uuid = member.create_one()
    sent()
    bus.down = False
    member.update(uuid, name='x')
    sent()

    # What is lost is lost.
    assert bus.taken == ['device_context.update']
    assert 'A notification could not be sent: it is down' in caplog.text


def test_a_bus_that_takes_its_time_has_no_request_wait(
    monkeypatch, bus, member, sent, caplog
):
    monkeypatch.setattr(sending, 'MOST', 2)
    telling.start('cyborg-api')
    monkeypatch.setattr(
        recording._subscribers['notifications'],
        '_waiting',
        sending.queue.Queue(2),
    )
    bus.free.clear()
    uuid = member.create_one()
    for number in range(9):
        member.update(uuid, name=f'n{number}')
    bus.free.set()
    recording._subscribers['notifications'].drain()

    # One was being sent, and two waited.
    assert len(bus.taken) in (2, 3)
    assert caplog.text.count('Notifications are left out') == 1


def test_a_subscriber_that_fails_has_no_request_fail(member, caplog):
    def fail(_event):
        raise RuntimeError('unforeseen')

    recording.subscribe('test', fail)
    try:
        member.create_one()
    finally:
        recording.subscribe('test', None)

    assert 'An event was lost for test' in caplog.text

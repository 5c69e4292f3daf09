# SPDX-License-Identifier: Apache-2.0

"""A slot that a server gave back is cleaned before another one gets it.

The agent and its driver are real, and the programs that it runs. Between it
and the conductor is only JSON.
"""

import datetime
import json
import time
from unittest import mock

import pytest
import sqlalchemy as sa
from cyborg import objects
from cyborg.agent import manager as stock_agent
from cyborg.agent import rpcapi as agent_rpcapi
from cyborg.common import exception as cyborg_exception
from cyborg.conf import CONF
from cyborg.objects import base as objects_base
from oslo_utils import fixture as time_fixture
from oslo_utils import timeutils

from nova_cyborg.audit import look
from nova_cyborg.audit import slots as audit_slots
from nova_cyborg.cyborg.agent import cleaning as agent_cleaning
from nova_cyborg.cyborg.agent import manager as agent_manager
from nova_cyborg.db import tables
from nova_cyborg.db.inventory import outages, slots
from nova_cyborg.lifecycle import unbind
from nova_cyborg.lifecycle.cleaning import begin
from tests.functional.inventory.conftest import HOST
from tests.functional.inventory.entries import VGPU, card, vgpu

CARD = '0000:72:00.0'
ONE, TWO = (f'0000:72:00.{number}' for number in (1, 2))
YPU = 'CUSTOM_YPU'
SECONDS = 30


class Bus:
    """The message bus: what is cast is kept until it is delivered."""

    def __init__(self, cloud):
        self.cloud = cloud
        self.casts = []
        self.is_down = False

    def prepare(self, server=HOST, **_bounds):
        assert server == HOST
        return self

    def cast(self, context, method, slots):
        if self.is_down:
            raise OSError('The bus is down.')
        self.casts.append((method, json.loads(json.dumps(slots))))

    def deliver(self, agent):
        """Have the agent do what it was told, and wait for the end."""
        casts, self.casts = self.casts, []
        for method, given in casts:
            assert method == 'clean_slots'
            agent.clean_slots(self.cloud.context, given)
        wait_until(lambda: not agent._cleaner._running)


class Conductor:
    """The agent's way to cyborg-conductor."""

    is_down = False

    def __init__(self, cloud):
        self.cloud = cloud
        self.client = self

    def report_data(self, context, host, devices):
        serializer = objects_base.CyborgObjectSerializer()
        sent = json.dumps(serializer.serialize_entity(context, devices))
        received = serializer.deserialize_entity(context, json.loads(sent))
        self.cloud.conductor.report_data(context, host, received)

    def prepare(self):
        return self

    def call(self, context, method, **arguments):
        if self.is_down:
            raise OSError('The conductor is down.')
        return getattr(self.cloud.conductor, method)(context, **arguments)


def wait_until(condition):
    end = time.monotonic() + SECONDS
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.01)


@pytest.fixture(autouse=True)
def conductor(plugin, agent_rpc):
    """With the plugin, and with agents that make mediated devices."""


@pytest.fixture
def bus(cloud, monkeypatch):
    found = Bus(cloud)
    api = mock.create_autospec(agent_rpcapi.AgentAPI)
    api.return_value.client = found
    found.remove_mediated_device = api.return_value.remove_vgpu_mdev
    for module in (begin, unbind):
        # Not in its own module, where it may call itself by its name.
        stand_in = mock.Mock(AgentAPI=api)
        monkeypatch.setattr(module, 'rpcapi', stand_in)
    return found


@pytest.fixture
def start(cloud, _config, tmp_path, monkeypatch):
    """Starts an agent, which has reported once."""
    monkeypatch.setattr(
        stock_agent.cond_api, 'ConductorAPI', lambda: Conductor(cloud)
    )
    _config.config(state_path=str(tmp_path))
    _config.config(group='agent', enabled_drivers=['file_driver'])
    # Before Cyborg 16, the agent takes its own name.
    if 'resource_provider_name' in CONF.agent:
        _config.config(group='agent', resource_provider_name=HOST)

    def _start():
        agent = agent_manager.AgentManager('cyborg-agent', HOST)
        report(cloud, agent)
        return agent

    return _start


@pytest.fixture
def shell(tmp_path):
    """Makes the field of a program that the shell runs."""

    def _shell(script, timeout=SECONDS):
        # After these come the words of the devices file, and the address.
        return {
            'program': ['/bin/sh', '-c', script, str(tmp_path / 'told')],
            'timeout': timeout,
        }

    return _shell


@pytest.fixture
def told(tmp_path):
    """Returns the addresses that a program has written down."""

    def _told():
        path = tmp_path / 'told'
        return path.read_text().split() if path.exists() else []

    return _told


# It writes down the address of the slot.
WRITE = 'echo "$1" >> "$0"'


def report(cloud, agent):
    agent._rt.update_usage(cloud.context)


def offered(cloud, address=CARD):
    return cloud.offered(f'{HOST}_{address}')


def reasons(cloud):
    with cloud.engine.connect() as connection:
        return [
            row.reason
            for row in connection.execute(
                sa.select(tables.HandleOutage.reason)
            )
        ]


def findings(cloud):
    view = mock.create_autospec(look.Look, instance=True)
    view.context = cloud.context
    return list(audit_slots.find_uncleaned(view))


class TestGivenBack:
    def test_it_is_given_when_it_is_clean(
        self, cloud, bus, start, shell, told
    ):
        cloud.devices_file.write(card(ONE, cleaning=shell(WRITE)))
        agent = start()
        assert offered(cloud) == 1
        cloud.delete(cloud.boot(CARD, YPU))

        assert reasons(cloud) == [outages.CLEANING]
        assert offered(cloud) == 0
        with pytest.raises(cyborg_exception.ResourceNotFound):
            cloud.bind(CARD, YPU)
        assert told() == []

        bus.deliver(agent)

        assert told() == [ONE]
        assert reasons(cloud) == []
        assert offered(cloud) == 1
        assert cloud.place_of(cloud.boot(CARD, YPU)) == ONE

    def test_several_are_one_message(self, cloud, bus, start, shell, told):
        cloud.devices_file.write(card(ONE, TWO, cleaning=shell(WRITE)))
        agent = start()
        requests = [cloud.boot(CARD, YPU).arq.uuid for _n in range(2)]

        unbind.devices(requests)

        assert len(bus.casts) == 1
        bus.deliver(agent)
        assert sorted(told()) == [ONE, TWO]
        assert reasons(cloud) == []

    def test_a_device_that_is_not_cleaned_is_given_at_once(
        self, cloud, bus, start
    ):
        cloud.devices_file.write(card(ONE))
        start()
        cloud.delete(cloud.boot(CARD, YPU))

        assert bus.casts == []
        assert offered(cloud) == 1

    def test_what_no_guest_got_is_given_at_once(
        self, cloud, bus, start, shell
    ):
        cloud.devices_file.write(card(ONE, cleaning=shell(WRITE)))
        start()
        request = cloud.bind(CARD, YPU)
        request.arq.state = 'BindFailed'
        request.save(cloud.context)

        unbind.devices([request.arq.uuid])

        assert reasons(cloud) == []
        assert offered(cloud) == 1

    def test_a_mediated_device_is_removed_first(
        self, cloud, bus, start, shell, told
    ):
        cloud.devices_file.write({**vgpu(2), 'cleaning': shell(WRITE)})
        agent = start()
        remove = bus.remove_mediated_device
        remove.side_effect = PermissionError
        first = cloud.boot(VGPU, 'VGPU')

        cloud.delete(first)

        # It is still there.
        assert bus.casts == []
        report(cloud, agent)
        assert bus.casts == []
        assert offered(cloud, VGPU) == 1
        (finding,) = audit_slots.find_handles(mock.Mock(context=cloud.context))

        remove.side_effect = None
        finding.repair()

        bus.deliver(agent)
        assert told() == [VGPU]
        assert offered(cloud, VGPU) == 2

    @pytest.mark.parametrize('by', ['uuid', 'PATCH'])
    def test_stock_cyborg_unbinds_it(self, cloud, bus, start, shell, told, by):
        cloud.devices_file.write(card(ONE, cleaning=shell(WRITE)))
        agent = start()
        request = cloud.boot(CARD, YPU)
        if by == 'uuid':
            uuids = [request.arq.uuid]
            objects.ExtARQ.delete_by_uuid(cloud.context, uuids)
        else:
            patch = [{'op': 'remove', 'path': '/hostname'}]
            cloud.conductor.arq_apply_patch(
                cloud.context, {request.arq.uuid: patch}, {}
            )
        cloud.forget(request.arq.instance_uuid)

        assert offered(cloud) == 0
        bus.deliver(agent)
        assert told() == [ONE]
        assert offered(cloud) == 1

    def test_a_handle_that_no_arq_has_any_more_is_cleaned(
        self, cloud, bus, start, shell, told
    ):
        cloud.devices_file.write(card(ONE, cleaning=shell(WRITE)))
        agent = start()
        request = cloud.boot(CARD, YPU)
        request.destroy(cloud.context)
        cloud.forget(request.arq.instance_uuid)
        (finding,) = audit_slots.find_handles(mock.Mock(context=cloud.context))

        finding.repair()

        assert offered(cloud) == 0
        bus.deliver(agent)
        assert told() == [ONE]
        assert offered(cloud) == 1


class TestFailure:
    @pytest.mark.parametrize(
        ('script', 'timeout', 'why'),
        [
            ('echo no >&2; echo "it burns" >&2; exit 3', 30, 'it burns'),
            ('exit 3', 30, 'ended with status 3'),
            ('sleep 60', 1, 'did not end within 1 s'),
            # It does not end when it is told to.
            ('trap "" TERM; while :; do sleep 1; done', 1, 'within 1 s'),
        ],
    )
    def test_it_stays_out_until_it_is_repaired(
        self, cloud, bus, start, shell, told, script, timeout, why
    ):
        cloud.devices_file.write(card(ONE, cleaning=shell(script, timeout)))
        agent = start()
        cloud.delete(cloud.boot(CARD, YPU))

        bus.deliver(agent)

        assert reasons(cloud) == [outages.CLEANING_FAILED]
        assert offered(cloud) == 0
        report(cloud, agent)
        assert bus.casts == []
        (finding,) = findings(cloud)
        assert finding.kind == 'slot-not-cleaned'
        assert why in finding.detail
        assert ONE in finding.detail

        cloud.devices_file.write(card(ONE, cleaning=shell(WRITE)))
        finding.repair()
        bus.deliver(agent)

        assert told() == [ONE]
        assert findings(cloud) == []
        assert offered(cloud) == 1

    def test_a_driver_that_cannot_clean(
        self, cloud, bus, start, shell, monkeypatch
    ):
        cloud.devices_file.write(card(ONE, cleaning=shell(WRITE)))
        agent = start()
        cloud.delete(cloud.boot(CARD, YPU))
        monkeypatch.setattr(
            agent._cleaner, '_drivers', [mock.Mock(spec=['discover'])]
        )

        bus.deliver(agent)

        (finding,) = findings(cloud)
        assert 'No driver of cyborg-agent on this host' in finding.detail

    def test_it_is_given_when_slots_are_not_cleaned_any_more(
        self, cloud, bus, start, shell
    ):
        cloud.devices_file.write(card(ONE, cleaning=shell('exit 1')))
        agent = start()
        cloud.delete(cloud.boot(CARD, YPU))
        bus.deliver(agent)
        assert offered(cloud) == 0

        cloud.devices_file.write(card(ONE))
        report(cloud, agent)

        assert reasons(cloud) == []
        assert offered(cloud) == 1

    def test_cleaning_is_taken_away_while_nobody_has_cleaned(
        self, cloud, bus, start, shell
    ):
        cloud.devices_file.write(card(ONE, cleaning=shell(WRITE)))
        agent = start()
        cloud.delete(cloud.boot(CARD, YPU))
        cloud.devices_file.write(card(ONE))
        report(cloud, agent)
        # It might be running.
        assert offered(cloud) == 0

        bus.deliver(agent)
        report(cloud, agent)

        assert reasons(cloud) == []
        assert offered(cloud) == 1

    def test_nobody_cleans(self, cloud, bus, start, shell):
        cloud.devices_file.write(card(ONE, cleaning=shell(WRITE, 60)))
        agent = start()
        cloud.delete(cloud.boot(CARD, YPU))
        assert findings(cloud) == []

        with time_fixture.TimeFixture(
            timeutils.utcnow() + datetime.timedelta(seconds=190)
        ):
            (finding,) = findings(cloud)
        assert finding.kind == 'slot-not-cleaned'
        assert 'See whether it runs there' in finding.detail

        bus.casts.clear()
        finding.repair()
        bus.deliver(agent)
        assert offered(cloud) == 1


class TestReport:
    def test_it_repeats_what_was_not_heard(
        self, cloud, bus, start, shell, told
    ):
        cloud.devices_file.write(card(ONE, cleaning=shell(WRITE)))
        agent = start()
        bus.is_down = True
        cloud.delete(cloud.boot(CARD, YPU))
        bus.is_down = False

        report(cloud, agent)
        report(cloud, agent)
        bus.deliver(agent)

        assert told() == [ONE]
        assert offered(cloud) == 1

    @pytest.mark.parametrize('listed', [(), (TWO,)])
    def test_a_slot_that_it_lacks_stays(
        self, cloud, bus, start, shell, told, listed
    ):
        cleaned = {'cleaning': shell(WRITE)}
        cloud.devices_file.write(card(ONE, **cleaned))
        agent = start()
        cloud.delete(cloud.boot(CARD, YPU))
        bus.casts.clear()
        before = cloud.handles(CARD)

        cloud.devices_file.write(
            *([card(*listed, **cleaned)] if listed else [])
        )
        report(cloud, agent)

        assert before.items() <= cloud.handles(CARD).items()
        assert offered(cloud) == len(listed)
        # There is nothing to clean.
        assert bus.casts == []

        cloud.devices_file.write(card(ONE, **cleaned))
        report(cloud, agent)

        assert cloud.handles(CARD) == before
        assert offered(cloud) == 0
        bus.deliver(agent)
        assert told() == [ONE]
        assert offered(cloud) == 1

    def test_a_slot_that_failed_stays(self, cloud, bus, start, shell):
        cloud.devices_file.write(card(ONE, cleaning=shell('exit 1')))
        agent = start()
        cloud.delete(cloud.boot(CARD, YPU))
        bus.deliver(agent)

        cloud.devices_file.write()
        report(cloud, agent)
        report(cloud, agent)
        cloud.devices_file.write(card(ONE, cleaning=shell('exit 1')))
        report(cloud, agent)

        assert reasons(cloud) == [outages.CLEANING_FAILED]
        assert offered(cloud) == 0

    def test_it_is_not_given_as_a_slot_of_another_card(
        self, cloud, bus, start, shell
    ):
        other = '0000:73:00.0'
        cloud.devices_file.write(
            card(ONE, cleaning=shell(WRITE)), card(TWO, address=other)
        )
        agent = start()
        cloud.delete(cloud.boot(CARD, YPU))

        cloud.devices_file.write(card(ONE, TWO, address=other))
        report(cloud, agent)

        assert cloud.slots(other) == {TWO}
        # As Cyborg without the plugin would have recorded it.
        cloud.move_slot(TWO, ONE)
        with pytest.raises(cyborg_exception.ResourceNotFound):
            cloud.bind(other, YPU)

    def test_a_slot_that_is_given_back_meanwhile_stays(
        self, cloud, bus, start, shell
    ):
        cloud.devices_file.write(card(ONE, cleaning=shell(WRITE)))
        start()
        cloud.delete(cloud.boot(CARD, YPU))
        before = cloud.handles(CARD)

        # By a report that was compared while the server had it.
        slots.remove(cloud.context, cloud.deployable(CARD).id, before.keys())

        assert cloud.handles(CARD) == before

    def test_cleaning_is_no_trait_of_a_provider(
        self, cloud, bus, start, shell
    ):
        cloud.devices_file.write(card(ONE))
        agent = start()
        before = cloud.provider(CARD)

        for changes in (
            {'cleaning': shell(WRITE)},
            {'cleaning': shell(WRITE, 5)},
            {},
        ):
            cloud.devices_file.write(card(ONE, TWO, **changes))
            report(cloud, agent)
            assert cloud.provider(CARD)[1] == before[1]
            assert cloud.slots(CARD) == {ONE, TWO}
            attributes = objects.Attribute.get_by_deployable_id(
                cloud.context, cloud.deployable(CARD).id
            )
            found = {each.key: each.value for each in attributes}
            timeout = changes.get('cleaning', {}).get('timeout')
            assert found.get('cleaning') == (timeout and str(timeout))


class TestTwice:
    def test_a_program_that_an_earlier_agent_has_started(
        self, cloud, bus, start, shell, told, tmp_path
    ):
        go = tmp_path / 'go'
        script = f'{WRITE}; while ! [ -e {go} ]; do sleep 0.1; done'
        cloud.devices_file.write(card(ONE, cleaning=shell(script)))
        first = start()
        cloud.delete(cloud.boot(CARD, YPU))
        ((_method, given),) = bus.casts
        first.clean_slots(cloud.context, given)
        wait_until(lambda: told() == [ONE])

        # It is killed: nobody hears of it any more.
        first.cond_api.is_down = True
        second = start()
        bus.deliver(second)

        assert told() == [ONE]
        assert reasons(cloud) == [outages.CLEANING]

        go.touch()
        wait_until(lambda: not first._cleaner._running)
        report(cloud, second)
        bus.deliver(second)

        assert told() == [ONE, ONE]
        assert offered(cloud) == 1

    def test_the_end_could_not_be_told(self, cloud, bus, start, shell, told):
        cloud.devices_file.write(card(ONE, cleaning=shell(WRITE)))
        agent = start()
        cloud.delete(cloud.boot(CARD, YPU))
        with mock.patch.object(
            cloud.conductor, 'end_cleaning', side_effect=OSError
        ):
            bus.deliver(agent)
        assert offered(cloud) == 0

        report(cloud, agent)
        bus.deliver(agent)

        assert told() == [ONE]
        assert offered(cloud) == 1

    def test_the_end_of_another_slot_could_not_be_told(
        self, cloud, bus, start, shell, told, monkeypatch
    ):
        # One after the other; a server has given them back at once.
        monkeypatch.setattr(agent_cleaning, '_THREADS', 1)
        cloud.devices_file.write(card(ONE, TWO, cleaning=shell(WRITE)))
        agent = start()
        unbind.devices([cloud.boot(CARD, YPU).arq.uuid for _n in range(2)])

        with mock.patch.object(
            cloud.conductor, 'end_cleaning', side_effect=OSError
        ):
            bus.deliver(agent)

        assert sorted(told()) == [ONE, TWO]

    def test_a_conductor_that_is_down_is_no_reason_to_begin(
        self, cloud, bus, start, shell, told
    ):
        cloud.devices_file.write(card(ONE, cleaning=shell(WRITE)))
        agent = start()
        cloud.delete(cloud.boot(CARD, YPU))
        agent.cond_api.is_down = True

        bus.deliver(agent)

        assert told() == []
        assert reasons(cloud) == [outages.CLEANING]

    def test_a_message_that_comes_when_a_server_has_the_slot(
        self, cloud, bus, start, shell, told
    ):
        cloud.devices_file.write(card(ONE, cleaning=shell(WRITE)))
        agent = start()
        cloud.delete(cloud.boot(CARD, YPU))
        late = list(bus.casts)
        bus.deliver(agent)
        cloud.boot(CARD, YPU)

        bus.casts = late
        bus.deliver(agent)

        assert told() == [ONE]

    def test_a_word_that_comes_when_cleaning_was_begun_anew(
        self, cloud, bus, start, shell
    ):
        cloud.devices_file.write(card(ONE, cleaning=shell(WRITE)))
        agent = start()
        cloud.delete(cloud.boot(CARD, YPU))
        ((_method, (slot,)),) = bus.casts
        word = (slot['handle_id'], slot['cleaning_id'], None)
        bus.deliver(agent)
        # Once more is no harm.
        cloud.conductor.end_cleaning(cloud.context, *word)
        assert offered(cloud) == 1
        cloud.delete(cloud.boot(CARD, YPU))

        cloud.conductor.end_cleaning(cloud.context, *word)
        cloud.conductor.end_cleaning(cloud.context, *word[:2], 'it failed')

        assert reasons(cloud) == [outages.CLEANING]
        assert offered(cloud) == 0

    def test_a_word_that_comes_when_it_was_begun_again(
        self, cloud, bus, start, shell
    ):
        cloud.devices_file.write(card(ONE, cleaning=shell('exit 1')))
        agent = start()
        cloud.delete(cloud.boot(CARD, YPU))
        ((_method, (slot,)),) = bus.casts
        bus.deliver(agent)
        begin.again(slot['handle_id'])

        cloud.conductor.end_cleaning(
            cloud.context, slot['handle_id'], slot['cleaning_id'], None
        )

        assert reasons(cloud) == [outages.CLEANING]


def test_placement_is_told_with_the_next_report(
    cloud, bus, start, shell, monkeypatch
):
    cloud.devices_file.write(card(ONE, cleaning=shell(WRITE)))
    agent = start()
    cloud.delete(cloud.boot(CARD, YPU))
    with mock.patch.object(
        cloud.conductor.placement_client,
        'put',
        side_effect=cyborg_exception.PlacementServerError('It is down.'),
    ):
        bus.deliver(agent)
    assert reasons(cloud) == []
    assert offered(cloud) == 0

    report(cloud, agent)

    assert offered(cloud) == 1


def test_what_it_costs(cloud, bus, start, shell):
    cloud.devices_file.write(card(ONE))
    agent = start()
    plain = statements(cloud, [cloud.boot(CARD, YPU)])
    cloud.devices_file.write(card(ONE, TWO, cleaning=shell(WRITE)))
    report(cloud, agent)
    cleaned = statements(cloud, [cloud.boot(CARD, YPU)])
    bus.deliver(agent)
    cloud.devices_file.write(card(ONE, TWO, cleaning=shell(WRITE)))
    both = statements(cloud, [cloud.boot(CARD, YPU) for _n in range(2)])

    assert len(plain) == 4
    # The others are what Placement and the agent are told.
    inserts = [each for each in cleaned if each.startswith('INSERT')]
    assert len(inserts) == 1
    assert len(both) == len(cleaned)


def statements(cloud, requests):
    """Return the statements that it takes to unbind devices."""
    sent = []

    def note(_connection, _cursor, statement, *_others):
        sent.append(statement)

    sa.event.listen(cloud.engine, 'before_cursor_execute', note)
    try:
        unbind.devices([request.arq.uuid for request in requests])
    finally:
        sa.event.remove(cloud.engine, 'before_cursor_execute', note)
    for request in requests:
        cloud.forget(request.arq.instance_uuid)
    return sent

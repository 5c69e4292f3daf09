# SPDX-License-Identifier: Apache-2.0

"""Bindings that do not come to a good end."""

import uuid

import fixtures
import oslo_messaging
import pytest
from cyborg.conductor import rpcapi
from cyborg.db.sqlalchemy import models
from oslo_db import exception as db_exc

from nova_cyborg.db import tables
from nova_cyborg.lifecycle import bind
from tests.functional.api import cyborg
from tests.functional.api.conftest import MEDIATED, providers

# What Cyborg's conductor binds: the agent makes the device first.


def wait_for_status(caller, uuid_, status):
    cyborg.wait_for(lambda: caller.status_of(uuid_) == status)


@pytest.fixture
def failed(cloud, nova, boot):
    """A server that asked for more slots than there are.

    Returns its UUID, those of its device contexts, and those of its ARQs.
    """

    def _failed(contexts=3, slots=2):
        server_id, *uuids = boot(contexts=contexts)
        provider = cloud.add_device(slots=slots)
        arqs = nova.bind(server_id, providers(provider, *uuids)).json['arqs']
        cyborg.wait_for(lambda: nova.allocation(server_id).json['fault'])
        cyborg.wait_for(
            lambda: len(cloud.nova.outcomes(server_id)) == len(arqs)
        )
        return server_id, uuids, arqs

    return _failed


class TestNoSlotIsFree:
    def test_the_fault_is_told_to_project_and_nova(
        self, cloud, member, nova, failed
    ):
        server_id, uuids, arqs = failed()

        # To the project, with each device context of the server;
        fault = nova.allocation(server_id).json['fault']
        assert fault
        assert 'Traceback' not in fault
        for uuid_ in uuids:
            shown = member.show(uuid_).json
            assert (shown['status'], shown['fault']) == ('error', fault)
        # to Nova, with each ARQ: those that were bound are of no use.
        assert cloud.nova.outcomes(server_id) == dict.fromkeys(arqs, 'failed')

    def test_the_slots_that_were_bound_are_freed(
        self, cloud, member, nova, failed
    ):
        server_id, uuids, _arqs = failed()
        assert cloud.used_slots() == 2

        nova.unbind(server_id)

        assert cloud.used_slots() == 0
        assert cloud.count(models.ExtArq) == 0
        for uuid_ in uuids:
            shown = member.show(uuid_).json
            assert (shown['status'], shown['fault']) == ('reserved', None)

    def test_no_arq_stays_pending(self, cloud, nova, failed):
        server_id, _uuids, arqs = failed()

        # Stock Nova asks this way: each has its last state, 423 is not said.
        response = nova.arqs(f'bind_state=resolved&instance={server_id}')

        states = {
            each['uuid']: each['state'] for each in response.json['arqs']
        }
        assert list(states) == arqs
        assert sorted(states.values()) == ['BindFailed', 'Bound', 'Bound']

    def test_a_second_attempt_begins_anew(self, cloud, member, nova, failed):
        server_id, uuids, before = failed()

        # The same host, with a device that is free.
        after = nova.bind(
            server_id, providers(cloud.add_device(slots=3), *uuids)
        ).json['arqs']

        for uuid_ in uuids:
            wait_for_status(member, uuid_, 'bound')
        assert not set(before) & set(after)
        assert cloud.used_slots() == 3
        assert cloud.count(models.ExtArq) == 3
        states = nova.arqs(f'bind_state=resolved&instance={server_id}').json
        assert {each['uuid'] for each in states['arqs']} == set(after)

    def test_the_same_attempt_begins_anew(self, cloud, member, nova, failed):
        # Not taken for one that has begun already.
        server_id, uuids, before = failed(contexts=1, slots=0)
        provider = member.show(uuids[0]).json['devices'][0][
            'resource_provider_id'
        ]

        after = nova.bind(server_id, providers(provider, *uuids)).json['arqs']

        assert after != before
        cyborg.wait_for(
            lambda: cloud.nova.outcomes(server_id).keys() >= set(after)
        )
        assert cloud.nova.outcomes(server_id)[after[0]] == 'failed'

    def test_the_device_contexts_are_released(
        self, cloud, member, nova, failed
    ):
        server_id, uuids, _arqs = failed()

        nova.release(server_id)

        for uuid_ in uuids:
            shown = member.show(uuid_).json
            assert (shown['status'], shown['fault']) == ('available', None)
        assert cloud.used_slots() == 0


def test_a_provider_that_cyborg_does_not_know(cloud, member, nova, boot):
    server_id, uuid_ = boot()

    (arq,) = nova.bind(server_id, providers(str(uuid.uuid4()), uuid_)).json[
        'arqs'
    ]

    wait_for_status(member, uuid_, 'error')
    cyborg.wait_for(lambda: cloud.nova.outcomes(server_id) == {arq: 'failed'})


def test_what_is_no_business_of_the_project_is_not_told(
    cloud, member, nova, boot, monkeypatch
):
    def fail(*_arguments, **_named):
        raise RuntimeError('cannot reach db1.example.com')

    monkeypatch.setattr(
        'cyborg.conductor.manager.ConductorManager.arq_apply_patch', fail
    )
    server_id, uuid_ = boot()
    nova.bind(server_id, providers(cloud.add_device(**MEDIATED), uuid_))

    wait_for_status(member, uuid_, 'error')
    fault = member.show(uuid_).json['fault']
    assert 'RuntimeError' in fault
    assert 'db1' not in fault


def test_an_outcome_that_takes_long_is_left_to_the_conductor(
    cloud, member, nova, boot
):
    # The conductor is busy for longer than the RPC call waits.
    server_id, uuid_ = boot()
    cloud.config.config(rpc_response_timeout=1)
    timed_out = []
    call = rpcapi.ConductorAPI.arq_apply_patch

    def note(*args, **kwargs):
        try:
            return call(*args, **kwargs)
        except oslo_messaging.MessagingTimeout as exc:
            timed_out.append(exc)
            raise

    with (
        fixtures.MonkeyPatch(
            'cyborg.conductor.rpcapi.ConductorAPI.arq_apply_patch', note
        ),
        cloud.held_bindings(),
    ):
        (arq,) = nova.bind(
            server_id, providers(cloud.add_device(**MEDIATED), uuid_)
        ).json['arqs']
        cyborg.wait_for(lambda: timed_out)
        cloud.drain()

        # Nova is told nothing, and the context has no fault yet.
        assert member.status_of(uuid_) == 'binding'
        assert member.show(uuid_).json['fault'] is None
        assert cloud.nova.events == []

    # It comes to its end, and the conductor tells Nova.
    wait_for_status(member, uuid_, 'bound')
    cyborg.wait_for(
        lambda: cloud.nova.outcomes(server_id) == {arq: 'completed'}
    )


def test_nova_does_not_hear_the_conductors_word(cloud, member, nova, boot):
    # The conductor raises then, with all ARQs bound.
    server_id, uuid_ = boot()
    cloud.nova.refuse_events = 1

    (arq,) = nova.bind(
        server_id, providers(cloud.add_device(**MEDIATED), uuid_)
    ).json['arqs']

    # It is told again, and the binding is what it is.
    cyborg.wait_for(
        lambda: cloud.nova.outcomes(server_id) == {arq: 'completed'}
    )
    shown = member.show(uuid_).json
    assert (shown['status'], shown['fault']) == ('bound', None)


@pytest.mark.parametrize('slots', [1, 0])
def test_nova_does_not_hear_at_all(cloud, member, nova, boot, slots):
    server_id, uuid_ = boot()
    cloud.nova.status_code = 503

    provider = cloud.add_device(slots=slots, **MEDIATED)
    nova.bind(server_id, providers(provider, uuid_))

    wait_for_status(member, uuid_, 'bound' if slots else 'error')
    cloud.drain()
    assert member.status_of(uuid_) == ('bound' if slots else 'error')
    assert cloud.nova.events == []


def test_an_outcome_that_is_overtaken_is_not_recorded(
    cloud, member, nova, boot
):
    server_id, uuid_ = boot()
    with cloud.held_bindings():
        # The first host has no slot; Nova goes on to another in between.
        nova.bind(server_id, providers(cloud.add_device(slots=0), uuid_))
        nova.unbind(server_id)
        (arq,) = nova.bind(
            server_id, providers(cloud.add_device(), uuid_), host='compute2'
        ).json['arqs']
    wait_for_status(member, uuid_, 'bound')
    cloud.drain()

    shown = member.show(uuid_).json
    assert (shown['status'], shown['fault']) == ('bound', None)
    assert shown['host'] == 'compute2'
    assert cloud.nova.outcomes(server_id) == {arq: 'completed'}
    assert cloud.used_slots() == 1
    assert cloud.count(tables.DeviceContextArq) == 1


@pytest.mark.parametrize('is_there', [True, False])
def test_what_was_taken_for_a_binding_that_is_unbound_is_given_back(
    cloud, member, nova, boot, monkeypatch, is_there
):
    """Cyborg has the slot already, and has not written it to the ARQ yet."""
    server_id, uuid_ = boot()
    provider = cloud.add_device(slots=1, **MEDIATED)
    removed = []

    def unbind_meanwhile(*_args, **_kwargs):
        nova.unbind(server_id)

    def remove(*args, **_kwargs):
        removed.append(args)
        if not is_there:
            raise FileNotFoundError('The host was booted in between.')

    monkeypatch.setattr(cloud.agent, 'create_vgpu_mdev', unbind_meanwhile)
    monkeypatch.setattr(cloud.agent, 'remove_vgpu_mdev', remove)
    nova.bind(server_id, providers(provider, uuid_), status=202)
    cloud.drain()

    assert member.status_of(uuid_) == 'reserved'
    assert cloud.used_slots() == 0
    assert len(removed) == 1
    assert cloud.nova.outcomes(server_id) == {}


def test_an_agent_that_does_not_answer_is_waited_for_once(
    cloud, nova, boot, monkeypatch
):
    """However many mediated devices it is to remove."""
    server_id, *_contexts = boot(
        cloud.add_device(slots=2, **MEDIATED), contexts=2
    )
    asked = []

    def wait(*args, **_kwargs):
        asked.append(args)
        raise oslo_messaging.MessagingTimeout

    monkeypatch.setattr(cloud.agent, 'remove_vgpu_mdev', wait)
    nova.unbind(server_id)

    assert len(asked) == 1
    # They are removed when it answers.
    assert cloud.used_slots() == 2


class TestTheOutcomeIsLost:
    def test_it_is_logged_with_the_request(
        self, cloud, nova, boot, monkeypatch, caplog
    ):
        """The database is gone at the moment the failure is to be stored."""
        server_id, uuid_ = boot()
        provider = cloud.add_device(slots=0)
        lost = db_exc.DBConnectionError('the database is gone')

        def fail(*_args):
            raise lost

        monkeypatch.setattr(bind.arqs, 'states', fail)

        nova.bind(server_id, providers(provider, uuid_), status=202)
        cloud.drain()

        records = [
            record
            for record in caplog.records
            if record.name == bind.__name__ and record.exc_info
        ]
        assert [r.exc_info[1] for r in records] == [lost]
        assert 'nova-cyborg-manage audit' in records[0].getMessage()

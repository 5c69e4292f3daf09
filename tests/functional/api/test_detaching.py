# SPDX-License-Identifier: Apache-2.0

"""Device contexts that a server loses while it exists."""

import threading
import uuid

import pytest
from cyborg.db.sqlalchemy import models

from nova_cyborg.db import tables
from nova_cyborg.db.requests import removing
from nova_cyborg.lifecycle import unbind
from tests.functional.api import cyborg
from tests.functional.api.conftest import MEDIATED, held, providers

OTHER_CALLER = '0ca11000-0000-4000-8000-000000000000'
# A function of a card is two ARQs of Cyborg's, and one unit of Placement's.
TWO_FUNCTIONS = {
    'resources': {'FPGA_GZIP': 1},
    'required': ['FPGA_XILINX'],
}


def code_of(response):
    return cyborg.error_of(response)['code'].rpartition('.')[2]


@pytest.fixture
def detach(nova):
    """Detaches a device context from a server, from end to end.

    Returns how many device contexts the server still holds.
    """

    def _detach(server_id, uuid_):
        nova.detach(server_id, uuid_)
        nova.unplug(server_id, uuid_)
        return nova.detached(server_id, uuid_).json['contexts']

    return _detach


def remains(cloud):
    """Return whether there is anything of a server that has held some."""
    return [
        cloud.count(table)
        for table in (
            models.ExtArq,
            models.DeviceProfile,
            tables.DeviceAllocation,
            tables.DeviceBinding,
            tables.DeviceContextArq,
        )
    ] != [0] * 5 or bool(cloud.used_slots())


class TestDetach:
    def test_who_makes_a_guest_is_told(self, cloud, nova, boot):
        """Between its last look and the guest, the device may be given on."""
        server_id, uuid_ = boot(cloud.add_device())

        def is_leaving():
            found = nova.arqs(f'instance={server_id}').json['arqs']
            return [each.get('detaching') for each in found]

        assert is_leaving() == [None]
        nova.detach(server_id, uuid_)
        assert is_leaving() == [True]
        nova.attached(server_id, uuid_, fault='The guest keeps it.')
        assert is_leaving() == [None]

    @pytest.mark.parametrize('device', [{}, MEDIATED])
    def test_the_last_one(self, cloud, member, nova, boot, detach, device):
        """It is available, though it was to be deleted with its server."""
        server_id, uuid_ = boot(cloud.add_device(**device))

        assert detach(server_id, uuid_) == 0

        shown = member.show(uuid_).json
        assert (shown['status'], shown['server_id']) == ('available', None)
        assert (shown['fault'], shown['bindings']) == (None, [])
        assert shown['delete_on_termination'] is True
        nova.allocation(server_id, status=404)
        assert not remains(cloud)

    def test_one_of_several(self, cloud, member, nova, boot, detach):
        server_id, *uuids = boot(cloud.add_device(slots=3), contexts=3)
        before = [member.show(each).json for each in uuids]

        assert detach(server_id, uuids[1]) == 2

        assert held(nova.allocation(server_id)) == [uuids[0], uuids[2]]
        for n in (0, 2):
            assert member.show(uuids[n]).json == before[n]
        assert cloud.used_slots() == 2

    def test_until_it_is_released_the_server_holds_it(
        self, cloud, member, nova, boot
    ):
        server_id, uuid_ = boot(cloud.add_device())

        answer = nova.detach(server_id, uuid_, status=200).json

        assert answer == {'device_context': member.show_but_tags(uuid_)}
        assert answer['device_context']['status'] == 'detaching'
        assert cloud.used_slots() == 1
        member.delete(uuid_, status=409)

    def test_again(self, member, nova, boot):
        server_id, uuid_ = boot()

        for caller in (cyborg.CALLER, cyborg.CALLER, OTHER_CALLER):
            nova.detach(server_id, uuid_, caller, status=200)

        # The first one is too late.
        for call in (nova.attached, nova.unplug, nova.detached):
            error = call(server_id, uuid_, status=409)
            assert code_of(error) == 'other_attempt'
        assert member.status_of(uuid_) == 'detaching'

    def test_what_is_being_attached(self, cloud, member, nova, detach):
        server_id = cloud.nova.boot()
        uuid_ = member.create_one()
        nova.attach(server_id, uuid_, OTHER_CALLER)
        nova.bind_attached(
            server_id,
            uuid_,
            providers(cloud.add_device(), uuid_),
            OTHER_CALLER,
        )

        assert detach(server_id, uuid_) == 0

        assert not remains(cloud)
        error = nova.attached(server_id, uuid_, OTHER_CALLER, status=409)
        assert code_of(error) == 'other_attempt'

    def test_what_is_not_attached(self, cloud, member, nova, boot):
        server_id, _booted = boot()
        _other, theirs = boot()
        for server, uuid_ in (
            (server_id, theirs),
            (server_id, member.create_one()),
            (server_id, cyborg.UNKNOWN),
            (cloud.nova.boot(), theirs),
        ):
            error = nova.detach(server, uuid_, status=404)
            assert code_of(error) == 'not_attached'
        assert member.status_of(theirs) == 'reserved'

    def test_it_is_attached_again(self, cloud, member, nova, boot, detach):
        provider = cloud.add_device(slots=1)
        server_id, uuid_ = boot(provider)
        for _n in range(3):
            detach(server_id, uuid_)
            nova.attach(server_id, uuid_)
            nova.bind_attached(server_id, uuid_, providers(provider, uuid_))
            nova.attached(server_id, uuid_)

        assert member.status_of(uuid_) == 'bound'
        assert cloud.used_slots() == 1


class TestTheGuestKeepsIt:
    @pytest.mark.parametrize('caller', [cyborg.CALLER, None])
    def test_it_goes_on_working(self, cloud, member, nova, boot, caller):
        server_id, uuid_ = boot(cloud.add_device())
        nova.detach(server_id, uuid_)

        for _n in range(2):
            nova.attached(
                server_id, uuid_, caller, fault='It keeps it.', status=204
            )

        shown = member.show(uuid_).json
        assert (shown['status'], shown['fault']) == ('bound', 'It keeps it.')
        listed = member.list('?status=bound').json['device_contexts']
        assert [each['uuid'] for each in listed] == [uuid_]
        assert not member.list('?status=error').json['device_contexts']
        # The next call begins anew.
        answer = nova.detach(server_id, uuid_).json['device_context']
        assert answer['fault'] is None

    def test_a_fault_that_is_long(self, nova, boot):
        server_id, uuid_ = boot()
        nova.detach(server_id, uuid_)

        nova.attached(server_id, uuid_, fault='x' * 4096, status=204)
        nova.attached(server_id, uuid_, fault='x' * 4097, status=400)


class TestItCannotBeDetachedNow:
    """Something else is done with the server; nothing of it is bound."""

    @staticmethod
    def fails(member, nova, server_id, uuid_):
        """A call takes over, and finds the server busy."""
        nova.detach(server_id, uuid_, OTHER_CALLER)
        for _n in range(2):
            nova.attached(server_id, uuid_, OTHER_CALLER, fault='It is busy.')

        shown = member.show(uuid_).json
        assert (shown['status'], shown['fault']) == (
            'detaching',
            'It is busy.',
        )
        outcomes = [
            (each['action'], each['outcome'])
            for each in member.get(
                f'/v2/device_contexts/{uuid_}/events?limit=2'
            ).json['events']
        ]
        assert outcomes == [('detach', 'error'), ('detach', 'started')]
        # It does not say that the server has it.
        error = nova.attach(server_id, uuid_, status=409)
        assert code_of(error) == 'detaching'

    def test_it_was_not_bound_yet(self, cloud, member, nova, detach):
        server_id, uuid_ = cloud.nova.boot(), member.create_one()
        nova.attach(server_id, uuid_)

        self.fails(member, nova, server_id, uuid_)

        assert detach(server_id, uuid_) == 0
        shown = member.show(uuid_).json
        assert (shown['status'], shown['fault']) == ('available', None)
        assert not remains(cloud)
        nova.attach(server_id, uuid_, status=200)

    def test_it_was_unbound_already(self, cloud, member, nova, boot, detach):
        server_id, uuid_, other = boot(cloud.add_device(slots=2), contexts=2)
        nova.detach(server_id, uuid_)
        nova.unplug(server_id, uuid_)

        self.fails(member, nova, server_id, uuid_)

        assert member.status_of(other) == 'bound'
        assert detach(server_id, uuid_) == 1
        assert member.status_of(uuid_) == 'available'
        assert cloud.used_slots() == 1


class TestUnplug:
    def test_again(self, cloud, member, nova, boot):
        provider = cloud.add_device(slots=3)
        server_id, gone, left = boot(provider, contexts=2)
        nova.detach(server_id, gone)

        for _n in range(2):
            answer = nova.unplug(server_id, gone, [provider], status=200)
            assert answer.json == {
                'resources': {provider: {'CUSTOM_FPGA_GZIP': 1}}
            }

        assert cloud.used_slots() == 1
        assert member.status_of(gone) == 'detaching'
        assert member.status_of(left) == 'bound'

    def test_after_an_attach_that_failed(self, cloud, member, nova, boot):
        provider = cloud.add_device()
        server_id, _booted = boot(provider)
        uuid_ = member.create_one()
        nova.attach(server_id, uuid_)
        nova.bind_attached(server_id, uuid_, providers(provider, uuid_))

        nova.unplug(server_id, uuid_, [provider])
        nova.detached(server_id, uuid_, fault='The guest refuses.')

        shown = member.show(uuid_).json
        assert (shown['status'], shown['fault']) == (
            'available',
            'The guest refuses.',
        )
        assert cloud.used_slots() == 1

    def test_what_is_left_of_each_provider(
        self, cloud, member, nova, boot, profile_arq
    ):
        one, two, empty = (cloud.add_device(slots=4) for _n in range(3))
        server_id, gone, left = boot(one, contexts=2)
        profile_arq(server_id, two)
        # Another server's is none of it.
        boot(empty)
        cloud.drain()
        nova.detach(server_id, gone)
        asked = [one, two, empty, cyborg.UNKNOWN]

        found = nova.unplug(server_id, gone, asked).json['resources']

        assert found == {
            one: {'CUSTOM_FPGA_GZIP': 1},
            two: {'FPGA': 1},
            empty: {},
        }
        assert nova.unplug(server_id, gone, []).json == {'resources': {}}
        assert member.status_of(left) == 'bound'

    def test_of_two_functions_that_are_one_unit(
        self, cloud, member, nova, boot
    ):
        provider = cloud.add_device(slots=4)
        server_id, gone, _left = boot(provider, contexts=2, **TWO_FUNCTIONS)
        assert cloud.used_slots() == 4
        nova.detach(server_id, gone)

        found = nova.unplug(server_id, gone, [provider]).json['resources']

        assert found == {provider: {'CUSTOM_FPGA_GZIP': 1}}
        assert cloud.used_slots() == 2

    def test_of_several_units(self, cloud, nova, boot):
        provider = cloud.add_device(slots=5)
        server_id, gone, _left = boot(
            provider, contexts=2, resources={'FPGA': 2}
        )
        nova.detach(server_id, gone)

        found = nova.unplug(server_id, gone, [provider]).json['resources']

        assert found == {provider: {'FPGA': 2}}

    @pytest.mark.parametrize('end', ['attached', 'nothing'])
    def test_too_late(self, cloud, member, nova, boot, end):
        server_id, uuid_ = boot(cloud.add_device())
        if end == 'attached':
            nova.detach(server_id, uuid_)
            nova.attached(server_id, uuid_)

        for call in (nova.unplug, nova.detached):
            error = call(server_id, uuid_, status=409)
            assert code_of(error) == 'other_attempt'

        assert member.status_of(uuid_) == 'bound'
        assert cloud.used_slots() == 1

    def test_of_a_server_that_holds_nothing(self, cloud, member, nova):
        error = nova.unplug(cloud.nova.boot(), member.create_one(), status=409)

        assert code_of(error) == 'other_attempt'

    @pytest.mark.parametrize('asked', [['x'], [str(uuid.uuid4())] * 1025, 'x'])
    def test_providers_that_are_wrong(self, nova, boot, asked):
        server_id, uuid_ = boot()
        nova.detach(server_id, uuid_)

        nova.post(
            f'/v2/device_allocations/{server_id}/unplug',
            {
                'device_context': uuid_,
                'caller': cyborg.CALLER,
                'resource_providers': asked,
            },
            status=400,
        )


class TestDetached:
    def test_again(self, cloud, member, nova, boot, detach):
        server_id, gone, _left = boot(cloud.add_device(), contexts=2)
        detach(server_id, gone)

        for caller in (cyborg.CALLER, OTHER_CALLER):
            answer = nova.detached(server_id, gone, caller, fault='late')
            assert answer.json == {'contexts': 1}

        # Another server may have it by then.
        other = cloud.nova.boot()
        nova.reserve(other, gone)
        assert nova.detached(server_id, gone).json == {'contexts': 1}
        shown = member.show(gone).json
        assert (shown['server_id'], shown['fault']) == (other, None)

    def test_a_server_that_holds_nothing(self, cloud, member, nova):
        answer = nova.detached(cloud.nova.boot(), member.create_one())

        assert answer.json == {'contexts': 0}

    def test_with_devices(self, cloud, member, nova, boot):
        server_id, uuid_ = boot(cloud.add_device())
        nova.detach(server_id, uuid_)

        error = nova.detached(server_id, uuid_, status=409)

        assert code_of(error) == 'still_bound'
        assert member.status_of(uuid_) == 'detaching'
        assert cloud.used_slots() == 1


class TestTheServerIsBroughtToAHost:
    """Whatever was being done with it is over."""

    def test_what_it_was_getting(self, cloud, member, nova, boot):
        """It could not be moved back with it: it has nothing of it there."""
        server_id, booted = boot(cloud.add_device())
        uuid_ = member.create_one()
        nova.attach(server_id, uuid_)

        answer = nova.begin(server_id, 'req-1')

        assert held(answer) == [booted]
        shown = member.show(uuid_).json
        assert shown['status'] == 'available'
        assert 'taken over' in shown['fault']
        wanted = providers(cloud.add_device(), uuid_)
        self.refuse_all(nova, server_id, uuid_, wanted, but=nova.detached)

    def test_what_was_bound_of_it(self, cloud, member, nova, boot):
        server_id, booted = boot(cloud.add_device())
        uuid_ = member.create_one()
        nova.attach(server_id, uuid_)
        wanted = providers(cloud.add_device(), uuid_)
        nova.bind_attached(server_id, uuid_, wanted)

        answer = nova.begin(server_id, 'req-1')

        assert held(answer) == [booted, uuid_]
        assert member.status_of(uuid_) == 'bound'
        self.refuse_all(nova, server_id, uuid_, wanted)
        assert cloud.used_slots() == 2

    def test_what_it_was_losing(self, cloud, member, nova, boot):
        server_id, booted, uuid_ = boot(cloud.add_device(), contexts=2)
        nova.detach(server_id, uuid_)

        answer = nova.begin(server_id, 'req-1')

        assert held(answer) == [booted, uuid_]
        assert member.status_of(uuid_) == 'bound'
        self.refuse_all(nova, server_id, uuid_, {})

    def test_what_it_is_losing_just_then(
        self, cloud, member, nova, boot, monkeypatch
    ):
        """It keeps its device, or is told that it has lost it."""
        server_id, booted, uuid_ = boot(cloud.add_device(), contexts=2)
        nova.detach(server_id, uuid_)
        answers = []
        begun = threading.Thread(
            target=lambda: answers.append(nova.begin(server_id, 'req-1'))
        )

        def begin_before(original):
            def remove(*args):
                if not begun.ident:
                    begun.start()
                    begun.join()
                return original(*args)

            return remove

        # The first thing that is done after the call was checked.
        monkeypatch.setattr(
            unbind, 'given_back', begin_before(unbind.given_back)
        )
        monkeypatch.setattr(removing, 'remove', begin_before(removing.remove))
        nova.unplug(server_id, uuid_)

        assert held(answers[0]) == [booted]
        assert member.status_of(uuid_) == 'available'

    def test_what_it_has_lost(self, cloud, member, nova, boot):
        server_id, booted, uuid_ = boot(cloud.add_device(), contexts=2)
        nova.detach(server_id, uuid_)
        nova.unplug(server_id, uuid_)

        answer = nova.begin(server_id, 'req-1')

        assert held(answer) == [booted]
        assert member.status_of(uuid_) == 'available'
        nova.detached(server_id, uuid_, status=200)

    def test_it_has_lost_all(self, cloud, member, nova, boot):
        server_id, uuid_ = boot(cloud.add_device())
        nova.detach(server_id, uuid_)
        nova.unplug(server_id, uuid_)

        error = nova.begin(server_id, 'req-1', status=404)

        assert code_of(error) == 'not_found'
        assert member.status_of(uuid_) == 'available'
        assert not remains(cloud)

    def test_it_gets_one_since(self, cloud, member, nova, boot):
        """Nova has found it at rest right before."""
        server_id, booted = boot()
        nova.begin(server_id, 'req-1')
        uuid_ = member.create_one()
        nova.attach(server_id, uuid_)

        nova.bind(server_id, providers(cloud.add_device(), booted))

        assert member.status_of(booted) == 'bound'
        assert member.status_of(uuid_) == 'attaching'
        assert cloud.used_slots() == 1

    def test_it_is_deleted(self, cloud, member, nova, boot):
        server_id, booted = boot(cloud.add_device())
        getting = member.create_one(delete_on_termination=False)
        nova.attach(server_id, getting)
        nova.detach(server_id, booted)
        cloud.nova.change(server_id, 'ACTIVE', 'deleting')

        nova.release(server_id, status=204)

        member.show(booted, status=404)
        assert member.status_of(getting) == 'available'
        assert not remains(cloud)
        for uuid_ in (booted, getting):
            self.refuse_all(nova, server_id, uuid_, {}, but=nova.detached)

    @staticmethod
    def refuse_all(nova, server_id, uuid_, wanted, but=None):
        """All that the call still says is refused."""
        error = nova.bind_attached(server_id, uuid_, wanted, status=409)
        assert code_of(error) == 'other_attempt'
        for call in (nova.attached, nova.unplug, nova.detached):
            if call != but:
                error = call(server_id, uuid_, status=409)
                assert code_of(error) == 'other_attempt'


@pytest.mark.parametrize('transition', ['attaching', 'detaching'])
def test_list_by_status(cloud, member, nova, boot, transition):
    server_id, booted = boot(cloud.add_device())
    other = member.create_one()
    uuid_ = booted
    if transition == 'attaching':
        uuid_ = other
        nova.attach(server_id, uuid_)
        nova.bind_attached(
            server_id, uuid_, providers(cloud.add_device(), uuid_)
        )
    else:
        nova.detach(server_id, uuid_)

    found = {
        status: [
            each['uuid']
            for each in member.list(f'?status={status}').json[
                'device_contexts'
            ]
        ]
        for status in (transition, 'bound', 'error', 'reserved', 'binding')
    }

    assert found.pop(transition) == [uuid_]
    rest = [booted] if transition == 'attaching' else []
    assert found.pop('bound') == rest
    assert not any(found.values())
    member.list('?status=attached', status=400)

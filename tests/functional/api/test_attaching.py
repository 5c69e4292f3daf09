# SPDX-License-Identifier: Apache-2.0

"""Device contexts that a server gets while it exists."""

import threading
import uuid

import pytest
import sqlalchemy as sa
from cyborg.db.sqlalchemy import models

from nova_cyborg import model
from nova_cyborg.db import tables
from tests.functional.api import cyborg
from tests.functional.api.conftest import (
    MEDIATED,
    held,
    providers,
    wait_for_status,
)

OTHER_CALLER = '0ca11000-0000-4000-8000-000000000000'


def code_of(response):
    return cyborg.error_of(response)['code'].rpartition('.')[2]


@pytest.fixture
def server_id(cloud):
    """A server that was booted without device contexts."""
    return cloud.nova.boot()


@pytest.fixture
def attach(cloud, member, nova):
    """Attaches a new device context to a server, from end to end.

    Returns its UUID, and that of the resource provider.
    """

    def _attach(server_id, provider=None, **body):
        provider = provider or cloud.add_device()
        uuid_ = member.create_one(**body)
        nova.attach(server_id, uuid_)
        nova.bind_attached(server_id, uuid_, providers(provider, uuid_))
        cloud.drain()
        nova.attached(server_id, uuid_, status=204)
        return uuid_, provider

    return _attach


def move(cloud, nova, server_id, context_id):
    """Begin to move a server, so that it has bindings on two hosts."""
    nova.begin(server_id, str(uuid.uuid4()))
    nova.bind(
        server_id,
        providers(cloud.add_device(host='compute2'), context_id),
        host='compute2',
        migration=str(uuid.uuid4()),
    )


class TestAttach:
    def test_a_server_without_any(self, cloud, member, nova, server_id):
        uuid_ = member.create_one(name='gzip')

        answer = nova.attach(server_id, uuid_).json

        assert answer.pop('device_context') == member.show_but_tags(uuid_)
        assert answer == {
            'generation': 0,
            'taints': [],
            'resumed': False,
            'held': [uuid_],
            'groups': 1,
            'combinations': {'plain': 0, 'pruned': 0},
        }
        shown = member.show(uuid_).json
        assert (shown['status'], shown['server_id']) == (
            'attaching',
            server_id,
        )
        assert held(nova.allocation(server_id)) == [uuid_]

    def test_beside_what_it_was_booted_with(self, cloud, member, nova, boot):
        server_id, booted = boot(cloud.add_device())
        nova.begin(server_id, 'req-1')
        uuid_ = member.create(
            groups=[{'resources': {'FPGA_GZIP': 1}}] * 2
        ).json['uuid']

        answer = nova.attach(server_id, uuid_).json

        assert (answer['generation'], answer['groups']) == (1, 3)
        assert answer['held'] == [booted, uuid_]
        assert member.status_of(booted) == 'bound'
        assert held(nova.allocation(server_id)) == [booted, uuid_]

    def test_again(self, cloud, member, nova, server_id):
        uuid_ = member.create_one()
        nova.attach(server_id, uuid_)

        for caller in (cyborg.CALLER, OTHER_CALLER):
            answer = nova.attach(server_id, uuid_, caller).json
            assert answer['resumed'] is True

        # The first one is too late.
        wanted = providers(cloud.add_device(), uuid_)
        error = nova.bind_attached(server_id, uuid_, wanted, status=409)
        assert code_of(error) == 'other_attempt'
        nova.bind_attached(server_id, uuid_, wanted, OTHER_CALLER)
        assert cloud.used_slots() == 1

    def test_what_is_attached(self, member, nova, attach, boot, server_id):
        booted_server, booted = boot()
        uuid_, _provider = attach(server_id)

        for server, each in ((server_id, uuid_), (booted_server, booted)):
            before = member.show(each).json
            error = nova.attach(server, each, status=409)
            assert code_of(error) == 'attached'
            assert member.show(each).json == before

    def test_what_is_being_detached(self, member, nova, boot):
        server_id, uuid_ = boot()
        nova.detach(server_id, uuid_)

        error = nova.attach(server_id, uuid_, status=409)

        assert code_of(error) == 'detaching'
        assert member.status_of(uuid_) == 'detaching'

    def test_what_another_server_holds(self, cloud, nova, boot, server_id):
        other, uuid_ = boot()

        error = nova.attach(server_id, uuid_, status=409)

        assert code_of(error) == 'in_use'
        assert other in cyborg.error_of(error)['detail']
        nova.allocation(server_id, status=404)

    def test_what_a_server_that_is_gone_holds(
        self, cloud, member, nova, boot, server_id
    ):
        other, uuid_ = boot(cloud.add_device())
        cloud.nova.delete(other)
        asked = cloud.nova.requests

        # Nova's API waits for the answers: it is not asked, and says itself
        # that the server is gone.
        nova.attach(server_id, uuid_, status=409)
        nova.release(other, '?kept=true')
        nova.attach(server_id, uuid_, status=200)

        assert cloud.nova.requests == asked
        assert member.status_of(uuid_) == 'attaching'
        assert cloud.used_slots() == 0
        nova.allocation(other, status=404)

    def test_of_another_project(self, member, stranger, nova, server_id):
        theirs, mine = stranger.create_one(), member.create_one()

        for uuid_ in (theirs, cyborg.UNKNOWN):
            error = nova.attach(server_id, uuid_, status=404)
            assert code_of(error) == 'not_found'
        # Who asks may be an administrator: the server's project counts.
        nova.attach(
            server_id, mine, project_id=cyborg.OTHER_PROJECT, status=404
        )
        nova.attach(
            server_id, theirs, project_id=cyborg.OTHER_PROJECT, status=200
        )

    def test_a_server_with_devices_on_two_hosts(
        self, cloud, member, nova, boot
    ):
        server_id, booted = boot(cloud.add_device())
        move(cloud, nova, server_id, booted)
        uuid_ = member.create_one()

        for error in (
            nova.attach(server_id, uuid_, status=409),
            nova.detach(server_id, booted, status=409),
        ):
            assert code_of(error) == 'server_moving'

        assert member.status_of(uuid_) == 'available'
        assert member.status_of(booted) == 'bound'

    def test_the_bounds_count_what_it_has(self, cloud, member, nova, boot):
        cloud.config.config(group='nova_cyborg', max_accelerators_per_server=2)
        server_id, _booted = boot(contexts=1)
        uuid_ = member.create_one(resources={'FPGA_GZIP': 2})
        other = member.create_one(resources={'NONESUCH': 1})
        cloud.config.config(
            group='nova_cyborg', allowed_resource_classes=['FPGA_GZIP']
        )

        error = nova.attach(server_id, uuid_, status=400)
        assert code_of(error) == 'too_many_accelerators'
        error = nova.attach(server_id, other, status=400)
        assert code_of(error) == 'resource_class_not_allowed'

        assert member.status_of(uuid_) == 'available'

    def test_a_server_has_at_most_so_many(
        self, cloud, member, nova, boot, monkeypatch
    ):
        monkeypatch.setattr(model, 'MAX_CONTEXTS', 2)
        server_id, *_uuids = boot(contexts=2)

        error = nova.attach(server_id, member.create_one(), status=400)

        assert code_of(error) == 'too_many_groups'

    def test_the_combinations_count_what_it_has(
        self, cloud, member, nova, boot
    ):
        for _n in range(2):
            cloud.add_device()
        server_id, _booted = boot(resources={'FPGA': 1})
        uuid_ = member.create_one(resources={'FPGA': 1})

        answer = nova.attach(
            server_id, uuid_, flavor_resources=[{'FPGA': 1}]
        ).json

        assert answer['combinations']['plain'] == 8

    @pytest.mark.parametrize(
        'wrong',
        [
            {'device_context': 'x'},
            {'caller': 'me'},
            {'project_id': ''},
            {'tag': ''},
            {'tag': 'a/b'},
            {'nonesuch': 1},
        ],
    )
    def test_a_body_that_is_wrong(self, nova, server_id, wrong):
        body = {
            'device_context': cyborg.UNKNOWN,
            'caller': cyborg.CALLER,
            'project_id': cyborg.PROJECT,
        }

        error = nova.post(
            f'/v2/device_allocations/{server_id}/attach',
            body | wrong,
            status=400,
        )

        assert code_of(error) == 'invalid_request'

    def test_it_clears_the_last_fault(self, member, nova, server_id):
        uuid_ = member.create_one()
        for work in (nova.attach, nova.reserve):
            nova.attach(server_id, uuid_)
            nova.detached(server_id, uuid_, fault='no device')
            shown = member.show(uuid_).json
            assert (shown['status'], shown['fault']) == (
                'available',
                'no device',
            )

            work(server_id, uuid_)

            assert member.show(uuid_).json['fault'] is None
            nova.release(server_id)


class TestBind:
    def test_beside_what_is_bound(self, cloud, member, nova, boot, attach):
        server_id, booted = boot(cloud.add_device())
        before = member.show(booted).json

        uuid_, provider = attach(server_id)

        assert member.show(booted).json == before
        shown = member.show(uuid_).json
        assert (shown['status'], shown['host']) == ('bound', 'compute1')
        (binding,) = shown['bindings']
        assert binding['state'] == 'active'
        (device,) = binding['devices']
        assert device['resource_provider_id'] == provider
        assert cloud.used_slots() == 2
        assert cloud.count(tables.DeviceBinding) == 1
        # Nova sees both.
        assert len(nova.arqs(f'instance={server_id}').json['arqs']) == 2

    def test_a_server_without_any(self, cloud, member, server_id, attach):
        uuids = [attach(server_id)[0] for _n in range(8)]

        assert {member.status_of(each) for each in uuids} == {'bound'}
        assert cloud.used_slots() == 8
        assert cloud.count(tables.DeviceBinding) == 1

    def test_again(self, cloud, member, nova, server_id):
        uuid_ = member.create_one()
        wanted = providers(cloud.add_device(), uuid_)
        nova.attach(server_id, uuid_)

        answers = [
            nova.bind_attached(server_id, uuid_, wanted, status=202).json
            for _n in range(2)
        ]

        assert answers[0] == answers[1]
        assert len(answers[0]['arqs']) == 1
        assert cloud.used_slots() == 1

    def test_again_to_another_device(self, cloud, member, nova, server_id):
        """The answer of Placement was lost, and it was asked again."""
        uuid_ = member.create_one()
        nova.attach(server_id, uuid_)
        for _n in range(2):
            provider = cloud.add_device()
            nova.bind_attached(server_id, uuid_, providers(provider, uuid_))

        (device,) = member.show(uuid_).json['devices']
        assert device['resource_provider_id'] == provider
        assert cloud.used_slots() == 1
        assert cloud.count(models.ExtArq) == 1

    def test_a_mediated_device(self, cloud, member, server_id, attach):
        uuid_, _provider = attach(server_id, cloud.add_device(**MEDIATED))

        (device,) = member.show(uuid_).json['devices']
        assert device['attach_handle_type'] == 'MDEV'
        assert member.status_of(uuid_) == 'bound'

    def test_of_a_mediated_device_the_state_is_told(
        self, cloud, member, nova, server_id
    ):
        uuid_ = member.create_one()
        wanted = providers(cloud.add_device(**MEDIATED), uuid_)
        nova.attach(server_id, uuid_)
        with cloud.held_bindings() as may_bind:
            nova.bind_attached(server_id, uuid_, wanted)
            (arq,) = nova.arqs(f'instance={server_id}').json['arqs']
            assert arq['state'] != 'Bound'
            assert member.status_of(uuid_) == 'attaching'
            may_bind.set()
            cloud.drain()

        (arq,) = nova.arqs(f'instance={server_id}').json['arqs']
        assert arq['state'] == 'Bound'

    def test_no_slot_is_free(self, cloud, member, nova, boot, server_id):
        provider = cloud.add_device(slots=1)
        server_id, booted = boot(provider)
        uuid_ = member.create_one()
        nova.attach(server_id, uuid_)

        nova.bind_attached(server_id, uuid_, providers(provider, uuid_))
        cloud.drain()

        shown = member.show(uuid_).json
        assert shown['status'] == 'attaching'
        assert shown['fault']
        (device,) = shown['devices']
        assert device['state'] == 'BindFailed'
        # It is not the server's.
        assert nova.allocation(server_id).json['fault'] is None
        assert member.status_of(booted) == 'bound'
        # And can be bound by the same call, to another device.
        nova.bind_attached(
            server_id, uuid_, providers(cloud.add_device(), uuid_)
        )
        nova.attached(server_id, uuid_)
        assert member.status_of(uuid_) == 'bound'
        assert cloud.used_slots() == 2

    def test_on_another_host(self, cloud, member, nova, boot):
        server_id, _booted = boot(cloud.add_device())
        uuid_ = member.create_one()
        nova.attach(server_id, uuid_)
        provider = cloud.add_device(host='compute2')

        error = nova.bind_attached(
            server_id,
            uuid_,
            providers(provider, uuid_),
            host='compute2',
            status=409,
        )

        assert code_of(error) == 'server_moving'
        assert cloud.used_slots() == 1

    def test_without_a_provider(self, member, nova, server_id):
        uuid_ = member.create_one()
        nova.attach(server_id, uuid_)

        error = nova.bind_attached(server_id, uuid_, {}, status=400)

        assert code_of(error) == 'provider_missing'

    @pytest.mark.parametrize(
        'before',
        [
            # Nothing is held; it is attached; it is being detached.
            lambda nova, server_id, uuid_: None,
            lambda nova, server_id, uuid_: (
                nova.attach(server_id, uuid_),
                nova.attached(server_id, uuid_),
            ),
            lambda nova, server_id, uuid_: (
                nova.attach(server_id, uuid_),
                nova.detach(server_id, uuid_),
            ),
        ],
    )
    def test_too_late(self, cloud, member, nova, server_id, before):
        uuid_ = member.create_one()
        before(nova, server_id, uuid_)

        error = nova.bind_attached(
            server_id,
            uuid_,
            providers(cloud.add_device(), uuid_),
            status=409,
        )

        assert code_of(error) == 'other_attempt'
        assert cloud.used_slots() == 0

    def test_a_device_that_was_tainted_since(
        self, cloud, member, admin, nova, placement, server_id
    ):
        provider = cloud.add_device()
        uuid_ = member.create_one()
        nova.attach(server_id, uuid_)
        with cloud.engine.connect() as connection:
            device = connection.scalar(sa.select(models.Device.uuid))
        admin.post(
            '/v2/device_taints',
            {'device_uuid': device, 'key': 'ecc', 'reason': 'x'},
            status=201,
        )

        error = nova.bind_attached(
            server_id, uuid_, providers(provider, uuid_), status=409
        )

        assert code_of(error) == 'device_tainted'
        other = member.create_one()
        assert nova.attach(server_id, other).json['taints'] == ['ecc']


class TestAttached:
    def test_again(self, member, nova, attach, server_id):
        uuid_, _provider = attach(server_id)

        nova.attached(server_id, uuid_, status=204)

        assert member.status_of(uuid_) == 'bound'

    @pytest.mark.parametrize('caller', [OTHER_CALLER, None])
    def test_by_another_call(self, member, nova, server_id, caller):
        uuid_ = member.create_one()
        nova.attach(server_id, uuid_)

        error = nova.attached(server_id, uuid_, caller, status=409)

        assert code_of(error) == 'other_attempt'
        assert member.status_of(uuid_) == 'attaching'

    @pytest.mark.parametrize('caller', [cyborg.CALLER, None])
    def test_what_is_not_held(self, member, nova, server_id, caller):
        uuid_ = member.create_one()

        error = nova.attached(server_id, uuid_, caller, status=409)

        assert code_of(error) == 'other_attempt'
        assert member.status_of(uuid_) == 'available'


class TestRaces:
    @staticmethod
    def run(*calls):
        """Make calls at one moment; returns their statuses, sorted."""
        begin = threading.Barrier(len(calls))
        found = []

        def run(call):
            begin.wait(cyborg.PATIENCE)
            found.append(call().status_int)

        threads = [threading.Thread(target=run, args=(c,)) for c in calls]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return sorted(found)

    def test_one_context_to_two_servers(self, cloud, member, nova):
        uuid_ = member.create_one()
        server_ids = [cloud.nova.boot() for _n in range(2)]

        found = self.run(
            *(
                lambda each=each: nova.attach(each, uuid_, status='*')
                for each in server_ids
            )
        )

        assert found == [200, 409]
        assert cloud.count(tables.DeviceAllocation) == 1

    def test_two_contexts_to_one_server(self, cloud, member, nova, server_id):
        uuids = [member.create_one() for _n in range(2)]

        found = self.run(
            *(
                lambda each=each: nova.attach(server_id, each, status='*')
                for each in uuids
            )
        )

        assert found == [200, 200]
        assert sorted(held(nova.allocation(server_id))) == sorted(uuids)
        assert cloud.count(tables.DeviceAllocation) == 1

    def test_two_of_one_tag_to_one_server(self, member, nova, server_id):
        uuids = [member.create_one(tag='gzip') for _n in range(2)]

        found = self.run(
            *(
                lambda each=each: nova.attach(server_id, each, status='*')
                for each in uuids
            )
        )

        assert found == [200, 409]

    def test_it_is_taken_while_it_is_bound(self, cloud, member, nova, boot):
        """A call that follows, and the binding of the one before."""
        server_id, _booted = boot(cloud.add_device())
        uuid_ = member.create_one()
        nova.attach(server_id, uuid_)
        wanted = providers(cloud.add_device(), uuid_)

        found = self.run(
            lambda: nova.attach(server_id, uuid_, OTHER_CALLER, status='*'),
            lambda: nova.bind_attached(server_id, uuid_, wanted, status='*'),
        )

        # Either it was bound before, and is now found so.
        assert found in ([200, 202], [200, 409])
        nova.bind_attached(server_id, uuid_, wanted, OTHER_CALLER)
        nova.attached(server_id, uuid_, OTHER_CALLER)
        wait_for_status(member, uuid_, 'bound')
        assert cloud.used_slots() == 2

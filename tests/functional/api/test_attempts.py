# SPDX-License-Identifier: Apache-2.0

"""Attempts to bring a server to a host: the last one counts."""

import uuid

import pytest

from tests.functional.api import cyborg
from tests.functional.api.conftest import providers

OTHER_CALLER = str(uuid.uuid4())


def wait_for_status(caller, uuid_, status):
    cyborg.wait_for(lambda: caller.status_of(uuid_) == status)


def code_of(response):
    return cyborg.error_of(response)['code'].rpartition('.')[2]


class TestReserve:
    def test_by_the_same_caller_again(self, member, nova, boot):
        server_id, uuid_ = boot()

        again = nova.reserve(server_id, uuid_).json

        assert again.pop('combinations') == {'plain': 0, 'pruned': 0}
        assert again.pop('taints') == []
        assert again == nova.allocation(server_id).json

    def test_by_another_caller(self, cloud, member, nova, boot):
        """A message is delivered twice, to two conductors."""
        server_id, uuid_ = boot(cloud.add_device())

        error = nova.reserve(server_id, uuid_, caller=OTHER_CALLER, status=409)

        assert code_of(error) == 'already_begun'
        assert member.status_of(uuid_) == 'bound'

    def test_spelled_otherwise(self, nova, boot):
        server_id, uuid_ = boot()

        for caller in (f'urn:uuid:{cyborg.CALLER}', cyborg.CALLER.upper()):
            nova.reserve(server_id, uuid_, caller=caller, status=200)


class TestRelease:
    """A reservation is released whose answer got lost."""

    def test_by_its_caller(self, cloud, member, nova, boot):
        server_id, uuid_ = boot()

        nova.release(server_id, f'?caller={cyborg.CALLER}', status=204)

        assert member.status_of(uuid_) == 'available'

    def test_by_another_caller(self, cloud, member, nova, boot):
        """A message is delivered twice; the first has got further."""
        server_id, uuid_ = boot(cloud.add_device())

        error = nova.release(server_id, f'?caller={OTHER_CALLER}', status=409)

        assert code_of(error) == 'already_begun'
        assert member.status_of(uuid_) == 'bound'

    def test_there_is_none(self, cloud, nova):
        nova.release(cloud.nova.boot(), f'?caller={OTHER_CALLER}', status=204)

    @pytest.mark.parametrize(
        'query', ['?caller=', '?caller=me', '?caller', '?who=me']
    )
    def test_a_query_that_is_wrong(self, member, nova, boot, query):
        server_id, uuid_ = boot()

        error = nova.release(server_id, query, status=400)

        assert code_of(error) == 'invalid_request'
        assert member.status_of(uuid_) == 'reserved'


class TestBegin:
    def test_each_operation_has_a_generation(self, nova, boot):
        server_id, uuid_ = boot()

        first = nova.begin(server_id, 'req-1').json
        second = nova.begin(server_id, 'req-2').json

        assert first['generation'] == 1
        assert second['generation'] == 2
        assert [c['uuid'] for c in second['device_contexts']] == [uuid_]

    def test_by_the_same_caller_again(self, nova, boot):
        server_id, _uuid = boot()

        answers = [
            nova.begin(server_id, 'req-1', OTHER_CALLER).json
            for _n in range(2)
        ]

        assert answers[0] == answers[1]

    def test_the_same_operation_by_another_caller(self, nova, boot):
        server_id, _uuid = boot()
        nova.begin(server_id, 'req-1')

        error = nova.begin(server_id, 'req-1', status=409)

        assert code_of(error) == 'already_begun'
        assert nova.generation(server_id) == 1

    def test_a_server_that_holds_nothing(self, cloud, nova):
        error = nova.begin(cloud.nova.boot(), status=404)

        assert code_of(error) == 'not_found'

    @pytest.mark.parametrize('operation', ['', 'x' * 256, 7, None])
    def test_no_operation(self, nova, boot, operation):
        server_id, _uuid = boot()

        nova.post(
            f'/v2/device_allocations/{server_id}/begin',
            {'operation': operation, 'caller': OTHER_CALLER},
            status=400,
        )


class TestLate:
    """What belongs to an earlier attempt arrives after a later one began."""

    def test_bind(self, cloud, member, nova, boot):
        server_id, uuid_ = boot()
        nova.begin(server_id, 'req-1')
        nova.begin(server_id, 'req-2')
        wanted = providers(cloud.add_device(), uuid_)

        error = nova.bind(server_id, wanted, generation=1, status=409)

        assert code_of(error) == 'stale_generation'
        assert member.status_of(uuid_) == 'reserved'
        nova.bind(server_id, wanted, generation=2)
        wait_for_status(member, uuid_, 'bound')

    def test_bind_after_its_caller_has_given_up(self, cloud, nova, boot):
        server_id, uuid_ = boot()
        nova.unbind(server_id, generation=0)

        nova.bind(
            server_id,
            providers(cloud.add_device(), uuid_),
            generation=0,
            status=409,
        )

        assert cloud.used_slots() == 0

    def test_unbind(self, cloud, member, nova, boot):
        server_id, uuid_ = boot(cloud.add_device())
        nova.begin(server_id, 'req-1')

        error = nova.unbind(server_id, generation=0, status=409)

        assert code_of(error) == 'stale_generation'
        assert member.status_of(uuid_) == 'bound'

    @pytest.mark.parametrize('status', ['ACTIVE', 'SHUTOFF', 'PAUSED'])
    def test_delete_of_arqs(self, cloud, member, nova, boot, status):
        """Stock Nova's own request has no generation."""
        server_id, uuid_ = boot(cloud.add_device())
        cloud.nova.change(server_id, status)

        answer = nova.delete_arqs(f'instance={server_id}', status=409)

        assert f'Server {server_id} uses its accelerators' in answer.text
        assert member.status_of(uuid_) == 'bound'
        assert cloud.used_slots() == 1


class TestHealing:
    def test_the_holder_was_never_built(self, cloud, member, nova, boot):
        holder, uuid_ = boot(cloud.add_device())
        cloud.nova.change(holder, 'ERROR')
        cloud.nova.servers[holder] |= {
            'OS-EXT-SRV-ATTR:host': None,
            'OS-SRV-USG:launched_at': None,
        }

        nova.reserve(cloud.nova.boot(), uuid_)

        assert member.status_of(uuid_) == 'reserved'
        assert cloud.used_slots() == 0

    def test_the_holder_is_in_error_and_was_running(
        self, cloud, member, nova, boot
    ):
        holder, uuid_ = boot(cloud.add_device())
        cloud.nova.change(holder, 'ERROR')

        nova.reserve(cloud.nova.boot(), uuid_, status=409)

        assert member.status_of(uuid_) == 'bound'

# SPDX-License-Identifier: Apache-2.0

"""Device allocations: what a server has on the host it is evacuated from."""

import uuid

import pytest
import sqlalchemy as sa
from cyborg.db.sqlalchemy import models

from nova_cyborg.fixture import nova_api
from tests.functional.api import cyborg
from tests.functional.api.conftest import providers, wait_for_status

OLD, NEW, THIRD = 'compute1', 'compute2', 'compute3'


class Evacuation:
    """A server whose devices are on a host that is down.

    :ivar server_id: its UUID.
    :ivar context_id: UUID of its device context.
    """

    def __init__(self, cloud, nova, server_id, context_id):
        self._cloud, self._nova = cloud, nova
        self.server_id, self.context_id = server_id, context_id

    def begin(self, node=NEW, left=OLD, **device):
        """Evacuate it; returns the UUIDs of the ARQs on the new node."""
        self._nova.begin(self.server_id, str(uuid.uuid4()))
        self._cloud.nova.change(self.server_id, 'ACTIVE', 'rebuilding')
        provider = self._cloud.add_device(**device)
        answer = self._nova.bind(
            self.server_id,
            providers(provider, self.context_id),
            host=node,
            evacuated_from=left,
        )
        return answer.json['arqs']

    def arrive(self, node=NEW):
        """Nova has it on its new node."""
        self._cloud.nova.change(self.server_id, 'ACTIVE')
        self._cloud.nova.servers[self.server_id][nova_api.NODE] = node

    def unbind(self, **body):
        return self._nova.post(
            f'/v2/device_allocations/{self.server_id}/unbind',
            body,
            status='*',
        )

    def unbind_source(self, node=NEW):
        """Nova says that it is there: what it left is unbound."""
        assert self.unbind(evacuated_to=node).status_int == 204


@pytest.fixture
def evacuation(cloud, nova, boot):
    server_id, context_id = boot(cloud.add_device())
    cloud.nova.servers[server_id][nova_api.NODE] = OLD
    return Evacuation(cloud, nova, server_id, context_id)


def nodes(cloud):
    """Return where Cyborg has ARQs."""
    with cloud.engine.connect() as connection:
        return sorted(connection.scalars(sa.select(models.ExtArq.hostname)))


def device_of(member, context_id):
    (device,) = member.show(context_id).json['devices']
    return device


def test_what_it_has_is_kept_until_it_is_there(
    cloud, member, nova, evacuation
):
    arq_ids = evacuation.begin()
    wait_for_status(member, evacuation.context_id, 'bound')

    assert cloud.used_slots() == 2
    # Nova, and the project, see only what is new.
    assert device_of(member, evacuation.context_id)['host'] == NEW
    seen = nova.get(
        f'/v2/accelerator_requests?instance={evacuation.server_id}'
    )
    assert [arq['uuid'] for arq in seen.json['arqs']] == arq_ids

    evacuation.arrive()
    for _n in range(2):
        evacuation.unbind_source()

    assert nodes(cloud) == [NEW]
    assert cloud.used_slots() == 1
    assert member.status_of(evacuation.context_id) == 'bound'


def test_it_does_not_get_there(cloud, member, nova, evacuation):
    """Its guest may still run on the old host."""
    before = device_of(member, evacuation.context_id)
    arq_ids = evacuation.begin()
    wait_for_status(member, evacuation.context_id, 'bound')

    for _n in range(2):
        evacuation.unbind(arqs=arq_ids)

    assert device_of(member, evacuation.context_id) == before
    assert cloud.used_slots() == 1


def test_nova_conductor_unbinds_the_attempt(cloud, member, nova, evacuation):
    before = device_of(member, evacuation.context_id)
    evacuation.begin()
    wait_for_status(member, evacuation.context_id, 'bound')

    nova.unbind(evacuation.server_id)

    assert device_of(member, evacuation.context_id) == before
    assert cloud.used_slots() == 1


def test_the_new_device_cannot_be_bound(cloud, member, evacuation):
    before = device_of(member, evacuation.context_id)
    arq_ids = evacuation.begin(slots=0)
    wait_for_status(member, evacuation.context_id, 'error')

    evacuation.unbind(arqs=arq_ids)

    assert member.status_of(evacuation.context_id) == 'bound'
    assert device_of(member, evacuation.context_id) == before


def test_again_to_another_host(cloud, member, evacuation):
    """What the first attempt has bound was not unbound."""
    evacuation.begin()
    wait_for_status(member, evacuation.context_id, 'bound')

    evacuation.begin(THIRD)
    wait_for_status(member, evacuation.context_id, 'bound')

    assert nodes(cloud) == [OLD, THIRD]
    evacuation.arrive(THIRD)
    evacuation.unbind_source(THIRD)
    assert nodes(cloud) == [THIRD]


def test_again_from_the_new_host(cloud, member, evacuation):
    """That it got there was never said."""
    evacuation.begin()
    wait_for_status(member, evacuation.context_id, 'bound')

    evacuation.begin(THIRD, left=NEW)
    wait_for_status(member, evacuation.context_id, 'bound')

    assert nodes(cloud) == [NEW, THIRD]


def test_a_late_word_that_it_is_there(cloud, member, evacuation):
    evacuation.begin()
    wait_for_status(member, evacuation.context_id, 'bound')
    evacuation.begin(THIRD, left=NEW)
    wait_for_status(member, evacuation.context_id, 'bound')

    evacuation.unbind_source(NEW)

    assert nodes(cloud) == [NEW, THIRD]


def test_a_late_word_that_it_is_not_there(cloud, member, evacuation):
    arq_ids = evacuation.begin()
    wait_for_status(member, evacuation.context_id, 'bound')
    evacuation.begin(THIRD)
    wait_for_status(member, evacuation.context_id, 'bound')

    answer = evacuation.unbind(arqs=arq_ids)

    assert answer.status_int == 409
    assert cyborg.error_of(answer)['code'].endswith('.other_attempt')
    assert nodes(cloud) == [OLD, THIRD]


@pytest.mark.parametrize(
    ('status', 'task'),
    [
        ('ACTIVE', 'rebuilding'),
        ('ACTIVE', 'rebuild_block_device_mapping'),
        ('PAUSED', 'rebuild_spawning'),
        ('SHELVED_OFFLOADED', 'unshelving'),
        ('SHELVED_OFFLOADED', 'spawning'),
    ],
)
def test_a_late_request_to_delete_all(cloud, member, nova, boot, status, task):
    """Stock Nova's own, of an operation that is over."""
    server_id, context_id = boot(cloud.add_device())
    cloud.nova.change(server_id, status, task)

    nova.delete_arqs(f'instance={server_id}', status=409)

    assert member.status_of(context_id) == 'bound'


def test_it_is_deleted_meanwhile(cloud, member, nova, evacuation):
    evacuation.begin()
    wait_for_status(member, evacuation.context_id, 'bound')
    cloud.nova.change(evacuation.server_id, 'ACTIVE', 'deleting')

    nova.delete_arqs(f'instance={evacuation.server_id}', status=204)

    assert cloud.used_slots() == 0
    member.show(evacuation.context_id, status=404)


def test_it_is_released_meanwhile(cloud, member, nova, evacuation):
    evacuation.begin()
    wait_for_status(member, evacuation.context_id, 'bound')

    nova.release(evacuation.server_id, status=204)

    assert cloud.used_slots() == 0
    assert member.status_of(evacuation.context_id) == 'available'


def test_another_server_wants_what_is_left(cloud, member, boot, evacuation):
    """Placement had room there, as the old host is back."""
    with cloud.engine.connect() as connection:
        provider = connection.scalar(sa.select(models.Deployable.rp_uuid))
    boot(provider)
    evacuation.begin()
    wait_for_status(member, evacuation.context_id, 'bound')
    evacuation.arrive()
    assert cloud.used_slots() == 3

    boot(provider)

    assert nodes(cloud) == [OLD, OLD, NEW]


@pytest.mark.parametrize(
    'body',
    [
        {},
        {'arqs': []},
        {'arqs': ['one']},
        {'arqs': [str(uuid.uuid4())] * 1025},
        {'evacuated_to': ''},
        {'evacuated_to': 'x' * 256},
        {'evacuated_to': NEW, 'generation': 0},
    ],
)
def test_what_is_to_be_unbound_is_wrong(cloud, member, evacuation, body):
    assert evacuation.unbind(**body).status_int == 400
    assert member.status_of(evacuation.context_id) == 'bound'


def test_a_server_that_holds_nothing(cloud, nova):
    for body in ({'arqs': [str(uuid.uuid4())]}, {'evacuated_to': NEW}):
        nova.post(
            f'/v2/device_allocations/{cloud.nova.boot()}/unbind',
            body,
            status=204,
        )

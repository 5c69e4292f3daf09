# SPDX-License-Identifier: Apache-2.0

"""Device allocations: what a server has on the nodes that it moves between."""

import uuid

import pytest
import sqlalchemy as sa
from cyborg.db.sqlalchemy import models

from nova_cyborg.fixture import nova_api
from nova_cyborg.lifecycle import heal, servers, unbind
from nova_cyborg.lifecycle import nova as nova_says
from tests.functional.api import cyborg
from tests.functional.api.conftest import providers

OLD, NEW, THIRD = 'compute1', 'compute2', 'compute3'


class Move:
    """A server whose devices are on a host that it leaves.

    :ivar server_id: its UUID.
    :ivar context_id: UUID of its device context.
    :ivar migration_id: UUID of the last migration.
    """

    def __init__(self, cloud, nova, server_id, context_id):
        self._cloud, self._nova = cloud, nova
        self.server_id, self.context_id = server_id, context_id
        self.migration_id = None

    def begin(self, node=NEW, migration_id=None, **device):
        """Have devices on another node; returns the UUIDs of the ARQs."""
        self.migration_id = migration_id or str(uuid.uuid4())
        self._nova.begin(self.server_id, str(uuid.uuid4()))
        self._cloud.nova.change(self.server_id, 'ACTIVE', 'rebuilding')
        provider = self._cloud.add_device(**device)
        answer = self._nova.bind(
            self.server_id,
            providers(provider, self.context_id),
            host=node,
            migration=self.migration_id,
        )
        self._cloud.drain()
        return answer.json['arqs']

    def arrive(self, node=NEW):
        """Nova has it on its new node."""
        self._cloud.nova.change(self.server_id, 'ACTIVE')
        self._cloud.nova.servers[self.server_id][nova_api.NODE] = node

    def unbind(self, status=204, body=None):
        return self._nova.post(
            f'/v2/device_allocations/{self.server_id}/unbind',
            {'migration': self.migration_id} if body is None else body,
            status=status,
        )

    def activate(self, migration_id=None, status=200):
        return self._of(migration_id, 'activate', status)

    def settle(self, migration_id=None):
        self._of(migration_id, 'settle', 204)

    def _of(self, migration_id, action, status):
        return self._nova.of_migration(
            self.server_id, action, migration_id or self.migration_id, status
        )

    def arqs(self, migration_id=None):
        """Return the UUIDs of the ARQs that Nova sees."""
        query = f'instance={self.server_id}'
        if migration_id:
            query += f'&migration={migration_id}'
        return [arq['uuid'] for arq in self._nova.arqs(query).json['arqs']]


@pytest.fixture
def move(cloud, nova, boot):
    server_id, context_id = boot(cloud.add_device())
    cloud.nova.servers[server_id][nova_api.NODE] = OLD
    return Move(cloud, nova, server_id, context_id)


def nodes(cloud):
    """Return where Cyborg has ARQs."""
    with cloud.engine.connect() as connection:
        return sorted(connection.scalars(sa.select(models.ExtArq.hostname)))


def device_of(member, context_id):
    (device,) = member.show(context_id).json['devices']
    return device


def states(member, context_id):
    """Return the state of each binding by its host, as the project sees it."""
    bindings = member.show(context_id).json['bindings']
    return {each['host']: each['state'] for each in bindings}


def test_what_it_has_is_kept_until_it_is_there(cloud, member, move):
    old_arqs = move.arqs()
    new_arqs = move.begin()

    # Both are bound, and it uses what it had.
    assert cloud.used_slots() == 2
    assert states(member, move.context_id) == {OLD: 'active', NEW: 'inactive'}
    assert device_of(member, move.context_id)['host'] == OLD
    assert member.status_of(move.context_id) == 'bound'
    assert move.arqs() == old_arqs
    assert move.arqs(move.migration_id) == new_arqs

    for _n in range(2):
        shown = move.activate().json['arqs']
        assert [arq['uuid'] for arq in shown] == new_arqs
        assert shown[0]['hostname'] == NEW
        assert shown[0]['state'] == 'Bound'

    assert cloud.used_slots() == 2
    assert states(member, move.context_id) == {OLD: 'leaving', NEW: 'active'}
    assert device_of(member, move.context_id)['host'] == NEW
    assert move.arqs() == new_arqs

    move.arrive()
    for _n in range(2):
        move.settle()

    assert nodes(cloud) == [NEW]
    assert cloud.used_slots() == 1
    assert states(member, move.context_id) == {NEW: 'active'}
    assert member.status_of(move.context_id) == 'bound'


@pytest.mark.parametrize('is_there', [False, True])
@pytest.mark.parametrize('by', ['migration', 'arqs', 'generation'])
def test_it_goes_back(cloud, member, nova, move, by, is_there):
    """It did not get there, or it did, and is not to stay."""
    before = device_of(member, move.context_id)
    arq_ids = move.begin()
    generation = nova.generation(move.server_id)
    if is_there:
        move.activate()

    for _n in range(2):
        if by == 'migration':
            move.unbind()
        elif by == 'arqs':
            # The second time, the server has others.
            move.unbind('*', {'arqs': arq_ids})
        else:
            move.unbind('*', {'generation': generation})

    assert device_of(member, move.context_id) == before
    assert states(member, move.context_id) == {OLD: 'active'}
    assert cloud.used_slots() == 1
    assert member.status_of(move.context_id) == 'bound'


def test_the_new_device_cannot_be_bound(cloud, member, nova, move):
    before = device_of(member, move.context_id)
    move.begin(slots=0)
    assert nova.allocation(move.server_id).json['fault']

    move.unbind()

    assert member.status_of(move.context_id) == 'bound'
    assert device_of(member, move.context_id) == before


def test_again_to_another_host(cloud, member, move):
    """What the first attempt has bound was not unbound."""
    move.begin()
    move.begin(THIRD)

    assert nodes(cloud) == [OLD, THIRD]
    move.activate()
    move.settle()
    assert nodes(cloud) == [THIRD]


def test_again_from_the_new_host(cloud, member, move):
    """That it stays there was never said: it has left two, and that is said
    of both at once."""
    move.begin()
    move.activate()
    move.begin(THIRD)
    assert nodes(cloud) == [OLD, NEW, THIRD]
    assert states(member, move.context_id) == {
        OLD: 'leaving',
        NEW: 'active',
        THIRD: 'inactive',
    }

    move.activate()
    move.settle()

    assert nodes(cloud) == [THIRD]


def test_on_one_node(cloud, member, move):
    """A resize that stays on its host has two bindings there."""
    old_arqs = move.arqs()
    new_arqs = move.begin(OLD)
    assert nodes(cloud) == [OLD, OLD]
    assert move.arqs() == old_arqs
    assert move.arqs(move.migration_id) == new_arqs

    move.activate()
    assert move.arqs() == new_arqs
    move.settle()

    assert move.arqs() == new_arqs
    assert cloud.used_slots() == 1


class TestLate:
    """What is said of a migration that is over."""

    def test_that_it_is_there(self, cloud, member, move):
        move.begin()
        move.activate()
        first = move.migration_id
        move.begin(THIRD)
        move.activate()

        answer = move.activate(first, status=409)

        assert cyborg.error_of(answer)['code'].endswith('.other_attempt')
        assert states(member, move.context_id)[THIRD] == 'active'

    def test_that_it_stays_there(self, cloud, member, move):
        move.begin()
        move.activate()
        first = move.migration_id
        move.begin(THIRD)
        move.activate()

        move.settle(first)

        assert nodes(cloud) == [OLD, NEW, THIRD]

    def test_that_it_stays_where_it_never_was(self, cloud, member, move):
        move.begin()

        move.settle()

        assert nodes(cloud) == [OLD, NEW]

    @pytest.mark.parametrize('by', ['migration', 'arqs'])
    def test_that_it_did_not_get_there(self, cloud, move, by):
        arq_ids = move.begin()
        first = move.migration_id
        move.begin(THIRD)

        if by == 'migration':
            move.unbind(body={'migration': first})
        else:
            answer = move.unbind(409, {'arqs': arq_ids})
            assert cyborg.error_of(answer)['code'].endswith('.other_attempt')

        assert nodes(cloud) == [OLD, THIRD]

    def test_that_it_did_not_get_to_a_host_tried_before(self, cloud, move):
        """Nova tries several hosts with one migration."""
        move.begin()
        move.begin(THIRD, move.migration_id)
        on_first = {'migration': move.migration_id, 'hostname': NEW}

        move.unbind(body=on_first)
        assert nodes(cloud) == [OLD, THIRD]

        move.activate()
        move.unbind(body=on_first)
        assert nodes(cloud) == [OLD, THIRD]
        # A nova-compute of an earlier release names no host.
        move.unbind()
        assert nodes(cloud) == [OLD]

    @pytest.mark.parametrize('field', ['generation', 'arqs'])
    def test_a_host_of_no_migration(self, move, field):
        arq_ids = move.begin()
        given = {'generation': 1, 'arqs': arq_ids}[field]

        answer = move.unbind(400, {field: given, 'hostname': NEW})

        assert cyborg.error_of(answer)['code'].endswith('.invalid_request')

    def test_that_it_goes_back_from_where_it_stayed(self, cloud, member, move):
        move.begin()
        move.activate()
        move.settle()

        move.unbind()

        assert nodes(cloud) == [NEW]
        assert member.status_of(move.context_id) == 'bound'

    def test_a_binding_after_its_end(self, cloud, nova, member, move):
        provider = cloud.add_device()
        nova.begin(move.server_id, 'a-move')
        generation = nova.generation(move.server_id)
        move.begin(THIRD)

        answer = nova.bind(
            move.server_id,
            providers(provider, move.context_id),
            host=NEW,
            migration=cyborg.UNKNOWN,
            generation=generation,
            status=409,
        )

        assert cyborg.error_of(answer)['code'].endswith('.stale_generation')
        assert nodes(cloud) == [OLD, THIRD]


def test_one_binding_of_a_server_is_active(cloud, move):
    """Whatever the program does, the database has no second one."""
    with cloud.engine.connect() as connection:
        columns = list(
            sa.inspect(connection).get_unique_constraints('device_bindings')
        )
    assert ['active_of'] in [each['column_names'] for each in columns]


@pytest.mark.parametrize('moved', [False, True])
def test_it_is_on_its_host_when_all_is_over(cloud, member, move, moved):
    """The audit, and who wants what was left, have it use what is there."""
    move.begin()
    if moved:
        move.activate()

    for node, count in ((THIRD, 2), (OLD, 1), (OLD, 1)):
        unbind.elsewhere(move.server_id, node)
        assert cloud.used_slots() == count

    assert states(member, move.context_id) == {OLD: 'active'}
    assert device_of(member, move.context_id)['state'] == 'Bound'


def test_what_a_profile_gave_it_where_it_never_was(
    cloud, nova, move, profile_arq
):
    """Cyborg was down when its device contexts were to be bound there."""
    profile_arq(move.server_id, cloud.add_device(host=NEW), host=NEW)
    assert nodes(cloud) == [OLD, NEW]

    unbind.elsewhere(move.server_id, OLD)

    assert nodes(cloud) == [OLD]


@pytest.mark.parametrize('action', ['activate', 'settle', 'unbind'])
def test_of_a_server_that_holds_nothing(cloud, nova, action):
    status = 404 if action == 'activate' else 204
    server_id = cloud.nova.boot()

    nova.of_migration(server_id, action, cyborg.UNKNOWN, status)


def test_a_migration_that_is_not_known(move):
    answer = move.activate(cyborg.UNKNOWN, status=404)

    assert cyborg.error_of(answer)['code'].endswith('.binding_not_found')


def test_what_profiles_gave_it_goes_with_its_bindings(
    cloud, nova, move, profile_arq
):
    """Nova sees the ARQs of profiles on the node that it asks about."""
    old, new = (
        profile_arq(move.server_id, cloud.add_device(host=host), host=host)
        for host in (OLD, NEW)
    )
    old_arqs = move.arqs()
    assert old in old_arqs
    new_arqs = move.begin()

    assert set(move.arqs()) == {*old_arqs} - {new} | {old}
    assert set(move.arqs(move.migration_id)) == {*new_arqs, new}
    move.activate()
    assert set(move.arqs()) == {*new_arqs, new}
    move.settle()

    assert nodes(cloud) == [NEW, NEW]


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


def test_it_is_deleted_meanwhile(cloud, member, nova, move):
    move.begin()
    cloud.nova.change(move.server_id, 'ACTIVE', 'deleting')

    nova.delete_arqs(f'instance={move.server_id}', status=204)

    assert cloud.used_slots() == 0
    member.show(move.context_id, status=404)


def test_it_is_released_meanwhile(cloud, member, nova, move):
    move.begin()

    nova.release(move.server_id, status=204)

    assert cloud.used_slots() == 0
    assert member.status_of(move.context_id) == 'available'


def test_another_server_wants_what_is_left(cloud, member, boot, move):
    """Placement had room there, as the old host is back."""
    with cloud.engine.connect() as connection:
        provider = connection.scalar(sa.select(models.Deployable.rp_uuid))
    boot(provider)
    move.begin()
    move.activate()
    move.arrive()
    assert cloud.used_slots() == 3

    boot(provider)

    assert nodes(cloud) == [OLD, OLD, NEW]


def test_it_is_moved_while_another_server_wants_what_is_left(
    cloud, member, boot, move, monkeypatch
):
    """Nova says that nothing is being done with it, and begins something."""
    with cloud.engine.connect() as connection:
        provider = connection.scalar(sa.select(models.Deployable.rp_uuid))
    boot(provider)
    move.begin()
    move.activate()
    move.arrive()
    says = nova_says.Nova.server

    def begin(asked, server_id):
        found = says(asked, server_id)
        if server_id == move.server_id:
            assert found.state is servers.State.RESTING
            move.begin(THIRD)
        return found

    monkeypatch.setattr(nova_says.Nova, 'server', begin)
    heal.make_room(nova_says.Nova(), [provider])

    assert nodes(cloud) == [OLD, OLD, NEW, THIRD]
    move.activate()
    assert states(member, move.context_id)[THIRD] == 'active'


@pytest.mark.parametrize(
    'body',
    [
        {},
        {'arqs': []},
        {'arqs': ['one']},
        {'arqs': [str(uuid.uuid4())] * 1025},
        {'migration': ''},
        {'migration': 'one'},
        {'migration': cyborg.UNKNOWN, 'generation': 0},
    ],
)
def test_what_is_to_be_unbound_is_wrong(cloud, member, move, body):
    assert move.unbind('*', body).status_int == 400
    assert member.status_of(move.context_id) == 'bound'

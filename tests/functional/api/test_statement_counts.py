# SPDX-License-Identifier: Apache-2.0

"""Calls cost the same however many device contexts the cloud has."""

import uuid

import pytest
from cyborg import context as cyborg_context
from cyborg.db.sqlalchemy import models

from nova_cyborg.db import session
from nova_cyborg.db.inventory import hosts
from tests.functional import crowds
from tests.functional.api import cyborg
from tests.functional.api.conftest import providers

# Servers that there are besides.
FEW = 10
MANY = 1000
IS_OF = models.ExtArq.instance_uuid

# Of a server with one device, where nothing is to be programmed.
MOST = {'GET arqs': 1, 'GET resolved': 1}
MOST_TO_BIND = 12
MOST_TO_MOVE = {
    'begin': 6,
    'bind': MOST_TO_BIND,
    'GET arqs': 1,
    'activate': 7,
    'settle': 17,
    # Of what it uses, one or two more.
    'unbind': 20,
}
# For each further device.
MOST_MORE_TO_BIND = 4
MOST_TO_DELETE = 12


@pytest.fixture(autouse=True)
def _usual(cloud):
    """The first binding on a host, of all times, makes a row for it."""
    cloud.config.config(group='nova_cyborg', max_contexts_per_project=-1)
    with session.writing(cyborg_context.get_admin_context()) as db:
        for node in ('compute1', 'compute2'):
            hosts.lock(db, node)


@pytest.fixture
def count(cloud):
    """Counts the statements of a call, until all that it begins is done."""

    def _count(call):
        with cloud.statements() as sent:
            call()
            cloud.drain()
        assert sent
        return len(sent)

    return _count


@pytest.fixture
def journey(cloud, member, nova, boot, count):
    """Counts the statements of each call on a server's way."""

    def _journey():
        uuid_ = member.create_one()
        server_id = cloud.nova.boot()
        provider = cloud.add_device()
        wanted = providers(provider, uuid_)
        asked = f'instance={server_id}'
        counted = {
            'list': count(member.list),
            'list by name': count(lambda: member.list('?name=x')),
            'list by status': count(lambda: member.list('?status=bound')),
            'show': count(lambda: member.show(uuid_)),
            'check': count(lambda: nova.check(uuid_)),
            'reserve': count(lambda: nova.reserve(server_id, uuid_)),
            'get': count(lambda: nova.allocation(server_id)),
            'bind': count(lambda: nova.bind(server_id, wanted)),
        }
        assert member.status_of(uuid_) == 'bound'
        return counted | {
            'GET arqs': count(lambda: nova.arqs(asked)),
            'GET resolved': count(
                lambda: nova.arqs(f'{asked}&bind_state=resolved')
            ),
            'unbind': count(lambda: nova.unbind(server_id)),
            'release': count(lambda: nova.release(server_id)),
            'DELETE arqs': count(lambda: nova.delete_arqs(asked)),
        }

    return _journey


def test_with_few_and_with_many_more(cloud, member, journey):
    crowds.servers(cloud.engine, FEW)
    with_few = journey()
    crowds.servers(cloud.engine, MANY - FEW)

    assert journey() == with_few
    for call, most in MOST.items():
        assert with_few[call] <= most, call


@pytest.fixture
def delete(cloud, member, nova, profile_arq, count):
    """Counts the statements of Nova's DELETE for a server that has it all."""

    def _delete(*says):
        server_id = cloud.nova.boot()
        profile_arq(server_id, cloud.add_device())
        uuids = [
            member.create_one(delete_on_termination=ends)
            for ends in (True, False)
        ]
        nova.reserve(server_id, *uuids)
        nova.bind(server_id, providers(cloud.add_device(), *uuids))
        cloud.nova.change(server_id, *says)
        counted = count(lambda: nova.delete_arqs(f'instance={server_id}'))
        assert cloud.count(models.ExtArq, server_id == IS_OF) == 0
        return counted

    return _delete


@pytest.mark.parametrize(
    'says',
    [('ACTIVE', 'deleting'), ('ACTIVE', 'shelving_offloading')],
    ids=['deleted', 'offloaded'],
)
def test_to_delete_with_few_and_with_many_more(cloud, delete, says):
    crowds.servers(cloud.engine, FEW)
    with_few = delete(*says)
    crowds.servers(cloud.engine, MANY - FEW)

    assert delete(*says) == with_few
    assert with_few <= MOST_TO_DELETE


@pytest.fixture
def hot_journey(cloud, member, nova, boot, count):
    """Counts the statements of attaching to a server, and of detaching."""

    def _journey():
        server_id, booted = boot(cloud.add_device())
        uuid_, provider = member.create_one(), cloud.add_device()
        wanted = providers(provider, uuid_)
        one = (server_id, uuid_)
        return {
            'attach': count(lambda: nova.attach(*one)),
            'bind': count(lambda: nova.bind_attached(*one, wanted)),
            'attached': count(lambda: nova.attached(*one)),
            'detach': count(lambda: nova.detach(*one)),
            'unplug': count(lambda: nova.unplug(*one, [provider])),
            'detached': count(lambda: nova.detached(*one)),
            'tag': count(lambda: member.update(booted, tag='gzip')),
        }

    return _journey


def test_to_attach_and_to_detach_with_many_more(cloud, hot_journey):
    crowds.servers(cloud.engine, FEW)
    with_few = hot_journey()
    crowds.servers(cloud.engine, MANY - FEW)

    assert hot_journey() == with_few


@pytest.fixture
def move(cloud, nova, count):
    """Counts the statements of binding a server's devices on another host.

    Returns these, and the UUID of the migration.
    """

    def _move(server_id, uuid_, node):
        migration_id = str(uuid.uuid4())
        cloud.nova.change(server_id, 'RESIZE', 'resize_prep')
        wanted = providers(cloud.add_device(host=node), uuid_)
        counted = {'begin': count(lambda: nova.begin(server_id, migration_id))}
        generation = nova.generation(server_id)
        asked = f'instance={server_id}&migration={migration_id}'
        counted |= {
            'bind': count(
                lambda: nova.bind(
                    server_id,
                    wanted,
                    node,
                    migration=migration_id,
                    generation=generation,
                )
            ),
            'GET arqs': count(lambda: nova.arqs(asked)),
        }
        return counted, migration_id

    return _move


@pytest.fixture
def moving_journey(cloud, nova, boot, count, move):
    """Counts the statements of each call of moves there, and of moves back."""

    def _journey():
        server_id, uuid_ = boot(cloud.add_device())

        def say(action, migration_id):
            return count(
                lambda: nova.of_migration(server_id, action, migration_id)
            )

        there, migration_id = move(server_id, uuid_, 'compute2')
        there['activate'] = say('activate', migration_id)
        there['settle'] = say('settle', migration_id)
        assert cloud.used_slots() == crowded(cloud) + 1
        failed, migration_id = move(server_id, uuid_, 'compute1')
        failed['unbind'] = say('unbind', migration_id)
        assert cloud.used_slots() == crowded(cloud) + 1
        back, migration_id = move(server_id, uuid_, 'compute1')
        back['activate'] = say('activate', migration_id)
        back['unbind'] = say('unbind', migration_id)
        nova.release(server_id)
        assert cloud.used_slots() == crowded(cloud)
        return there, failed, back

    return _journey


def crowded(cloud):
    """Return how many slots the servers have that there are besides."""
    return cloud.count(models.ExtArq, models.ExtArq.hostname == crowds.node(0))


def test_to_move_with_few_and_with_many_more(cloud, moving_journey):
    crowds.servers(cloud.engine, FEW)
    with_few = moving_journey()
    crowds.servers(cloud.engine, MANY - FEW)

    assert moving_journey() == with_few
    for counted in with_few:
        for call, number in counted.items():
            assert number <= MOST_TO_MOVE[call], call


@pytest.fixture
def bound(cloud, member, nova):
    """Has a server use a number of accelerators; counts what that takes."""

    def _bound(number, **device):
        uuid_ = member.create(resources={'FPGA': number}).json['uuid']
        server_id = cloud.nova.boot()
        nova.reserve(server_id, uuid_)
        wanted = providers(cloud.add_device(slots=number, **device), uuid_)
        generation = nova.generation(server_id)
        with cloud.statements() as sent:
            nova.bind(server_id, wanted, generation=generation)
        assert member.status_of(uuid_) == 'bound'
        return server_id, len(sent)

    return _bound


@pytest.mark.parametrize(
    'release',
    [
        lambda nova, server_id: nova.release(server_id),
        lambda nova, server_id: nova.unbind(server_id, 0),
        lambda nova, server_id: nova.delete_arqs(f'instance={server_id}'),
    ],
    ids=['release', 'unbind', 'DELETE arqs'],
)
def test_more_accelerators_are_no_statement_more(cloud, nova, bound, release):
    counted = []
    for number in (1, 64):
        server_id, bind = bound(number)
        assert cloud.used_slots() == number
        with cloud.statements() as sent:
            release(nova, server_id)
        assert cloud.used_slots() == 0
        assert cloud.count(models.ExtArq) == 0
        counted.append((bind, len(sent)))

    assert counted[0] == counted[1]
    assert counted[0][0] <= MOST_TO_BIND


@pytest.mark.parametrize('alike', [True, False])
def test_to_bind_more_contexts(cloud, member, nova, count, alike):
    counted = []
    for number in (1, 2, 5):
        uuids = [
            member.create_one(
                config={'round': f'{number}', 'n': '0' if alike else f'{each}'}
            )
            for each in range(number)
        ]
        server_id = cloud.nova.boot()
        nova.reserve(server_id, *uuids)
        wanted = {}
        for uuid_ in uuids:
            wanted |= providers(cloud.add_device(), uuid_)
        with cloud.transactions() as ended:
            counted.append(
                count(
                    lambda: nova.bind(server_id, wanted, generation=0)  # noqa: B023
                )
            )
        assert ended == ['COMMIT']
        assert {member.status_of(uuid_) for uuid_ in uuids} == {'bound'}

    one, two, five = counted
    assert one <= MOST_TO_BIND
    if alike:
        assert one == two == five
    else:
        # A profile for each, which is made once in a cloud.
        assert two <= one + MOST_MORE_TO_BIND
        assert five <= one + 4 * MOST_MORE_TO_BIND


def test_to_bind_what_others_have_bound(cloud, member, nova, count):
    counted = []
    for _n in range(2):
        uuids = [member.create_one(config={'n': f'{n}'}) for n in range(3)]
        server_id = cloud.nova.boot()
        nova.reserve(server_id, *uuids)
        wanted = providers(cloud.add_device(slots=3), *uuids)
        counted.append(
            count(lambda: nova.bind(server_id, wanted, generation=0))  # noqa: B023
        )

    # There is each profile by then.
    assert counted[1] < MOST_TO_BIND <= counted[0]


def test_of_very_many_they_are_a_few_more(cloud, member, nova, count):
    cloud.config.config(group='nova_cyborg', max_accelerators_per_server=512)
    counted = []
    with cloud.held_bindings() as may_bind:
        for number in (500, 501):
            uuid_ = member.create_one(resources={'FPGA': number})
            server_id = cloud.nova.boot()
            nova.reserve(server_id, uuid_)
            # There is no device, and none is bound.
            nova.bind(server_id, providers(cyborg.UNKNOWN, uuid_))
            with cloud.statements(of_all=False) as sent:
                nova.release(server_id)
            counted.append(len(sent))
            assert cloud.count(models.ExtArq) == 0
        may_bind.set()
        cloud.drain()

    # A statement that deletes has the UUIDs of 500.
    assert counted[1] == counted[0] + 1


def test_to_attach_to_a_server_with_more_is_no_statement_more(
    cloud, member, nova, boot, count
):
    counted = []
    for number in (1, 5):
        server_id, *_uuids = boot(
            cloud.add_device(slots=number), contexts=number
        )
        uuid_, provider = member.create_one(), cloud.add_device()
        wanted = providers(provider, uuid_)
        one = (server_id, uuid_)
        counted.append(
            [
                count(lambda: nova.attach(*one)),  # noqa: B023
                count(lambda: nova.bind_attached(*one, wanted)),  # noqa: B023
                count(lambda: nova.attached(*one)),  # noqa: B023
                count(lambda: nova.detach(*one)),  # noqa: B023
                count(lambda: nova.unplug(*one, [provider])),  # noqa: B023
                count(lambda: nova.detached(*one)),  # noqa: B023
            ]
        )

    assert counted[0] == counted[1]


def test_more_contexts_of_one_server_are_no_statement_more(
    cloud, member, nova, count
):
    counted = []
    # One alone needs no look at what Placement would have to try.
    for number in (2, 5):
        uuids = [member.create_one() for _n in range(number)]
        server_id = cloud.nova.boot()
        counted.append(
            (
                count(lambda: nova.check(*uuids)),  # noqa: B023
                count(lambda: nova.reserve(server_id, *uuids)),  # noqa: B023
                count(lambda: nova.allocation(server_id)),  # noqa: B023
            )
        )

    assert counted[0] == counted[1]

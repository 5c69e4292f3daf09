# SPDX-License-Identifier: Apache-2.0

"""A server's device contexts are released while something else is done."""

import functools

import pytest
import sqlalchemy as sa
from cyborg.db.sqlalchemy import models

from nova_cyborg.db import tables
from tests.functional.api.conftest import providers

# The first statement that changes something: what the server holds was read.
LOCK = 'UPDATE device_allocations'


@pytest.fixture
def meanwhile(cloud, nova):
    """Has Nova delete a server's ARQs, and something done before they are."""

    def _meanwhile(server_id, work, *says):
        cloud.nova.change(server_id, *(says or ('ACTIVE', 'deleting')))
        with cloud.before(LOCK, work):
            nova.delete_arqs(f'instance={server_id}', status=204)

    return _meanwhile


def check_gone(cloud):
    """Nothing is left of what servers had."""
    assert cloud.used_slots() == 0
    for table in (
        models.ExtArq,
        models.DeviceProfile,
        tables.DeviceAllocation,
        tables.DeviceBinding,
        tables.DeviceContextArq,
    ):
        assert cloud.count(table) == 0, table


def test_it_is_brought_to_another_host(cloud, member, nova, boot, meanwhile):
    server_id, uuid_ = boot(cloud.add_device())
    other = cloud.add_device(host='compute2')

    def move():
        nova.begin(server_id)
        nova.bind(server_id, providers(other, uuid_), host='compute2')

    meanwhile(server_id, move)

    check_gone(cloud)
    member.show(uuid_, status=404)


def test_it_has_left_its_host_and_is_bound_on_another(
    cloud, member, nova, boot, meanwhile
):
    server_id, uuid_ = boot(cloud.add_device())
    other = cloud.add_device(host='compute2')

    def move():
        nova.begin(server_id)
        nova.bind(server_id, providers(other, uuid_), host='compute2')

    # Another attempt to build it: what that has bound stays.
    meanwhile(server_id, move, 'BUILD', None)

    shown = member.show(uuid_).json
    assert (shown['status'], shown['host']) == ('bound', 'compute2')
    assert cloud.used_slots() == 1
    assert cloud.count(models.ExtArq) == 1


def test_another_request_releases_it(cloud, member, nova, boot, meanwhile):
    """What that gives back, and another server gets, stays its own."""
    provider = cloud.add_device(slots=1)
    server_id, uuid_ = boot(provider)
    others = []

    def delete():
        nova.delete_arqs(f'instance={server_id}', status=204)
        others.append(boot(provider)[1])

    meanwhile(server_id, delete)

    member.show(uuid_, status=404)
    assert member.status_of(others[0]) == 'bound'
    assert cloud.used_slots() == 1


def test_it_loses_a_device_context(cloud, member, nova, boot, meanwhile):
    provider = cloud.add_device()
    server_id, one, two = boot(provider, contexts=2)

    def detach():
        nova.detach(server_id, one)
        nova.unplug(server_id, one, [provider])
        nova.detached(server_id, one)

    meanwhile(server_id, detach)

    check_gone(cloud)
    assert member.status_of(one) == 'available'
    member.show(two, status=404)


@pytest.mark.parametrize('kept', [True, False])
def test_it_gets_a_device_context(cloud, member, nova, boot, meanwhile, kept):
    server_id, one = boot(cloud.add_device())
    two = member.create_one(delete_on_termination=not kept)
    provider = cloud.add_device()

    def attach():
        nova.attach(server_id, two)
        nova.bind_attached(server_id, two, providers(provider, two))
        nova.attached(server_id, two)

    meanwhile(server_id, attach)

    check_gone(cloud)
    member.show(one, status=404)
    if kept:
        assert member.status_of(two) == 'available'
    else:
        member.show(two, status=404)


@pytest.mark.parametrize('kept', [True, False])
def test_its_project_changes_how_long_it_lives(
    cloud, member, boot, meanwhile, kept
):
    server_id, uuid_ = boot(cloud.add_device(), delete_on_termination=not kept)

    meanwhile(
        server_id,
        functools.partial(member.update, uuid_, delete_on_termination=kept),
    )
    assert member.show(uuid_, status='*').status_int == (404 if kept else 200)
    check_gone(cloud)


def test_an_arq_is_bound(cloud, nova, boot, meanwhile):
    """One that was being bound has a slot by then, which it gives back."""
    server_id, uuid_ = boot()
    provider = cloud.add_device(attach_type='MDEV')

    with cloud.held_bindings() as may_bind:
        nova.bind(server_id, providers(provider, uuid_))

        def bind():
            may_bind.set()
            cloud.drain()

        meanwhile(server_id, bind)

    check_gone(cloud)


def test_an_arq_has_lost_its_server(cloud, nova, boot):
    """As Cyborg's own PATCH leaves it."""
    server_id, _uuid = boot(cloud.add_device())
    with cloud.engine.begin() as connection:
        connection.execute(sa.update(models.ExtArq).values(instance_uuid=None))
    cloud.nova.delete(server_id)

    nova.delete_arqs(f'instance={server_id}', status=204)

    check_gone(cloud)


def test_two_arqs_have_one_slot(cloud, nova, boot):
    """It is given back by the last of them."""
    servers = [boot(cloud.add_device())[0] for _n in range(2)]
    arq = models.ExtArq
    with cloud.engine.begin() as connection:
        shared, other = connection.scalars(
            sa.select(arq.attach_handle_id).order_by(arq.id)
        )
        connection.execute(sa.update(arq).values(attach_handle_id=shared))
        connection.execute(
            sa.update(models.AttachHandle)
            .where(models.AttachHandle.id == other)
            .values(in_use=False)
        )

    for server_id, left in zip(servers, (1, 0), strict=True):
        cloud.nova.delete(server_id)
        nova.delete_arqs(f'instance={server_id}', status=204)

        assert cloud.used_slots() == left
    check_gone(cloud)


@pytest.mark.parametrize(
    'statement',
    ['UPDATE attach_handles', 'DELETE FROM extended_accelerator_requests'],
)
def test_an_arq_and_its_slot_go_at_once(cloud, nova, boot, statement):
    """Cyborg fails at one of them."""
    server_id, _uuid = boot(cloud.add_device())
    cloud.nova.delete(server_id)

    def fail():
        raise RuntimeError('the disk is full')

    with cloud.before(statement, fail):
        nova.release(server_id, status=500)

    assert (cloud.used_slots(), cloud.count(models.ExtArq)) == (1, 1)
    nova.release(server_id, status=204)
    check_gone(cloud)


def test_the_events_are_in_order(cloud, member, nova, boot):
    provider = cloud.add_device()
    server_id, one, two = boot(provider, contexts=2)
    member.update(two, delete_on_termination=False)
    cloud.nova.delete(server_id)

    with cloud.statements() as sent:
        nova.delete_arqs(f'instance={server_id}')

    table = tables.DeviceContextEvent.__tablename__
    assert sum(each.startswith(f'INSERT INTO {table}') for each in sent) == 1
    for uuid_, end in ((one, 'delete'), (two, 'release')):
        found = member.get(
            f'/v2/device_contexts/{uuid_}/events?sort_dir=asc'
        ).json['events'][-2:]
        assert [each['action'] for each in found] == ['unbind', end]
        assert {each['server_id'] for each in found} == {server_id}
        assert [each['host'] for each in found] == ['compute1', None]

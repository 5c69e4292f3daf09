# SPDX-License-Identifier: Apache-2.0

"""A server's devices are bound at once, while something else is done."""

import concurrent.futures
import functools
import threading

import pytest
import sqlalchemy as sa
from cyborg.db.sqlalchemy import models

from nova_cyborg.db import tables
from tests.functional.api import cyborg
from tests.functional.api.conftest import providers

# The first statement of the transaction that binds.
FIRST = 'UPDATE host_locks'
ROUNDS = 8


@pytest.fixture
def at_once():
    """Does things in threads, at one moment, as far as that goes."""

    def _at_once(*works):
        start = threading.Barrier(len(works))

        def run(work):
            start.wait(cyborg.PATIENCE)
            return work()

        with concurrent.futures.ThreadPoolExecutor(len(works)) as executor:
            return list(executor.map(run, works))

    return _at_once


def check_slots(cloud):
    """Each slot in use has one ARQ that is bound, and each ARQ a slot."""
    arq, handle = models.ExtArq, models.AttachHandle
    with cloud.engine.connect() as connection:
        used = connection.scalars(
            sa.select(handle.id).where(handle.in_use.is_(True))
        ).all()
        given = connection.scalars(sa.select(arq.attach_handle_id)).all()
    assert sorted(used) == sorted(given)
    links = cloud.count(tables.DeviceContextArq)
    assert links == len(given)


class TestLastSlot:
    def test_another_server_gets_it(self, cloud, member, nova, boot):
        provider = cloud.add_device(slots=1)
        (one, mine), (two, theirs) = boot(), boot()

        with cloud.before(
            FIRST, lambda: nova.bind(two, providers(provider, theirs))
        ):
            nova.bind(one, providers(provider, mine), generation=0)
        cloud.drain()

        assert member.status_of(theirs) == 'bound'
        assert member.status_of(mine) == 'error'
        assert cloud.used_slots() == 1

    def test_many_want_it_at_one_moment(
        self, cloud, member, nova, boot, at_once
    ):
        for _n in range(ROUNDS):
            provider = cloud.add_device(slots=1)
            servers = [boot() for _n in range(4)]

            at_once(
                *(
                    functools.partial(
                        nova.bind, of, providers(provider, uuid_), generation=0
                    )
                    for of, uuid_ in servers
                )
            )
            cloud.drain()

            statuses = [member.status_of(uuid_) for _of, uuid_ in servers]
            assert sorted(statuses) == ['bound', *['error'] * 3]
            for of, _uuid in servers:
                nova.release(of)
            assert cloud.used_slots() == 0

    def test_one_without_the_plugin_takes_a_slot(
        self, cloud, member, nova, boot
    ):
        """It does not wait for others: what is taken is chosen anew."""
        server_id, uuid_ = boot()
        wanted = providers(cloud.add_device(), uuid_)
        handle = models.AttachHandle.__tablename__
        left = ['it comes once']

        def intrude(connection, _cursor, statement, *_more):
            if statement.startswith(f'UPDATE {handle}') and left:
                left.clear()
                table = models.AttachHandle
                connection.execute(sa.update(table).values(in_use=True))

        sa.event.listen(cloud.engine, 'before_cursor_execute', intrude)
        try:
            with cloud.transactions() as ended:
                nova.bind(server_id, wanted, generation=0)
        finally:
            sa.event.remove(cloud.engine, 'before_cursor_execute', intrude)

        assert ended == ['ROLLBACK', 'COMMIT']
        assert cloud.bindings_begun() == 0
        assert member.status_of(uuid_) == 'bound'
        assert cloud.used_slots() == 1
        check_slots(cloud)


class TestDelete:
    def test_it_comes_first(self, cloud, member, nova, boot):
        server_id, uuid_ = boot()
        wanted = providers(cloud.add_device(), uuid_)
        cloud.nova.delete(server_id)

        with cloud.before(
            FIRST, lambda: nova.delete_arqs(f'instance={server_id}')
        ):
            nova.bind(server_id, wanted, generation=0, status=404)

        member.show(uuid_, status=404)
        assert cloud.used_slots() == 0
        assert cloud.count(models.ExtArq) == 0
        assert cloud.count(models.DeviceProfile) == 0

    def test_at_one_moment(self, cloud, nova, boot, at_once):
        """Whichever is first: nothing is left in the end."""
        for _n in range(ROUNDS):
            server_id, *uuids = boot(contexts=2)
            wanted = providers(cloud.add_device(), *uuids)
            cloud.nova.delete(server_id)

            bound, deleted = at_once(
                lambda: nova.bind(
                    server_id,  # noqa: B023
                    wanted,  # noqa: B023
                    generation=0,
                    status='*',
                ),
                lambda: nova.delete_arqs(f'instance={server_id}'),  # noqa: B023
            )

            assert bound.status_int in (202, 404)
            assert deleted.status_int == 204
            assert cloud.used_slots() == 0
            for table in (
                models.ExtArq,
                models.DeviceProfile,
                tables.DeviceAllocation,
                tables.DeviceBinding,
                tables.DeviceContext,
                tables.DeviceContextArq,
            ):
                assert cloud.count(table) == 0, table


class TestTaint:
    @pytest.fixture
    def taint(self, cloud, admin, placement):
        """Taints all devices."""

        def _taint():
            with cloud.engine.connect() as connection:
                found = connection.scalars(sa.select(models.Device.uuid)).all()
            for uuid_ in found:
                body = {'device_uuid': uuid_, 'key': 'ecc', 'reason': 'Some.'}
                admin.post('/v2/device_taints', body, status=201)

        return _taint

    def test_it_comes_first(self, cloud, member, nova, boot, taint):
        server_id, uuid_ = boot()
        wanted = providers(cloud.add_device(), uuid_)

        with cloud.before(FIRST, taint):
            answer = nova.bind(server_id, wanted, generation=0, status=409)

        error = cyborg.error_of(answer)
        assert error['code'] == 'nova_cyborg.device_tainted'
        assert member.status_of(uuid_) == 'reserved'
        assert cloud.used_slots() == 0
        assert cloud.count(models.ExtArq) == 0
        assert cloud.count(tables.DeviceBinding) == 0

    def test_at_one_moment(self, cloud, admin, member, nova, boot, at_once):
        """It is bound, or refused; nothing is half done."""
        for _n in range(ROUNDS):
            server_id, uuid_ = boot()
            wanted = providers(cloud.add_device(slots=1), uuid_)
            with cloud.engine.connect() as connection:
                newest = connection.scalar(
                    sa.select(models.Device.uuid).order_by(
                        models.Device.id.desc()
                    )
                )
            body = {'device_uuid': newest, 'key': 'ecc', 'reason': 'Some.'}

            bound, _tainted = at_once(
                lambda: nova.bind(
                    server_id,  # noqa: B023
                    wanted,  # noqa: B023
                    generation=0,
                    status='*',
                ),
                lambda: admin.post('/v2/device_taints', body, status='*'),  # noqa: B023
            )

            is_bound = bound.status_int == 202
            assert is_bound or bound.status_int == 409
            assert member.status_of(uuid_) == (
                'bound' if is_bound else 'reserved'
            )
            assert cloud.used_slots() == int(is_bound)
            check_slots(cloud)
            nova.release(server_id)


def test_another_attempt_begins(cloud, member, nova, boot):
    server_id, uuid_ = boot()
    wanted = providers(cloud.add_device(), uuid_)

    with cloud.before(FIRST, lambda: nova.begin(server_id)):
        nova.bind(server_id, wanted, generation=0, status=409)

    assert member.status_of(uuid_) == 'reserved'
    assert cloud.used_slots() == 0


def test_the_same_call_twice_at_one_moment(cloud, member, nova, boot, at_once):
    for _n in range(ROUNDS):
        server_id, uuid_ = boot()
        wanted = providers(cloud.add_device(), uuid_)

        def bind():
            return nova.bind(server_id, wanted, generation=0).json  # noqa: B023

        one, two = at_once(bind, bind)

        assert one == two
        assert member.status_of(uuid_) == 'bound'
        assert cloud.used_slots() == 1
        check_slots(cloud)
        nova.release(server_id)

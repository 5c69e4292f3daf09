# SPDX-License-Identifier: Apache-2.0

"""Servers that hold device contexts, and what Nova says of them."""

import dataclasses

import pytest
import sqlalchemy as sa

from nova_cyborg.db import session, tables
from nova_cyborg.db.reconciler import leases
from nova_cyborg.fixture import nova_api
from nova_cyborg.lifecycle.reconciling import changes
from nova_cyborg.lifecycle.reconciling.suspects import watch
from tests.functional.api.conftest import providers
from tests.functional.reconciler.conftest import Reconciler

MIGRATION = '11111111-0000-4000-8000-000000000000'


def settled(cloud):
    """Return how many holders are settled, and how many are not."""
    row = tables.DeviceAllocation
    done = cloud.count(row, row.settled_at.is_not(None))
    return done, cloud.count(row) - done


def put(cloud, server_id, node='compute1', **fields):
    """Have Nova say more of a server."""
    cloud.nova.servers[server_id] |= {
        nova_api.NODE: node,
        'OS-EXT-SRV-ATTR:host': node,
        **fields,
    }


def test_a_server_that_runs_is_asked_about_once(cloud, reconciler, running):
    put(cloud, running[1])
    reconciler.tick()
    assert settled(cloud) == (1, 0)

    before = cloud.nova.requests
    Reconciler(resync=0).tick(3)

    # Somebody else has the lease.
    assert cloud.nova.requests == before
    assert reconciler.report['found'] == {}


def test_each_change_is_looked_at(cloud, reconciler, running, nova):
    server_id = running[1]
    put(cloud, server_id)
    reconciler.tick()

    nova.begin(server_id)

    assert settled(cloud) == (0, 1)


def test_the_server_is_gone(cloud, reconciler, running, member):
    _provider, server_id, context_id = running
    cloud.nova.delete(server_id, listed=False)

    reconciler.tick()
    assert member.status_of(context_id) == 'bound'

    reconciler.tick()
    member.show(context_id, status=404)
    assert cloud.used_slots() == 0
    assert reconciler.report['repaired'] == {'held-by-no-server': 1}


def test_a_server_that_was_settled_is_deleted(
    cloud, reconciler, running, member
):
    """Nova lists it, once and for all."""
    put(cloud, running[1])
    reconciler.tick()
    cloud.nova.delete(running[1])

    reconciler.tick()

    member.show(running[2], status=404)
    assert cloud.used_slots() == 0


def test_a_server_that_is_listed_as_deleted_and_exists(
    cloud, reconciler, running, member, monkeypatch
):
    """Its cell is another one than before, where it is deleted."""
    monkeypatch.setattr(watch, 'LATER', 0)
    _provider, server_id, context_id = running
    put(cloud, server_id)
    reconciler.tick()
    cloud.nova.deleted[server_id] = {
        **cloud.nova.servers[server_id],
        'status': 'DELETED',
    }

    reconciler.tick(4)
    assert settled(cloud) == (1, 0)
    assert member.status_of(context_id) == 'bound'

    # It is looked at as any other.
    cloud.nova.deleted.clear()
    cloud.nova.change(server_id, 'SHELVED_OFFLOADED')
    put(cloud, server_id, None, updated='2999-01-01T00:00:00Z')
    reconciler.tick(3)
    assert member.status_of(context_id) == 'reserved'


def test_nova_lists_no_change(cloud, reconciler, running, member):
    """Its turn comes."""
    put(cloud, running[1])
    reconciler.tick()
    assert settled(cloud) == (1, 0)
    cloud.nova.delete(running[1], listed=False)

    reconciler.tick(4)

    member.show(running[2], status=404)


def test_a_kept_context(cloud, reconciler, running, member):
    member.update(running[2], delete_on_termination=False)
    cloud.nova.delete(running[1])

    reconciler.tick(2)

    assert member.status_of(running[2]) == 'available'


def test_the_server_was_never_built(cloud, reconciler, boot, member):
    server_id, context_id = boot()
    cloud.nova.change(server_id, 'ERROR')
    put(cloud, server_id, None, **{'OS-SRV-USG:launched_at': None})

    reconciler.tick(2)

    assert member.status_of(context_id) == 'available'


def test_an_offloaded_server(cloud, reconciler, running, member):
    cloud.nova.change(running[1], 'SHELVED_OFFLOADED')
    put(cloud, running[1], None)

    reconciler.tick(2)
    assert member.status_of(running[2]) == 'reserved'
    assert cloud.used_slots() == 0

    reconciler.tick()
    assert settled(cloud) == (1, 0)


def test_a_soft_deleted_server(cloud, reconciler, running, member):
    """It is not asked about for days."""
    cloud.nova.change(running[1], 'SOFT_DELETED')
    put(cloud, running[1])

    reconciler.tick()
    assert settled(cloud) == (1, 0)
    assert member.status_of(running[2]) == 'bound'

    # Nova lists it when it is reclaimed.
    cloud.nova.delete(running[1])
    reconciler.tick()
    member.show(running[2], status=404)


def test_a_soft_deleted_server_is_restored(cloud, reconciler, running):
    cloud.nova.change(running[1], 'SOFT_DELETED')
    reconciler.tick()

    # It is listed as changed.
    cloud.nova.change(running[1], 'ACTIVE', 'restoring')
    reconciler.tick()

    assert settled(cloud) == (0, 1)


def test_a_server_in_error_without_devices(cloud, reconciler, boot):
    server_id, _context_id = boot()
    cloud.nova.change(server_id, 'ERROR')
    put(cloud, server_id)

    reconciler.tick()

    assert settled(cloud) == (1, 0)
    assert reconciler.report['found'] == {}


def test_a_server_in_error_with_devices_on_two_hosts(
    cloud, reconciler, running, nova
):
    _provider, server_id, context_id = running
    nova.begin(server_id)
    nova.bind(
        server_id,
        providers(cloud.add_device(host='compute2'), context_id),
        host='compute2',
        migration=MIGRATION,
    )
    cloud.nova.change(server_id, 'ERROR')
    put(cloud, server_id, 'compute1')

    reconciler.tick()

    assert settled(cloud) == (1, 0)
    assert cloud.used_slots() == 2


def test_it_is_unshelved_meanwhile(cloud, reconciler, running, member, nova):
    """What it has bound since is not unbound."""
    _provider, server_id, context_id = running
    cloud.nova.change(server_id, 'SHELVED_OFFLOADED')
    put(cloud, server_id, None)
    reconciler.tick()

    nova.begin(server_id)
    nova.bind(server_id, providers(cloud.add_device(), context_id))
    reconciler.tick()

    assert member.status_of(context_id) == 'bound'
    assert cloud.used_slots() == 1


def test_what_a_move_has_left(cloud, reconciler, running, nova, member):
    _provider, server_id, context_id = running
    nova.begin(server_id)
    nova.bind(
        server_id,
        providers(cloud.add_device(host='compute2'), context_id),
        host='compute2',
        migration=MIGRATION,
    )
    assert cloud.used_slots() == 2
    put(cloud, server_id, 'compute2')

    reconciler.tick(2)

    assert cloud.used_slots() == 1
    assert member.show(context_id).json['host'] == 'compute2'
    reconciler.tick()
    assert settled(cloud) == (1, 0)


@pytest.fixture
def migrates(cloud, running, nova):
    """A server that libvirt migrates live, and whose state was reset."""
    _provider, server_id, context_id = running
    nova.begin(server_id)
    nova.bind(
        server_id,
        providers(cloud.add_device(host='compute2', slots=1), context_id),
        host='compute2',
        migration=MIGRATION,
    )
    cloud.drain()
    cloud.nova.migrations[server_id] = [
        {
            'uuid': MIGRATION,
            'id': 1,
            'migration_type': 'live-migration',
            'dest_node': 'compute2',
            'status': 'running',
        }
    ]
    put(cloud, server_id, 'compute1')
    return server_id, cloud.nova.migrations[server_id]


@pytest.mark.parametrize(
    'status', ['preparing', 'running', 'running (post-copy)']
)
@pytest.mark.parametrize('reset_to', ['ACTIVE', 'ERROR'])
def test_a_guest_that_is_migrated_after_its_state_was_reset(
    cloud, reconciler, migrates, status, reset_to
):
    """It may use what it has on either host."""
    server_id, migrations = migrates
    migrations[0]['status'] = status
    cloud.nova.servers[server_id]['status'] = reset_to

    reconciler.tick(6)

    assert cloud.used_slots() == 2


def test_a_later_migration_that_was_refused(cloud, reconciler, migrates):
    migrates[1].append({**migrates[1][0], 'id': 2, 'status': 'error'})

    reconciler.tick(6)

    assert cloud.used_slots() == 2


@pytest.mark.parametrize('how', ['error', 'cancelled', 'later', 'there'])
def test_a_guest_that_is_not_migrated_any_more(
    cloud, reconciler, migrates, how
):
    server_id, migrations = migrates
    if how == 'later':
        migrations.append({**migrations[0], 'id': 2, 'status': 'completed'})
    elif how == 'there':
        put(cloud, server_id, 'compute2')
    else:
        migrations[0]['status'] = how

    reconciler.tick(4)

    assert cloud.used_slots() == 1


def test_migrations_are_not_told(cloud, reconciler, migrates, monkeypatch):
    migrates[1][0]['status'] = 'error'
    monkeypatch.setattr(
        cloud.nova,
        '_list_migrations',
        lambda _query: nova_api.Response(403, {}),
    )

    reconciler.tick(4)

    assert cloud.used_slots() == 2


@pytest.mark.parametrize('status', ['accepted', 'pre-migrating'])
def test_a_guest_that_is_evacuated_after_its_state_was_reset(
    cloud, reconciler, migrates, status
):
    migrates[1][0] |= {'migration_type': 'evacuation', 'status': status}

    reconciler.tick(6)

    assert cloud.used_slots() == 2


def test_a_server_that_is_being_built(cloud, reconciler, boot, member):
    _server_id, context_id = boot(cloud.add_device())

    reconciler.tick(3)

    assert member.status_of(context_id) == 'bound'
    assert settled(cloud) == (0, 1)


class TestNovaDoesNotSay:
    def test_it_is_down(self, cloud, reconciler, running, member):
        cloud.nova.status_code = 503

        reconciler.tick(4)

        assert member.status_of(running[2]) == 'bound'

    def test_it_does_not_show_servers_of_others(
        self, cloud, reconciler, running, member
    ):
        cloud.nova.administrator = False

        reconciler.tick(4)

        assert member.status_of(running[2]) == 'bound'

    def test_a_cell_is_down(self, cloud, reconciler, running, member):
        cloud.nova.delete(running[1], listed=False)
        cloud.nova.cell_is_down = True

        reconciler.tick(4)

        assert member.status_of(running[2]) == 'bound'

    def test_its_cell_is_down(self, cloud, reconciler, running):
        """Nova shows that there is such a server, and no more."""
        put(cloud, running[1])
        cloud.nova.unreachable = {running[1]}

        reconciler.tick(2)

        assert settled(cloud) == (0, 1)

    def test_it_is_deleted_while_its_cell_is_not_listed(
        self, cloud, running, placement, member, monkeypatch
    ):
        """It is listed when the cell is back, however long that takes."""
        monkeypatch.setattr(changes, '_EVERY', 0)
        one = Reconciler(resync=0)
        put(cloud, running[1])
        one.tick()
        assert settled(cloud) == (1, 0)
        cloud.nova.delete(running[1])
        cloud.nova.unreachable = {running[1]}
        before = good_at(cloud)
        asked = since(cloud, monkeypatch)

        for later in (300, 600):
            shift_clock(cloud, one, monkeypatch, later)
            one.tick(2)
        assert good_at(cloud) == before
        assert settled(cloud) == (1, 0)
        # It goes on as far as when all were listed.
        assert len(set(asked)) == 1

        cloud.nova.unreachable = set()
        one.tick(2)
        member.show(running[2], status=404)
        assert good_at(cloud) > before

    def test_a_cell_that_goes_while_it_is_listed(
        self, cloud, running, placement, monkeypatch
    ):
        monkeypatch.setattr(changes, '_EVERY', 0)
        one = Reconciler(resync=0)
        put(cloud, running[1])
        one.tick()
        before = good_at(cloud)
        shift_clock(cloud, one, monkeypatch, 300)
        get = cloud.nova.get

        def lose_it(url, timeout=None):
            if 'changes-since' in url:
                cloud.nova.cell_is_down = True
            return get(url, timeout)

        monkeypatch.setattr(cloud.nova, 'get', lose_it)
        one.tick()

        assert good_at(cloud) == before

    def test_half_a_list_is_read_again(
        self, cloud, reconciler, running, member, monkeypatch
    ):
        """Those of the first page are; the others next time."""
        monkeypatch.setattr(changes, '_EVERY', 0)
        put(cloud, running[1])
        reconciler.tick()
        cloud.nova.delete(running[1])
        get, asked = cloud.nova.get, []

        def get_first_page(url, timeout=None):
            if 'changes-since' in url:
                asked.append(url)
                return nova_api.Response(503, {})
            return get(url, timeout)

        monkeypatch.setattr(cloud.nova, 'get', get_first_page)
        before = good_at(cloud)
        reconciler.tick()
        assert asked
        assert good_at(cloud) == before
        assert member.status_of(running[2]) == 'bound'

        monkeypatch.setattr(cloud.nova, 'get', get)
        reconciler.tick()
        member.show(running[2], status=404)


def since(cloud, monkeypatch):
    """Return a list of what the lists of changes go back to."""
    found, get = [], cloud.nova.get

    def note(url, timeout=None):
        if 'changes-since' in url:
            found.append(url)
        return get(url, timeout)

    monkeypatch.setattr(cloud.nova, 'get', note)
    return found


def shift_clock(cloud, one, monkeypatch, seconds):
    """Have the database's clock be ahead, as it is some time later."""
    take = leases.take

    def later(*args):
        lease = take(*args)
        return dataclasses.replace(lease, now=lease.now + seconds)

    monkeypatch.setattr(leases, 'take', later)


def good_at(cloud):
    with cloud.engine.connect() as connection:
        return connection.scalar(sa.select(tables.Lease.good_at))


def test_a_repair_that_fails_is_tried_again(
    cloud, reconciler, running, member, monkeypatch, caplog
):
    from nova_cyborg.lifecycle import release
    from nova_cyborg.lifecycle.reconciling import report
    from nova_cyborg.lifecycle.reconciling.suspects import watch

    cloud.nova.delete(running[1])
    monkeypatch.setattr(watch, 'LATER', 0)
    monkeypatch.setattr(report, '_FIRST', 0)

    def fail(*args, **kwargs):
        raise OSError('the disk is full')

    with monkeypatch.context() as patch:
        patch.setattr(release, 'unless_begun', fail)
        reconciler.tick(4)
    assert 'Could not be repaired, 3 times: held-by-no-server' in caplog.text
    assert reconciler.report['failed']['held-by-no-server'] >= 3

    reconciler.tick()
    member.show(running[2], status=404)
    assert reconciler.report['found'] == {'held-by-no-server': 1}


def test_settling_leaves_a_change_alone(cloud, reconciler, running, nova):
    """What has changed since Nova was asked is looked at again."""
    from cyborg import context as cyborg_context

    from nova_cyborg.db.reconciler import holders

    context = cyborg_context.get_admin_context()
    (seen,) = holders.unsettled(context)
    nova.begin(running[1])
    holders.settle(context, seen)

    assert settled(cloud) == (0, 1)
    assert session.rows(context, sa.select(tables.DeviceAllocation.id))

# SPDX-License-Identifier: Apache-2.0

"""Placement's allocations of devices."""

import logging

import pytest

from nova_cyborg import exception
from nova_cyborg.lifecycle import heal
from nova_cyborg.lifecycle.reconciling import allocations
from tests.functional.reconciler.conftest import Reconciler
from tests.functional.reconciler.test_holders import put
from tests.functional.reconciler.test_lease import expire

MIGRATION = '11111111-0000-4000-8000-000000000000'


@pytest.fixture
def settled(cloud, reconciler, running, placement):
    """A server that has all it should have, by an earlier round."""
    provider, server_id, _context_id = running
    put(cloud, server_id)
    placement.nodes[provider] = 'compute1'
    reconciler.tick(2)
    return provider, server_id


def repaired(reconciler):
    return reconciler.report['repaired']


def test_nothing_disagrees(reconciler, settled, placement):
    reconciler.tick(4)

    assert placement.allocations[settled[0]] == {settled[1]: 1}
    assert repaired(reconciler) == {}


def test_of_a_server_that_is_gone(cloud, reconciler, settled, placement):
    """With what it held."""
    cloud.nova.delete(settled[1])

    reconciler.tick(4)

    assert placement.allocations[settled[0]] == {}
    assert repaired(reconciler) == {
        'held-by-no-server': 1,
        'allocation-of-no-server': 1,
    }


@pytest.fixture
def gone(cloud):
    """A server that never held anything, and is gone."""
    found = cloud.nova.boot('ACTIVE', None)
    cloud.nova.delete(found, listed=False)
    return found


def test_of_a_server_that_never_held_anything(
    reconciler, settled, placement, gone
):
    placement.allocate(settled[0], gone)

    reconciler.tick()
    assert gone in placement.allocations[settled[0]]
    reconciler.tick(3)

    assert placement.allocations[settled[0]] == {settled[1]: 1}


def test_of_a_holder_that_nova_has_archived(
    cloud, reconciler, settled, placement
):
    cloud.nova.delete(settled[1])
    cloud.nova.recorded.clear()

    reconciler.tick(4)

    assert placement.allocations[settled[0]] == {}


def test_what_nova_never_knew(cloud, reconciler, settled, placement):
    """An operator keeps a device from servers, by hand."""
    provider, server_id = settled
    by_hand = '22222222-0000-4000-8000-000000000000'
    placement.allocate(provider, by_hand)

    reconciler.tick(8)

    assert placement.allocations[provider] == {server_id: 1, by_hand: 1}
    assert reconciler.report['oldest_suspect'] is None
    # Nor is it asked for again and again.
    before = cloud.nova.requests
    reconciler.tick(2)
    assert cloud.nova.requests - before <= 4


@pytest.mark.parametrize('how', ['cell_is_down', 'status_code'])
def test_nova_does_not_say(cloud, reconciler, settled, placement, gone, how):
    placement.allocate(settled[0], gone)
    setattr(cloud.nova, how, 503)

    reconciler.tick(6)

    assert gone in placement.allocations[settled[0]]


def test_of_a_migration_that_is_under_way(
    cloud, reconciler, settled, placement
):
    provider, server_id = settled
    cloud.nova.change(server_id, 'VERIFY_RESIZE')
    cloud.nova.migrations[server_id] = [{'uuid': MIGRATION}]
    placement.allocate(provider, MIGRATION)

    reconciler.tick(6)

    assert MIGRATION in placement.allocations[provider]
    assert reconciler.report['oldest_suspect'] is None


def test_a_resize_that_waits_to_be_confirmed(
    cloud, reconciler, settled, placement, clock
):
    """For days: Nova is asked about its server alone, in turn."""
    provider, server_id = settled
    cloud.nova.change(server_id, 'VERIFY_RESIZE')
    put(cloud, server_id, 'compute2')
    cloud.nova.migrations[server_id] = [{'uuid': MIGRATION}]
    placement.allocations[provider] = {MIGRATION: 1}
    reconciler.tick(6)
    get, asked = cloud.nova.get, []

    def note(url, timeout=None):
        asked.append(url)
        return get(url, timeout)

    cloud.nova.get = note
    for _n in range(4):
        reconciler.tick(2)
        clock(2 * heal.MOVE_ENDS_WITHIN)

    assert not [each for each in asked if 'os-migrations' in each]
    # The list of changes, the server, and it again for what it holds.
    assert len(asked) <= 4 * 2 * 3
    assert reconciler.report['oldest_suspect'] is None


def test_of_a_migration_that_is_over(
    cloud, reconciler, settled, placement, clock
):
    """The server has what it had, in the place of its own."""
    provider, server_id = settled
    cloud.nova.migrations[server_id] = [{'uuid': MIGRATION}]
    placement.allocations[provider] = {MIGRATION: 1}

    # Nova is about to do that itself.
    reconciler.tick(6)
    assert placement.allocations[provider] == {MIGRATION: 1}

    clock(heal.MOVE_ENDS_WITHIN)
    reconciler.tick(2)
    assert placement.allocations[provider] == {server_id: 1}


def test_of_a_migration_whose_server_was_reset(
    cloud, reconciler, settled, placement, clock
):
    """libvirt migrates its guest all the same."""
    provider, server_id = settled
    cloud.nova.migrations[server_id] = [
        {
            'uuid': MIGRATION,
            'migration_type': 'live-migration',
            'status': 'running',
        }
    ]
    placement.allocations[provider] = {MIGRATION: 1}
    for _n in range(4):
        reconciler.tick(2)
        clock(2 * heal.MOVE_ENDS_WITHIN)

    assert placement.allocations[provider] == {MIGRATION: 1}


def test_of_a_migration_that_ends_now(
    cloud, reconciler, settled, placement, clock
):
    """However long it was under way, Nova has the time to end it."""
    provider, server_id = settled
    cloud.nova.change(server_id, 'MIGRATING', 'migrating')
    cloud.nova.migrations[server_id] = [{'uuid': MIGRATION}]
    placement.allocations[provider] = {MIGRATION: 1}
    for _n in range(4):
        reconciler.tick(2)
        clock(2 * heal.MOVE_ENDS_WITHIN)

    put(cloud, server_id, 'compute1', status='ACTIVE')
    cloud.nova.servers[server_id]['OS-EXT-STS:task_state'] = None
    reconciler.tick(2)
    assert placement.allocations[provider] == {MIGRATION: 1}

    clock(heal.MOVE_ENDS_WITHIN)
    reconciler.tick(2)
    assert placement.allocations[provider] == {server_id: 1}


def test_of_a_server_that_is_on_another_host(
    cloud, reconciler, settled, placement
):
    provider = cloud.add_device(host='compute2')
    placement.nodes[provider] = 'compute2'
    placement.allocate(provider, settled[1])

    reconciler.tick(6)

    assert placement.allocations[provider] == {}


def test_of_one_that_was_evacuated(cloud, reconciler, settled, placement):
    """Nova keeps it until the host is back; nobody is asked each time."""
    provider = cloud.add_device(host='compute2')
    placement.nodes[provider] = 'compute2'
    placement.allocate(provider, settled[1])
    cloud.nova.migrations[settled[1]] = [{'uuid': MIGRATION, 'status': 'done'}]

    reconciler.tick(6)
    assert placement.allocations[provider] == {settled[1]: 1}
    before = cloud.nova.requests
    reconciler.tick()

    assert cloud.nova.requests - before <= 3


def test_none_of_what_a_server_has(cloud, reconciler, settled, placement):
    provider, server_id = settled
    other = cloud.add_device(host='compute2')
    placement.allocations[provider] = {}
    # As of the host itself.
    placement.allocate(other, server_id)
    placement.nodes[other] = 'compute1'

    reconciler.tick(6)

    assert placement.allocations[provider] == {server_id: 1}


@pytest.fixture
def too_much(cloud, settled, placement):
    """One more is allocated to a server than it has a device of."""
    _provider, server_id = settled
    cloud.nova.servers[server_id]['flavor'] = {'extra_specs': {}}
    other = cloud.add_device()
    placement.nodes[other] = 'compute1'
    placement.allocate(other, server_id)
    return other


def test_of_a_server_that_has_less(reconciler, settled, too_much, placement):
    provider, server_id = settled
    placement.allocate(provider, server_id, 2)

    reconciler.tick(8)

    assert placement.allocations[too_much] == {}
    assert placement.allocations[provider] == {server_id: 1}
    assert set(repaired(reconciler)) == {'no-device'}


@pytest.fixture
def many_with_more(cloud, settled, placement):
    """Servers of one device, whose flavors ask for what it has, besides."""
    more = {'extra_specs': {'resources:FPGA': '1'}}
    provider = cloud.add_device()
    placement.nodes[provider] = 'compute1'
    found = []
    for _n in range(60):
        server_id = cloud.nova.boot('ACTIVE', None)
        put(cloud, server_id)
        cloud.nova.servers[server_id]['flavor'] = more
        placement.allocate(provider, server_id)
        found.append(server_id)
    return provider, sorted(found)


def asked_of(placement):
    """Have it be noted whose allocations are read."""
    original, asked = placement.get, []

    def get(path, *args, **kwargs):
        if path.startswith('/allocations/'):
            asked.append(path.rpartition('/')[2])
        return original(path, *args, **kwargs)

    placement.get = get
    return asked


def test_many_that_have_more_by_their_flavor(
    cloud, reconciler, many_with_more, placement
):
    """Some are asked about in a tick; all of them are in turn."""
    _provider, servers = many_with_more
    asked = asked_of(placement)

    for turn in range(1, 5):
        # Every other tick, resource providers have their turn.
        reconciler.tick(2)
        assert len(asked) == turn * allocations._MOST_WITH_MORE

    # Those that wait longest are the next ones.
    assert asked[:60] == servers
    assert asked[60:] == servers[:20]
    assert repaired(reconciler) == {}


@pytest.mark.parametrize('server', [0, 30, 59])
def test_one_of_many_that_has_too_much(
    cloud, reconciler, many_with_more, placement, server
):
    """Once it is suspected, it does not wait for its turn again."""
    provider, servers = many_with_more
    cloud.nova.servers[servers[server]]['flavor'] = {'extra_specs': {}}

    # The third turn is the sixth tick; what is suspected has no turn.
    reconciler.tick(7)

    assert repaired(reconciler) == {'no-device': 1}
    assert sorted(placement.allocations[provider]) == [
        each for each in servers if each != servers[server]
    ]


@pytest.mark.parametrize(
    'flavor',
    [
        # Nova does not show it.
        {},
        {'extra_specs': {'resources:FPGA': '1'}},
        {'extra_specs': {'accel:device_profile': 'one'}},
    ],
)
def test_of_a_flavor_that_may_ask_for_it(
    cloud, reconciler, settled, too_much, placement, flavor
):
    cloud.nova.servers[settled[1]]['flavor'] = flavor

    reconciler.tick(8)

    assert placement.allocations[too_much] == {settled[1]: 1}
    assert repaired(reconciler) == {}


def test_of_what_is_attached_just_then(
    reconciler, settled, too_much, placement, member, nova
):
    nova.attach(settled[1], member.create_one())

    reconciler.tick(8)

    assert placement.allocations[too_much] == {settled[1]: 1}


def test_what_no_server_has_is_forgotten_first(
    cloud, reconciler, settled, boot, placement, gone, caplog
):
    """A server is allocated something only after that, always in one order."""
    caplog.set_level(logging.INFO)
    lacking = {}
    for _n in range(4):
        provider = cloud.add_device()
        server_id, _context_id = boot(provider)
        cloud.nova.change(server_id, 'ACTIVE')
        put(cloud, server_id)
        # As of the host itself.
        placement.allocate(f'host of {provider}', server_id)
        lacking[provider] = server_id
    placement.allocate(settled[0], gone)

    reconciler.tick(8)

    said = [
        each.partition('Repaired ')[2]
        for each in caplog.messages
        if 'allocation' in each and each.startswith('Repaired')
    ]
    assert said == [
        f'allocation-of-no-server: {gone}',
        *(
            f'no-placement-allocation: {lacking[provider]}'
            for provider in sorted(lacking)
        ),
    ]


@pytest.fixture
def out_of_turn(monkeypatch):
    """No resource provider has its turn: there may be thousands before it."""
    monkeypatch.setattr(
        allocations.Allocations, '_following', lambda *_args: []
    )


@pytest.mark.usefixtures('out_of_turn')
@pytest.mark.parametrize('is_seen', [True, False])
def test_another_process_goes_on(
    cloud, reconciler, settled, placement, is_seen
):
    """It asks Placement about the servers that the first one would."""
    cloud.nova.delete(settled[1])
    if not is_seen:
        placement.failure = exception.PlacementFailed(reason='it is down')
    reconciler.tick(1 if is_seen else 3)
    assert cloud.used_slots() == 0
    assert placement.allocations[settled[0]] == {settled[1]: 1}
    placement.failure = None
    expire(cloud)

    Reconciler('controller2').tick(4)

    assert placement.allocations[settled[0]] == {}


@pytest.mark.usefixtures('out_of_turn')
def test_many_servers_are_asked_about_in_portions(
    cloud, reconciler, settled, boot, placement, monkeypatch
):
    monkeypatch.setattr(allocations, '_MOST_TOUCHED', 1)
    provider, server_id = settled
    others = []
    for _n in range(3):
        other = cloud.add_device()
        found, _context_id = boot(other)
        placement.allocate(other, found)
        others.append(other)
        cloud.nova.delete(found)
    cloud.nova.delete(server_id)

    reconciler.tick(10)

    assert not any(placement.allocations[each] for each in others)
    assert placement.allocations[provider] == {}


def test_placement_is_down(cloud, reconciler, settled, placement, caplog):
    """All else is put right meanwhile, and it is said once."""
    cloud.nova.delete(settled[1])
    placement.failure = exception.PlacementFailed(reason='it is down')

    reconciler.tick(6)

    assert cloud.used_slots() == 0
    assert caplog.text.count('are not looked at until Placement') == 1
    placement.failure = None
    reconciler.tick(6)
    assert placement.allocations[settled[0]] == {}

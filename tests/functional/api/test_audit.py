# SPDX-License-Identifier: Apache-2.0

"""``nova-cyborg-manage audit`` on real Cyborg code and a database.

Placement's API is a stand-in that follows what Cyborg has, unless a test
says otherwise; Nova's is the fixture's.
"""

import argparse
import json
import uuid

import pytest
import sqlalchemy as sa
from cyborg.common import exception as cyborg_exc
from cyborg.common import placement_client
from cyborg.db.sqlalchemy import models
from keystoneauth1 import exceptions as ks_exc
from openstack import exceptions as sdk_exc

from nova_cyborg import exception
from nova_cyborg.cmd import audit
from nova_cyborg.db import tables
from nova_cyborg.fixture import nova_api
from nova_cyborg.lifecycle import nova as servers
from tests.functional.api.conftest import providers, wait_for_status

PROFILE = 'nova-cyborg-' + 'f' * 32


class Placement:
    """As much of Placement as the audit asks for."""

    def __init__(self):
        self.allocations = {}
        self.nodes = {}
        self.status_code = 200
        self.failure = None
        self.classes = ['FPGA']
        self.room = 10

    def allocate(self, provider, server_id, amount=1):
        self.allocations.setdefault(provider, {})[server_id] = amount

    def get(self, url, version):
        if self.failure:
            raise self.failure
        path, _mark, wanted = url.partition('?in_tree=')
        if wanted:
            return nova_api.Response(self.status_code, self._tree(wanted))
        _root, kind, subject, *_more = path.split('/')
        if kind == 'allocations':
            return nova_api.Response(self.status_code, self._of(subject))
        if url.endswith('/inventories'):
            found = {name: {} for name in self.classes}
            return nova_api.Response(self.status_code, {'inventories': found})
        return self._consumers(subject)

    def _tree(self, provider):
        if provider not in self.nodes:
            return {'resource_providers': []}
        root = str(uuid.uuid4())
        found = [
            {'uuid': provider, 'name': 'a', 'parent_provider_uuid': root},
            {
                'uuid': root,
                'name': self.nodes[provider],
                'parent_provider_uuid': None,
            },
        ]
        return {'resource_providers': found}

    def _of(self, server_id):
        found = {
            provider: {'resources': {'FPGA': consumers[server_id]}}
            for provider, consumers in self.allocations.items()
            if server_id in consumers
        }
        if not found:
            return {'allocations': {}}
        return {'allocations': found, 'consumer_generation': 3}

    def _consumers(self, provider):
        found = {
            consumer: {'resources': {'FPGA': amount}}
            for consumer, amount in self.allocations.get(provider, {}).items()
        }
        return nova_api.Response(self.status_code, {'allocations': found})

    def put(self, url, body, version):
        server_id = url.rpartition('/')[2]
        assert body['consumer_generation'] == 3
        for allocation in body['allocations'].values():
            if allocation['resources']['FPGA'] > self.room:
                error = {'detail': 'There is no room.'}
                return nova_api.Response(409, {'errors': [error]})
        self.delete(url)
        for provider, allocation in body['allocations'].items():
            amount = allocation['resources']['FPGA']
            self.allocate(provider, server_id, amount)
        return nova_api.Response(204, {})

    def delete(self, url):
        for consumers in self.allocations.values():
            consumers.pop(url.rpartition('/')[2], None)
        return nova_api.Response(204, {})


@pytest.fixture
def placement(monkeypatch):
    stand_in = Placement()
    monkeypatch.setattr(placement_client, 'PlacementClient', lambda: stand_in)
    return stand_in


@pytest.fixture
def run(cloud, placement, capsys):
    """Run the audit; returns the exit status and the kinds it found."""

    def _run(repair=False):
        arguments = argparse.Namespace(repair=repair, format='json', grace=0)
        status = audit.run(arguments)
        output = capsys.readouterr().out
        rows = json.loads(output) if output else []
        return status, [row['kind'] for row in rows]

    return _run


@pytest.fixture
def running(cloud, placement, boot):
    """A server that has all it should have."""
    provider = cloud.add_device()
    server_id, context_id = boot(provider)
    cloud.nova.change(server_id, 'ACTIVE')
    placement.allocate(provider, server_id)
    return provider, server_id, context_id


def execute(cloud, statement):
    with cloud.engine.begin() as connection:
        connection.execute(statement)


def use_all_handles(cloud):
    """Have those count as used that no ARQ has."""
    free = models.AttachHandle.in_use.is_(False)
    execute(cloud, sa.update(models.AttachHandle).where(free).values(in_use=1))


def add_profile(cloud):
    """Add a hidden profile that no ARQ is of."""
    execute(
        cloud,
        sa.insert(models.DeviceProfile).values(
            uuid=str(uuid.uuid4()), name=PROFILE, profile_json='{"groups": []}'
        ),
    )


def test_all_is_well(run, running, member):
    assert run() == (0, [])
    assert run(repair=True) == (0, [])
    assert member.status_of(running[2]) == 'bound'


def test_the_server_is_gone(cloud, run, running, member, placement):
    provider, server_id, context_id = running
    cloud.nova.delete(server_id)

    assert run() == (1, ['held-by-no-server', 'allocation-of-no-server'])
    assert member.status_of(context_id) == 'bound'

    assert run(repair=True) == (
        0,
        ['held-by-no-server', 'allocation-of-no-server'],
    )
    member.show(context_id, status=404)
    assert cloud.used_slots() == 0
    assert placement.allocations[provider] == {}
    assert run() == (0, [])


def test_an_allocation_of_a_migration_is_left_alone(
    cloud, run, running, placement
):
    provider, _server_id, _context_id = running
    server_id, *migrations = (str(uuid.uuid4()) for _n in range(3))
    placement.allocate(provider, migrations[-1])
    cloud.nova.page_size = 1

    assert run() == (1, ['allocation-of-no-server'])
    # It is on one page or another of the list.
    cloud.nova.migrations[server_id] = [
        {'uuid': each, 'status': 'finished', 'migration_type': 'resize'}
        for each in migrations
    ]
    assert run(repair=True) == (0, [])
    assert migrations[-1] in placement.allocations[provider]


@pytest.mark.parametrize('is_refused', [True, False])
def test_migrations_that_nova_does_not_tell(
    cloud, run, running, placement, monkeypatch, is_refused
):
    provider, _server_id, _context_id = running
    consumer = str(uuid.uuid4())
    placement.allocate(provider, consumer)
    if is_refused:
        monkeypatch.setattr(
            cloud.nova,
            '_list_migrations',
            lambda _query: nova_api.Response(403, {}),
        )
    else:
        cloud.nova.cell_is_down = True
    assert run(repair=True) == (0, [])
    assert consumer in placement.allocations[provider]


def test_a_kept_context_of_a_server_that_is_gone(
    cloud, run, running, member, placement
):
    _provider, server_id, context_id = running
    member.update(context_id, delete_on_termination=False)
    cloud.nova.delete(server_id)

    run(repair=True)

    assert member.status_of(context_id) == 'available'


def test_the_server_was_never_built(cloud, run, boot, member, placement):
    server_id, context_id = boot()
    cloud.nova.change(server_id, 'ERROR')
    cloud.nova.servers[server_id] |= {
        'OS-EXT-SRV-ATTR:host': None,
        'OS-SRV-USG:launched_at': None,
    }

    assert run(repair=True) == (0, ['held-by-failed-server'])
    assert member.status_of(context_id) == 'available'


def test_a_server_in_error_that_was_running(cloud, run, boot, member):
    """Shelved and offloaded, it could not be unshelved for its image."""
    server_id, context_id = boot()
    cloud.nova.change(server_id, 'ERROR')
    cloud.nova.servers[server_id] |= {
        'OS-EXT-SRV-ATTR:host': None,
        'OS-SRV-USG:launched_at': '2026-11-24T19:00:00',
    }

    assert run(repair=True) == (0, [])
    assert member.status_of(context_id) == 'reserved'


def test_an_offloaded_server_with_devices(
    cloud, run, running, member, placement
):
    _provider, server_id, context_id = running
    cloud.nova.change(server_id, 'SHELVED_OFFLOADED')
    cloud.nova.servers[server_id]['OS-EXT-SRV-ATTR:host'] = None
    placement.allocations.clear()

    assert run(repair=True) == (0, ['devices-of-offloaded-server'])
    assert run() == (0, [])
    assert member.status_of(context_id) == 'reserved'
    assert cloud.used_slots() == 0


def test_a_server_that_could_not_be_evacuated(
    cloud, run, running, member, placement
):
    """It is in error on its old host, its devices are on another one."""
    _provider, server_id, context_id = running
    cloud.nova.change(server_id, 'ERROR')
    cloud.nova.servers[server_id][nova_api.NODE] = 'the-old-host'
    placement.allocations.clear()
    # What it may still use there.
    placement.allocate(cloud.add_device(), server_id)

    assert run(repair=True) == (0, ['devices-on-another-host'])
    assert run() == (0, [])
    assert member.status_of(context_id) == 'reserved'
    assert cloud.used_slots() == 0


@pytest.fixture
def claimed_elsewhere(cloud, running, placement):
    """A server that has an allocation on another host, too."""
    provider, server_id, _context_id = running
    other = cloud.add_device(host='compute2')
    placement.allocate(other, server_id)
    placement.nodes = {provider: 'compute1', other: 'compute2'}
    cloud.nova.servers[server_id][nova_api.NODE] = 'compute1'
    return provider, other, server_id


@pytest.mark.parametrize('status', ['ACTIVE', 'ERROR'])
def test_an_allocation_on_another_host(
    cloud, run, claimed_elsewhere, placement, status
):
    """Nova did not get Placement's answer to the first claim."""
    provider, other, server_id = claimed_elsewhere
    cloud.nova.servers[server_id]['status'] = status

    assert run(repair=True) == (0, ['allocation-on-another-host'])
    assert placement.allocations[other] == {}
    assert placement.allocations[provider] == {server_id: 1}
    assert run() == (0, [])


def test_an_allocation_where_the_guest_may_run(
    cloud, run, claimed_elsewhere, placement
):
    """It could not be evacuated, as what came after its start failed."""
    _provider, other, server_id = claimed_elsewhere
    cloud.nova.servers[server_id] |= {
        'status': 'ERROR',
        'OS-SRV-USG:launched_at': '2026-11-26T12:00:09.000000',
    }
    cloud.nova.migrations[server_id] = [
        {'status': 'failed', 'created_at': '2026-11-26T12:00:07.000000'}
    ]

    assert run(repair=True) == (1, ['allocation-on-another-host'])
    assert placement.allocations[other] == {server_id: 1}


def test_a_server_that_has_moved_meanwhile(
    cloud, run, claimed_elsewhere, placement, monkeypatch
):
    """It is where the allocation is, when that is to be deleted."""
    _provider, other, server_id = claimed_elsewhere
    nodes = iter(['compute1', 'compute2'])
    monkeypatch.setattr(servers, 'node', lambda _server_id: next(nodes))

    assert run(repair=True)[1] == ['allocation-on-another-host']
    assert placement.allocations[other] == {server_id: 1}


def test_a_guest_that_may_run_where_it_could_not_be_evacuated_to(
    cloud, run, running, member, placement
):
    """What came after the start of the guest has failed."""
    _provider, server_id, context_id = running
    cloud.nova.change(server_id, 'ERROR')
    cloud.nova.servers[server_id] |= {
        nova_api.NODE: 'the-old-host',
        'OS-SRV-USG:launched_at': '2026-11-26T12:00:09.000000',
    }
    cloud.nova.migrations[server_id] = [
        {'status': 'failed', 'created_at': f'2026-11-{day}T12:00:07.000000'}
        for day in (26, 25)
    ]
    placement.allocations.clear()

    assert run(repair=True) == (1, ['devices-on-another-host'])
    assert member.status_of(context_id) == 'bound'

    cloud.nova.migrations[server_id][1]['created_at'] = '2026-11-27T12:00:00'
    assert run(repair=True) == (0, ['devices-on-another-host'])
    assert member.status_of(context_id) == 'reserved'


def test_a_server_that_could_not_be_evacuated_twice(
    cloud, run, running, member, nova
):
    """The second attempt began, and bound nothing: it has its own again."""
    _provider, server_id, context_id = running
    before = member.show(context_id).json['devices']
    old = before[0]['host']
    nova.begin(server_id, str(uuid.uuid4()))
    cloud.nova.change(server_id, 'ACTIVE', 'rebuilding')
    nova.bind(
        server_id,
        providers(cloud.add_device(), context_id),
        host='the-new-host',
        evacuated_from=old,
    )
    wait_for_status(member, context_id, 'bound')
    nova.begin(server_id, str(uuid.uuid4()))
    cloud.nova.change(server_id, 'ERROR')
    cloud.nova.servers[server_id][nova_api.NODE] = old

    assert run(repair=True) == (0, ['devices-on-another-host'])
    assert run() == (0, [])
    assert member.show(context_id).json['devices'] == before
    assert cloud.used_slots() == 1


def test_what_an_evacuated_server_has_left(
    cloud, run, running, member, placement, nova
):
    """Nova came to the end, and could not tell Cyborg so."""
    _provider, server_id, context_id = running
    old = member.show(context_id).json['host']
    nova.begin(server_id, str(uuid.uuid4()))
    cloud.nova.change(server_id, 'ACTIVE', 'rebuilding')
    provider = cloud.add_device()
    nova.bind(
        server_id,
        providers(provider, context_id),
        host='the-new-host',
        evacuated_from=old,
    )
    wait_for_status(member, context_id, 'bound')
    placement.allocate(provider, server_id)
    assert run(repair=True) == (0, [])
    assert cloud.used_slots() == 2

    cloud.nova.change(server_id, 'ACTIVE')
    cloud.nova.servers[server_id][nova_api.NODE] = 'the-new-host'
    cloud.nova.migrations[server_id] = [{'status': 'done'}]

    assert run(repair=True) == (0, ['devices-left-behind'])
    assert run() == (0, [])
    assert cloud.used_slots() == 1
    assert member.show(context_id).json['host'] == 'the-new-host'


def test_arqs_of_a_profile_of_no_server(cloud, run, running):
    _provider, server_id, _context_id = running
    execute(cloud, sa.delete(tables.DeviceContextArq))
    execute(cloud, sa.update(tables.DeviceContext).values(allocation_id=None))
    execute(cloud, sa.delete(tables.DeviceAllocation))
    execute(cloud, sa.update(models.DeviceProfile).values(name='gold'))
    assert run() == (0, [])

    cloud.nova.delete(server_id)
    status, kinds = run(repair=True)
    assert status == 0
    assert 'arqs-of-no-server' in kinds
    assert cloud.used_slots() == 0
    assert run() == (0, [])


def test_an_allocation_of_a_server_that_was_not_built(
    cloud, run, running, placement
):
    provider, _server_id, _context_id = running
    other = cloud.nova.boot('ERROR', None)
    cloud.nova.servers[other] |= {
        'OS-EXT-SRV-ATTR:host': None,
        'OS-SRV-USG:launched_at': None,
    }
    placement.allocate(provider, other)

    assert run(repair=True) == (0, ['allocation-of-failed-server'])
    assert other not in placement.allocations[provider]


def test_too_little_is_allocated_in_placement(cloud, run, boot, placement):
    provider = cloud.add_device()
    server_id, _context_id = boot(provider)
    cloud.nova.change(server_id, 'ACTIVE')
    placement.allocate(provider, server_id, 2)

    assert run(repair=True) == (1, ['no-device'])


def test_a_server_in_error_keeps_the_devices_of_its_host(
    cloud, run, running, member, placement
):
    _provider, server_id, context_id = running
    cloud.nova.change(server_id, 'ERROR')
    cloud.nova.servers[server_id][nova_api.NODE] = member.show(
        context_id
    ).json['host']
    placement.allocations.clear()

    assert run(repair=True) == (1, ['no-placement-allocation'])
    assert member.status_of(context_id) == 'bound'


def test_a_server_without_its_devices(cloud, run, boot, member):
    server_id, context_id = boot()
    cloud.nova.change(server_id, 'ACTIVE')

    assert run(repair=True) == (1, ['server-without-devices'])
    assert member.status_of(context_id) == 'reserved'


@pytest.mark.parametrize('status', ['BUILD', 'SHELVED_OFFLOADED', 'ERROR'])
def test_a_server_that_exists_keeps_what_it_holds(
    cloud, run, boot, member, placement, status
):
    server_id, context_id = boot()
    cloud.nova.change(server_id, status)
    cloud.nova.servers[server_id]['OS-EXT-SRV-ATTR:host'] = (
        'compute1' if status == 'ERROR' else None
    )

    assert run(repair=True) == (0, [])
    assert member.status_of(context_id) == 'reserved'


def test_nova_does_not_say(cloud, run, running, member):
    cloud.nova.status_code = 503

    assert run(repair=True) == (1, ['unknown-server'])
    assert member.status_of(running[2]) == 'bound'


def test_placement_refuses(run, running, placement):
    placement.status_code = 401

    assert run() == (2, [])


@pytest.mark.parametrize(
    'failure',
    [
        cyborg_exc.PlacementServerError('It fails.'),
        ks_exc.ConnectFailure('No connection.'),
        ks_exc.MissingAuthPlugin('No credentials.'),
        sdk_exc.ConfigException('No endpoint.'),
    ],
    ids=lambda failure: type(failure).__name__,
)
def test_placement_does_not_answer(run, running, placement, failure):
    placement.failure = failure

    assert run() == (2, [])


def test_an_arq_of_no_context(cloud, run, running, placement):
    provider, server_id, _context_id = running
    execute(cloud, sa.delete(tables.DeviceContextArq))

    # The server's guest may have the device: it stays.
    assert run(repair=True) == (1, ['arq-of-no-context'])
    assert cloud.used_slots() == 1

    cloud.nova.delete(server_id)
    placement.allocations[provider].clear()
    status, kinds = run(repair=True)
    assert status == 0
    assert 'arq-of-no-context' in kinds
    assert cloud.used_slots() == 0
    run(repair=True)
    assert run() == (0, [])


def test_a_handle_of_no_arq(cloud, run, running):
    use_all_handles(cloud)
    assert cloud.used_slots() == 2

    assert run(repair=True) == (0, ['handle-of-no-arq'])
    assert cloud.used_slots() == 1


def test_a_free_handle_of_an_arq(cloud, run, running):
    execute(cloud, sa.update(models.AttachHandle).values(in_use=False))

    assert run(repair=True) == (0, ['free-handle-of-arq'])
    assert run() == (0, [])
    assert cloud.used_slots() == 1


def test_a_handle_of_two_arqs(cloud, run, running, boot, placement):
    provider, _server_id, _context_id = running
    other, _other_context = boot(provider)
    cloud.nova.change(other, 'ACTIVE')
    placement.allocate(provider, other)
    first = sa.select(sa.func.min(models.AttachHandle.id)).scalar_subquery()
    execute(cloud, sa.update(models.ExtArq).values(attach_handle_id=first))

    status, kinds = run(repair=True)

    # Which of the two has the device, only a person can tell.
    assert status == 1
    assert 'handle-of-several-arqs' in kinds


def test_a_profile_of_no_arq(cloud, run, running):
    add_profile(cloud)

    assert run(repair=True) == (0, ['profile-of-no-arq'])
    assert run() == (0, [])
    # That of the server is used, and stays.
    assert cloud.count(models.DeviceProfile) == 1


@pytest.mark.parametrize(
    'step',
    [
        'SELECT device_allocations',
        'UPDATE device_allocations',
        'UPDATE extended_accelerator_requests',
    ],
)
def test_another_audit_repairs_at_the_same_time(cloud, run, running, step):
    """It begins and ends while the first is about to do a step."""
    _provider, server_id, _context_id = running
    use_all_handles(cloud)
    add_profile(cloud)
    cloud.nova.delete(server_id)
    others = []

    with cloud.before(step, lambda: others.append(run(repair=True))):
        status, _kinds = run(repair=True)

    assert status == 0
    assert [status for status, _kinds in others] == [0]
    assert run() == (0, [])
    assert cloud.used_slots() == 0
    assert cloud.count(models.DeviceProfile) == 0


def test_no_allocations_of_a_server_in_placement(
    run, running, placement, caplog
):
    placement.allocations.clear()

    assert run(repair=True) == (1, ['no-placement-allocation'])
    assert 'nova-manage placement heal_allocations' in caplog.text


@pytest.fixture
def unallocated(running, placement):
    """A server whose device is missing in its allocations."""
    provider, server_id, _context_id = running
    del placement.allocations[provider][server_id]
    placement.allocate('provider-of-the-host', server_id, 4)
    return provider, server_id


def test_no_allocation_in_placement(run, unallocated, placement):
    provider, server_id = unallocated

    assert run() == (1, ['no-placement-allocation'])
    assert run(repair=True) == (0, ['no-placement-allocation'])
    assert placement.allocations == {
        provider: {server_id: 1},
        'provider-of-the-host': {server_id: 4},
    }
    assert run() == (0, [])


def test_no_room_in_placement(run, unallocated, placement, caplog):
    placement.room = 0

    assert run(repair=True) == (1, ['no-placement-allocation'])
    assert 'There is no room.' in caplog.text


@pytest.mark.parametrize('classes', [[], ['FPGA', 'VCPU']])
def test_a_provider_that_is_no_device(run, unallocated, placement, classes):
    placement.classes = classes

    assert run(repair=True) == (1, ['no-placement-allocation'])


def test_an_allocation_without_a_device(run, running, cloud, placement):
    provider, _server_id, _context_id = running
    other = cloud.nova.boot('ACTIVE', None)
    placement.allocate(provider, other)

    assert run(repair=True) == (1, ['no-device'])
    assert other in placement.allocations[provider]


def test_an_allocation_of_an_offloaded_server(run, running, cloud, placement):
    provider, _server_id, _context_id = running
    other = cloud.nova.boot('SHELVED_OFFLOADED', None)
    placement.allocate(provider, other)

    assert run(repair=True) == (0, ['allocation-of-offloaded-server'])
    assert other not in placement.allocations[provider]


@pytest.mark.parametrize('task', ['spawning', 'rebuilding'])
def test_a_server_on_its_way_has_its_allocation_first(
    run, running, cloud, placement, task
):
    provider, _server_id, _context_id = running
    placement.allocate(provider, cloud.nova.boot('ACTIVE', task))

    assert run() == (0, [])


def test_a_device_that_a_hypervisor_did_not_give_away(
    cloud, placement, capsys
):
    reason = exception.DeviceNotGiven(
        slot='0000:0c:00.0', host='compute1', reason='in use by a guest'
    )
    server_id = cloud.nova.boot('ERROR', None)
    cloud.nova.servers[server_id]['fault'] = {
        'message': f'Exceeded maximum number of retries. Why: {reason}'
    }
    for _n in range(2):
        another = cloud.nova.boot('ERROR', None)
        cloud.nova.servers[another]['fault'] = {'message': 'No valid host'}
    # It is on one page or another of the list.
    cloud.nova.page_size = 1
    arguments = argparse.Namespace(repair=True, format='json', grace=0)

    assert audit.run(arguments) == 1
    (row,) = json.loads(capsys.readouterr().out)
    assert row['kind'] == 'device-not-given'
    assert row['subject'] == 'compute1/0000:0c:00.0'
    assert server_id in row['detail']
    assert row['detail'].endswith('in use by a guest')


@pytest.mark.parametrize('status', ['accepted', 'pre-migrating', 'done'])
def test_an_evacuated_server_keeps_its_allocation_on_the_old_host(
    run, running, cloud, placement, status
):
    _provider, server_id, _context_id = running
    old = cloud.add_device()
    placement.allocate(old, server_id)

    assert run() == (1, ['no-device'])
    cloud.nova.migrations[server_id] = [
        {'status': status, 'migration_type': 'evacuation'}
    ]
    assert run() == (0, [])


def test_the_table(cloud, running, placement, capsys):
    _provider, server_id, _context_id = running
    cloud.nova.delete(server_id)

    for repair, word in ((False, 'False'), (True, 'True')):
        arguments = argparse.Namespace(repair=repair, format='table', grace=0)
        assert audit.run(arguments) == (0 if repair else 1)
        output = capsys.readouterr().out
        header, *rows = [
            [cell.strip() for cell in line.strip('|').split('|')]
            for line in output.splitlines()
            if line.startswith('|')
        ]
        assert header == ['kind', 'subject', 'detail', 'repaired']
        first = rows[0]
        assert first[:2] == ['held-by-no-server', server_id]
        assert first[3] == word


def test_what_passes_by_itself_does_not_count(
    cloud, running, placement, monkeypatch, capsys
):
    provider, _server_id, _context_id = running
    building = cloud.nova.boot()
    placement.allocate(provider, building)
    # Between the two looks the server goes another way.
    monkeypatch.setattr(
        audit.time, 'sleep', lambda _s: placement.delete(f'/x/{building}')
    )
    arguments = argparse.Namespace(repair=True, format='table', grace=5)

    assert audit.run(arguments) == 0
    assert 'Nothing disagrees.' in capsys.readouterr().out

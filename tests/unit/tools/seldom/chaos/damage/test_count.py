# SPDX-License-Identifier: Apache-2.0

"""Tests that the count of the damage finds each kind of it."""

import pathlib
import sqlite3
import types

import pytest

from tools.cloud.production import topology
from tools.seldom.chaos.damage import count, ledger

_CYBORG = """
CREATE TABLE device_contexts (uuid, allocation_id);
CREATE TABLE device_allocations (id, server_id);
CREATE TABLE attach_handles (id, uuid, in_use);
CREATE TABLE extended_accelerator_requests
    (id, uuid, state, instance_uuid, attach_handle_id, device_profile_id,
     device_rp_uuid);
CREATE TABLE device_profiles (id, name);
CREATE TABLE deployables (rp_uuid);
CREATE TABLE device_bindings (allocation_id, node, state);
INSERT INTO device_contexts VALUES ('context', 1), ('kept', NULL);
INSERT INTO device_allocations VALUES (1, 'server');
INSERT INTO attach_handles VALUES (1, 'handle', 1), (2, 'other handle', 0);
INSERT INTO device_profiles VALUES (1, 'nova-cyborg-1');
INSERT INTO extended_accelerator_requests
    VALUES (1, 'request', 'Bound', 'server', 1, 1, 'provider');
INSERT INTO deployables VALUES ('provider');
INSERT INTO device_bindings VALUES (1, 'compute1', 'active');
"""
_CELL = """
CREATE TABLE instances (uuid, deleted, node, vm_state, task_state);
CREATE TABLE migrations (uuid, instance_uuid);
"""
_PLACEMENT = """
CREATE TABLE resource_providers (id, uuid);
CREATE TABLE allocations (consumer_id, resource_provider_id, used);
INSERT INTO resource_providers VALUES (1, 'provider'), (2, 'host');
INSERT INTO allocations VALUES ('server', 1, 1), ('server', 2, 512);
"""
_GUEST = """<domain><devices><hostdev><source>
<address domain='0x0' bus='0xc' slot='0x0' function='0x1'/>
</source></hostdev></devices></domain>"""


class _Cloud:
    """Databases and files as those of a cloud with one server."""

    def __init__(self, folder: pathlib.Path) -> None:
        self.folder = folder
        for name in topology.databases():
            self.execute(name, _CELL)
        self.execute(
            topology.API_DATABASE,
            'CREATE TABLE build_requests (id INTEGER, instance_uuid TEXT);'
            'CREATE TABLE instance_mappings (instance_uuid TEXT, cell_id);'
            "INSERT INTO instance_mappings VALUES ('server', 1)",
        )
        self.execute('cyborg', _CYBORG)
        self.execute('placement', _PLACEMENT)
        self.execute(
            topology.cell_database(topology.CELLS[-1]),
            'INSERT INTO instances VALUES '
            "('server', 0, 'compute1', 'active', NULL), "
            "('deleted', 1, NULL, 'deleted', NULL);"
            "INSERT INTO migrations VALUES ('migration', 'server')",
        )
        self.add_guest('compute1', 'server')

    def database_url(self, name: str) -> str:
        return f'sqlite:///{self.folder}/{name}'

    def execute(self, database: str, statements: str) -> None:
        connection = sqlite3.connect(self.folder / database)
        connection.executescript(statements)
        connection.close()

    def add_guest(self, host: str, server_id: str) -> None:
        folder = self.folder / 'domains' / host
        folder.mkdir(parents=True, exist_ok=True)
        for suffix in ('xml', 'running'):
            (folder / f'{server_id}.{suffix}').write_text(_GUEST)


@pytest.fixture
def cloud(tmp_path: pathlib.Path) -> _Cloud:
    return _Cloud(tmp_path)


def _damage(cloud: _Cloud, **notes: object) -> types.SimpleNamespace:
    """Count, and return the lines of each kind as one text."""
    found = count.Count(cloud, ledger.Ledger(**notes)).damage()
    return types.SimpleNamespace(
        lost='\n'.join(found.lost),
        leaked='\n'.join(found.leaked),
        doubled='\n'.join(found.doubled),
    )


def test_nothing_is_wrong(cloud):
    damage = count.Count(cloud, ledger.Ledger(kept={'kept'})).damage()

    assert not damage, damage
    assert damage.numbers() == 'lost 0, leaked 0, doubled 0'


@pytest.mark.parametrize(
    ('statement', 'kind', 'named'),
    [
        (
            "UPDATE device_allocations SET server_id = 'deleted'",
            'lost',
            'context context is held by server deleted',
        ),
        (
            "INSERT INTO device_allocations VALUES (2, 'deleted')",
            'leaked',
            'allocation in Cyborg of server deleted',
        ),
        (
            "INSERT INTO attach_handles VALUES (3, 'nobody''s', 1)",
            'leaked',
            "handle nobody's is in use by request None",
        ),
        (
            'INSERT INTO extended_accelerator_requests '
            "VALUES (2, 'left', 'Unbound', 'deleted', NULL, 1, NULL)",
            'leaked',
            'request left (Unbound) is of server deleted',
        ),
        (
            "INSERT INTO device_profiles VALUES (2, 'nova-cyborg-2')",
            'leaked',
            'hidden profile nova-cyborg-2',
        ),
        (
            'UPDATE attach_handles SET in_use = 0',
            'doubled',
            'handle handle (in use: False)',
        ),
        (
            'INSERT INTO extended_accelerator_requests '
            "VALUES (2, 'second', 'Bound', 'server', 1, 1, NULL)",
            'doubled',
            'is that of 2 requests',
        ),
    ],
)
def test_cyborg_is_wrong(cloud, statement, kind, named):
    cloud.execute('cyborg', statement)

    assert named in getattr(_damage(cloud), kind)


@pytest.mark.parametrize(
    ('statement', 'named'),
    [
        (
            "INSERT INTO allocations VALUES ('deleted', 1, 1)",
            'server deleted has 1 in Placement, 0 in Cyborg',
        ),
        (
            'DELETE FROM allocations WHERE resource_provider_id = 1',
            'server server has 0 in Placement, 1 in Cyborg',
        ),
        (
            'UPDATE allocations SET used = 2 WHERE resource_provider_id = 1',
            'server server has 2 in Placement, 1 in Cyborg',
        ),
    ],
)
def test_placement_is_wrong(cloud, statement, named):
    cloud.execute('placement', statement)

    assert named in _damage(cloud).leaked


@pytest.mark.parametrize(
    ('database', 'statement'),
    [
        (
            topology.cell_database(topology.CELLS[0]),
            "INSERT INTO instances VALUES ('new', 0, NULL, 'building', NULL)",
        ),
        (
            topology.API_DATABASE,
            "INSERT INTO build_requests VALUES (1, 'new')",
        ),
    ],
)
def test_server_is_being_built(cloud, database, statement):
    cloud.execute(database, statement)
    cloud.execute('placement', "INSERT INTO allocations VALUES ('new', 1, 1)")

    assert not _damage(cloud).leaked


def test_server_may_come_back(cloud):
    cloud.execute(
        topology.cell_database(topology.CELLS[-1]),
        "UPDATE instances SET node = 'compute2', vm_state = 'resized' "
        "WHERE uuid = 'server'",
    )
    cloud.execute(
        'cyborg',
        "UPDATE device_bindings SET state = 'leaving';"
        "INSERT INTO device_bindings VALUES (1, 'compute2', 'active')",
    )
    cloud.execute(
        'placement',
        "UPDATE allocations SET consumer_id = 'migration' "
        'WHERE resource_provider_id = 1',
    )

    assert not count.Count(cloud, ledger.Ledger(kept={'kept'})).damage()


def test_server_has_left_something(cloud):
    cloud.execute(
        'cyborg', "INSERT INTO device_bindings VALUES (1, 'other', 'leaving')"
    )
    cloud.execute(
        'placement', "INSERT INTO allocations VALUES ('migration', 1, 1)"
    )

    leaked = _damage(cloud).leaked
    assert 'on compute1, and has a binding (leaving) on other' in leaked
    assert 'server server has 2 in Placement, 1 in Cyborg' in leaked


def test_server_uses_what_is_elsewhere(cloud):
    cloud.execute('cyborg', "UPDATE device_bindings SET node = 'other'")

    assert 'has a binding (active) on other' in _damage(cloud).leaked


def test_guest_is_left(cloud):
    cloud.add_guest('compute2', 'deleted')

    assert 'host compute2 has a guest' in _damage(cloud).leaked


def test_definition_is_left(cloud):
    cloud.add_guest('compute2', 'deleted')
    (cloud.folder / 'domains' / 'compute2' / 'deleted.running').unlink()

    assert not _damage(cloud).leaked


def test_mediated_device_is_left(cloud):
    path = cloud.folder / 'mdevs' / 'compute1' / 'left'
    path.parent.mkdir(parents=True)
    path.touch()

    assert 'has mediated device left' in _damage(cloud).leaked


def test_two_guests_have_one_slot(cloud):
    cloud.execute(
        topology.cell_database(topology.CELLS[0]),
        'INSERT INTO instances VALUES '
        "('second', 0, 'compute1', 'active', NULL)",
    )
    cloud.add_guest('compute1', 'second')

    assert 'second, server' in _damage(cloud).doubled


def test_a_server_runs_twice(cloud):
    cloud.add_guest('compute2', 'server')

    assert 'server server runs on 2 hosts' in _damage(cloud).doubled


def test_nova_has_lost_the_server(cloud):
    cloud.execute(
        topology.API_DATABASE, 'UPDATE instance_mappings SET cell_id = NULL'
    )

    assert 'context context is held by server server' in _damage(cloud).lost


def test_two_hosts_have_the_same_address(cloud):
    cloud.execute(
        topology.API_DATABASE,
        "INSERT INTO build_requests VALUES (1, 'second')",
    )
    cloud.add_guest('compute2', 'second')

    assert not _damage(cloud).doubled


def test_context_did_not_stay(cloud):
    damage = _damage(cloud, kept={'gone'})

    assert 'context gone was to be kept' in damage.lost


def test_context_stayed(cloud):
    damage = _damage(cloud, ended={'context'})

    assert 'context context outlived its server' in damage.leaked


def test_client_saw_a_server_without_its_device(cloud):
    damage = _damage(cloud, without_device=['server'])

    assert 'server server ran without its device' in damage.lost


def test_client_saw_a_slot_twice(cloud):
    notes = ledger.Ledger()
    cloud.add_guest('compute1', 'second')
    for server_id in ('server', 'second'):
        notes.runs(cloud.folder / 'domains', server_id)
    damage = count.Count(cloud, notes).damage()

    assert any('server, second' in line for line in damage.doubled)


def test_client_saw_a_slot_given_on(cloud):
    notes = ledger.Ledger()
    cloud.add_guest('compute1', 'second')
    notes.runs(cloud.folder / 'domains', 'server')
    notes.leaves('server')
    notes.runs(cloud.folder / 'domains', 'second')

    assert not notes.doubled

# SPDX-License-Identifier: Apache-2.0

"""Many clients at once on the same device contexts: nothing is lost."""

from tests.functional.crowd import client as client_lib  # isort: skip - first

import concurrent.futures
import threading

import pytest
from cyborg.db.sqlalchemy import models

from nova_cyborg.db import tables
from tests.functional.api.conftest import admin, cloud, member, placement
from tests.functional.crowd import account

__all__ = ('admin', 'cloud', 'member', 'placement')

CLIENTS = 64
CONTEXTS = 20
STEPS = 12
SLOTS = 8


def fields(shown):
    return {name: shown[name] for name in client_lib.FIELDS}


def test_the_end_is_explained_by_the_answers(cloud, placement, member):
    told = account.Account()
    # Fewer than are asked for at times.
    provider = cloud.add_device(slots=SLOTS)
    uuids = []
    for number in range(CONTEXTS):
        made = member.create(**client_lib.KEPT, name=f'n{number}').json
        told.make(made['uuid'], fields(made))
        uuids.append(made['uuid'])
    begin = threading.Barrier(CLIENTS)

    def work(number):
        client = client_lib.Client(cloud, provider, number, uuids, told)
        begin.wait()
        client.run(STEPS)

    with concurrent.futures.ThreadPoolExecutor(CLIENTS) as executor:
        for done in [executor.submit(work, n) for n in range(CLIENTS)]:
            done.result()

    cloud.drain()
    left = member.list().json['device_contexts']
    end = {each['uuid']: fields(each) for each in left}
    assert told.contradictions(end) == []
    assert told.holders == {}
    # Nothing is left of servers that have given back what they had.
    assert {each['status'] for each in left} == {'available'}
    assert cloud.count(tables.DeviceAllocation) == 0
    assert cloud.count(models.ExtArq) == 0
    assert cloud.used_slots() == 0
    # It was worth while.
    statuses = told.statuses
    assert statuses['append', 200] > 20
    assert statuses['append', 412] > 5
    assert statuses['delete', 204] > 5
    assert len(told.changes) > 150
    assert statuses['reserve', 200] > 20
    assert statuses['reserve', 409] > 5
    assert statuses['bound', 0] > 5


class TestAccount:
    """What the answers would be like if something was lost."""

    @pytest.fixture
    def told(self):
        told = account.Account()
        shown = {'name': 'a', 'description': None, 'tags': [], 'revision': 0}
        told.make('1', shown)
        for revision, name in enumerate('bc', 1):
            told.change(self.renamed(revision, name))
        return told

    @staticmethod
    def renamed(revision, name, **more):
        seen = {'name': name, 'revision': revision}
        return account.Change(
            '1', revision, lambda state: state | {'name': name}, seen, **more
        )

    @staticmethod
    def end(**changed):
        end = {'name': 'c', 'description': None, 'tags': [], 'revision': 2}
        return {'1': end | changed}

    def test_all_is_well(self, told):
        told.see('1', {'name': 'b', 'revision': 1})

        assert told.contradictions(self.end()) == []

    @pytest.mark.parametrize(
        'changed', [{'name': 'b'}, {'revision': 3}, {'tags': ['x']}]
    )
    def test_the_end_is_another(self, told, changed):
        assert told.contradictions(self.end(**changed))

    @pytest.mark.parametrize('revision', [2, 4])
    def test_two_steps_to_one_revision_or_none(self, told, revision):
        told.change(self.renamed(revision, 'd'))

        assert 'went by the revisions' in told.contradictions(self.end())[0]

    def test_a_change_of_what_was_not_seen(self, told):
        told.change(self.renamed(3, 'd', based_on=1))

        end = self.end(name='d', revision=3)
        assert told.contradictions(end) == ['1: revision 3 was made of 1']

    def test_something_was_seen_that_never_was(self, told):
        told.see('1', {'name': 'x', 'revision': 1})
        told.see('1', {'name': 'c', 'revision': 3})

        assert len(told.contradictions(self.end())) == 2

    def test_one_is_there_again_or_not_any_more(self, told):
        assert 'missing' in told.contradictions({})[0]
        told.delete('1')
        assert 'besides' in told.contradictions(self.end())[0]
        assert told.contradictions({}) == []
        told.delete('1')
        assert 'deleted 2 times' in told.contradictions({})[0]

    def test_a_key_has_made_two(self, told):
        for uuid in '12':
            shown = {'name': 'a', 'tags': [], 'revision': 0}
            told.make(uuid, shown | {'description': None}, 'key')

        assert 'key key has made' in told.contradictions(self.end())[0]

    def test_two_servers_have_one(self, told):
        told.take('1', 'server1')
        told.take('1', 'server1')
        assert told.errors == []

        told.take('1', 'server2')
        assert told.errors == ['server2 has 1 of server1']

    def test_one_that_is_given_back_is_free_for_another(self, told):
        told.take('1', 'server1')
        told.give_back('server1')
        told.take('1', 'server2')

        assert told.errors == []
        assert told.holders == {'1': 'server2'}

    def test_one_is_deleted_that_a_server_has(self, told):
        told.take('1', 'server1')
        told.delete('1')

        assert 'which server1 holds' in told.contradictions({})[0]

    def test_a_client_was_told_of_an_error(self, told):
        told.error('500')

        assert told.contradictions(self.end()) == ['a client was told: 500']

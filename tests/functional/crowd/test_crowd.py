# SPDX-License-Identifier: Apache-2.0

"""Many clients at once on the same device contexts: nothing is lost."""

from tests.functional.crowd import client as client_lib  # isort: skip - first

import concurrent.futures
import threading

import pytest

from tests.functional.api.conftest import admin, cloud, member, placement
from tests.functional.crowd import account

__all__ = ('admin', 'cloud', 'member', 'placement')

CLIENTS = 64
CONTEXTS = 20
STEPS = 12


def fields(shown):
    return {name: shown[name] for name in client_lib.FIELDS}


def test_the_end_is_explained_by_the_answers(cloud, placement, member):
    told = account.Account()
    cloud.add_device()
    uuids = []
    for number in range(CONTEXTS):
        made = member.create(resources={'FPGA': 1}, name=f'n{number}').json
        told.make(made['uuid'], fields(made))
        uuids.append(made['uuid'])
    begin = threading.Barrier(CLIENTS)

    def work(number):
        client = client_lib.Client(cloud.app, number, uuids, told)
        begin.wait()
        client.run(STEPS)

    with concurrent.futures.ThreadPoolExecutor(CLIENTS) as executor:
        for done in [executor.submit(work, n) for n in range(CLIENTS)]:
            done.result()

    end = {
        each['uuid']: fields(each)
        for each in member.list().json['device_contexts']
    }
    assert told.contradictions(end) == []
    # It was worth while.
    statuses = told.statuses
    assert statuses['append', 200] > 20
    assert statuses['append', 412] > 5
    assert statuses['delete', 204] > 5
    assert len(told.changes) > 150


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

    def test_a_client_was_told_of_an_error(self, told):
        told.error('500')

        assert told.contradictions(self.end()) == ['a client was told: 500']

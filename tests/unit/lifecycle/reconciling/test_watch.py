# SPDX-License-Identifier: Apache-2.0

"""Two looks a grace apart must agree."""

import dataclasses
import time

import pytest

from nova_cyborg.lifecycle.reconciling.suspects import memory, watch

GRACE = 15


@dataclasses.dataclass(frozen=True)
class Fact:
    server_id: str
    version: int = 0


@pytest.fixture
def remembered():
    """Has seen suspects some seconds ago, for the last time just now."""

    def _remembered(*seen):
        now = time.monotonic()
        return memory.Memory(
            memory.leave((suspect, now - age) for suspect, age in seen)
        )

    return _remembered


class TestSuspects:
    @pytest.fixture
    def suspects(self):
        return watch.Suspects(GRACE)

    def test_one_look_is_none(self, suspects):
        assert suspects.confirmed(['a'], 0) == []

    @pytest.mark.parametrize(('later', 'found'), [(14.9, []), (15, ['a'])])
    def test_it_takes_a_grace(self, suspects, later, found):
        suspects.confirmed(['a'], 0)

        assert suspects.confirmed(['a'], later) == found

    def test_two_looks_without_a_grace(self):
        suspects = watch.Suspects(0)
        assert suspects.confirmed(['a'], 0) == []

        assert suspects.confirmed(['a'], 0) == ['a']

    def test_what_was_well_in_between(self, suspects):
        suspects.confirmed(['a'], 0)
        suspects.confirmed([], 10)

        assert suspects.confirmed(['a'], 20) == []
        assert suspects.oldest == 20

    def test_one_that_takes_longer(self, suspects):
        suspects.confirmed(['a', 'b'], 0)

        assert suspects.confirmed(
            ['a', 'b'], 20, lambda fact: 90 if fact == 'a' else 0
        ) == ['b']

    def test_begin_anew(self, suspects):
        suspects.confirmed(['a'], 0)
        suspects.begin_anew('a', 20)

        assert suspects.confirmed(['a'], 30) == []
        assert suspects.confirmed(['a'], 35) == ['a']

    def test_what_another_process_has_seen(self, remembered):
        suspects = watch.Suspects(GRACE, remembered(('a', 20), ('b', 5)))
        now = time.monotonic()

        assert suspects.confirmed(['a', 'b', 'c'], now) == ['a']
        assert suspects.oldest == pytest.approx(now - 20, abs=1.5)

    def test_what_has_been_well_since_another_process_saw_it(self, remembered):
        suspects = watch.Suspects(GRACE, remembered(('a', 20)))
        now = time.monotonic()
        suspects.confirmed(['a'], now)
        suspects.confirmed([], now)

        assert suspects.confirmed(['a'], now) == []


class TestWatch:
    @pytest.fixture
    def begun(self):
        """One that has been at it for a while."""
        found = watch.Watch(GRACE)
        found.update({}, -100, ())
        return found

    def due(self, one, now):
        return [each.fact.server_id for each in one.due(now)]

    def test_who_begins_looks_at_once(self):
        one = watch.Watch(GRACE)

        one.update({'a': Fact('a')}, 0, ())

        assert self.due(one, 0) == ['a']

    def test_what_has_just_changed_is_looked_at_later(self, begun):
        begun.update({'a': Fact('a')}, 0, ())

        assert self.due(begun, 14.9) == []
        assert self.due(begun, 15) == ['a']

    def test_each_change_begins_anew(self, begun):
        begun.update({'a': Fact('a')}, 0, ())
        begun.update({'a': Fact('a', 1)}, 10, ())

        assert self.due(begun, 24) == []
        assert self.due(begun, 25) == ['a']

    def test_what_nova_lists_as_deleted_does_not_wait(self, begun):
        begun.update({'a': Fact('a')}, 0, {'a'})

        assert begun.due(0)[0].listed

    def test_what_is_settled_is_forgotten(self, begun):
        begun.update({'a': Fact('a')}, 0, ())
        assert 'a' in begun

        begun.update({}, 20, ())

        assert 'a' not in begun
        assert self.due(begun, 1000) == []

    def test_those_first_that_wait_longest(self, begun):
        begun.update({'a': Fact('a')}, 0, ())
        begun.update({'a': Fact('a'), 'b': Fact('b')}, 5, ())
        begun.due(15)[0].wait(15)

        assert self.due(begun, 100) == ['b', 'a']

    def test_one_of_which_nothing_becomes_for_long(self, begun):
        begun.update({'a': Fact('a')}, 0, ())
        (one,) = begun.due(15)

        one.wait(15)
        assert one.due == 15 + watch.LATER
        one.wait(1000)
        assert one.due == 1000 + watch.MUCH_LATER

    def test_two_looks(self, begun):
        begun.update({'a': Fact('a')}, 0, ())
        (one,) = begun.due(15)

        assert not begun.suspect(one, 'kind', 15)
        assert begun.oldest == 15
        assert begun.next_suspect == 30
        assert not begun.suspect(one, 'kind', 29)
        assert begun.suspect(one, 'kind', 30)

    def test_two_looks_that_differ(self, begun):
        begun.update({'a': Fact('a')}, 0, ())
        (one,) = begun.due(15)
        begun.suspect(one, 'kind', 15)

        assert not begun.suspect(one, 'another', 30)
        assert one.due == 45

    def test_a_look_that_finds_nothing(self, begun):
        begun.update({'a': Fact('a')}, 0, ())
        (one,) = begun.due(15)
        begun.suspect(one, 'kind', 15)
        one.wait(20)

        assert begun.oldest is None
        assert not begun.suspect(one, 'kind', 50)

    def test_what_another_process_has_seen(self, remembered):
        two = {'a': Fact('a'), 'b': Fact('b', 2)}
        one = watch.Watch(
            GRACE,
            remembered(
                ((Fact('a'), 'kind'), 20),
                ((Fact('b', 1), 'kind'), 20),
            ),
        )
        now = time.monotonic()
        one.update(two, now, ())
        found = {each.fact.server_id: each for each in one.due(now)}

        assert one.suspect(found['a'], 'kind', now)
        assert not one.suspect(found['b'], 'kind', now)
        assert found['b'].due == now + GRACE

    def test_what_is_left_to_another_process(self, begun):
        begun.update({'a': Fact('a'), 'b': Fact('b')}, 0, ())
        one, _other = begun.due(15)
        begun.suspect(one, 'kind', 15)

        assert begun.seen == [((Fact('a'), 'kind'), 15)]

# SPDX-License-Identifier: Apache-2.0

"""A request to create that is repeated makes one device context."""

import concurrent.futures
import datetime
import typing as ty

import pytest
import sqlalchemy as sa
from cyborg.conf import CONF

from nova_cyborg.db import contexts, tables
from nova_cyborg.db.repeated import keys
from tests.functional.api import cyborg
from tests.functional.api.conftest import PROFILE

GROUP = {'resources': {'FPGA_GZIP': 1}}


def create(caller, key, status=None, **body):
    return caller.call(
        'post_json',
        '/v2/device_contexts',
        body or GROUP,
        headers={'Idempotency-Key': key},
        **({'expect_errors': True} if status is None else {'status': status}),
    )


def code_of(response):
    return cyborg.error_of(response)['code'].removeprefix('nova_cyborg.')


def elsewhere(function, *args):
    """Call a function as another process would, and wait until it is done."""
    with concurrent.futures.ThreadPoolExecutor(1) as executor:
        return executor.submit(function, *args).result(cyborg.PATIENCE)


@pytest.fixture
def age(cloud):
    """Has all keys be older."""

    def _age(**by):
        table = tables.IdempotencyKey
        with cloud.engine.begin() as connection:
            query = sa.select(table.digest, table.created_at)
            for digest, created_at in connection.execute(query).all():
                connection.execute(
                    sa.update(table)
                    .where(table.digest == digest)
                    .values(created_at=created_at - datetime.timedelta(**by))
                )

    return _age


@pytest.fixture
def limit(cloud):
    def _limit(number):
        cloud.config.config(
            group='nova_cyborg', max_contexts_per_project=number
        )

    assert CONF.nova_cyborg.max_contexts_per_project
    return _limit


class TestAgain:
    def test_it_is_the_same(self, cloud, member):
        first = create(member, 'k', status=201, name='zip', **GROUP)
        # The order of fields does not matter.
        again = create(member, 'k', status=201, **GROUP, name='zip')

        assert again.json == first.json
        assert again.headers['Location'] == first.headers['Location']
        assert again.headers['ETag'] == first.headers['ETag']
        assert cloud.count(tables.DeviceContext) == 1

    def test_it_is_shown_as_it_is_now(self, member):
        uuid_ = create(member, 'k').json['uuid']
        member.update(uuid_, name='zip')

        again = create(member, 'k', status=201)

        shown = dict(again.json)
        del shown['warnings']
        assert shown == member.show(uuid_).json
        assert again.headers['ETag'] == '"1"'

    def test_with_another_key_it_is_another(self, cloud, member):
        for key in ('k', 'K', 'k.', 'k' * 255, '"k"', '!'):
            create(member, key, status=201)

        assert cloud.count(tables.DeviceContext) == 6

    def test_without_a_key_it_is_another(self, cloud, member):
        for _n in range(2):
            member.create_one()

        assert cloud.count(tables.DeviceContext) == 2
        assert cloud.count(tables.IdempotencyKey) == 0

    @pytest.mark.parametrize(
        'body', [{'resources': {'FPGA': 1}}, {**GROUP, 'name': 'zip'}]
    )
    def test_something_else_is_refused(self, cloud, member, body):
        create(member, 'k')

        response = create(member, 'k', status=409, **body)

        assert code_of(response) == 'idempotency_key.reused'
        assert cloud.count(tables.DeviceContext) == 1

    def test_what_is_deleted_is_not_made_again(self, cloud, member):
        uuid_ = create(member, 'k').json['uuid']
        member.delete(uuid_)

        response = create(member, 'k', status=409)

        assert code_of(response) == 'idempotency_key.spent'
        assert uuid_ in cyborg.error_of(response)['detail']
        assert cloud.count(tables.DeviceContext) == 0

    def test_a_profile_that_is_gone_does_not_matter(self, member, admin):
        admin.post('/v2/device_profiles', [PROFILE])
        asked = {'device_profile': PROFILE['name']}
        first = create(member, 'k', status=201, **asked)
        admin.delete_path(f'/v2/device_profiles/{PROFILE["name"]}')

        assert create(member, 'k', status=201, **asked).json == first.json
        create(member, 'other', status=404, **asked)


class TestSeveral:
    """A request that makes several makes them once, too."""

    SEVERAL: ty.ClassVar = {
        'device_contexts': [{**GROUP, 'name': name} for name in 'ab']
    }

    def test_they_are_the_same_in_order(self, cloud, member):
        first = create(member, 'k', status=201, **self.SEVERAL)

        again = create(member, 'k', status=201, **self.SEVERAL)

        assert again.json == first.json
        names = [each['name'] for each in again.json['device_contexts']]
        assert names == ['a', 'b']
        assert cloud.count(tables.DeviceContext) == 2
        assert 'ETag' not in again.headers

    def test_one_of_them_is_gone(self, cloud, member):
        made = create(member, 'k', **self.SEVERAL).json['device_contexts']
        member.delete(made[1]['uuid'])

        response = create(member, 'k', status=409, **self.SEVERAL)

        assert code_of(response) == 'idempotency_key.spent'
        assert made[1]['uuid'] in cyborg.error_of(response)['detail']
        assert cloud.count(tables.DeviceContext) == 1

    def test_over_the_limit(self, cloud, member, limit):
        limit(1)
        create(member, 'k', status=403, **self.SEVERAL)
        limit(2)

        create(member, 'k', status=201, **self.SEVERAL)


class TestRefused:
    """What has made nothing is tried anew."""

    def test_a_bad_request(self, cloud, member):
        create(member, 'k', status=400, resources={'VCPU': 1})

        create(member, 'k', status=201)
        assert cloud.count(tables.DeviceContext) == 1

    def test_over_the_limit(self, cloud, member, limit):
        uuid_ = member.create_one()
        limit(1)
        create(member, 'k', status=403)
        assert cloud.count(tables.IdempotencyKey) == 0
        member.delete(uuid_)

        create(member, 'k', status=201)
        # It is there already, and no more than there may be.
        create(member, 'k', status=201)

    def test_over_the_limit_with_another_at_once(self, cloud, member, limit):
        limit(1)

        # Before its own transaction begins: then, it is alone.
        with cloud.before('UPDATE project_locks', member.create_one):
            create(member, 'k', status=403)

        assert cloud.count(tables.DeviceContext) == 1
        assert cloud.count(tables.IdempotencyKey) == 0

    @pytest.mark.parametrize(
        'key', ['', 'k' * 256, 'a b', 'schlüssel', '\x7f']
    )
    def test_what_is_no_key(self, cloud, member, key):
        response = create(member, key, status=400)

        detail = cyborg.error_of(response)['detail']
        assert detail.startswith('Invalid Idempotency-Key:')
        assert cloud.count(tables.DeviceContext) == 0


class TestProjects:
    def test_a_key_is_one_of_its_project(self, member, stranger):
        mine = create(member, 'k', status=201).json['uuid']
        theirs = create(stranger, 'k', status=201, resources={'FPGA': 1})

        assert theirs.json['uuid'] != mine
        assert mine not in theirs.text
        assert create(member, 'k').json['uuid'] == mine


class TestAtOnce:
    def test_one_is_made(self, cloud, member):
        number = 8

        def attempt(_number):
            return create(member.of(cloud.api), 'k')

        with concurrent.futures.ThreadPoolExecutor(number) as executor:
            answers = list(executor.map(attempt, range(number)))

        assert {each.status_int for each in answers} == {201}
        assert len({each.json['uuid'] for each in answers}) == 1
        assert cloud.count(tables.DeviceContext) == 1

    def test_of_two_that_differ_one_is_made(self, cloud, member):
        def other():
            create(member.of(cloud.api), 'k', status=201, name='o', **GROUP)

        with cloud.before('SELECT count(idempotency_keys', other):
            response = create(member, 'k', status=409)

        assert code_of(response) == 'idempotency_key.reused'
        assert cloud.count(tables.DeviceContext) == 1

    def test_the_second_of_two_finds_the_first(self, cloud, member):
        made = []

        def other():
            made.append(create(member.of(cloud.api), 'k').json['uuid'])

        with cloud.before('SELECT count(idempotency_keys', other):
            response = create(member, 'k', status=201)

        assert [response.json['uuid']] == made

    def test_the_first_is_stored_as_the_second_is_about_to_be(
        self, cloud, member, limit, monkeypatch
    ):
        # Where nothing is counted, one does not wait for the other.
        limit(-1)
        made = []
        store = keys.store

        def after_another(*args):
            monkeypatch.setattr(keys, 'store', store)
            other = elsewhere(create, member.of(cloud.api), 'k')
            made.append(other.json['uuid'])
            store(*args)

        monkeypatch.setattr(keys, 'store', after_another)

        response = create(member, 'k', status=201)

        assert [response.json['uuid']] == made
        assert cloud.count(tables.DeviceContext) == 1

    @pytest.mark.parametrize('most', [1, -1])
    def test_the_first_takes_the_last_place_of_all(
        self, cloud, member, limit, monkeypatch, most
    ):
        limit(most)
        monkeypatch.setattr(keys, 'MAX_KEYS', 1)
        made = []
        real = contexts.create

        def after_another(*args):
            monkeypatch.setattr(contexts, 'create', real)
            other = elsewhere(create, member.of(cloud.api), 'k')
            made.append(other.json['uuid'])
            return real(*args)

        # The second has looked for what was made with the key already.
        monkeypatch.setattr(contexts, 'create', after_another)

        response = create(member, 'k', status=201)

        assert [response.json['uuid']] == made
        assert cloud.count(tables.DeviceContext) == 1

    def test_nobody_is_told_of_what_is_refused(
        self, cloud, member, limit, monkeypatch
    ):
        limit(1)
        answers = []
        real = contexts._insert

        def between_others(*args):
            monkeypatch.setattr(contexts, '_insert', real)
            elsewhere(member.of(cloud.api).create_one)
            try:
                return real(*args)
            finally:
                answers.append(elsewhere(create, member.of(cloud.api), 'k'))

        # Somebody takes the last place when there seems to be room, and the
        # request is repeated before it is answered.
        monkeypatch.setattr(contexts, '_insert', between_others)

        answers.append(create(member, 'k'))

        assert [each.status_int for each in answers] == [403, 403]
        assert cloud.count(tables.DeviceContext) == 1
        assert cloud.count(tables.IdempotencyKey) == 0

    def test_of_many_keys_each_makes_one(self, cloud, member):
        number = 16

        def attempt(key):
            return create(member.of(cloud.api), f'k{key % 8}', status=201)

        with concurrent.futures.ThreadPoolExecutor(8) as executor:
            answers = list(executor.map(attempt, range(number)))

        assert len({each.json['uuid'] for each in answers}) == 8
        assert cloud.count(tables.DeviceContext) == 8


class TestAge:
    def test_it_is_known_for_a_day(self, member, age):
        first = create(member, 'k').json['uuid']
        age(hours=23, minutes=59)

        assert create(member, 'k').json['uuid'] == first

    def test_after_a_day_it_is_forgotten(self, cloud, member, age):
        first = create(member, 'k').json['uuid']
        age(hours=24)

        again = create(member, 'k', status=201, resources={'FPGA': 1})

        assert again.json['uuid'] != first
        assert cloud.count(tables.IdempotencyKey) == 1

    def test_an_old_one_that_is_not_deleted_yet(
        self, cloud, member, age, monkeypatch
    ):
        monkeypatch.setattr(keys, '_AT_ONCE', 0)
        first = create(member, 'k').json['uuid']
        age(hours=24)

        again = create(member, 'k', status=201)

        assert again.json['uuid'] != first
        assert create(member, 'k').json == again.json
        assert cloud.count(tables.IdempotencyKey) == 1

    def test_old_ones_are_deleted_with_the_next(self, cloud, member, age):
        for number in range(3):
            create(member, f'k{number}')
        age(hours=24)
        create(member, 'young')

        assert cloud.count(tables.IdempotencyKey) == 1

    def test_no_more_are_kept_than_may_be(
        self, cloud, member, stranger, age, monkeypatch
    ):
        monkeypatch.setattr(keys, 'MAX_KEYS', 2)
        for key in 'ab':
            create(member, key, status=201)

        response = create(member, 'c', status=403)

        assert code_of(response) == 'idempotency_key.too_many'
        assert cloud.count(tables.DeviceContext) == 2
        create(member, 'a', status=201)
        create(stranger, 'c', status=201)
        member.create_one()
        age(hours=24)
        create(member, 'c', status=201)


def test_it_costs_the_same_with_many_keys(cloud, member):
    # The first of a project makes the row that others wait for.
    member.create_one()
    counted = []
    for _n in range(2):
        with cloud.statements() as sent:
            create(member, f'k{len(counted)}', status=201)
        counted.append(len(sent))
        for number in range(20):
            create(member, f'k-{number}', status=201)

    assert counted[0] == counted[1]

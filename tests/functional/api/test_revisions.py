# SPDX-License-Identifier: Apache-2.0

"""What was changed since somebody has looked is not changed unseen."""

import concurrent.futures

import pytest
import sqlalchemy as sa

from nova_cyborg.db import tables
from tests.functional.api import cyborg
from tests.functional.api.conftest import providers


def change(caller, uuid_, if_match, status=None, **fields):
    return caller.call(
        'patch_json',
        f'/v2/device_contexts/{uuid_}',
        fields or {'name': 'changed'},
        headers={'If-Match': if_match},
        status=status,
    )


def delete(caller, uuid_, if_match, status=None):
    return caller.delete_path(
        f'/v2/device_contexts/{uuid_}',
        headers={'If-Match': if_match},
        status=status,
    )


def revision_of(caller, uuid_):
    return caller.show(uuid_).json['revision']


def test_each_change_makes_another(member):
    uuid_ = member.create_one(name='zip')

    for number, name in enumerate(['a', 'a', None]):
        assert revision_of(member, uuid_) == number
        assert member.update(uuid_, name=name).json['revision'] == number + 1


def test_an_etag_says_which_it_is(member):
    created = member.create(resources={'FPGA': 1})
    uuid_ = created.json['uuid']

    assert created.headers['ETag'] == '"0"'
    assert member.show(uuid_).headers['ETag'] == '"0"'
    assert member.update(uuid_, name='zip').headers['ETag'] == '"1"'
    shown = member.get(f'/v2/device_contexts/{uuid_}?fields=name')
    assert shown.headers['ETag'] == '"1"'


def test_a_list_has_them(member):
    uuid_ = member.create_one()
    member.update(uuid_, name='zip')

    (found,) = member.list('?fields=uuid,revision').json['device_contexts']

    assert found == {'uuid': uuid_, 'revision': 1}


def test_what_the_services_do_is_no_change(cloud, member, nova, boot):
    server_id, uuid_ = boot(cloud.add_device())
    nova.release(server_id)

    assert revision_of(member, uuid_) == 0


def test_the_tag_that_it_is_attached_with_is_a_change(member, nova, boot):
    server_id, _booted = boot()
    uuid_, plain = member.create_one(), member.create_one()

    nova.attach(server_id, plain, status=200)
    nova.attach(server_id, uuid_, tag='gzip', status=200)
    # It may be as it was again.
    assert revision_of(member, uuid_) == 0
    for each in (plain, uuid_):
        nova.attached(server_id, each)

    assert revision_of(member, plain) == 0
    assert revision_of(member, uuid_) == 1


@pytest.mark.parametrize('given', ['"1"', '"7", "1"', '"1","x"', '*', ' "1" '])
def test_one_that_it_is_at(member, given):
    uuid_ = member.create_one()
    member.update(uuid_, name='zip')

    assert change(member, uuid_, given).json['revision'] == 2
    delete(member, uuid_, given.replace('1', '2'), status=204)


@pytest.mark.parametrize(
    'given', ['"0"', '"2"', 'W/"1"', '"01"', '"x"', '""', '"0", "9999999999"']
)
def test_one_that_it_is_not_at(member, given):
    uuid_ = member.create_one()
    member.update(uuid_, name='zip')
    before = member.show(uuid_).json

    for response in (
        change(member, uuid_, given, status=412),
        delete(member, uuid_, given, status=412),
    ):
        error = cyborg.error_of(response)
        assert error['code'] == 'nova_cyborg.device_context.changed'
        assert 'at revision 1,' in error['detail']
    assert member.show(uuid_).json == before


@pytest.mark.parametrize('given', ['1', '', '"1', '"1" "2"', '"1",', '*, "1"'])
def test_what_is_no_etag(member, given):
    uuid_ = member.create_one()

    for response in (
        change(member, uuid_, given, status=400),
        delete(member, uuid_, given, status=400),
    ):
        detail = cyborg.error_of(response)['detail']
        assert detail.startswith('Invalid If-Match:')
    assert revision_of(member, uuid_) == 0


def test_of_another_project_nothing_is_told(member, stranger):
    uuid_ = member.create_one()

    for given in ('"0"', '"1"', '*'):
        change(stranger, uuid_, given, status=404)
        delete(stranger, uuid_, given, status=404)


@pytest.mark.parametrize(
    ('method', 'path'),
    [
        ('get', '/v2/device_contexts'),
        ('get', '/v2/device_contexts/{id}'),
        ('post_json', '/v2/device_contexts'),
        ('put_json', '/v2/device_allocations/{id}'),
        ('delete', '/v2/device_allocations/{id}'),
    ],
)
def test_where_nobody_would_look_at_it(nova, method, path):
    body = {} if method.endswith('json') else None

    response = nova.call(
        method,
        path.format(id=cyborg.UNKNOWN),
        body,
        headers={'If-Match': '"0"'},
        status=400,
    )

    assert 'If-Match' in cyborg.error_of(response)['detail']


def test_one_that_is_held_is_in_use(member, boot):
    _server_id, uuid_ = boot()

    response = delete(member, uuid_, '"0"', status=409)

    assert 'in_use' in cyborg.error_of(response)['code']
    delete(member, uuid_, '"1"', status=412)


def test_one_whose_holder_is_gone(cloud, member, nova, boot):
    server_id, uuid_ = boot(delete_on_termination=False)
    cloud.nova.delete(server_id)

    delete(member, uuid_, '"0"', status=204)


def test_other_tags_are_a_change(member):
    uuid_ = member.create_one()
    path = f'/v2/device_contexts/{uuid_}/tags'

    member.call('put_json', path, {'tags': ['a']}, status=200)
    member.call('put', f'{path}/b', status=201)
    member.delete_path(f'{path}/a', status=204)

    assert revision_of(member, uuid_) == 3
    change(member, uuid_, '"0"', status=412)


def test_tags_are_shown_with_the_revision(member):
    """So that they are changed only as they were seen."""
    uuid_ = member.create_one(tags=['a'])
    path = f'/v2/device_contexts/{uuid_}/tags'
    change(member, uuid_, '"0"')

    for each in (path, f'{path}/a'):
        for method in ('get', 'head'):
            answer = member.call(method, each)
            assert answer.headers['ETag'] == '"1"'
    again = member.call('put', f'{path}/a', status=204)
    assert again.headers['ETag'] == '"1"'

    etag = {'If-Match': '"1"'}
    member.call('put', f'{path}/b', headers=etag, status=201)
    member.call('put', f'{path}/c', headers=etag, status=412)
    missing = member.get(f'{path}/c', status=404)
    assert 'ETag' not in missing.headers


def test_of_a_change_and_a_deletion_one_happens(cloud, member):
    for _n in range(4):
        uuid_ = member.create_one()

        def attempt(method, uuid_=uuid_):
            return method(member.of(cloud.api), uuid_, '"0"', status='*')

        with concurrent.futures.ThreadPoolExecutor(2) as executor:
            changed, deleted = executor.map(attempt, (change, delete))

        assert (changed.status_int, deleted.status_int) in (
            (200, 412),
            (404, 204),
        )


def test_of_many_at_once_one_changes_it(cloud, member):
    number = 8
    uuid_ = member.create_one()

    def attempt(name):
        caller = member.of(cloud.api)
        return change(caller, uuid_, '"0"', status='*', name=name)

    with concurrent.futures.ThreadPoolExecutor(number) as executor:
        answers = list(executor.map(attempt, 'abcdefgh'))

    statuses = sorted(each.status_int for each in answers)
    assert statuses == [200, *[412] * (number - 1)]
    (changed,) = [each.json for each in answers if each.status_int == 200]
    assert member.show(uuid_).json == changed


def test_of_many_changes_none_is_lost(cloud, member):
    """Each adds a letter to what it has read, until nobody was faster."""
    number = 6
    uuid_ = member.create_one(name='x')

    def add(letter):
        caller = member.of(cloud.api)
        while True:
            shown = caller.show(uuid_)
            answer = change(
                caller,
                uuid_,
                shown.headers['ETag'],
                status='*',
                name=shown.json['name'] + letter,
            )
            if answer.status_int == 200:
                return
            assert answer.status_int == 412

    with concurrent.futures.ThreadPoolExecutor(number) as executor:
        list(executor.map(add, 'abcdef'))

    found = member.show(uuid_).json
    assert sorted(found['name']) == sorted('xabcdef')
    assert found['revision'] == number


def test_one_that_an_earlier_cyborg_api_has_stored(cloud, member):
    # It knows nothing of the column.
    uuid_ = member.create_one()
    table = tables.DeviceContext.__table__
    known = [each for each in table.columns if each.name != 'revision']
    with cloud.engine.begin() as connection:
        (row,) = connection.execute(sa.select(*known)).mappings().all()
        connection.execute(table.delete())
        without = sa.table(table.name, *(sa.column(each) for each in row))
        connection.execute(sa.insert(without).values(**row))

    assert change(member, uuid_, '"0"').json['revision'] == 1


def test_bound_meanwhile(cloud, member, nova):
    """What happens to it while somebody looks does not stand in the way."""
    uuid_ = member.create_one()
    etag = member.show(uuid_).headers['ETag']
    server_id = cloud.nova.boot()
    nova.reserve(server_id, uuid_)
    nova.bind(server_id, providers(cloud.add_device(), uuid_))

    change(member, uuid_, etag, status=200)

# SPDX-License-Identifier: Apache-2.0

"""Tags of device contexts: no two of a server have the same."""

import threading

import pytest

from tests.functional.api import cyborg


def code_of(response):
    return cyborg.error_of(response)['code'].rpartition('.')[2]


def test_it_is_told(member):
    made = member.create(resources={'FPGA': 1}, tag='gzip').json

    assert made['tag'] == 'gzip'
    assert member.show(made['uuid']).json['tag'] == 'gzip'
    (listed,) = member.list('?fields=tag').json['device_contexts']
    assert listed == {'tag': 'gzip'}


def test_without_one(member):
    assert member.show(member.create_one()).json['tag'] is None


def test_they_are_listed_by_it(member, stranger):
    found = member.create_one(tag='gzip')
    member.create_one(tag='GZIP')
    member.create_one()
    stranger.create_one(tag='gzip')

    listed = member.list('?tag=gzip&fields=uuid').json['device_contexts']

    assert listed == [{'uuid': found}]


@pytest.mark.parametrize('tag', ['', 'a/b', 'a,b', 'x' * 61])
def test_what_is_none_is_not_listed_by(member, tag):
    error = member.list(f'?tag={tag}', status=400)

    assert cyborg.error_of(error)['detail'].startswith('Invalid tag: ')


def test_it_is_changed_and_removed(member):
    uuid_ = member.create_one()

    for tag in ('gzip', 'Größe 1', None):
        assert member.update(uuid_, tag=tag).json['tag'] == tag


@pytest.mark.parametrize(
    'tag', ['', 'x' * 61, 'a/b', 'a,b', 'a\nb', 7, ['gzip'], {}]
)
def test_what_is_none(member, tag):
    uuid_ = member.create_one()

    for error in (
        member.create(resources={'FPGA': 1}, tag=tag, status=400),
        member.update(uuid_, tag=tag, status=400),
    ):
        assert code_of(error) == 'invalid_request'
        assert 'tag' in cyborg.error_of(error)['detail']


def test_of_sixty_characters(member):
    assert member.create(resources={'FPGA': 1}, tag='ß' * 60).status_int == 201


def test_two_of_a_server_that_is_booted(cloud, member, nova):
    uuids = [member.create_one(tag='gzip') for _n in range(2)]
    server_id = cloud.nova.boot()

    error = nova.reserve(server_id, *uuids, status=409)

    assert code_of(error) == 'tag_in_use'
    for uuid_ in uuids:
        assert uuid_ in cyborg.error_of(error)['detail']
        assert member.status_of(uuid_) == 'available'


def test_that_differ_in_case(cloud, member, nova):
    uuids = [member.create_one(tag=tag) for tag in ('gzip', 'GZIP', 'gzíp')]

    nova.reserve(cloud.nova.boot(), *uuids, status=200)


def test_two_of_a_server_that_exists(member, nova, boot):
    server_id, booted = boot(tag='gzip')
    uuid_ = member.create_one(tag='gzip')

    error = nova.attach(server_id, uuid_, status=409)

    assert code_of(error) == 'tag_in_use'
    assert booted in cyborg.error_of(error)['detail']
    assert member.status_of(uuid_) == 'available'
    answer = nova.attach(server_id, uuid_, tag='zip').json
    assert answer['device_context']['tag'] == 'zip'
    nova.detached(server_id, uuid_)
    assert member.show(uuid_).json['tag'] == 'gzip'


def test_change_that_of_one_that_is_held(member, nova, boot):
    _server_id, first, second = boot(contexts=2)
    member.update(first, tag='gzip', status=200)

    error = member.update(second, tag='gzip', name='x', status=409)

    assert code_of(error) == 'tag_in_use'
    shown = member.show(second).json
    assert (shown['tag'], shown['name']) == (None, None)
    # Its own is no other one's, and after a change it is nobody's.
    member.update(first, tag='gzip', status=200)
    member.update(first, tag=None, status=200)
    member.update(second, tag='gzip', status=200)


def test_two_changes_at_one_moment(member, boot):
    _server_id, *uuids = boot(contexts=2)
    begin = threading.Barrier(2)
    found = []

    def change(uuid_):
        begin.wait(cyborg.PATIENCE)
        answer = member.update(uuid_, tag='gzip', status='*')
        found.append(answer.status_int)

    threads = [threading.Thread(target=change, args=(u,)) for u in uuids]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(found) == [200, 409]


def test_it_is_taken_meanwhile(cloud, member, nova, boot):
    """By a server that has the tag, after it was found free."""
    server_id, _booted = boot(tag='gzip')
    uuid_ = member.create_one()

    with cloud.before(
        'UPDATE device_contexts',
        lambda: nova.attach(server_id, uuid_, status=200),
    ):
        error = member.update(uuid_, tag='gzip', status=409)

    assert code_of(error) == 'tag_in_use'
    assert member.show(uuid_).json['tag'] is None


class TestNotAttached:
    """One that is not attached after all has the tag that it had."""

    @pytest.fixture
    def server_id(self, boot):
        server_id, _booted = boot()
        return server_id

    @pytest.fixture(params=[None, 'old'])
    def before(self, request):
        return request.param

    @pytest.fixture
    def uuid_(self, member, nova, server_id, before):
        uuid_ = member.create_one(tag=before, delete_on_termination=False)
        nova.attach(server_id, uuid_, tag='new')
        assert member.show(uuid_).json['tag'] == 'new'
        return uuid_

    @staticmethod
    def tag_of(member, uuid_):
        shown = member.show(uuid_).json
        return shown['tag'], shown['revision']

    @pytest.mark.parametrize(
        'end',
        [
            lambda nova, server_id, uuid_: nova.detached(
                server_id, uuid_, fault='there is none'
            ),
            lambda nova, server_id, _uuid: nova.begin(server_id),
            lambda nova, server_id, _uuid: nova.release(server_id),
        ],
    )
    def test_however_that_ends(
        self, member, nova, server_id, uuid_, before, end
    ):
        end(nova, server_id, uuid_)

        assert self.tag_of(member, uuid_) == (before, 0)
        assert member.status_of(uuid_) == 'available'

    def test_when_it_was_tried_twice(
        self, member, nova, server_id, uuid_, before
    ):
        other = '0ca11000-0000-4000-8000-000000000000'
        nova.attach(server_id, uuid_, other, tag='newer')

        nova.detached(server_id, uuid_, other)

        assert self.tag_of(member, uuid_) == (before, 0)

    def test_what_its_project_says_stays(self, member, nova, server_id, uuid_):
        member.update(uuid_, tag='newer')

        nova.detached(server_id, uuid_)

        assert self.tag_of(member, uuid_) == ('newer', 1)

    def test_once_it_was_attached(self, member, nova, server_id, uuid_):
        nova.attached(server_id, uuid_)
        nova.detach(server_id, uuid_)

        nova.detached(server_id, uuid_)

        assert self.tag_of(member, uuid_) == ('new', 1)

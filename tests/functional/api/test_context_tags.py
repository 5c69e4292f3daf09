# SPDX-License-Identifier: Apache-2.0

"""Tags that device contexts are found by; not their device tags."""

import concurrent.futures
import itertools

import pytest

from nova_cyborg.db import tables
from tests.functional.api import cyborg

TAGS = [
    'prod',
    'Prod',
    'Größe 1',
    '😀',
    '😁',
    'a.b',
    'v1.json',
    '.json',
    'x.txt',
    'a?b#c%d;e=f&g',
    'back\\slash',
    'get_one',
    'put',
    'tags',
    'new',
    'delete',
    'x' * 60,
    '€' * 60,
]
WRONG = ['', ' a', 'a ', 'x' * 61, 'a\nb', '.', '..', '_a', '\x7f']


@pytest.fixture
def uuid(member):
    return member.create_one()


def tags_of(caller, uuid):
    found = caller.tags(uuid).json['tags']
    assert caller.show(uuid).json['tags'] == found
    return found


def code_of(response):
    return cyborg.error_of(response)['code'].rpartition('.')[2]


class TestAll:
    def test_none_at_first(self, member, uuid):
        assert tags_of(member, uuid) == []

    def test_they_are_replaced(self, member, uuid):
        for tags in (TAGS, ['a', 'b'], ['b', 'c'], []):
            answer = member.set_tags(uuid, *tags)

            assert answer.status_int == 200
            assert answer.json == {'tags': sorted(tags)}
            assert tags_of(member, uuid) == sorted(tags)

    def test_twice_is_once(self, member, uuid):
        assert member.set_tags(uuid, 'a', 'a').json == {'tags': ['a']}
        assert tags_of(member, uuid) == ['a']

    def test_they_are_removed(self, member, uuid):
        member.set_tags(uuid, 'a', 'b')

        assert member.remove_tag(uuid).status_int == 204

        assert tags_of(member, uuid) == []
        member.remove_tag(uuid, status=204)

    def test_of_one_that_is_made(self, member):
        made = member.create(resources={'FPGA': 1}, tags=['b', 'a', 'b']).json

        assert made['tags'] == ['a', 'b']
        assert made['tag'] is None
        assert tags_of(member, made['uuid']) == ['a', 'b']

    @pytest.mark.parametrize('wrong', [*WRONG, 'a/b', 'a,b', 7, None])
    def test_what_is_none(self, member, uuid, wrong):
        for call in (
            lambda: member.set_tags(uuid, 'a', wrong, status=400),
            lambda: member.create(
                resources={'FPGA': 1}, tags=['a', wrong], status=400
            ),
        ):
            error = cyborg.error_of(call())
            assert error['detail'].startswith('Invalid tags.1: ')
        assert tags_of(member, uuid) == []

    def test_fifty(self, member, uuid):
        tags = [f't{number}' for number in range(51)]

        member.set_tags(uuid, *tags, status=400)
        member.set_tags(uuid, *tags[:50], status=200)

        error = cyborg.error_of(member.add_tag(uuid, 't50', status=400))
        assert 'has 50 tags' in error['detail']
        member.add_tag(uuid, 't49', status=204)

    @pytest.mark.parametrize('body', [{}, {'tags': 'a'}, {'tag': ['a']}, []])
    def test_what_is_no_list_of_them(self, member, uuid, body):
        member.call(
            'put_json', f'/v2/device_contexts/{uuid}/tags', body, status=400
        )


class TestOne:
    @pytest.mark.parametrize('tag', TAGS)
    def test_its_way(self, member, uuid, tag):
        assert code_of(member.tags(uuid, tag, status=404)) == 'tag_not_found'

        added = member.add_tag(uuid, tag)
        assert added.status_int == 201
        assert added.body == b''
        assert member.get(added.headers['Location']).status_int == 204
        assert member.add_tag(uuid, tag).status_int == 204
        assert tags_of(member, uuid) == [tag]
        assert member.tags(uuid, tag).status_int == 204

        assert member.remove_tag(uuid, tag).status_int == 204
        assert code_of(member.remove_tag(uuid, tag, status=404)) == (
            'tag_not_found'
        )
        assert tags_of(member, uuid) == []

    def test_beside_others(self, member, uuid):
        member.set_tags(uuid, 'a', 'b')

        member.add_tag(uuid, 'c')
        member.remove_tag(uuid, 'a')

        assert tags_of(member, uuid) == ['b', 'c']

    @pytest.mark.parametrize('wrong', [' a', 'a ', 'x' * 61, 'a,b', '_a'])
    def test_what_is_none(self, member, uuid, wrong):
        assert code_of(member.add_tag(uuid, wrong, status=400)) == (
            'invalid_request'
        )
        assert tags_of(member, uuid) == []

    def test_the_device_tag_is_another_thing(self, member):
        made = member.create(resources={'FPGA': 1}, tag='gzip').json

        error = cyborg.error_of(member.tags(made['uuid'], 'gzip', status=404))

        assert 'device tag is not one of them' in error['detail']
        member.add_tag(made['uuid'], 'mine')
        assert member.show(made['uuid']).json['tag'] == 'gzip'


def test_a_change_is_one_of_the_device_context(member, uuid):
    assert member.show(uuid).json['updated_at'] is None

    member.add_tag(uuid, 'a')

    assert member.show(uuid).json['updated_at'] is not None


def test_a_change_has_a_revision_and_an_event(member, uuid):
    answers = [
        member.set_tags(uuid, 'a', 'b'),
        member.add_tag(uuid, 'c'),
        member.remove_tag(uuid, 'a'),
        member.remove_tag(uuid),
    ]

    etags = [each.headers['ETag'] for each in answers]
    assert etags == ['"1"', '"2"', '"3"', '"4"']
    assert member.show(uuid).json['revision'] == 4
    path = f'/v2/device_contexts/{uuid}/events'
    happened = member.get(path).json['events']
    assert [each['action'] for each in happened] == ['update'] * 4 + ['create']
    assert {each['message'] for each in happened[:4]} == {'tags'}


def test_what_changes_nothing_is_no_change(member, uuid):
    member.set_tags(uuid, 'a')
    path = f'/v2/device_contexts/{uuid}/events'
    before = member.show(uuid).json, member.get(path).json

    member.add_tag(uuid, 'a', status=204)
    member.remove_tag(uuid, 'b', status=404)

    assert (member.show(uuid).json, member.get(path).json) == before


CHANGES = [
    ('put_json', '', {'tags': ['b']}),
    ('put', '/b', None),
    ('put', '/a', None),
    ('delete', '/a', None),
    ('delete', '', None),
]


@pytest.mark.parametrize(('method', 'tail', 'body'), CHANGES)
def test_what_somebody_has_changed_since(member, uuid, method, tail, body):
    member.set_tags(uuid, 'a')
    path = f'/v2/device_contexts/{uuid}/tags{tail}'
    before = member.show(uuid).json

    for given, status in (('"0"', 412), ('"1', 400)):
        headers = {'If-Match': given}
        member.call(method, path, body, headers=headers, status=status)
        assert member.show(uuid).json == before
    refused = member.call(
        method, path, body, headers={'If-Match': '"0", "2"'}, status=412
    )
    assert code_of(refused) == 'changed'

    member.call(method, path, body, headers={'If-Match': '"0", "1"'})
    # The tag was there already.
    is_same = (method, tail) == ('put', '/a')
    assert member.show(uuid).json['revision'] == (1 if is_same else 2)


@pytest.mark.parametrize(('method', 'tail', 'body'), CHANGES)
def test_a_condition_tells_nothing_of_others(
    member, stranger, uuid, method, tail, body
):
    path = f'/v2/device_contexts/{uuid}/tags{tail}'

    stranger.call(method, path, body, headers={'If-Match': '"7"'}, status=404)


def test_of_one_that_a_server_holds(member, boot):
    _server_id, uuid = boot()

    member.set_tags(uuid, 'a', status=200)

    assert tags_of(member, uuid) == ['a']


def test_they_are_gone_with_it(cloud, member, uuid):
    member.set_tags(uuid, 'a')

    member.delete(uuid)

    assert cloud.count(tables.DeviceContextTag) == 0
    assert cloud.count(tables.DeviceContextDemand) == 0


def test_what_is_of_another_project(member, stranger, admin, uuid):
    member.set_tags(uuid, 'a')
    for caller, answer in ((stranger, 404), (admin, 200)):
        caller.tags(uuid, status=answer)
        caller.set_tags(uuid, 'a', status=answer)
    for call in (
        lambda: stranger.tags(uuid, 'a', status=404),
        lambda: stranger.add_tag(uuid, 'b', status=404),
        lambda: stranger.remove_tag(uuid, status=404),
        lambda: stranger.remove_tag(uuid, 'a', status=404),
    ):
        assert code_of(call()) == 'not_found'
    assert tags_of(member, uuid) == ['a']


@pytest.mark.parametrize('unknown', [cyborg.UNKNOWN, 'nonesuch'])
def test_of_nothing(member, unknown):
    member.tags(unknown, status=404)
    member.set_tags(unknown, 'a', status=404)
    member.add_tag(unknown, 'a', status=404)
    member.remove_tag(unknown, status=404)


def test_a_path_that_goes_on(member, uuid):
    path = f'/v2/device_contexts/{uuid}/tags/a/b'

    for method in ('get', 'put', 'delete'):
        member.call(method, path, status=404)


def test_no_parameter_is_taken_for_a_tag(member, uuid):
    member.set_tags(uuid, 'a', 'b')

    member.delete_path(
        f'/v2/device_contexts/{uuid}/tags?tag=a&parts=a', status='*'
    )

    assert tags_of(member, uuid) in ([], ['a', 'b'])


def test_many_at_once(member, uuid):
    """None is lost, and none is there twice."""
    wanted = [f't{number}' for number in range(12)]
    with concurrent.futures.ThreadPoolExecutor(4) as executor:
        answers = list(
            executor.map(
                lambda tag: member.add_tag(uuid, tag, status='*').status_int,
                wanted * 2,
            )
        )

    assert sorted(answers) == [201] * 12 + [204] * 12
    assert tags_of(member, uuid) == sorted(wanted)


class TestFilters:
    @pytest.fixture(autouse=True)
    def tagged(self, member):
        for tags in ('', 'a', 'b', 'ab', 'bc', 'abc'):
            member.create(
                resources={'FPGA': 1}, name=tags or None, tags=list(tags)
            )

    @staticmethod
    def names(caller, query):
        found = caller.list(f'?{query}').json['device_contexts']
        return [each['name'] or '' for each in found]

    @pytest.mark.parametrize(
        ('query', 'found'),
        [
            ('tags=a', ['a', 'ab', 'abc']),
            ('tags=a,b', ['ab', 'abc']),
            ('tags=a,b,a', ['ab', 'abc']),
            ('tags=A', []),
            ('tags=a,z', []),
            ('tags-any=a', ['a', 'ab', 'abc']),
            ('tags-any=a,c', ['a', 'ab', 'bc', 'abc']),
            ('not-tags=a', ['', 'b', 'bc']),
            ('not-tags=a,b', ['', 'a', 'b', 'bc']),
            ('not-tags-any=a,c', ['', 'b']),
            ('tags=b&not-tags-any=c', ['b', 'ab']),
            ('tags=b&tags-any=a,c&not-tags=a,c', ['ab', 'bc']),
        ],
    )
    def test_found(self, member, query, found):
        assert self.names(member, query) == found
        # In pages as well.
        pages = [member.list(f'?{query}&limit=1')]
        while links := pages[-1].json.get('device_contexts_links'):
            pages.append(member.get(links[0]['href']))
        answers = [page.json['device_contexts'] for page in pages]
        assert [
            each['name'] or '' for each in itertools.chain(*answers)
        ] == found

    def test_none_of_another_project(self, stranger, admin):
        assert self.names(stranger, 'tags=a') == []
        assert self.names(admin, 'tags=a') == []
        assert len(self.names(admin, 'tags=a&all_projects=1')) == 3

    @pytest.mark.parametrize('name', ['tags', 'tags-any', 'not-tags'])
    @pytest.mark.parametrize(
        'value', ['', ',', 'a,', '%20a', 'a/b', 'x' * 61, '_a', 't,' * 51]
    )
    def test_what_is_none(self, member, name, value):
        error = cyborg.error_of(member.list(f'?{name}={value}', status=400))

        assert error['detail'].startswith(f'Invalid {name}')

    def test_as_many_as_there_may_be(self, member):
        tags = ','.join(f'{number:02d}'.rjust(60, 'x') for number in range(50))

        assert self.names(member, f'not-tags={tags}&tags-any=a,{tags}'[:-61])

    def test_they_are_read_if_they_are_wanted(self, cloud, member):
        with cloud.statements() as sent:
            member.list('?fields=uuid,name')

        assert not any('device_context_tags' in each for each in sent)

    def test_they_count_for_the_size_of_a_page(self, cloud, member):
        context = {'resources': {'FPGA': 1}}
        tags = [f'{number:02d}'.rjust(60, '€') for number in range(50)]
        for number in range(10):
            body = [{**context, 'tags': tags[:25]}] * 3
            member.create(device_contexts=body)
            uuid = member.create_one(**context, name=f'n{number}')
            member.set_tags(uuid, *tags[:40])

        for query in ('?', '?fields=uuid', '?fields=uuid,tags'):
            answer = member.list(query)
            assert len(answer.body) < 2**19
            assert answer.json['device_contexts']

# SPDX-License-Identifier: Apache-2.0

"""What a hint names, and what is wrong with it by itself."""

import uuid

import pytest

from nova_cyborg import conf as our_conf
from nova_cyborg import exception, model

UUIDS = [str(uuid.UUID(int=n)) for n in range(70)]


@pytest.fixture(scope='module')
def hint():
    # It takes Nova's configuration along.
    from nova import conf

    from nova_cyborg.nova import hint

    our_conf.register_nova_opts(conf.CONF)
    return hint


@pytest.fixture(scope='module')
def request_spec():
    """Makes the request of a server with scheduler hints."""
    from nova.objects import request_spec

    def _request_spec(**fields):
        return request_spec.RequestSpec(**fields)

    return _request_spec


NOTHING = [None, {}, {'group': ['a']}, {'device_context_id': []}]


@pytest.mark.parametrize('hints', NOTHING)
def test_nothing_is_named(hint, request_spec, hints):
    assert hint.named(hints) == []
    assert hint.of_request(request_spec(scheduler_hints=hints)) == []


def test_a_list_of_nothing_is_refused(hint):
    with pytest.raises(exception.InvalidRequest, match='names no device'):
        hint.check_given({'device_context_id': []})


@pytest.mark.parametrize(
    'hints',
    [
        None,
        {},
        {'group': []},
        {'device_context_id': UUIDS[0]},
        {'device_context_id': ['']},
        {'device_context_id': None},
    ],
)
def test_other_hints_are_looked_at_elsewhere(hint, hints):
    hint.check_given(hints)


def test_a_server_without_a_request_names_nothing(hint, request_spec):
    assert hint.of_request(None) == []
    assert hint.of_request(request_spec()) == []


def test_all_processes_read_the_same(hint, request_spec):
    hints = {'device_context_id': UUIDS[:2]}

    assert hint.named(hints) == UUIDS[:2]
    assert hint.of_request(request_spec(scheduler_hints=hints)) == UUIDS[:2]


@pytest.mark.parametrize(
    'value',
    [
        f'{UUIDS[1]},{UUIDS[2]},{UUIDS[3]}',
        f' {UUIDS[1]} , {UUIDS[2]},{UUIDS[3]} ',
        [f'{UUIDS[1]},{UUIDS[2]}', UUIDS[3]],
    ],
)
def test_a_comma_separates_uuids(hint, request_spec, value):
    hints = {'device_context_id': value}
    kept = {'device_context_id': value if isinstance(value, list) else [value]}

    assert hint.named(hints) == UUIDS[1:4]
    assert hint.of_request(request_spec(scheduler_hints=kept)) == UUIDS[1:4]
    assert hint.checked_ids(hint.named(hints), 1) == UUIDS[1:4]


@pytest.mark.parametrize(
    'value', ['', ' ', ',', f'{UUIDS[1]},', f',{UUIDS[1]}']
)
def test_nothing_at_the_side_of_a_comma(hint, value):
    named = hint.named({'device_context_id': value})

    assert named
    with pytest.raises(exception.InvalidRequest, match='comma') as info:
        hint.checked_ids(named, 1)
    assert 'Invalid device_context_id: ' in str(info.value)


@pytest.mark.parametrize('value', ['vm1', '', None, 7, {'a': 1}])
def test_what_is_no_list_is_one_name(hint, value):
    assert hint.named({'device_context_id': value}) == [value]


def test_uuids_are_spelled_in_one_way(hint):
    given = [UUIDS[10].upper(), f'{{{UUIDS[11]}}}', uuid.UUID(UUIDS[12]).hex]

    assert hint.checked_ids(given, 1) == UUIDS[10:13]


@pytest.mark.parametrize('named', ['vm1', None, 7, {}, [], '../devices'])
def test_what_is_no_uuid_is_not_found(hint, named):
    with pytest.raises(exception.DeviceContextNotFound) as info:
        hint.checked_ids([UUIDS[0], named], 1)

    assert f'Device context {named} was not found' in str(info.value)


def test_no_more_is_repeated_than_a_person_reads(hint):
    with pytest.raises(exception.DeviceContextNotFound) as info:
        hint.checked_ids(['x' * 100_000], 1)

    assert 'x' * 100 in str(info.value)
    assert len(str(info.value)) < 300


def test_a_context_may_be_named_once(hint):
    with pytest.raises(exception.DeviceContextRepeated, match=UUIDS[10]):
        hint.checked_ids([UUIDS[10], UUIDS[10].upper()], 1)


def test_a_context_is_for_one_server(hint):
    with pytest.raises(exception.DeviceContextShared, match='2 servers'):
        hint.checked_ids(UUIDS[:1], 2)


def test_no_more_are_looked_at_than_can_be(hint):
    most = model.MAX_CONTEXTS

    assert len(hint.checked_ids(UUIDS[:most], 1)) == most
    with pytest.raises(exception.TooManyGroups, match='65 request groups'):
        # Whatever they are.
        hint.checked_ids(['vm1'] * (most + 1), 1)


@pytest.fixture
def spec_naming(request_spec):
    """Makes a stored request that names device contexts."""

    def _spec_naming(*named, **others):
        hints = {**others, 'device_context_id': list(named)}
        spec = request_spec(scheduler_hints=hints if named else others)
        spec.obj_reset_changes()
        return spec

    return _spec_naming


class TestServersThatExist:
    def test_what_is_attached_is_named(self, hint, spec_naming):
        spec = spec_naming(group=['g'])

        assert hint.name_held(spec, UUIDS[:1])
        assert hint.name_held(spec, UUIDS[:2])
        assert not hint.name_held(spec, UUIDS[1::-1])

        assert spec.scheduler_hints == {
            'group': ['g'],
            'device_context_id': UUIDS[:2],
        }
        # Else Nova does not store it.
        assert 'scheduler_hints' in spec.obj_what_changed()

    def test_what_is_detached_is_not(self, hint, spec_naming):
        spec = spec_naming(*UUIDS[:2])

        assert hint.remove(spec, UUIDS[0])
        assert not hint.remove(spec, UUIDS[0])
        assert spec.scheduler_hints == {'device_context_id': UUIDS[1:2]}
        assert hint.remove(spec, UUIDS[1])
        assert spec.scheduler_hints == {}

    def test_a_request_without_hints(self, hint, request_spec):
        spec = request_spec(scheduler_hints=None)

        assert not hint.remove(spec, UUIDS[0])
        assert hint.name_held(spec, UUIDS[:1])

    def test_what_was_not_attached_is_not(self, hint, spec_naming):
        spec = spec_naming(*UUIDS[:2], group=['g'])

        assert hint.name_held(spec, UUIDS[1:3])

        assert spec.scheduler_hints == {
            'group': ['g'],
            'device_context_id': UUIDS[1:3],
        }

    def test_a_holder_is_seen_whatever_is_named(self, hint, spec_naming):
        named, nothing = spec_naming(UUIDS[0]), spec_naming()

        hint.note_held(named)
        hint.note_held(nothing)

        assert hint.of_request(named) == UUIDS[:1]
        assert hint.of_request(nothing)

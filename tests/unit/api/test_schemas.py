# SPDX-License-Identifier: Apache-2.0

"""Requests against the JSON schemas: which field a refusal names."""

import pytest

from nova_cyborg import exception
from nova_cyborg.api import schemas
from nova_cyborg.api.schemas import device_allocation, device_context

UUID = '6f7a2f6e-34c5-4f5d-8ad7-c9fd1d93e0a1'
SPACE = '\N{NO-BREAK SPACE}'

# Printable texts and names, in any script.
GOOD_TEXTS = [
    'Größe',
    '漢字',
    'עברית',
    f'a{SPACE}b',
    '速い\u3000FPGA',
    'fast 😀',
]
# What cannot be printed: ends of lines, control characters, half of a pair,
# what turns the direction, a character that does not exist, a private one.
BAD_TEXTS = [
    *('a\nb', 'a\n', '\t', '\x00', '\x7f', '\x85', 'a\u2028b'),
    *('\ud83d', 'a\u202eb', 'a\u200db', '\U000e0fff', '\ue000'),
]
BAD_NAMES = [
    *('', ' ', ' a', 'a ', SPACE, f'a{SPACE}', '\u3000a', 'ä' * 256),
    *(1, True, ['a'], *BAD_TEXTS),
]


def refusal(document, schema, whole='body'):
    with pytest.raises(exception.InvalidRequest) as info:
        schemas.validate(document, schema, whole)
    return info.value


def refused_field(document, schema):
    return refusal(document, schema).kwargs['field']


@pytest.mark.parametrize(
    ('schema', 'document'),
    [
        (device_context.CREATE, {}),
        (
            device_context.CREATE,
            {
                'name': 'a  b',
                'description': None,
                'delete_on_termination': False,
                'live_migration': 'detach',
                'resources': {},
                'required': [],
                'forbidden': [],
                'config': {},
            },
        ),
        (device_context.CREATE, {'groups': [], 'name': '漢' * 255}),
        (device_context.CREATE, {'device_profile': 'afaas_example'}),
        (device_context.UPDATE, {'name': '!'}),
        (device_context.UPDATE, {'name': None}),
        (device_context.UPDATE, {'description': ''}),
        (device_context.UPDATE, {'description': '漢' * 1024}),
        (device_context.UPDATE, {'description': ' spaces '}),
        (device_context.UPDATE, {'delete_on_termination': True}),
        (device_context.LIST, {}),
        (
            device_context.LIST,
            {
                'limit': '7',
                'marker': UUID,
                'sort_key': 'name',
                'sort_dir': 'desc',
                'name': 'a',
                'server_id': UUID,
                'status': 'bound',
                'all_projects': 'true',
            },
        ),
        (
            device_allocation.RESERVE,
            {'device_contexts': [UUID], 'caller': UUID},
        ),
        (
            device_allocation.RESERVE,
            {'device_contexts': [UUID] * 64, 'caller': UUID},
        ),
        (device_allocation.BEGIN, {'operation': 'r' * 255, 'caller': UUID}),
        (device_allocation.UNBIND, {'generation': 0}),
        (
            device_allocation.BIND,
            {
                'hostname': 'compute1',
                'resource_providers': {},
                'generation': 7,
            },
        ),
        (
            device_allocation.BIND,
            {
                'hostname': 'h' * 255,
                'resource_providers': {'a': UUID.upper()},
                'generation': 0,
            },
        ),
    ],
)
def test_what_is_allowed(schema, document):
    schemas.validate(document, schema)


@pytest.mark.parametrize('text', GOOD_TEXTS)
def test_names_and_descriptions_in_any_script(text):
    for schema in (device_context.CREATE, device_context.UPDATE):
        schemas.validate({'name': text, 'description': text}, schema)
    schemas.validate({'name': text}, device_context.LIST)


@pytest.mark.parametrize('whole', [None, [], 'text', 7, True])
@pytest.mark.parametrize(
    'schema',
    [
        device_context.CREATE,
        device_context.UPDATE,
        device_allocation.RESERVE,
        device_allocation.BEGIN,
        device_allocation.BIND,
        device_allocation.UNBIND,
    ],
)
def test_a_body_is_an_object(schema, whole):
    assert refused_field(whole, schema) == 'body'


@pytest.mark.parametrize(
    'schema',
    [
        device_context.CREATE,
        device_context.UPDATE,
        device_context.LIST,
        device_allocation.RESERVE,
    ],
)
def test_a_field_that_is_unknown_is_named(schema):
    document = {'nonesuch': 1, 'device_contexts': [UUID], 'caller': UUID}

    assert refused_field({'nonesuch': 1}, schema) in ('nonesuch', 'body')
    if schema is device_allocation.RESERVE:
        assert refused_field(document, schema) == 'nonesuch'
    else:
        assert 'no such field' in str(refusal({'nonesuch': 1}, schema))


@pytest.mark.parametrize('name', BAD_NAMES)
@pytest.mark.parametrize(
    'schema', [device_context.CREATE, device_context.UPDATE]
)
def test_names_that_are_refused(schema, name):
    assert refused_field({'name': name}, schema) == 'name'


@pytest.mark.parametrize('text', ['d' * 1025, 1, ['a'], *BAD_TEXTS])
@pytest.mark.parametrize(
    'schema', [device_context.CREATE, device_context.UPDATE]
)
def test_descriptions_that_are_refused(schema, text):
    assert refused_field({'description': text}, schema) == 'description'


@pytest.mark.parametrize('value', [None, 0, 1, 'true', 'yes'])
def test_delete_on_termination_is_a_boolean(value):
    document = {'delete_on_termination': value}

    for schema in (device_context.CREATE, device_context.UPDATE):
        assert refused_field(document, schema) == 'delete_on_termination'


@pytest.mark.parametrize('value', [None, True, '', 'Detach', 'reattach'])
def test_live_migration_is_one_of_three(value):
    for schema in (device_context.CREATE, device_context.UPDATE):
        error = refusal({'live_migration': value}, schema)

        assert error.kwargs['field'] == 'live_migration'
        assert 'must be refuse, detach or native.' in str(error)


@pytest.mark.parametrize(
    'schema', [device_context.CREATE, device_context.UPDATE]
)
def test_tags(schema):
    for tag in (None, 'g', 'g' * 60, ' in space ', 'Größe'):
        schemas.validate({'tag': tag}, schema)
    for tag in ('', 'g' * 61, 'a/b', 'a,b', 1, ['a'], *BAD_TEXTS):
        assert refused_field({'tag': tag}, schema) == 'tag'


@pytest.mark.parametrize(
    ('field', 'value'),
    [
        ('groups', {}),
        ('groups', None),
        ('device_profile', ''),
        ('device_profile', 7),
        ('device_profile', 'p' * 256),
        ('device_profile', 'ä'),
        ('device_profile', 'name\n'),
        ('resources', []),
        ('required', {}),
        ('forbidden', 'FOO'),
        ('config', []),
    ],
)
def test_the_shape_of_a_request_for_accelerators(field, value):
    assert refused_field({field: value}, device_context.CREATE) == field


def test_a_change_changes_something():
    refused = refusal({}, device_context.UPDATE)

    assert refused.kwargs['field'] == 'body'
    assert 'at least 1 field' in str(refused)


@pytest.mark.parametrize('field', ['groups', 'resources', 'project_id'])
def test_what_a_context_asks_for_cannot_be_changed(field):
    assert refused_field({field: {}}, device_context.UPDATE) == field


@pytest.mark.parametrize(
    ('parameter', 'value'),
    [
        ('limit', ''),
        ('limit', '-1'),
        ('limit', 'ten'),
        ('limit', '1.5'),
        ('limit', '5\n'),
        ('limit', '٣'),
        ('limit', '1' * 10),
        ('marker', 'last'),
        ('sort_key', 'project_id'),
        ('sort_dir', 'up'),
        ('name', ''),
        ('server_id', 'vm1'),
        ('status', 'Bound'),
        ('all_projects', 'maybe'),
    ],
)
def test_parameters_that_are_refused(parameter, value):
    assert refused_field({parameter: value}, device_context.LIST) == parameter


@pytest.mark.parametrize(
    ('document', 'field'),
    [
        ({}, 'body'),
        ({'device_contexts': []}, 'device_contexts'),
        ({'device_contexts': UUID}, 'device_contexts'),
        ({'device_contexts': [UUID] * 65}, 'device_contexts'),
        ({'device_contexts': [UUID, 'ctx1']}, 'device_contexts.1'),
        ({'device_contexts': [7]}, 'device_contexts.0'),
        ({'device_contexts': [UUID], 'caller': 'me'}, 'caller'),
    ],
)
def test_reservations_that_are_refused(document, field):
    document = document and {'caller': UUID, **document}
    assert refused_field(document, device_allocation.RESERVE) == field


@pytest.mark.parametrize(
    ('change', 'field'),
    [
        ({'operation': ''}, 'operation'),
        ({'operation': 'r' * 256}, 'operation'),
        ({'operation': 7}, 'operation'),
        ({'caller': 'me'}, 'caller'),
        ({'generation': 1}, 'generation'),
    ],
)
def test_attempts_that_are_refused(change, field):
    document = {'operation': 'req-1', 'caller': UUID, **change}

    assert refused_field(document, device_allocation.BEGIN) == field


@pytest.mark.parametrize(
    ('change', 'field'),
    [
        ({'hostname': ''}, 'hostname'),
        ({'hostname': 'h' * 256}, 'hostname'),
        ({'hostname': None}, 'hostname'),
        ({'resource_providers': [UUID]}, 'resource_providers'),
        ({'resource_providers': {'a': 'rp'}}, 'resource_providers.a'),
        ({'resource_providers': {'a': [UUID]}}, 'resource_providers.a'),
        ({'generation': -1}, 'generation'),
        ({'generation': '1'}, 'generation'),
        ({'generation': None}, 'generation'),
        ({'instance_uuid': UUID}, 'instance_uuid'),
    ],
)
def test_bindings_that_are_refused(change, field):
    document = {
        'hostname': 'compute1',
        'resource_providers': {'a': UUID},
        'generation': 0,
        **change,
    }

    assert refused_field(document, device_allocation.BIND) == field


def test_what_is_missing_is_named():
    refused = refusal({'hostname': 'a'}, device_allocation.BIND)

    assert 'resource_providers' in str(refused)


def test_a_refusal_does_not_show_the_value():
    refused = refusal({'name': 'tada\n'}, device_context.CREATE)

    assert 'tada' not in str(refused)
    assert '\\x' not in str(refused)


@pytest.mark.parametrize(
    ('document', 'reason'),
    [
        ({'limit': '-1'}, 'must be a number of at most nine digits.'),
        ({'server_id': 'vm1'}, 'must be a uuid.'),
        ({'sort_dir': 'up'}, 'must be asc or desc.'),
        (
            {'sort_key': 'host'},
            'must be created_at, updated_at, name or uuid.',
        ),
    ],
)
def test_a_refusal_says_what_a_parameter_must_be(document, reason):
    refused = refusal(document, device_context.LIST, 'query')

    assert refused.kwargs['reason'] == reason


def test_a_refusal_says_which_types_a_field_may_have():
    refused = refusal({'description': 7}, device_context.UPDATE)

    assert refused.kwargs['reason'] == 'must be of type string or null.'


def test_the_query_is_named_as_such():
    refused = refusal([], device_context.LIST, 'query')

    assert refused.kwargs['field'] == 'query'

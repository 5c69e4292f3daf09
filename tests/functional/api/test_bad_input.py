# SPDX-License-Identifier: Apache-2.0

"""Requests that are refused: 400 names the field, and nothing is stored."""

import json
import uuid

import pytest
from cyborg.db.sqlalchemy import models

from nova_cyborg.db import tables
from tests.functional.api import cyborg

GOOD = {'resources': {'FPGA': 1}}


@pytest.fixture(scope='module')
def cloud():
    # One for all of them: nothing is ever stored.
    with cyborg.CyborgFixture() as fixture:
        yield fixture


@pytest.fixture
def refused(cloud, member):
    """Sends a request to create; returns the error's code and sentence."""

    def _refused(content, status=400):
        if not isinstance(content, bytes):
            content = json.dumps(content).encode()
        response = cloud.api.post(
            '/v2/device_contexts',
            content,
            headers=cyborg.headers(),
            content_type='application/json',
            status=status,
        )
        assert cloud.count(tables.DeviceContext) == 0
        assert 'Location' not in response.headers
        error = cyborg.error_of(response)
        return error['code'], error['detail']

    return _refused


def in_group(**fields):
    return {**GOOD, **fields}


# What is asked for, and the field that the refusal names.
BAD = [
    ({}, 'resources'),
    ({'name': 'zip'}, 'resources'),
    ({'resources': {}}, 'resources'),
    ({'resources': []}, 'resources'),
    ({'resources': None}, 'resources'),
    ({'resources': {'FPGA': 0}}, 'resources.FPGA'),
    ({'resources': {'FPGA': -1}}, 'resources.FPGA'),
    ({'resources': {'FPGA': '1'}}, 'resources.FPGA'),
    ({'resources': {'FPGA': 'many'}}, 'resources.FPGA'),
    ({'resources': {'FPGA': 1.5}}, 'resources.FPGA'),
    ({'resources': {'FPGA': True}}, 'resources.FPGA'),
    ({'resources': {'FPGA': None}}, 'resources.FPGA'),
    ({'resources': {'FPGA': 2**31}}, 'resources.FPGA'),
    ({'resources': {'FPGA': float('nan')}}, 'resources.FPGA'),
    ({'resources': {'': 1}}, 'resources'),
    ({'resources': {'A' * 256: 1}}, 'resources'),
    ({'resources': {'Ä': 1}}, 'resources'),
    ({'resources': {'FPGA GZIP': 1}}, 'resources'),
    ({'resources': {'VCPU': 1}}, 'resources'),
    ({'resources': {'GZIP': 1, 'CUSTOM_GZIP': 1}}, 'resources'),
    (in_group(required='FOO'), 'required'),
    (in_group(required=['']), 'required'),
    (in_group(required=['A' * 256]), 'required'),
    (in_group(required=['Ä']), 'required'),
    (in_group(required=[1]), 'required'),
    (in_group(required=[None]), 'required'),
    (in_group(required=[f'T{n}' for n in range(51)]), 'required'),
    (in_group(forbidden=['FOO BAR']), 'forbidden'),
    (in_group(required=['FOO'], forbidden=['CUSTOM_FOO']), 'forbidden'),
    (in_group(config=[]), 'config'),
    (in_group(config={'': 'v'}), 'config'),
    (in_group(config={'k' * 129: 'v'}), 'config'),
    (in_group(config={'ä': 'v'}), 'config'),
    (in_group(config={'a b': 'v'}), 'config'),
    (in_group(config={'key': 1}), 'config.key'),
    (in_group(config={'key': 'v' * 1025}), 'config.key'),
    (in_group(config={'key': 'ä'}), 'config.key'),
    (in_group(config={f'k{n}': '' for n in range(33)}), 'config'),
    (in_group(name=''), 'name'),
    (in_group(name=' '), 'name'),
    (in_group(name='n' * 256), 'name'),
    (in_group(name='ä' * 256), 'name'),
    (in_group(name='zip\n'), 'name'),
    (in_group(name='zip\ud83d'), 'name'),
    (in_group(name='\u3000zip'), 'name'),
    (in_group(name=1), 'name'),
    (in_group(description='d' * 1025), 'description'),
    (in_group(description='a\x00'), 'description'),
    (in_group(delete_on_termination='no'), 'delete_on_termination'),
    (in_group(live_migration='perhaps'), 'live_migration'),
    (in_group(nonesuch=1), 'nonesuch'),
    (in_group(project_id='x'), 'project_id'),
    (in_group(groups=[GOOD]), 'resources'),
    ({'groups': []}, 'groups'),
    ({'groups': {}}, 'groups'),
    ({'groups': [GOOD] * 17}, 'groups'),
    ({'groups': [GOOD, 'FPGA']}, 'groups[1]'),
    ({'groups': [GOOD, {}]}, 'groups[1].resources'),
    ({'groups': [GOOD, in_group(name='x')]}, 'groups[1].name'),
    ({'groups': [{'resources': {'FPGA': 0}}]}, 'groups[0].resources.FPGA'),
    ({'groups': [GOOD], 'required': []}, 'required'),
    ({'device_profile': ''}, 'device_profile'),
    ({'device_profile': 1}, 'device_profile'),
    ({'device_profile': 'a', 'resources': {'FPGA': 1}}, 'device_profile'),
    ({'device_profile': 'a', 'groups': [GOOD]}, 'device_profile'),
    ({'device_profile': 'a', 'config': {}}, 'device_profile'),
]


@pytest.mark.parametrize(
    ('body', 'field'),
    BAD,
    ids=[f'{field}-{number}' for number, (_b, field) in enumerate(BAD)],
)
def test_the_field_is_named(refused, body, field):
    code, sentence = refused(body)

    assert code == 'nova_cyborg.invalid_request'
    assert sentence.startswith(f'Invalid {field}:')


def test_the_words_of_live_migration_are_named(refused):
    _code, sentence = refused(in_group(live_migration='perhaps'))

    assert sentence.endswith('must be refuse, detach or native.')


@pytest.mark.parametrize(
    'content',
    [
        b'',
        b'resources=FPGA:1',
        b'{"resources": {"FPGA": 1}',
        b'{"resources": {"FPGA": 1}} {}',
        b'[' * 60000,
        b'{"resources": {"FPGA": ' + b'9' * 5000 + b'}}',
    ],
)
def test_a_body_that_is_not_json(refused, content):
    code, sentence = refused(content)

    assert code == 'nova_cyborg.invalid_request'
    assert sentence.startswith('Invalid body:')


@pytest.mark.parametrize('content', [b'\xff\xfe\x00', b'{"name": "\xe4"}'])
def test_a_body_that_is_no_text(cloud, content):
    cloud.api.post(
        '/v2/device_contexts',
        content,
        headers=cyborg.headers(),
        content_type='application/json',
        status=400,
    )

    assert cloud.count(tables.DeviceContext) == 0


@pytest.mark.parametrize('body', [[], [GOOD], 'FPGA', 1, None, True])
def test_a_body_that_is_no_object(refused, body):
    assert refused(body)[1].startswith('Invalid body:')


def test_a_body_that_is_too_large(refused):
    code, sentence = refused(in_group(description='d' * 64 * 1024))

    assert code == 'nova_cyborg.request_too_large'
    assert '65536 bytes' in sentence


@pytest.mark.parametrize(
    'path',
    [
        '/v2/device_contexts.json',
        '/v2//device_contexts',
        '//v2/device_contexts',
    ],
)
def test_another_spelling_of_the_path_is_no_way_around(cloud, path):
    content = json.dumps(GOOD).encode() + b' ' * 65536

    response = cloud.api.post(
        path,
        content,
        headers=cyborg.headers(),
        content_type='application/json',
        expect_errors=True,
    )

    assert response.status_int in (400, 404)
    assert cloud.count(tables.DeviceContext) == 0


@pytest.mark.parametrize('profile', ['nonesuch', cyborg.UNKNOWN, ' '])
def test_a_profile_that_does_not_exist(refused, profile):
    code, sentence = refused({'device_profile': profile}, status=404)

    assert code == 'nova_cyborg.device_profile.not_found'
    assert profile in sentence


def test_a_profile_that_a_context_cannot_have(cloud, refused):
    # Cyborg itself takes it: it does not look at standard classes' meaning.
    with cloud.engine.begin() as connection:
        connection.execute(
            models.DeviceProfile.__table__.insert().values(
                uuid=str(uuid.uuid4()),
                name='odd',
                profile_json='{"groups": [{"resources:FPGA": "0"}]}',
            )
        )

    code, sentence = refused({'device_profile': 'odd'})
    with cloud.engine.begin() as connection:
        connection.execute(models.DeviceProfile.__table__.delete())

    assert code == 'nova_cyborg.invalid_request'
    assert 'device_profile' in sentence
    assert 'FPGA' in sentence


def test_what_is_wrong_is_found_before_anything_is_made(cloud, member):
    for body, _field in BAD:
        if 'resources' in str(body):
            member.call('post_json', '/v2/device_contexts', body, status=400)

    assert cloud.count(tables.DeviceContext) == 0
    assert cloud.count(models.DeviceProfile) == 0
    assert cloud.count(models.ExtArq) == 0


@pytest.mark.parametrize(
    ('method', 'path'),
    [
        ('put_json', '/v2/device_contexts'),
        ('patch_json', '/v2/device_contexts'),
        ('delete', '/v2/device_contexts'),
        ('post_json', f'/v2/device_contexts/{cyborg.UNKNOWN}'),
        ('get', '/v2/device_allocations'),
        ('get', '/v2/device_allocations/'),
        ('post_json', f'/v2/device_allocations/{cyborg.UNKNOWN}'),
        ('get', f'/v2/device_allocations/{cyborg.UNKNOWN}/bind'),
        ('post_json', f'/v2/device_allocations/{cyborg.UNKNOWN}/nonesuch'),
    ],
)
def test_what_there_is_not_is_no_servers_error(cloud, method, path):
    options = {} if method in ('get', 'delete') else {'params': {}}

    response = getattr(cloud.api, method)(
        path,
        headers=cyborg.headers(service=True),
        expect_errors=True,
        **options,
    )

    assert 400 <= response.status_int < 500


@pytest.mark.parametrize(
    ('path', 'field'),
    [
        ('/v2/device_contexts/%ff', 'path'),
        ('/v2/device_contexts/__class__', 'path'),
        ('/v2/device_contexts?name=%ff', 'query'),
        ('/v2/device_contexts?_method=lookup', '_method'),
        ('/v2/device_contexts?_method', '_method'),
        ('/v2/device_contexts?%5fmethod=custom_action', '_method'),
    ],
)
def test_what_cannot_be_read(cloud, path, field):
    response = cloud.api.get(path, headers=cyborg.headers(), status=400)

    error = cyborg.error_of(response)
    assert error['code'] == 'nova_cyborg.invalid_request'
    assert error['detail'].startswith(f'Invalid {field}:')


@pytest.mark.parametrize(
    'content_type',
    [
        'application/json; charset=nonesuch',
        'application/x-www-form-urlencoded; charset=latin-1',
        'multipart/form-data',
        'nonesuch',
        '',
    ],
)
def test_the_content_type_does_not_matter(cloud, content_type):
    response = cloud.api.post(
        '/v2/device_contexts',
        b'{"resources": {"FPGA": 0}, "_method": "get"}',
        headers=cyborg.headers() | {'Content-Type': content_type},
        status=400,
    )

    assert cyborg.error_of(response)['code'] == 'nova_cyborg.invalid_request'


@pytest.mark.parametrize('length', ['9' * 5000, '٣', '-1', '1e3'])
def test_a_length_that_is_none(cloud, length):
    cloud.api.post(
        '/v2/device_contexts',
        b'{}',
        headers=cyborg.headers(),
        extra_environ={'CONTENT_LENGTH': length},
        status=400,
    )


def nested(depth):
    """Return a body of so many objects and lists in each other."""
    return b'{"name": ' + b'[' * (depth - 1) + b']' * (depth - 1) + b'}'


@pytest.mark.parametrize('depth', [2, 19, 20])
def test_as_deep_as_a_body_may_be(refused, depth):
    code, detail = refused(nested(depth))

    assert code == 'nova_cyborg.invalid_request'
    assert 'nested' not in detail


@pytest.mark.parametrize('depth', [21, 22, 100, 30_000])
def test_a_body_that_is_too_deep(refused, depth):
    assert refused(nested(depth)) == (
        'nova_cyborg.invalid_request',
        'Invalid body: it must not be nested deeper than 20 levels.',
    )


def test_no_depth_is_a_failure_of_the_server(refused):
    """At some, Python can read a document, and not say what it is."""
    for depth in range(10, 1000):
        assert refused(nested(depth))[0] == 'nova_cyborg.invalid_request'

# SPDX-License-Identifier: Apache-2.0

"""What users are told when a call fails."""

import json
import pathlib
import re
import types
import typing as ty

import pytest
from keystoneauth1 import exceptions as ksa_exc
from openstack import exceptions as sdk_exc

from nova_cyborg.cli import errors
from tests.unit.cli import conftest


def told(status: int, body: ty.Any) -> str:
    text = body if isinstance(body, str) else json.dumps(body)
    response = types.SimpleNamespace(status_code=status, text=text)
    return str(errors.from_response(response))


@pytest.mark.parametrize('status', [400, 403, 404, 409])
def test_the_sentence_of_the_api_is_told_as_it_is(status: int) -> None:
    assert told(status, conftest.error(status, 'It is so.')) == 'It is so.'


def test_a_fault_of_the_api_names_the_request() -> None:
    said = told(500, conftest.error(500, 'It broke.'))
    assert said == 'It broke. (request req-1)'


@pytest.mark.parametrize(
    'body',
    [
        '',
        'Not Found',
        '<html>404</html>',
        {'error_message': {'faultstring': 'no such path'}},
        {'errors': []},
        {'errors': ['x']},
        {'errors': {'detail': 'x'}},
        [],
    ],
)
@pytest.mark.parametrize('status', [404, 405])
def test_a_cyborg_without_device_contexts(status: int, body: ty.Any) -> None:
    assert 'does not serve device contexts' in told(status, body)


def test_a_refused_token() -> None:
    assert 'did not accept your token' in told(401, 'Unauthorized')


@pytest.mark.parametrize(
    ('body', 'reason'),
    [
        ({'error_message': {'faultstring': 'Policy says no.'}}, 'Policy'),
        ({'error_message': '{"faultstring": "Policy says no."}'}, 'Policy'),
        ({'error_message': 'Policy says\n no.'}, 'Policy'),
        ('Policy says no.', 'Policy'),
    ],
)
def test_a_refusal_that_is_not_of_our_api(body: ty.Any, reason: str) -> None:
    assert told(403, body).endswith('allow you to do this: Policy says no.')
    assert 'HTTP status 503: Policy says no.' in told(503, body)


@pytest.mark.parametrize('body', ['', '<html>Bad</html>', {'a': 1}])
def test_an_answer_without_a_reason(body: ty.Any) -> None:
    assert told(502, body).endswith('HTTP status 502.')


@pytest.mark.parametrize(
    'failure',
    [
        ksa_exc.EndpointNotFound('not in catalog'),
        sdk_exc.NotSupported('not in catalog'),
        sdk_exc.ServiceDisabledException('not in catalog'),
    ],
)
def test_no_endpoint_in_the_catalog(failure: Exception) -> None:
    said = str(errors.from_failure(failure))
    assert 'no Accelerator service (Cyborg) that you can reach' in said
    assert 'not in catalog' in said


def test_no_connection() -> None:
    said = str(errors.from_failure(ksa_exc.ConnectFailure('refused')))
    assert said == 'The cloud did not answer: refused'


@pytest.mark.parametrize(
    ('text', 'shown'),
    [
        ('漢字 Größe 😀\u3000', '漢字 Größe 😀\u3000'),
        ('a\x1b[31mb', r'a\x1b[31mb'),
        ('\x9b2J\x07\n', r'\x9b2J\x07\n'),
        ('\u202eevil', r'\u202eevil'),
        ('\udcff', r'\udcff'),
    ],
)
def test_what_a_terminal_would_do_is_written_out(
    text: str, shown: str
) -> None:
    assert errors.printable(text) == shown
    assert str(errors.CommandError(text)) == shown


def test_all_errors_are_such() -> None:
    # Otherwise one might print what it should not.
    folder = pathlib.Path(errors.__file__).parent
    assert [
        path.name
        for path in folder.rglob('*.py')
        if re.search('(osc|nova)_exc', path.read_text())
    ] == ['errors.py']


@pytest.mark.parametrize(
    ('field', 'typed'),
    [
        ('sort_key', '--sort'),
        ('server_id', '--server'),
        ('groups[0].config', 'groups[0].config'),
    ],
)
def test_a_field_is_called_as_it_was_typed(field: str, typed: str) -> None:
    body = conftest.error(400, f'Invalid {field}: it: is so.')
    body['errors'][0]['code'] = 'nova_cyborg.invalid_request'
    assert told(400, body) == f'{typed}: it: is so.'


def test_a_sentence_of_another_kind_is_left_as_it_is() -> None:
    body = conftest.error(400, 'Invalid sort_key: no.')
    assert told(400, body) == 'Invalid sort_key: no.'

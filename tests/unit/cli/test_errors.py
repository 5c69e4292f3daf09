# SPDX-License-Identifier: Apache-2.0

"""What users are told when a call fails."""

import json
import pathlib
import re
import types
import typing as ty
from urllib import parse

import pytest
from keystoneauth1 import exceptions as ksa_exc
from openstack import exceptions as sdk_exc

from nova_cyborg.api.schemas import (
    device_context,
    device_context_limit,
    explanation,
    groups,
)
from nova_cyborg.cli import errors
from nova_cyborg.cli.listing import filters
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


def refusal(field: str) -> dict[str, ty.Any]:
    body = conftest.error(400, f'Invalid {field}: it: is so.')
    body['errors'][0]['code'] = 'nova_cyborg.invalid_request'
    return body


@pytest.mark.parametrize(
    ('field', 'typed'),
    [
        ('sort', '--sort'),
        ('sort_key', '--sort'),
        ('server_id', '--server'),
        ('tags.0', '--tags'),
        ('tags-any.3', '--any-tags'),
        ('project_id', '--project-id'),
        ('flavor.vcpus', '--flavor'),
        ('flavor.extra_specs.resources:FPGA', '--flavor'),
        ('image.trait:HW_CPU_X86_AVX', '--image'),
        ('device_contexts', '--count'),
        ('device_contexts[0].name', '--name'),
        ('device_contexts[99].tags.1', '--tags'),
        ('device_contexts[1].device_profile', '--device-profile'),
        # No single option was typed for it.
        ('groups[0].config', 'groups[0].config'),
        ('device_contexts[1].groups[0].config', 'groups[0].config'),
    ],
)
def test_a_field_is_called_as_it_was_typed(field: str, typed: str) -> None:
    assert told(400, refusal(field)) == f'{typed}: it: is so.'


# Of what the commands never say of a device context: they say groups, and
# choose the fields that they show.
_NOT_TYPED = {*groups.FIELDS, 'fields'}


@pytest.mark.parametrize(
    ('command', 'schema'),
    [
        ('create', device_context.CREATE),
        ('create', device_context.CREATE_SEVERAL),
        ('set', device_context.UPDATE),
        ('list', device_context.LIST),
        ('explain', explanation.OF_CONTEXT),
        ('limits', device_context_limit.LIST),
    ],
)
def test_each_field_is_called_as_the_command_has_it(
    openstack: conftest.Run, command: str, schema: dict[str, ty.Any]
) -> None:
    shown = openstack('help', 'accelerator', 'device', 'context', command).out

    options = {
        field: told(400, refusal(field)).partition(':')[0]
        for field in schema['properties']
        if field not in _NOT_TYPED
    }
    assert options
    for option in options.values():
        assert re.search(rf'{option}(?![\w-])', shown), options


@pytest.mark.parametrize(
    ('typed', 'field'),
    [
        *(
            ((option, 'x'), parameter)
            for parameter, option in filters.TYPED.items()
        ),
        (('--sort', 'foo,bar'), 'sort'),
        (('--sort', 'foo'), 'sort_key'),
    ],
)
def test_a_command_says_which_option_is_refused(
    cloud: conftest.Cloud,
    openstack: conftest.Run,
    typed: tuple[str, str],
    field: str,
) -> None:
    cloud.answer('GET', status_code=400, json=refusal(field))

    result = openstack('accelerator', 'device', 'context', 'list', *typed)

    assert result == conftest.Result(1, '', f'{typed[0]}: it: is so.\n')
    (request,) = cloud.requests()
    assert field in parse.parse_qs(parse.urlsplit(request.url).query)


def test_a_sentence_of_another_kind_is_left_as_it_is() -> None:
    body = conftest.error(400, 'Invalid sort_key: no.')
    assert told(400, body) == 'Invalid sort_key: no.'

# SPDX-License-Identifier: Apache-2.0


"""Requests for device contexts that are refused before they are stored."""

import json
import typing as ty

import pytest

from tests.e2e import contexts, person, servers

_CREATE = 'cyborg device-context-create'
_LONG = 'A' * 256
_UNKNOWN = '00000000-0000-4000-8000-000000000007'
_DELETE = 'openstack accelerator device context delete'


@pytest.mark.parametrize(
    ('options', 'complaint'),
    [
        ('--resources FPGA:0', '--resources: FPGA: 0 is not between 1 and'),
        ('--resources FPGA:-1', '--resources: FPGA: -1 is not between 1 and'),
        (
            '--resources FPGA:2147483648',
            '--resources: FPGA: 2147483648 is not between 1 and 2147483647',
        ),
        ('--resources FPGA:one', '--resources: "one", the amount of FPGA'),
        ('--resources FPGA', '--resources: "FPGA" has no amount'),
        ("--resources ''", '--resources: "" has no amount'),
        (f'--resources {_LONG}:1', '--resources: is 256 characters long'),
        ('--resources FPGÄ:1', '--resources: must be printable ASCII'),
        ("--resources FPGA:1 --requires ''", '--requires: must not be empty'),
        (
            f'--resources FPGA:1 --forbids {_LONG}',
            '--forbids: is 256 characters long',
        ),
        (
            '--resources FPGA:1 --requires HEISS,SCHÖN',
            '--requires: must be printable ASCII',
        ),
        (
            '--resources FPGA:1 --requires X --forbids X',
            '--forbids: trait CUSTOM_X is both required and forbidden',
        ),
        ('--requires X', '--resources: at least one resource is needed'),
        ('', '--resources'),
        (
            '--resources FPGA:1 --device-profile crypto',
            '--device-profile: cannot be used together with --resources',
        ),
        (
            '--device-profile missing',
            'Device profile missing was not found',
        ),
    ],
)
def test_options_are_named(
    demo: person.Person, options: str, complaint: str
) -> None:
    assert complaint in demo.is_refused(f'{_CREATE} {options}')


def _group(**fields: ty.Any) -> dict[str, ty.Any]:
    return {'resources': {'FPGA': 1}, **fields}


@pytest.mark.parametrize(
    ('body', 'field'),
    [
        ({'resources': {'FPGA': 0}}, 'resources.FPGA'),
        ({'resources': {'FPGA': -1}}, 'resources.FPGA'),
        ({'resources': {'FPGA': '1'}}, 'resources.FPGA'),
        ({'resources': {'FPGA': 1.5}}, 'resources.FPGA'),
        ({'resources': {'FPGA': True}}, 'resources.FPGA'),
        ({'resources': {'FPGA': 2**31}}, 'resources.FPGA'),
        ({'resources': {'': 1}}, 'resources'),
        ({'resources': {_LONG: 1}}, 'resources'),
        ({'resources': {'FPGÄ': 1}}, 'resources'),
        ({'resources': {}}, 'resources'),
        ({}, 'resources'),
        ({'groups': []}, 'groups'),
        ({'groups': [_group(), _group(required=[''])]}, 'groups[1].required'),
        (_group(required=[_LONG]), 'required'),
        (_group(forbidden=['SCHÖN']), 'forbidden'),
        (_group(required=['X'], forbidden=['X']), 'forbidden'),
        (_group(name=''), 'name'),
        (_group(name=_LONG), 'name'),
        (_group(name='schön'), 'name'),
        (_group(colour='red'), 'colour'),
        ({'groups': [_group(colour='red')]}, 'groups[0].colour'),
        (_group(config={'key': 1}), 'config.key'),
        (_group(device_profile='crypto'), 'device_profile'),
        ([], 'body'),
    ],
)
def test_fields_are_named(
    demo: person.Person, body: object, field: str
) -> None:
    response = demo.accelerator.post(
        '/device_contexts', json=body, raise_exc=False
    )
    assert response.status_code == 400, response.text
    [error] = response.json()['errors']
    assert error['code'] == 'nova_cyborg.invalid_request'
    assert field in error['detail'], error
    assert contexts.every(demo) == []


@pytest.mark.parametrize('text', ['', 'no JSON', '[' * 20000, '{"name": '])
def test_a_body_that_is_no_json(demo: person.Person, text: str) -> None:
    response = demo.accelerator.post(
        '/device_contexts', data=text, raise_exc=False
    )
    assert response.status_code == 400, response.text
    assert 'body' in response.json()['errors'][0]['detail']


def test_a_body_over_the_limit(demo: person.Person) -> None:
    body = json.dumps(_group(description='x' * 70000))
    response = demo.accelerator.post(
        '/device_contexts', data=body, raise_exc=False
    )
    assert response.status_code == 400, response.text
    [error] = response.json()['errors']
    assert error['code'] == 'nova_cyborg.request_too_large'
    assert 'body' in error['detail']
    assert contexts.every(demo) == []


def test_a_device_profile_that_does_not_exist(demo: person.Person) -> None:
    for name in ('missing', _UNKNOWN):
        response = demo.accelerator.post(
            '/device_contexts', json={'device_profile': name}, raise_exc=False
        )
        assert response.status_code == 404, response.text
        assert name in response.json()['errors'][0]['detail']


@pytest.mark.parametrize('context_id', [_UNKNOWN, 'nonsense'])
def test_show_and_delete_what_is_unknown_or_malformed(
    demo: person.Person, context_id: str
) -> None:
    sentence = f'Device context {context_id} was not found'
    assert sentence in demo.is_refused(
        f'cyborg device-context-show {context_id}'
    )
    assert sentence in demo.is_refused(f'{_DELETE} {context_id}')
    for method in ('GET', 'PATCH', 'DELETE'):
        response = demo.accelerator.request(
            f'/device_contexts/{context_id}',
            method,
            json={'name': 'x'} if method == 'PATCH' else None,
            raise_exc=False,
        )
        assert response.status_code == 404, response.text
        assert sentence in response.json()['errors'][0]['detail']


def test_show_and_delete_what_is_another_projects(
    demo: person.Person, other: person.Person
) -> None:
    context_id = contexts.create(demo)
    sentence = f'Device context {context_id} was not found'
    for command in ('show', 'delete'):
        complaint = other.is_refused(
            f'cyborg device-context-{command} {context_id}'
        )
        assert sentence in complaint
    assert contexts.every(other) == []
    assert contexts.show(demo, context_id)['status'] == 'available'


def test_delete_of_a_context_in_use(demo: person.Person) -> None:
    context_id = contexts.create(demo)
    server_id = servers.boot_active(demo, context_id)
    sentence = f'Device context {context_id} is in use by server {server_id}'
    assert sentence in demo.is_refused(f'{_DELETE} {context_id}')
    response = demo.accelerator.delete(
        f'/device_contexts/{context_id}', raise_exc=False
    )
    assert response.status_code == 409
    assert sentence in response.json()['errors'][0]['detail']
    assert contexts.show(demo, context_id)['status'] == 'bound'

# SPDX-License-Identifier: Apache-2.0


"""The part of the API that is for Nova only."""

import pytest

from tests.e2e import contexts, person

_SERVER = '00000000-0000-4000-8000-000000000007'
_PATH = f'/device_allocations/{_SERVER}'
_CHECK = '/device_allocations/check'


@pytest.mark.parametrize('name', ['demo', 'admin'])
@pytest.mark.parametrize(
    ('method', 'path'),
    [
        ('GET', _PATH),
        ('PUT', _PATH),
        ('POST', _CHECK),
        ('POST', f'{_PATH}/bind'),
        ('POST', f'{_PATH}/unbind'),
        ('DELETE', _PATH),
    ],
)
def test_is_refused_without_a_service_token(
    people: dict[str, person.Person], name: str, method: str, path: str
) -> None:
    owner = people[name]
    context_id = contexts.create(owner)
    bodies = {
        _PATH: {'device_contexts': [context_id]},
        _CHECK: {'device_contexts': [context_id]},
        f'{_PATH}/bind': {
            'hostname': 'compute1',
            'resource_providers': {
                f'device_context_{context_id}_0': context_id
            },
        },
    }
    response = owner.accelerator.request(
        path, method, json=bodies.get(path), raise_exc=False
    )
    assert response.status_code == 403, response.text
    [error] = response.json()['errors']
    assert error['code'] == 'nova_cyborg.service_token_required'
    assert contexts.show(owner, context_id)['status'] == 'available'

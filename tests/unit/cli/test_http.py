# SPDX-License-Identifier: Apache-2.0

"""The calls, over keystoneauth's adapter, to canned answers."""

import types
import uuid
from urllib import parse

import pytest
import requests
import requests_mock as mock_lib
from keystoneauth1 import adapter, session, token_endpoint
from osc_lib import exceptions as osc_exc

from nova_cyborg.cli import http
from tests.unit.cli import conftest
from tests.unit.cli.conftest import CONTEXT_ID, OTHER_ID

PATH = '/device_contexts'


def device_contexts(endpoint: str = conftest.CYBORG) -> http.DeviceContexts:
    auth = token_endpoint.Token(endpoint, 'token')
    client = adapter.Adapter(session.Session(auth), 'accelerator')
    return http.DeviceContexts(types.SimpleNamespace(accelerator=client))


@pytest.mark.parametrize(
    'endpoint', ['http://c/v2', 'http://c/v2/', 'http://c', 'http://c/a']
)
def test_the_path_goes_after_any_endpoint(
    requests_mock: mock_lib.Mocker, endpoint: str
) -> None:
    requests_mock.get(
        endpoint.rstrip('/') + PATH, json={'device_contexts': []}
    )
    assert device_contexts(endpoint).list({}) == []
    assert requests_mock.last_request.url.endswith(PATH)


def test_all_pages_are_read(requests_mock: mock_lib.Mocker) -> None:
    # The links' host is one behind a proxy, which users cannot reach.
    link = {'rel': 'next', 'href': f'http://inside/v2{PATH}?name=n&marker=1'}
    first = {
        'device_contexts': [{'uuid': '1'}],
        'device_contexts_links': [{'rel': 'previous', 'href': 'x'}, link],
    }
    last = {'device_contexts': [{'uuid': '2'}], 'device_contexts_links': []}
    url = f'{conftest.CYBORG}{PATH}?name=n'
    requests_mock.get(url, json=first)
    requests_mock.get(f'{url}&marker=1', json=last)
    found = device_contexts().list({'name': 'n'})
    assert [context['uuid'] for context in found] == ['1', '2']


def test_with_a_limit_no_more_pages_are_read_than_it_needs(
    requests_mock: mock_lib.Mocker,
) -> None:
    # Pages are short if device contexts are large.
    for first in range(4):
        link = {'rel': 'next', 'href': f'{PATH}?limit=3&marker={first + 1}'}
        requests_mock.get(
            f'{conftest.CYBORG}{PATH}?limit=3'
            + (f'&marker={first}' if first else ''),
            json={
                'device_contexts': [{'uuid': f'{first}a'}, {'uuid': first}],
                'device_contexts_links': [link],
            },
        )
    found = device_contexts().list({'limit': 3})
    assert [each['uuid'] for each in found] == ['0a', 0, '1a']
    assert requests_mock.call_count == 2


def test_with_a_limit_one_page_is_read(
    requests_mock: mock_lib.Mocker,
) -> None:
    link = {'rel': 'next', 'href': f'http://inside/v2{PATH}?limit=1&marker=1'}
    page = {'device_contexts': [{}], 'device_contexts_links': [link]}
    requests_mock.get(f'{conftest.CYBORG}{PATH}?limit=1', json=page)
    assert device_contexts().list({'limit': 1}) == [{}]
    assert requests_mock.call_count == 1


def test_one_is_shown_changed_and_deleted(
    requests_mock: mock_lib.Mocker,
) -> None:
    url = f'{conftest.CYBORG}{PATH}/{CONTEXT_ID}'
    requests_mock.get(url, json={'uuid': CONTEXT_ID})
    requests_mock.patch(url, json={})
    requests_mock.delete(url, status_code=204)
    calls = device_contexts()
    assert calls.show(CONTEXT_ID.upper()) == {'uuid': CONTEXT_ID}
    calls.update(CONTEXT_ID, {'name': 'x'})
    assert requests_mock.last_request.json() == {'name': 'x'}
    calls.delete(CONTEXT_ID)
    assert requests_mock.last_request.method == 'DELETE'


@pytest.mark.parametrize('given', ['zip', '../devices/1', 'a?b', 'Größe &='])
def test_what_is_no_uuid_is_never_put_into_a_path(
    requests_mock: mock_lib.Mocker, given: str
) -> None:
    requests_mock.get(f'{conftest.CYBORG}{PATH}', json={'device_contexts': []})
    with pytest.raises(osc_exc.CommandError, match='was not found'):
        device_contexts().delete(given)
    # As it is, in the query, and looked for once.
    (asked,) = requests_mock.request_history
    assert asked.path == f'/v2{PATH}'
    query = parse.parse_qs(parse.urlsplit(asked.url).query)
    assert query == {'name': [given], 'fields': ['uuid'], 'limit': ['11']}


@pytest.mark.parametrize('given', ['', ' zip', 'z' * 256, '\x1b[31mzip'])
def test_what_can_be_no_name_is_not_asked_for(
    requests_mock: mock_lib.Mocker, given: str
) -> None:
    with pytest.raises(osc_exc.CommandError, match='was not found'):
        device_contexts().show(given)
    assert not requests_mock.called


def test_a_name_costs_one_call(requests_mock: mock_lib.Mocker) -> None:
    url = f'{conftest.CYBORG}{PATH}'
    requests_mock.get(
        f'{url}?name=zip', json={'device_contexts': [{'uuid': CONTEXT_ID}]}
    )
    requests_mock.delete(f'{url}/{CONTEXT_ID}', status_code=204)
    device_contexts().delete('zip')
    assert [each.method for each in requests_mock.request_history] == [
        'GET',
        'DELETE',
    ]


def test_a_uuid_costs_none(requests_mock: mock_lib.Mocker) -> None:
    assert device_contexts().find(CONTEXT_ID.upper()) == CONTEXT_ID
    assert not requests_mock.called


@pytest.mark.parametrize('count', [2, 10, 11])
def test_several_of_a_name_are_listed(
    requests_mock: mock_lib.Mocker, count: int
) -> None:
    uuids = [str(uuid.UUID(int=number)) for number in range(count)]
    requests_mock.get(
        f'{conftest.CYBORG}{PATH}?name=zip',
        json={'device_contexts': [{'uuid': each} for each in uuids]},
    )
    with pytest.raises(osc_exc.CommandError) as raised:
        device_contexts().show('zip')
    said = str(raised.value)
    assert 'Several device contexts have the name "zip"' in said
    assert all(each in said for each in uuids[:10])
    assert ('and others' in said) == (count > 10)
    assert requests_mock.call_count == 1


def test_taints_have_no_names(requests_mock: mock_lib.Mocker) -> None:
    calls = http.DeviceTaints(device_contexts()._clients)
    with pytest.raises(osc_exc.CommandError, match='zip was not found'):
        calls.delete('zip')
    assert not requests_mock.called


def test_a_refusal_is_told(requests_mock: mock_lib.Mocker) -> None:
    requests_mock.delete(
        f'{conftest.CYBORG}{PATH}/{OTHER_ID}',
        status_code=409,
        json=conftest.error(409, 'It is in use.'),
    )
    with pytest.raises(osc_exc.CommandError, match=r'^It is in use\.$'):
        device_contexts().delete(OTHER_ID)


def test_a_service_that_is_down_is_told(
    requests_mock: mock_lib.Mocker,
) -> None:
    requests_mock.get(mock_lib.ANY, exc=requests.ConnectionError)
    with pytest.raises(osc_exc.CommandError, match='did not answer'):
        device_contexts().list({})

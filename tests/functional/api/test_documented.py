# SPDX-License-Identifier: Apache-2.0

"""What holds answers against the document finds what is wrong with them."""

import json

import jsonschema
import pytest

from tests.functional import documented

WRONG = (AssertionError, jsonschema.ValidationError)
PATH = '/v2/reconciler'
HEADERS = {
    'Content-Type': 'application/json',
    'Cache-Control': 'no-store',
    'X-Openstack-Request-Id': 'req-6f7a2f6e-34c5-4f5d-8ad7-c9fd1d93e0a1',
}
GOOD = {
    'host': None,
    'active': False,
    'last_good_round': None,
    'interval': None,
    'oldest_suspect': None,
    'builds_host': None,
    'builds_active': False,
    'found': {},
    'repaired': {},
    'failed': {},
}


def check(
    fields=GOOD, status=200, headers=HEADERS, url=PATH, method='GET', body=None
):
    documented.check(
        documented.Request(method, url, {}, body),
        documented.Answer(
            status, headers, json.dumps({'reconciler': fields}).encode()
        ),
    )


def refusal(code, status, **headers):
    error = {
        'status': status,
        'code': code,
        'title': 'Not Found',
        'detail': 'There is none.',
        'request_id': None,
    }
    return documented.Answer(
        status, HEADERS | headers, json.dumps({'errors': [error]}).encode()
    )


@pytest.mark.parametrize('url', [PATH, '/reconciler', f'{PATH}/'])
def test_what_is_as_the_document_says(url):
    check(url=url)


@pytest.mark.parametrize(
    'wrong',
    [
        {'fields': GOOD | {'more': 1}},
        {'fields': GOOD | {'active': 'no'}},
        {'fields': {name: GOOD[name] for name in GOOD if name != 'host'}},
        {'status': 202},
        {'headers': HEADERS | {'ETag': '"1"'}},
        {'headers': HEADERS | {'Content-Type': 'text/html'}},
        {'headers': HEADERS | {'X-Openstack-Request-Id': 'seven'}},
        {'headers': {'Content-Type': 'application/json'}},
        {'url': f'{PATH}?limit=1'},
        {'url': f'{PATH}/nonesuch'},
        {'method': 'HEAD'},
        {'method': 'PUT'},
    ],
)
def test_what_is_not(wrong):
    with pytest.raises(WRONG):
        check(**wrong)


def test_what_is_not_ours_is_let_pass():
    check({'more': 1}, url='/v2/devices')


def test_an_error_that_is_not_of_the_operation():
    request = documented.Request('GET', '/v2/device_taints', {})

    documented.check(request, refusal('nova_cyborg.forbidden', 403))
    with pytest.raises(WRONG):
        documented.check(request, refusal('nova_cyborg.over_limit', 403))


@pytest.mark.parametrize(
    ('method', 'url', 'status', 'code'),
    [
        ('GET', '/v2/device_taints/a/b', 404, 'route_not_found'),
        ('PATCH', '/v2/device_taints', 405, 'method_not_allowed'),
    ],
)
def test_where_nothing_is(method, url, status, code):
    request = documented.Request(method, url, {})

    documented.check(
        request, refusal(f'nova_cyborg.{code}', status, Allow='GET')
    )
    with pytest.raises(WRONG):
        documented.check(request, refusal('nova_cyborg.forbidden', 403))


@pytest.mark.parametrize(
    'body', [{'device_uuid': 'x'}, {'reason': 'smoke'}, [], b'{}']
)
def test_what_was_taken_and_may_not_be_asked_for(body):
    taint = {
        'uuid': '6f7a2f6e-34c5-4f5d-8ad7-c9fd1d93e0a1',
        'device_uuid': '6f7a2f6e-34c5-4f5d-8ad7-c9fd1d93e0a1',
        'key': 'smoke',
        'reason': 'smoke',
        'source': 'operator',
        'created_at': '2026-11-22T11:06:05Z',
        'links': [{'rel': 'self', 'href': 'http://cyborg.test/v2'}],
    }
    asked = {'device_uuid': taint['uuid'], 'key': 'smoke', 'reason': 'smoke'}
    answer = documented.Answer(201, HEADERS, json.dumps(taint).encode())

    path = '/v2/device_taints'
    documented.check(documented.Request('POST', path, {}, asked), answer)
    with pytest.raises(WRONG):
        documented.check(documented.Request('POST', path, {}, body), answer)

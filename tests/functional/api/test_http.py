# SPDX-License-Identifier: Apache-2.0

"""What HTTP says of all routes of ours, at each of them."""

import http.client
import logging
import socket
import threading

import pytest
import webtest
from cheroot import wsgi

from nova_cyborg.api import policies
from nova_cyborg.db import tables
from tests.functional.api import cyborg

GOOD = b'{"resources": {"FPGA": 1}}'
DOCUMENT = '/v2/device_context_openapi'
_UUID = '6f7a2f6e-34c5-4f5d-8ad7-c9fd1d93e0a1'


def _routes():
    """Return the methods of each path that a policy names."""
    found = {}
    for rule in policies.list_policies():
        for operation in rule.operations:
            path = operation['path'].partition('?')[0]
            for name in ('{uuid}', '{server_id}'):
                path = path.replace(name, _UUID)
            found.setdefault(path, set()).add(operation['method'])
    return found


ROUTES = _routes()
every_route = pytest.mark.parametrize('path', ROUTES)


@pytest.fixture(scope='module')
def cloud():
    # One for all of them: nothing is ever stored.
    with cyborg.CyborgFixture() as fixture:
        yield fixture


@pytest.fixture
def call(cloud):
    """Calls as an administrator, for Nova; returns the response."""
    caller = cyborg.headers(roles=('admin', 'member', 'reader'), service=True)

    def _call(method, path, body=b'', **headers):
        named = {
            name.replace('_', '-'): text for name, text in headers.items()
        }
        response = cloud.api.request(
            path,
            method=method,
            body=body,
            headers=caller | named,
            expect_errors=True,
        )
        # But for the document, whatever is answered is of one project.
        may_be_kept = response.status_int == 200 and DOCUMENT in path
        assert may_be_kept != (response.headers['Cache-Control'] == 'no-store')
        return response

    return _call


def code_of(response):
    assert response.content_type == 'application/json'
    error = cyborg.error_of(response)
    assert error['status'] == response.status_int
    assert '${' not in error['detail']
    return error['code']


@every_route
def test_each_route_is_served(call, path):
    for method in ROUTES[path]:
        response = call(method, path, b'{}')
        if response.status_int >= 400:
            assert code_of(response) not in (
                'nova_cyborg.route_not_found',
                'nova_cyborg.method_not_allowed',
                'nova_cyborg.internal_error',
            )


@every_route
@pytest.mark.parametrize('accept', ['*/*', 'application/json', 'text/html'])
def test_a_method_that_there_is_not(call, path, accept):
    there = ROUTES[path] | ({'HEAD'} if 'GET' in ROUTES[path] else set())
    for method in {'GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'} - there:
        response = call(method, path, Accept=accept)

        assert response.status_int == 405
        assert code_of(response) == 'nova_cyborg.method_not_allowed'
        assert response.headers['Allow'].split(', ') == sorted(there)


@every_route
@pytest.mark.parametrize('tail', ['.json', '.html', '/nonesuch/a/b', '//'])
def test_a_path_that_there_is_not(call, path, tail):
    if path.endswith('{tag}') and tail.startswith('.'):
        # That is another tag.
        path = path.removesuffix('/{tag}')
    for method in ROUTES[path]:
        response = call(method, f'{path}{tail}', b'{}')

        assert response.status_int == 404
        assert code_of(response) == 'nova_cyborg.route_not_found'


@pytest.mark.parametrize(
    'path', [path for path in ROUTES if 'GET' in ROUTES[path]]
)
def test_head_is_get_without_a_body(call, path):
    got, response = call('GET', path), call('HEAD', path)

    assert response.status_int == got.status_int
    assert response.body == b''
    assert response.content_length == len(got.body)
    assert response.content_type == got.content_type


@every_route
def test_a_slash_at_the_end_does_not_matter(call, path):
    for method in ROUTES[path]:
        plain, response = call(method, path), call(method, f'{path}/')

        assert response.status_int == plain.status_int


@every_route
@pytest.mark.parametrize(
    ('version', 'status'),
    [
        ('compute 2.100', None),
        ('compute 2.100, accelerator 2.0', None),
        ('accelerator 2.999', 406),
        ('accelerator 9.0', 406),
        ('accelerator nonsense', 406),
    ],
)
def test_the_version(call, path, version, status):
    for method in ROUTES[path]:
        response = call(method, path, b'{}', OpenStack_API_Version=version)

        wanted = status or call(method, path, b'{}').status_int
        assert response.status_int == wanted
        if status:
            assert code_of(response) == 'nova_cyborg.not_acceptable'


@every_route
def test_only_json_is_answered(call, path):
    for method in ROUTES[path]:
        response = call(method, path, b'{}', Accept='text/html')

        assert response.status_int == 406
        assert code_of(response) == 'nova_cyborg.not_acceptable'


@every_route
def test_an_unknown_parameter_is_named(call, path):
    for method in ROUTES[path]:
        response = call(method, f'{path}?nonesuch=1', b'{}')

        assert response.status_int == 400
        detail = cyborg.error_of(response)['detail']
        assert detail == 'Invalid nonesuch: there is no such field.'


@every_route
@pytest.mark.parametrize('name', ['If_Unmodified_Since', 'If_None_Match'])
def test_a_condition_that_is_not_looked_at(call, path, name):
    for method in ROUTES[path]:
        if method == 'GET' and name == 'If_None_Match':
            continue
        response = call(method, path, b'{}', **{name: '"1"'})

        assert response.status_int == 400
        assert name.replace('_', '-') in cyborg.error_of(response)['detail']


@every_route
@pytest.mark.parametrize(
    'body',
    [
        '{}'.encode('utf-16'),
        '{}'.encode('utf-16-le'),
        '{}'.encode('utf-32'),
        b'\xef\xbb\xbf{}',
        b'{"name": "a", "name": "b"}',
        b'{"a": [{"b": {"name": 1, "name": 1}}]}',
    ],
)
def test_a_body_that_could_be_read_in_two_ways(call, path, body):
    # The path of a tag says all.
    without = ROUTES[path] if path.endswith('{tag}') else {'GET', 'DELETE'}
    for method in ROUTES[path] - without:
        response = call(method, path, body)

        assert response.status_int == 400
        assert code_of(response) == 'nova_cyborg.invalid_request'
        assert cyborg.error_of(response)['detail'].startswith('Invalid body:')


@every_route
def test_a_byte_that_is_no_text_in_a_query(cloud, path):
    for method in ROUTES[path]:
        response = cloud.api.request(
            path,
            method=method,
            headers=cyborg.headers(service=True),
            environ={'QUERY_STRING': 'name=\xff'},
            expect_errors=True,
        )

        assert response.status_int == 400
        assert cyborg.error_of(response)['detail'].startswith('Invalid query:')


class TestServer:
    """On a server that does what production's do with bodies."""

    @pytest.fixture
    def port(self, cloud):
        server = wsgi.Server(('127.0.0.1', 0), cloud.app, timeout=5)
        server.prepare()
        # It would wait for its own log.
        server.error_log = lambda *_args, **_kwargs: None
        thread = threading.Thread(target=server.serve)
        thread.start()
        yield server.bind_addr[1]
        server.stop()
        thread.join()

    @pytest.fixture
    def post(self, port):
        def _post(body, **options):
            connection = http.client.HTTPConnection('127.0.0.1', port, 10)
            connection.request(
                'POST',
                '/v2/device_contexts?nonesuch=1',
                body,
                cyborg.headers(),
                **options,
            )
            response = connection.getresponse()
            text = response.read().decode()
            connection.close()
            return response.status, text

        return _post

    def test_chunks(self, post):
        assert 'no such field' in post([GOOD[:5], GOOD[5:]])[1]

    def test_too_many_chunks(self, post):
        status, text = post([b' ' * 1024] * 1025)

        assert status == 400
        assert 'request_too_large' in text

    def test_a_client_that_sends_less_and_goes(self, cloud, port, caplog):
        with caplog.at_level(logging.INFO):
            connection = socket.create_connection(('127.0.0.1', port))
            lines = [
                'POST /v2/device_contexts HTTP/1.1',
                'Host: cyborg',
                'Content-Length: 99',
                *(f'{k}: {v}' for k, v in cyborg.headers().items()),
            ]
            connection.sendall('\r\n'.join([*lines, '', '{"na']).encode())
            connection.shutdown(socket.SHUT_WR)
            # The server closes it.
            answer = connection.makefile().read()
            connection.close()

        assert answer.startswith('HTTP/1.1 400 ')
        assert 'nova_cyborg.body_incomplete' in answer
        assert {record.levelname for record in caplog.records} == {'INFO'}
        assert cloud.count(tables.DeviceContext) == 0


def test_what_is_cyborgs_is_left_as_it_is(cloud):
    stock = webtest.TestApp(cloud.app)
    response = stock.get(
        '/v2/devices.json', headers=cyborg.headers(), expect_errors=True
    )

    assert 'Cache-Control' not in response.headers

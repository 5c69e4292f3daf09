# SPDX-License-Identifier: Apache-2.0

"""The outermost part of the application, with a plain one inside it."""

import json
import logging

import pytest
import webtest
from webob import exc

from nova_cyborg import exception
from nova_cyborg.api import faults, requests

OURS = [
    '/v2/device_contexts',
    '/v2/device_contexts/',
    '/v2/device_contexts/6f7a2f6e-34c5-4f5d-8ad7-c9fd1d93e0a1',
    '/v2/device_allocations/3b3f5c3a-7a52-4f51-9d2a-5d6b8d0c1e11',
    '/device_allocations/3b3f5c3a-7a52-4f51-9d2a-5d6b8d0c1e11',
    '/device_contexts',
    '/v2/device_taints',
    '/v2/reconciler',
]
STOCK = ['/', '/v2', '/v2/devices', '/v2/accelerator_requests', '/v2/x']


class Inside:
    """What the middleware is put around: answers, refuses or breaks."""

    def __init__(self):
        self.bodies = []
        self.methods = []
        self.closed = 0
        self.error = None
        self.status = '200 OK'

    def __call__(self, environ, start_response):
        self.bodies.append(environ['wsgi.input'].read())
        self.methods.append(environ['REQUEST_METHOD'])
        if self.error:
            raise self.error
        content = b'"inside"'
        start_response(
            self.status,
            [
                ('Content-Type', 'application/json'),
                ('Content-Length', str(len(content))),
            ],
        )
        return Closing([content], self)


class Closing(list):
    """An answer that notes that it was closed."""

    def __init__(self, parts, inside):
        super().__init__(parts)
        self._inside = inside

    def close(self):
        self._inside.closed += 1


@pytest.fixture
def inside():
    return Inside()


@pytest.fixture
def client(inside):
    return webtest.TestApp(
        faults.FaultMiddleware(inside),
        extra_environ={'openstack.request_id': 'req-1'},
    )


def error_of(response):
    (error,) = response.json['errors']
    return error


class TestBody:
    def test_it_is_what_the_guideline_says(self):
        error = exception.DeviceContextNotFound(id='ctx1')

        assert faults.body(error, {'openstack.request_id': 'req-1'}) == {
            'errors': [
                {
                    'status': 404,
                    'code': 'nova_cyborg.device_context.not_found',
                    'title': 'Not Found',
                    'detail': str(error),
                    'request_id': 'req-1',
                }
            ]
        }

    def test_without_the_middleware_there_is_no_request_id(self):
        body = faults.body(exception.ServiceTokenRequired(), {})

        assert body['errors'][0]['request_id'] is None

    @pytest.mark.parametrize('cls', list(exception.all_errors()))
    def test_each_status_has_a_title(self, cls):
        body = faults.body(cls.from_detail('A sentence.'), {})

        assert body['errors'][0]['title']
        assert json.dumps(body)


class TestOurPaths:
    @pytest.mark.parametrize('path', OURS)
    def test_what_is_inside_answers(self, client, path):
        assert client.get(path).json == 'inside'

    @pytest.mark.parametrize('path', OURS)
    def test_an_error_answer_passes_as_it_is(self, client, inside, path):
        inside.status = '409 Conflict'

        assert client.get(path, status=409).json == 'inside'

    @pytest.mark.parametrize('path', OURS)
    def test_an_error_becomes_a_body(self, client, inside, path):
        inside.error = exception.AllocationNotFound(server_id='vm1')

        response = client.get(path, status=404)

        assert response.content_type == 'application/json'
        assert error_of(response) == {
            'status': 404,
            'code': 'nova_cyborg.device_allocation.not_found',
            'title': 'Not Found',
            'detail': 'Server vm1 holds no device contexts.',
            'request_id': 'req-1',
        }

    @pytest.mark.parametrize('path', OURS)
    def test_the_unexpected_says_nothing_of_its_cause(
        self, client, inside, path, caplog
    ):
        inside.error = KeyError('password=secret')

        with caplog.at_level(logging.ERROR):
            response = client.get(path, status=500)

        assert error_of(response)['code'] == 'nova_cyborg.internal_error'
        assert error_of(response)['request_id'] == 'req-1'
        assert 'secret' not in response.text
        assert 'KeyError' not in response.text
        assert 'password=secret' in caplog.text


class TestAnswers:
    """What is the same of all answers."""

    @pytest.mark.parametrize('path', OURS)
    @pytest.mark.parametrize('error', [None, exception.Forbidden(action='x')])
    def test_nobody_keeps_them(self, client, inside, path, error):
        inside.error = error

        response = client.get(path, expect_errors=True)

        assert response.headers['Cache-Control'] == 'no-store'

    @pytest.mark.parametrize('path', OURS)
    def test_head_is_get_without_the_body(self, client, inside, path):
        got = client.get(path)

        response = client.head(path)

        assert inside.methods == ['GET', 'GET']
        assert response.body == b''
        assert dict(response.headers) == dict(got.headers)

    def test_an_error_of_head_has_no_body(self, client, inside):
        inside.error = exception.AllocationNotFound(server_id='vm1')

        response = client.head(OURS[3], status=404)

        assert response.body == b''
        assert response.content_length > 0

    def test_what_is_around_sees_its_own_method(self, inside):
        environ = webtest.TestRequest.blank(OURS[0], method='HEAD').environ

        list(faults.FaultMiddleware(inside)(environ, lambda *_args: None))

        assert environ['REQUEST_METHOD'] == 'HEAD'

    def test_what_is_inside_is_closed(self, client, inside):
        client.get(OURS[0])

        assert inside.closed == 1


class TestRefusalsOfPecan:
    """What pecan answers by itself is said in our words."""

    @pytest.fixture
    def refuse(self, inside):
        def _refuse(error):
            def answer(environ, start_response):
                environ['pecan.original_exception'] = error
                return error(environ, start_response)

            return webtest.TestApp(faults.FaultMiddleware(answer))

        return _refuse

    def test_a_version_that_there_is_not(self, refuse):
        client = refuse(exc.HTTPNotAcceptable('The range is [2.0, 2.0].'))

        error = error_of(client.get(OURS[0], status=406))

        assert error['code'] == 'nova_cyborg.not_acceptable'
        assert 'The range is [2.0, 2.0].' in error['detail']

    @pytest.mark.parametrize('kind', [exc.HTTPNotFound, exc.HTTPBadRequest])
    def test_what_it_does_not_find(self, refuse, kind):
        error = error_of(refuse(kind()).get(OURS[0], status=404))

        assert error['code'] == 'nova_cyborg.route_not_found'


class TestStockPaths:
    @pytest.mark.parametrize('path', STOCK)
    def test_what_is_inside_answers(self, client, path):
        assert client.get(path).json == 'inside'

    @pytest.mark.parametrize('path', STOCK)
    def test_cyborgs_own_middleware_makes_the_error_body(
        self, client, inside, path
    ):
        inside.status = '404 Not Found'

        response = client.get(path, status=404)

        assert response.json == {'error_message': '"inside"'}

    def test_a_large_body_is_cyborgs_business(self, client, inside):
        content = b'x' * (requests.MAX_BODY_SIZE + 1)

        client.post('/v2/device_profiles', content)

        assert inside.bodies == [content]

    def test_an_exception_is_cyborgs_business(self, client, inside):
        inside.error = KeyError('stock')

        with pytest.raises(KeyError):
            client.get('/v2/devices')

# SPDX-License-Identifier: Apache-2.0

"""The outermost part of the application, with a plain one inside it."""

import json
import logging

import pytest
import webtest

from nova_cyborg import exception
from nova_cyborg.api import faults

OURS = [
    '/v2/device_contexts',
    '/v2/device_contexts/',
    '/v2/device_contexts/6f7a2f6e-34c5-4f5d-8ad7-c9fd1d93e0a1',
    '/v2/device_allocations/3b3f5c3a-7a52-4f51-9d2a-5d6b8d0c1e11/bind',
    '/device_allocations/3b3f5c3a-7a52-4f51-9d2a-5d6b8d0c1e11',
    '/device_contexts',
]
STOCK = ['/', '/v2', '/v2/devices', '/v2/accelerator_requests', '/v2/x']


class Inside:
    """What the middleware is put around: answers, refuses or breaks."""

    def __init__(self):
        self.bodies = []
        self.error = None
        self.status = '200 OK'

    def __call__(self, environ, start_response):
        self.bodies.append(environ['wsgi.input'].read())
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
        return [content]


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


class TestBodySize:
    @pytest.mark.parametrize('size', [0, 1, faults.MAX_BODY_SIZE])
    def test_what_is_small_is_read(self, client, inside, size):
        client.post(OURS[0], b'x' * size)

        assert inside.bodies == [b'x' * size]

    @pytest.mark.parametrize('path', OURS)
    def test_what_is_large_is_not_read(self, client, inside, path):
        response = client.post(
            path, b'x' * (faults.MAX_BODY_SIZE + 1), status=400
        )

        assert error_of(response)['code'] == 'nova_cyborg.request_too_large'
        assert '65536 bytes' in error_of(response)['detail']
        assert inside.bodies == []

    @pytest.mark.parametrize('length', ['-1', 'many', '1e3', '²', '9' * 99])
    def test_a_length_that_is_no_number_is_refused(self, inside, length):
        # Without the test client's own checks of what it sends.
        client = webtest.TestApp(faults.FaultMiddleware(inside), lint=False)
        environ = {'CONTENT_LENGTH': length}

        response = client.get(OURS[0], extra_environ=environ, status=400)

        assert error_of(response)['code'] == 'nova_cyborg.request_too_large'
        assert inside.bodies == []

    @pytest.mark.parametrize('encoding', ['chunked', 'gzip, chunked'])
    def test_a_body_of_unknown_length_is_refused(
        self, client, inside, encoding
    ):
        response = client.post(
            OURS[0],
            b'5\r\nhello\r\n0\r\n\r\n',
            headers={'Transfer-Encoding': encoding},
            status=400,
        )

        assert 'Transfer-Encoding' in error_of(response)['detail']
        assert inside.bodies == []


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
        content = b'x' * (faults.MAX_BODY_SIZE + 1)

        client.post('/v2/device_profiles', content)

        assert inside.bodies == [content]

    def test_an_exception_is_cyborgs_business(self, client, inside):
        inside.error = KeyError('stock')

        with pytest.raises(KeyError):
            client.get('/v2/devices')

# SPDX-License-Identifier: Apache-2.0

"""What is read of a request before pecan does, and what is refused."""

import io
import logging
import sys

import pytest
import webtest

from nova_cyborg import exception
from nova_cyborg.api import requests

PATH = '/v2/device_contexts'
LARGEST = requests.MAX_BODY_SIZE
LARGEST_OF_SEVERAL = requests.MAX_SIZE_OF_SEVERAL
# Several device contexts can be made there, and nowhere else.
SEVERAL_PATHS = (PATH, f'{PATH}/', '/device_contexts')
ONE = ('POST', '/v2/device_contexts/explain')
BOUNDS = (
    *((('POST', path), LARGEST_OF_SEVERAL) for path in SEVERAL_PATHS),
    (ONE, LARGEST),
    (('GET', PATH), LARGEST),
    (('POST', '/v2/device_taints'), LARGEST),
    (('PATCH', f'{PATH}/6f7a2f6e-34c5-4f5d-8ad7-c9fd1d93e0a1'), LARGEST),
)


class Broken(io.BytesIO):
    """A body of which the rest does not come."""

    def read(self, *args):
        found = super().read(*args)
        if not found:
            raise OSError('the client is gone')
        return found


class Pieces(io.BytesIO):
    """A body that comes a byte at a time."""

    def read(self, size=-1):
        return super().read(min(size, 1))


class UWSGI:
    """The module of uWSGI, as far as it gives chunks."""

    def __init__(self, *parts):
        self.left = [*parts, b'']

    def chunked_read(self):
        part = self.left.pop(0)
        if isinstance(part, Exception):
            raise part
        return part


@pytest.fixture
def uwsgi(monkeypatch):
    """Has this be a process of uWSGI's, with what a client sends."""

    def _uwsgi(*parts):
        module = UWSGI(*parts)
        monkeypatch.setitem(sys.modules, 'uwsgi', module)
        return module

    return _uwsgi


def environ_of(method='POST', content=b'', path=PATH, **variables):
    environ = webtest.TestRequest.blank(path, method=method).environ
    environ['wsgi.input'] = (
        io.BytesIO(content) if isinstance(content, bytes) else content
    )
    return environ | variables


def chunked(content, **variables):
    """Return a request whose body a server has put together."""
    variables.setdefault('wsgi.input_terminated', True)
    return environ_of(
        content=content, HTTP_TRANSFER_ENCODING='chunked', **variables
    )


def body_of(environ):
    requests.prepare(environ)
    body = environ['wsgi.input'].read()
    assert environ['CONTENT_LENGTH'] == str(len(body))
    return body


def refused(environ, kind=exception.InvalidRequest):
    with pytest.raises(kind) as info:
        requests.prepare(environ)
    return str(info.value)


class TestBody:
    @pytest.mark.parametrize(
        ('method', 'path', 'size'),
        [
            (*ONE, 0),
            (*ONE, 1),
            *((*request, size) for request, size in BOUNDS),
        ],
    )
    def test_what_is_small_is_read(self, method, path, size):
        content = b'x' * size
        environ = environ_of(method, content, path, CONTENT_LENGTH=str(size))

        assert body_of(environ) == content

    def test_no_more_is_read_than_was_said(self):
        environ = environ_of(content=b'{}GET / HTTP/1.1', CONTENT_LENGTH='2')

        assert body_of(environ) == b'{}'

    def test_it_may_come_in_pieces(self):
        environ = environ_of(content=Pieces(b'hello'), CONTENT_LENGTH='5')

        assert body_of(environ) == b'hello'

    @pytest.mark.parametrize('length', ['', None])
    def test_without_a_length_there_is_none(self, length):
        # A server may wait for what does not come.
        environ = environ_of(content=Broken(b''), CONTENT_LENGTH=length)

        assert body_of(environ) == b''

    @pytest.mark.parametrize(
        'length', [str(LARGEST + 1), '-1', 'many', '1e3', '²', '9' * 99]
    )
    def test_what_is_large_is_not_read(self, length):
        content = io.BytesIO(b'x' * (LARGEST + 1))
        environ = environ_of(ONE[0], content, ONE[1], CONTENT_LENGTH=length)

        sentence = refused(environ, exception.RequestTooLarge)

        assert '65536 bytes' in sentence
        assert content.tell() == 0

    @pytest.mark.parametrize('path', SEVERAL_PATHS)
    def test_what_is_large_for_several_is_not_read(self, path):
        length = str(LARGEST_OF_SEVERAL + 1)
        content = io.BytesIO(b'x' * (LARGEST_OF_SEVERAL + 1))
        environ = environ_of('POST', content, path, CONTENT_LENGTH=length)

        sentence = refused(environ, exception.RequestTooLarge)

        assert '1048576 bytes' in sentence
        assert content.tell() == 0

    @pytest.mark.parametrize('content', [b'', b'{"name'])
    @pytest.mark.parametrize('kind', [io.BytesIO, Broken])
    def test_less_than_was_said(self, caplog, content, kind):
        environ = environ_of(content=kind(content), CONTENT_LENGTH='99')

        with caplog.at_level(logging.DEBUG):
            sentence = refused(environ, exception.BodyIncomplete)

        assert str(len(content)) in sentence
        (record,) = caplog.records
        assert (record.levelname, record.exc_info) == ('INFO', None)
        assert record.getMessage() == sentence


class TestChunks:
    @pytest.mark.parametrize('size', [0, 1, LARGEST, LARGEST_OF_SEVERAL])
    def test_what_is_small_is_read(self, size):
        content = b'x' * size

        assert body_of(chunked(content)) == content

    def test_they_may_come_in_pieces(self):
        assert body_of(chunked(Pieces(b'hello'))) == b'hello'

    @pytest.mark.parametrize(('request_', 'largest'), BOUNDS)
    def test_no_more_is_read_than_may_be(self, request_, largest):
        content = io.BytesIO(b'x' * 10 * largest)
        method, path = request_
        environ = chunked(content) | {
            'REQUEST_METHOD': method,
            'PATH_INFO': path,
        }

        refused(environ, exception.RequestTooLarge)

        assert content.tell() == largest + 1

    def test_a_client_that_is_gone(self, caplog):
        with caplog.at_level(logging.DEBUG):
            sentence = refused(
                chunked(Broken(b'{"na')), exception.BodyIncomplete
            )

        assert 'OSError after 4' in sentence
        assert [record.levelname for record in caplog.records] == ['INFO']

    def test_eventlets_server(self):
        content = io.BufferedReader(io.BytesIO(b'{}'))
        content.chunked_input = True
        environ = chunked(content, **{'wsgi.input_terminated': False})

        assert body_of(environ) == b'{}'

    @pytest.mark.parametrize(
        'parts',
        [
            [],
            [b'{}'],
            [b'{"na', b'me":', b' 1}'],
            [b'x' * 40_000] * 26,
            [b'x' * LARGEST_OF_SEVERAL],
        ],
    )
    def test_uwsgi(self, uwsgi, parts):
        server = uwsgi(*parts)
        environ = chunked(Broken(b''), **{'wsgi.input_terminated': False})

        assert body_of(environ) == b''.join(parts)
        assert server.left == []

    def test_no_more_of_uwsgi_is_read_than_may_be(self, uwsgi):
        server = uwsgi(*[b'x' * 1000] * 2000)
        environ = chunked(Broken(b''), **{'wsgi.input_terminated': False})

        refused(environ, exception.RequestTooLarge)

        assert len(server.left) > 900

    def test_a_client_of_uwsgi_that_is_gone(self, uwsgi):
        uwsgi(b'{"na', OSError('unable to receive chunked part'))
        environ = chunked(Broken(b''), **{'wsgi.input_terminated': False})

        sentence = refused(environ, exception.BodyIncomplete)

        assert 'OSError after 4' in sentence

    def test_uwsgi_and_a_length(self, uwsgi):
        uwsgi(AssertionError('nothing comes in chunks'))
        environ = environ_of(content=b'{}', CONTENT_LENGTH='2')

        assert body_of(environ) == b'{}'

    def test_a_server_that_does_not_put_them_together(self):
        environ = chunked(b'2\r\n{}', **{'wsgi.input_terminated': False})

        assert refused(environ).startswith('Invalid Transfer-Encoding:')

    @pytest.mark.parametrize('encoding', ['gzip, chunked', 'gzip', 'x'])
    def test_other_encodings(self, encoding):
        environ = chunked(b'{}') | {'HTTP_TRANSFER_ENCODING': encoding}

        assert refused(environ).startswith('Invalid Transfer-Encoding:')


class TestText:
    @pytest.mark.parametrize(
        ('query', 'field'),
        [
            ('name=%ff', 'query'),
            ('name=\xff', 'query'),
            ('na\x80me=x', 'query'),
            ('name=a%e4b', 'query'),
            ('_method=delete', '_method'),
            ('a=1;_method=delete', '_method'),
            ('%5fmethod', '_method'),
        ],
    )
    def test_a_query_that_is_refused(self, query, field):
        environ = environ_of('GET', QUERY_STRING=query)

        assert refused(environ).startswith(f'Invalid {field}:')

    @pytest.mark.parametrize(
        'query', ['name=%C3%A4', 'name=ä'.encode().decode('latin-1'), '%']
    )
    def test_a_query_that_is_text(self, query):
        requests.prepare(environ_of('GET', QUERY_STRING=query))

    def test_a_path_that_is_none(self):
        environ = environ_of('GET', PATH_INFO=f'{PATH}/\xff')

        assert refused(environ).startswith('Invalid path:')


class TestVersion:
    @pytest.mark.parametrize(
        ('given', 'found'),
        [
            ('compute 2.100', None),
            ('compute latest', None),
            ('compute 2.100, placement 1.39', None),
            ('compute', None),
            ('nonsense of another service', None),
            ('', None),
            (',', None),
            ('accelerator 2.0', 'accelerator 2.0'),
            ('Accelerator Latest', 'accelerator Latest'),
            ('compute 2.100, accelerator 2.0', 'accelerator 2.0'),
            ('accelerator 2.0, compute 2.100', 'accelerator 2.0'),
            ('2.0', '2.0'),
        ],
    )
    def test_that_of_another_service_does_not_matter(self, given, found):
        environ = environ_of('GET', HTTP_OPENSTACK_API_VERSION=given)

        requests.prepare(environ)

        assert environ.get('HTTP_OPENSTACK_API_VERSION') == found

    @pytest.mark.parametrize(
        'given',
        [
            'accelerator',
            'accelerator x',
            'accelerator 2.0 2.1',
            'compute 2.100, accelerator 2',
            'accelerator ².0',
        ],
    )
    def test_one_that_is_none(self, given):
        environ = environ_of('GET', HTTP_OPENSTACK_API_VERSION=given)

        sentence = refused(environ, exception.NotAcceptable)

        assert 'OpenStack-API-Version' in sentence


class TestAccept:
    @pytest.mark.parametrize(
        'given',
        [
            '*/*',
            'application/json',
            'text/html, */*;q=0.1',
            'application/*',
            '',
            'nonsense',
        ],
    )
    def test_json_is_wanted(self, given):
        requests.prepare(environ_of('GET', HTTP_ACCEPT=given))

    @pytest.mark.parametrize('given', ['text/html', 'application/json;q=0'])
    def test_it_is_not(self, given):
        environ = environ_of('GET', HTTP_ACCEPT=given)

        sentence = refused(environ, exception.NotAcceptable)

        assert 'application/json' in sentence

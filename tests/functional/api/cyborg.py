# SPDX-License-Identifier: Apache-2.0

"""The fixture's Cyborg for tests of its API, and those who call it."""

from nova_cyborg.fixture import cyborg as fixture  # isort: skip - first

import collections.abc
import concurrent.futures
import contextlib
import functools
import threading
import time
import typing as ty
import urllib.parse
import uuid

import sqlalchemy as sa
import webtest
from cyborg.api import app as stock_app
from cyborg.db.sqlalchemy import models
from oslo_middleware import request_id

from tests.functional import databases, documented

PROJECT = uuid.uuid4().hex
#: Who builds servers, unless a test says otherwise.
CALLER = 'ca11ca11-0000-4000-8000-000000000000'
#: UUID of nothing.
UNKNOWN = '0000d0d0-0000-4000-8000-000000000000'
OTHER_PROJECT = uuid.uuid4().hex

#: Seconds after which something that is awaited will not happen any more.
PATIENCE = 20


def wait_for(condition: collections.abc.Callable[[], ty.Any]) -> ty.Any:
    """Wait until something is true; return what it then is."""
    deadline = time.monotonic() + PATIENCE
    while not (found := condition()):
        assert time.monotonic() < deadline, 'it did not come true in time'
        time.sleep(0.01)
    return found


class CyborgFixture(fixture.CyborgFixture):
    """A Cyborg of its own for a test.

    :ivar api: the API as :class:`webtest.TestApp`.
    """

    def __init__(self, **options: ty.Any) -> None:
        super().__init__(database_url=databases.emptied(), **options)

    def _setUp(self) -> None:  # noqa: N802 - the name is fixtures'
        super()._setUp()
        self.api = webtest.TestApp(self.app)

    def stock_api(self) -> webtest.TestApp:
        """Return the API of stock Cyborg on the same database."""
        return client(stock_app.app_factory({}))

    def add_device(
        self,
        slots: int = 2,
        attach_type: str = 'PCI',
        host: str = 'compute1',
        **fields: ty.Any,
    ) -> str:
        """Store a device; returns the UUID of its resource provider."""
        # No two devices have the same slot.
        self._devices = getattr(self, '_devices', 0x0B) + 1
        found = [
            str(uuid.uuid4())
            if attach_type == 'MDEV'
            else f'0000:{self._devices:02x}:00.{function}'
            for function in range(slots)
        ]
        return super().add_device(found, attach_type, host, **fields)

    def count(self, table: ty.Any, *conditions: ty.Any) -> int:
        """Count rows."""
        return self.database.count(table, *conditions)

    def used_slots(self) -> int:
        """Count slots that are given to ARQs."""
        return self.count(
            models.AttachHandle, models.AttachHandle.in_use.is_(True)
        )

    @contextlib.contextmanager
    def statements(
        self, of_all: bool = True
    ) -> collections.abc.Iterator[list[str]]:
        """Write down the SQL statements that are sent meanwhile.

        :param of_all: also those of threads, such as a binding's.
        """
        sent: list[str] = []
        mine = threading.get_ident()

        def note(
            _connection: ty.Any,
            _cursor: ty.Any,
            statement: str,
            *_more: ty.Any,
        ) -> None:
            if of_all or threading.get_ident() == mine:
                sent.append(statement)

        sa.event.listen(self.engine, 'before_cursor_execute', note)
        try:
            yield sent
        finally:
            sa.event.remove(self.engine, 'before_cursor_execute', note)

    @contextlib.contextmanager
    def transactions(self) -> collections.abc.Iterator[list[str]]:
        """Write down how transactions that write end meanwhile."""
        ended: list[str] = []
        written: set[ty.Any] = set()

        def note_write(
            connection: ty.Any, _cursor: ty.Any, statement: str, *_more: ty.Any
        ) -> None:
            if not statement.startswith('SELECT'):
                written.add(connection)

        def note_end(word: str, connection: ty.Any) -> None:
            if connection in written:
                written.discard(connection)
                ended.append(word)

        listeners = {
            'before_cursor_execute': note_write,
            'commit': functools.partial(note_end, 'COMMIT'),
            'rollback': functools.partial(note_end, 'ROLLBACK'),
        }
        for name, listener in listeners.items():
            sa.event.listen(self.engine, name, listener)
        try:
            yield ended
        finally:
            for name, listener in listeners.items():
                sa.event.remove(self.engine, name, listener)

    @contextlib.contextmanager
    def before(
        self, beginning: str, work: collections.abc.Callable[[], object]
    ) -> collections.abc.Iterator[None]:
        """Do something once, before an SQL statement that begins so.

        Another process could do it then; here it is another thread.
        """
        left = [work]

        def intrude(
            _connection: ty.Any,
            _cursor: ty.Any,
            statement: str,
            *_more: ty.Any,
        ) -> None:
            if statement.startswith(beginning) and left:
                executor.submit(left.pop()).result(PATIENCE)

        executor = concurrent.futures.ThreadPoolExecutor(1)
        sa.event.listen(self.engine, 'before_cursor_execute', intrude)
        try:
            yield
        finally:
            sa.event.remove(self.engine, 'before_cursor_execute', intrude)
        assert not left


def client(application: ty.Any) -> webtest.TestApp:
    """Return a client of an application, behind what is before it."""
    return webtest.TestApp(request_id.RequestId(application))


def headers(
    project: str = PROJECT,
    roles: collections.abc.Sequence[str] = ('member', 'reader'),
    service: bool = False,
) -> dict[str, str]:
    """Return what Keystone's middleware says of a request."""
    found = {
        'X-User-Id': f'user-of-{project}',
        'X-Roles': ','.join(roles),
        'X-Auth-Token': 'secret',
    }
    if project:
        found['X-Project-Id'] = project
    if service:
        found['X-Service-Roles'] = 'service'
    return found


def _tags_path(uuid: str, tag: str = '') -> str:
    path = f'/v2/device_contexts/{uuid}/tags'
    return f'{path}/{urllib.parse.quote(tag, safe="")}' if tag else path


class Caller:
    """Somebody who calls the API: intents, each with its HTTP request.

    Each returns the response; an error is asked for with ``status``.

    :param api: the API.
    :param project: the project of the token; empty if it has none.
    :param roles: the roles of the token.
    :param service: whether Nova calls for them, with its service token.
    """

    def __init__(
        self,
        api: webtest.TestApp,
        project: str = PROJECT,
        roles: collections.abc.Sequence[str] = ('member', 'reader'),
        service: bool = False,
    ) -> None:
        self._api = api
        self._identity = (project, roles, service)
        self._headers = headers(*self._identity)

    def of(self, api: webtest.TestApp) -> 'Caller':
        """Return the same one as a caller of another API."""
        return Caller(api, *self._identity)

    def call(
        self,
        method: str,
        path: str,
        body: ty.Any = None,
        status: int | None = None,
        **options: ty.Any,
    ) -> webtest.TestResponse:
        request = getattr(self._api, method)
        arguments = (path,) if body is None else (path, body)
        sent = self._headers | options.pop('headers', {})
        response = request(*arguments, headers=sent, status=status, **options)
        documented.check(
            documented.Request(
                method.removesuffix('_json').upper(), path, sent, body
            ),
            documented.Answer(
                response.status_int, response.headers, response.body
            ),
        )
        return response

    def get(self, path: str, **options: ty.Any) -> webtest.TestResponse:
        return self.call('get', path, **options)

    def post(
        self, path: str, body: ty.Any, **options: ty.Any
    ) -> webtest.TestResponse:
        return self.call('post_json', path, body, **options)

    def delete_path(
        self, path: str, **options: ty.Any
    ) -> webtest.TestResponse:
        return self.call('delete', path, **options)

    # Device contexts

    def create(
        self, status: int | None = None, **body: ty.Any
    ) -> webtest.TestResponse:
        return self.call(
            'post_json', '/v2/device_contexts', body, status=status
        )

    def create_one(self, **body: ty.Any) -> str:
        """Create a plain device context; returns its UUID."""
        request = {'resources': {'FPGA_GZIP': 1}} | body
        return self.create(**request).json['uuid']

    def list(
        self, query: str = '', status: int | None = None
    ) -> webtest.TestResponse:
        return self.call('get', f'/v2/device_contexts{query}', status=status)

    def show(
        self, uuid: str, status: int | None = None
    ) -> webtest.TestResponse:
        return self.call('get', f'/v2/device_contexts/{uuid}', status=status)

    def show_but_tags(self, uuid: str) -> dict[str, ty.Any]:
        """Show a device context as Nova is told of it."""
        shown: dict[str, ty.Any] = self.show(uuid).json
        del shown['tags']
        return shown

    def update(
        self, uuid: str, status: int | None = None, **body: ty.Any
    ) -> webtest.TestResponse:
        return self.call(
            'patch_json', f'/v2/device_contexts/{uuid}', body, status=status
        )

    def delete(
        self, uuid: str, status: int | None = None
    ) -> webtest.TestResponse:
        return self.call(
            'delete', f'/v2/device_contexts/{uuid}', status=status
        )

    def explain(
        self, uuid: str | None = None, status: ty.Any = 200, **body: ty.Any
    ) -> webtest.TestResponse:
        """Have it explained why no host has what is asked for."""
        path = '/v2/device_contexts' + (f'/{uuid}' if uuid else '')
        return self.post(f'{path}/explain', body, status=status)

    def tags(
        self, uuid: str, tag: str = '', status: int | None = None
    ) -> webtest.TestResponse:
        """List the tags of a device context, or look for one."""
        return self.get(_tags_path(uuid, tag), status=status)

    def set_tags(
        self, uuid: str, *tags: str, status: int | None = None
    ) -> webtest.TestResponse:
        """Give a device context other tags."""
        body = {'tags': list(tags)}
        return self.call('put_json', _tags_path(uuid), body, status=status)

    def add_tag(
        self, uuid: str, tag: str, status: int | None = None
    ) -> webtest.TestResponse:
        return self.call('put', _tags_path(uuid, tag), status=status)

    def remove_tag(
        self, uuid: str, tag: str = '', status: int | None = None
    ) -> webtest.TestResponse:
        """Take a tag from a device context, or all."""
        return self.delete_path(_tags_path(uuid, tag), status=status)

    def status_of(self, uuid: str) -> str:
        return self.show(uuid).json['status']

    # Device allocations

    def allocation(
        self, server_id: str, status: int | None = None
    ) -> webtest.TestResponse:
        return self.call(
            'get', f'/v2/device_allocations/{server_id}', status=status
        )

    def of_migration(
        self,
        server_id: str,
        action: str,
        migration_id: str,
        status: int | None = None,
    ) -> webtest.TestResponse:
        """Say something of a migration of a server."""
        return self.call(
            'post_json',
            f'/v2/device_allocations/{server_id}/{action}',
            {'migration': migration_id},
            status=status,
        )

    def check(
        self, *uuids: str, status: int | None = None, **more: ty.Any
    ) -> webtest.TestResponse:
        return self.call(
            'post_json',
            '/v2/device_allocations/check',
            {'device_contexts': list(uuids), **more},
            status=status,
        )

    def overdue(
        self,
        process: str = CALLER,
        seconds: int = 1,
        marker: int = 0,
        status: int | None = None,
        **more: ty.Any,
    ) -> webtest.TestResponse:
        return self.call(
            'post_json',
            '/v2/device_allocations/overdue',
            {
                'process': process,
                'host': 'conductor1',
                'seconds': seconds,
                'marker': marker,
                **more,
            },
            status=status,
        )

    def reserve(
        self,
        server_id: str,
        *uuids: str,
        caller: str = CALLER,
        status: int | None = None,
        **more: ty.Any,
    ) -> webtest.TestResponse:
        return self.call(
            'put_json',
            f'/v2/device_allocations/{server_id}',
            {'device_contexts': list(uuids), 'caller': caller, **more},
            status=status,
        )

    def begin(
        self,
        server_id: str,
        operation: str = 'req-move',
        caller: str | None = None,
        status: int | None = None,
        **more: ty.Any,
    ) -> webtest.TestResponse:
        caller = caller or str(uuid.uuid4())
        return self.call(
            'post_json',
            f'/v2/device_allocations/{server_id}/begin',
            {'operation': operation, 'caller': caller, **more},
            status=status,
        )

    def generation(self, server_id: str) -> int:
        """Return that of a server's allocation; 0 if it has none."""
        found = self.allocation(server_id, status='*')
        return found.json.get('generation', 0)

    def bind(
        self,
        server_id: str,
        providers: dict[str, str],
        host: str = 'compute1',
        status: int | None = None,
        **more: ty.Any,
    ) -> webtest.TestResponse:
        """Bind, for the generation that the allocation has by default."""
        if 'generation' not in more:
            more['generation'] = self.generation(server_id)
        return self.call(
            'post_json',
            f'/v2/device_allocations/{server_id}/bind',
            {'hostname': host, 'resource_providers': providers, **more},
            status=status,
        )

    def unbind(
        self,
        server_id: str,
        generation: int | None = None,
        status: int | None = None,
    ) -> webtest.TestResponse:
        """Unbind, for the generation that the allocation has by default."""
        if generation is None:
            generation = self.generation(server_id)
        return self.call(
            'post_json',
            f'/v2/device_allocations/{server_id}/unbind',
            {'generation': generation},
            status=status,
        )

    def release(
        self, server_id: str, query: str = '', status: int | None = None
    ) -> webtest.TestResponse:
        return self.call(
            'delete',
            f'/v2/device_allocations/{server_id}{query}',
            status=status,
        )

    # Device contexts of servers that exist

    def attach(
        self,
        server_id: str,
        uuid_: str,
        caller: str = CALLER,
        status: int | None = None,
        **more: ty.Any,
    ) -> webtest.TestResponse:
        """Begin to attach, for a server of the project by default."""
        project = more.pop('project_id', PROJECT)
        return self._of_one(
            server_id,
            'attach',
            uuid_,
            caller,
            status,
            project_id=project,
            **more,
        )

    def bind_attached(
        self,
        server_id: str,
        uuid_: str,
        providers: dict[str, str],
        caller: str = CALLER,
        host: str = 'compute1',
        status: int | None = None,
    ) -> webtest.TestResponse:
        return self._of_one(
            server_id,
            'bind',
            uuid_,
            caller,
            status,
            hostname=host,
            resource_providers=providers,
        )

    def attached(
        self,
        server_id: str,
        uuid_: str,
        caller: str | None = CALLER,
        status: int | None = None,
        **more: ty.Any,
    ) -> webtest.TestResponse:
        return self._of_one(
            server_id, 'attached', uuid_, caller, status, **more
        )

    def detach(
        self,
        server_id: str,
        uuid_: str,
        caller: str = CALLER,
        status: int | None = None,
    ) -> webtest.TestResponse:
        return self._of_one(server_id, 'detach', uuid_, caller, status)

    def unplug(
        self,
        server_id: str,
        uuid_: str,
        providers: collections.abc.Iterable[str] = (),
        caller: str = CALLER,
        status: int | None = None,
    ) -> webtest.TestResponse:
        return self._of_one(
            server_id,
            'unplug',
            uuid_,
            caller,
            status,
            resource_providers=list(providers),
        )

    def detached(
        self,
        server_id: str,
        uuid_: str,
        caller: str = CALLER,
        status: int | None = None,
        **more: ty.Any,
    ) -> webtest.TestResponse:
        return self._of_one(
            server_id, 'detached', uuid_, caller, status, **more
        )

    def _of_one(
        self,
        server_id: str,
        action: str,
        uuid_: str,
        caller: str | None,
        status: int | None,
        **more: ty.Any,
    ) -> webtest.TestResponse:
        body = {'device_context': uuid_, **more}
        if caller is not None:
            body['caller'] = caller
        return self.call(
            'post_json',
            f'/v2/device_allocations/{server_id}/{action}',
            body,
            status=status,
        )

    # What stock Nova calls

    def arqs(
        self, query: str, status: int | None = None
    ) -> webtest.TestResponse:
        return self.call(
            'get', f'/v2/accelerator_requests?{query}', status=status
        )

    def delete_arqs(
        self, query: str, status: int | None = None
    ) -> webtest.TestResponse:
        return self.call(
            'delete', f'/v2/accelerator_requests?{query}', status=status
        )


def error_of(response: webtest.TestResponse) -> dict[str, ty.Any]:
    """Return the one error of an error body of ours."""
    (error,) = response.json['errors']
    assert error['status'] == response.status_int
    assert error['request_id'].startswith('req-')
    return error

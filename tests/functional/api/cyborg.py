# SPDX-License-Identifier: Apache-2.0

"""Real Cyborg in this process: its API application, conductor, database.

The edges are stand-ins: Keystone's middleware (its headers are given here),
Nova's API, and the message bus, which is oslo.messaging's in-memory one.
"""

import collections.abc
import concurrent.futures
import contextlib
import json
import threading
import time
import typing as ty
import urllib.parse
import uuid

import fixtures
import oslo_messaging
import sqlalchemy as sa
import webtest
from cyborg import context as cyborg_context
from cyborg import objects
from cyborg.api import app as stock_app
from cyborg.common import authorize_wsgi, rpc
from cyborg.conductor import manager
from cyborg.conf import CONF
from cyborg.db.sqlalchemy import api as cyborg_db
from cyborg.db.sqlalchemy import models
from cyborg.objects import base as objects_base
from oslo_config import fixture as config_fixture
from oslo_db.sqlalchemy import enginefacade, test_fixtures
from oslo_log import log
from oslo_messaging import conffixture
from oslo_middleware import request_id
from oslo_policy import opts as policy_opts

from nova_cyborg.api import app
from nova_cyborg.db.migrations import migration
from nova_cyborg.lifecycle import nova

PROJECT = uuid.uuid4().hex
#: Who builds servers, unless a test says otherwise.
CALLER = 'ca11ca11-0000-4000-8000-000000000000'
#: The field of Nova's servers that says which node one is on.
NODE = 'OS-EXT-SRV-ATTR:hypervisor_hostname'
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


class Response:
    """As much of a keystoneauth response as Cyborg's Nova client reads."""

    def __init__(self, status_code: int, body: ty.Any) -> None:
        self.status_code = status_code
        self.text = json.dumps(body)
        self._body = body

    def json(self) -> ty.Any:
        return self._body


class NovaStandIn:
    """Nova's API as Cyborg sees it: servers, and events about ARQs.

    :ivar servers: what it shows, by UUID.
    :ivar events: the events it got.
    :ivar status_code: what it answers with if it is not 200.
    :ivar refuse_events: how many events are refused before one is taken.
    """

    def __init__(self) -> None:
        self.servers: dict[str, dict[str, ty.Any]] = {}
        self.migrations: dict[str, list[dict[str, str]]] = {}
        self.events: list[dict[str, str]] = []
        self.status_code = 200
        self.refuse_events = 0
        # How many servers are listed at once.
        self.page_size = 1000
        # Whether Cyborg's user at Nova sees the servers of all projects, and
        # may list them, which Nova has a policy of its own for.
        self.administrator = True
        self.may_list = False
        # Servers that are in a cell's database, and Nova does not know in
        # which.
        self.nowhere: set[str] = set()
        # Whether lists lack what is in one of the cells.
        self.cell_is_down = False
        # How many requests there were.
        self.requests = 0

    def get(self, url: str, timeout: float | None = None) -> Response:
        self.requests += 1
        if self.status_code != 200:
            return Response(self.status_code, {})
        path, _mark, query = url.partition('?')
        if path == '/servers/detail':
            return self._list(urllib.parse.parse_qs(query))
        if path == '/os-migrations':
            return self._list_migrations(urllib.parse.parse_qs(query))
        if path == '/os-services':
            status = 'UNKNOWN' if self.cell_is_down else 'enabled'
            return Response(200, {'services': [{'status': status}]})
        server = self.servers.get(path.rpartition('/')[2])
        lost = path.rpartition('/')[2] in self.nowhere
        if server is None or not self.administrator or lost:
            return Response(404, {})
        return Response(200, {'server': server})

    def _list_migrations(self, query: dict[str, list[str]]) -> Response:
        found = [
            migration
            for server_id, migrations in self.migrations.items()
            if server_id in query.get('instance_uuid', self.migrations)
            for migration in migrations
        ]
        return self._page('migrations', 'uuid', found, query)

    def _list(self, query: dict[str, list[str]]) -> Response:
        assert query['all_tenants'] == ['true']
        if not self.administrator and not self.may_list:
            return Response(403, {})
        wanted = query.get('uuid', self.servers)
        found = [self.servers[u] for u in wanted if u in self.servers]
        if 'status' in query:
            found = [s for s in found if s['status'] in query['status']]
        return self._page('servers', 'id', found, query)

    def _page(
        self,
        name: str,
        key: str,
        found: list[dict[str, ty.Any]],
        query: dict[str, list[str]],
    ) -> Response:
        if 'marker' in query:
            ids = [each[key] for each in found]
            found = found[ids.index(query['marker'][0]) + 1 :]
        body: dict[str, ty.Any] = {name: found[: self.page_size]}
        if len(found) > self.page_size:
            body[f'{name}_links'] = [{'rel': 'next', 'href': '...'}]
        return Response(200, body)

    def post(self, url: str, json: dict[str, ty.Any]) -> Response:
        assert url == '/os-server-external-events'
        if self.status_code != 200:
            return Response(self.status_code, {})
        if self.refuse_events:
            self.refuse_events -= 1
            return Response(500, {})
        self.events.extend(json['events'])
        return Response(200, json)

    def boot(
        self, status: str = 'BUILD', task_state: str | None = 'spawning'
    ) -> str:
        """Make a server; returns its UUID."""
        server_id = str(uuid.uuid4())
        self.change(server_id, status, task_state)
        return server_id

    def change(
        self, server_id: str, status: str, task_state: str | None = None
    ) -> None:
        """Bring a server into a state."""
        self.servers[server_id] = {
            'id': server_id,
            'status': status,
            'OS-EXT-STS:task_state': task_state,
        }

    def lose(self, server_id: str) -> None:
        """Forget in which cell a server is that is on no host yet."""
        self.nowhere.add(server_id)
        self.servers[server_id] |= {
            'OS-EXT-SRV-ATTR:host': None,
            'OS-SRV-USG:launched_at': None,
        }

    def delete(self, server_id: str) -> None:
        """Forget a server."""
        del self.servers[server_id]

    def outcomes(self, server_id: str) -> dict[str, str]:
        """Return what was said of a server's ARQs, by UUID."""
        return {
            event['tag']: event['status']
            for event in list(self.events)
            if event['server_uuid'] == server_id
            and event['name'] == 'accelerator-request-bound'
        }


class _Executor(concurrent.futures.ThreadPoolExecutor):
    """Threads, and what they have been given to do."""

    def __init__(self, threads: int) -> None:
        super().__init__(threads)
        self.given: list[concurrent.futures.Future[ty.Any]] = []

    def submit(
        self, *args: ty.Any, **kwargs: ty.Any
    ) -> concurrent.futures.Future[ty.Any]:
        future = super().submit(*args, **kwargs)
        self.given.append(future)
        return future


class CyborgFixture(fixtures.Fixture):
    """A Cyborg of its own for a test.

    :param new_defaults: Cyborg's ``[oslo_policy] enforce_new_defaults``.
    :ivar api: the API as :class:`webtest.TestApp`.
    :ivar nova: the stand-in for Nova's API.
    :ivar engine: an engine on the database.
    """

    def __init__(self, new_defaults: bool = False) -> None:
        super().__init__()
        self._new_defaults = new_defaults

    def _setUp(self) -> None:  # noqa: N802 - the name is fixtures'
        self._configure()
        self._make_database()
        self.nova = NovaStandIn()
        nova._compute.cache_clear()
        self.addCleanup(nova._compute.cache_clear)
        self.useFixture(
            fixtures.MonkeyPatch(
                'cyborg.common.utils.get_sdk_adapter',
                lambda *args, **kwargs: self.nova,
            )
        )
        objects.register_all()
        self._start_conductor()
        self._start_binding()
        self._make_enforcer()
        self.api = client(app.app_factory({}))

    def _configure(self) -> None:
        self.config = self.useFixture(config_fixture.Config(CONF))
        if 'debug' not in CONF:
            log.register_options(CONF)
        rpc.set_defaults(control_exchange='cyborg')
        CONF([], project='cyborg', default_config_files=[])
        path = self.useFixture(fixtures.TempDir()).join('cyborg.sqlite')
        self.config.config(group='database', connection=f'sqlite:///{path}')
        messaging = self.useFixture(conffixture.ConfFixture(CONF))
        messaging.transport_url = 'fake:/'
        self.config.config(
            group='keystone_authtoken', service_token_roles=['service']
        )
        rpc.init(CONF)
        self.addCleanup(rpc.cleanup)

    def _make_database(self) -> None:
        facade = enginefacade.transaction_context()
        facade.configure(connection=CONF.database.connection, sqlite_fk=True)
        self.useFixture(
            test_fixtures.ReplaceEngineFacadeFixture(
                cyborg_db.main_context_manager, facade
            )
        )
        self.engine = facade.writer.get_engine()
        self.addCleanup(self.engine.dispose)
        models.Base.metadata.create_all(self.engine)
        migration.upgrade(self.engine)

    def _start_conductor(self) -> None:
        self.useFixture(
            fixtures.MockPatch(
                'cyborg.common.placement_client.PlacementClient',
                autospec=True,
            )
        )
        server = rpc.get_server(
            oslo_messaging.Target(topic='cyborg-conductor', server='test'),
            [manager.ConductorManager('cyborg-conductor', 'test')],
            objects_base.CyborgObjectSerializer(),
        )
        server.start()
        # Not waited for: the in-memory bus looks once a second whether it
        # is to stop, and takes no message any more.
        self.addCleanup(server.stop)

    def _start_binding(self) -> None:
        # Threads of this test's own, so that none outlives it.
        self._executor = _Executor(8)
        self.useFixture(
            fixtures.MonkeyPatch(
                'nova_cyborg.lifecycle.bind._executor', self._executor
            )
        )
        self.addCleanup(self._executor.shutdown)

    def _make_enforcer(self) -> None:
        self.useFixture(
            fixtures.MonkeyPatch(
                'cyborg.common.authorize_wsgi._ENFORCER', None
            )
        )
        authorize_wsgi.init_enforcer(suppress_deprecation_warnings=True)
        # As an operator sets it; Cyborg's own default is set just before.
        policy_opts.set_defaults(CONF, enforce_new_defaults=False)
        self.config.config(
            group='oslo_policy', enforce_new_defaults=self._new_defaults
        )

    def stock_api(self) -> webtest.TestApp:
        """Return the API of stock Cyborg on the same database."""
        return client(stock_app.app_factory({}))

    def add_device(
        self, slots: int = 2, attach_type: str = 'PCI', host: str = 'compute1'
    ) -> str:
        """Store a device; returns the UUID of its resource provider."""
        context = cyborg_context.get_admin_context()
        provider = str(uuid.uuid4())
        with cyborg_db.main_context_manager.writer.using(context) as db:
            device = models.Device(
                uuid=str(uuid.uuid4()),
                type='FPGA',
                vendor='8086',
                model='x',
                hostname=host,
            )
            db.add(device)
            db.flush()
            path = models.ControlpathID(
                uuid=str(uuid.uuid4()),
                device_id=device.id,
                cpid_type='PCI',
                cpid_info='{}',
            )
            deployable = models.Deployable(
                uuid=str(uuid.uuid4()),
                name=provider,
                num_accelerators=slots,
                device_id=device.id,
                rp_uuid=provider,
            )
            db.add_all((path, deployable))
            db.flush()
            for function in range(slots):
                address = {
                    'domain': '0000',
                    'bus': '0c',
                    'device': '00',
                    'function': str(function),
                }
                db.add(
                    models.AttachHandle(
                        uuid=str(uuid.uuid4()),
                        deployable_id=deployable.id,
                        cpid_id=path.id,
                        attach_type=attach_type,
                        attach_info=json.dumps(address),
                    )
                )
        return provider

    def count(self, table: ty.Any, *conditions: ty.Any) -> int:
        """Count rows."""
        with self.engine.connect() as connection:
            return connection.scalar(
                sa.select(sa.func.count())
                .select_from(table)
                .where(*conditions)
            )

    def used_slots(self) -> int:
        """Count slots that are given to ARQs."""
        return self.count(
            models.AttachHandle, models.AttachHandle.in_use.is_(True)
        )

    def drain(self) -> None:
        """Wait until the API has done with all bindings it has begun."""
        given = self._executor.given
        _done, late = concurrent.futures.wait(given, PATIENCE)
        assert not late

    @contextlib.contextmanager
    def held_conductor(self) -> collections.abc.Iterator[threading.Event]:
        """Hold up bindings until the context ends, or the event is set."""
        go_on = threading.Event()
        bind = manager.ConductorManager.arq_apply_patch

        def wait(
            conductor: manager.ConductorManager,
            context: cyborg_context.RequestContext,
            patch_list: ty.Any,
            valid_fields: ty.Any,
        ) -> None:
            assert go_on.wait(PATIENCE)
            bind(conductor, context, patch_list, valid_fields)

        with fixtures.MonkeyPatch(
            'cyborg.conductor.manager.ConductorManager.arq_apply_patch', wait
        ):
            try:
                yield go_on
            finally:
                go_on.set()

    @contextlib.contextmanager
    def statements(self) -> collections.abc.Iterator[list[str]]:
        """Write down the SQL statements that are sent meanwhile."""
        sent: list[str] = []

        def note(
            _connection: ty.Any,
            _cursor: ty.Any,
            statement: str,
            *_more: ty.Any,
        ) -> None:
            sent.append(statement)

        sa.event.listen(self.engine, 'before_cursor_execute', note)
        try:
            yield sent
        finally:
            sa.event.remove(self.engine, 'before_cursor_execute', note)

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
        return request(*arguments, headers=sent, status=status, **options)

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

    def status_of(self, uuid: str) -> str:
        return self.show(uuid).json['status']

    # Device allocations

    def allocation(
        self, server_id: str, status: int | None = None
    ) -> webtest.TestResponse:
        return self.call(
            'get', f'/v2/device_allocations/{server_id}', status=status
        )

    def check(
        self, *uuids: str, status: int | None = None
    ) -> webtest.TestResponse:
        return self.call(
            'post_json',
            '/v2/device_allocations/check',
            {'device_contexts': list(uuids)},
            status=status,
        )

    def reserve(
        self,
        server_id: str,
        *uuids: str,
        caller: str = CALLER,
        status: int | None = None,
    ) -> webtest.TestResponse:
        return self.call(
            'put_json',
            f'/v2/device_allocations/{server_id}',
            {'device_contexts': list(uuids), 'caller': caller},
            status=status,
        )

    def begin(
        self,
        server_id: str,
        operation: str = 'req-move',
        caller: str | None = None,
        status: int | None = None,
    ) -> webtest.TestResponse:
        return self.call(
            'post_json',
            f'/v2/device_allocations/{server_id}/begin',
            {'operation': operation, 'caller': caller or str(uuid.uuid4())},
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

# SPDX-License-Identifier: Apache-2.0

"""Real Cyborg in a process of its own: API, conductor and database.

Cyborg and Nova keep their configuration in one and the same global object,
so they do not fit into one process. This one serves Cyborg's API on one port
of the loopback interface, and what tests control it by on another one. It
ends when its standard input does. It may be killed, by what tests tell it to;
a line on the standard input has it start again, with the same database.
"""

# As Cyborg's commands do: before release 16, it makes the threads green.
import cyborg.cmd  # isort: skip # noqa: F401

import argparse
import concurrent.futures
import http
import json
import os
import pathlib
import select
import sqlite3
import sys
import tempfile
import threading
import traceback
import typing as ty
import uuid

import oslo_messaging
import sqlalchemy as sa
from cyborg.api import app as stock_app
from cyborg.common import constants, rpc, service
from cyborg.conductor import manager
from cyborg.conf import CONF
from cyborg.db.sqlalchemy import models
from cyborg.objects import base as objects_base
from nova_cyborg.api import app
from nova_cyborg.audit import auditor
from nova_cyborg.cmd import audit
from nova_cyborg.db import session
from nova_cyborg.db.migrations import migration
from nova_cyborg.lifecycle import bind
from tools.cloud.services import sqlite

from cyborg import context
from tests.functional.nova import edge, http_server

_CONFIG = """
[DEFAULT]
transport_url = fake:/
host = cyborg
log_file = {log}

[database]
connection = sqlite:///{directory}/cyborg.sqlite?timeout=60

[keystone_authtoken]
service_token_roles = service

[nova]
auth_type = none
endpoint_override = {nova}

[placement]
auth_type = none
endpoint_override = {placement}
"""


class Authentication:
    """In the place of Keystone's middleware.

    A token says by itself whose it is: ``user:project:role,role``.
    """

    def __init__(self, application: ty.Any) -> None:
        self._application = application

    def __call__(
        self, environ: dict[str, ty.Any], start_response: ty.Any
    ) -> ty.Any:
        if environ.get('HTTP_X_AUTH_TOKEN', '').count(':') != 2:
            start_response('401 Unauthorized', [('Content-Length', '0')])
            return [b'']
        for header, prefix in (('AUTH', ''), ('SERVICE', 'SERVICE_')):
            token = environ.get(f'HTTP_X_{header}_TOKEN')
            if token:
                user, project, roles = token.split(':')
                environ[f'HTTP_X_{prefix}USER_ID'] = user
                environ[f'HTTP_X_{prefix}PROJECT_ID'] = project
                environ[f'HTTP_X_{prefix}ROLES'] = roles
        return self._application(environ, start_response)


class Conductor(manager.ConductorManager):
    """Cyborg's conductor, as slow as a test wants it.

    :cvar may_bind: set, unless bindings are held back.
    """

    may_bind: ty.ClassVar = threading.Event()

    def arq_apply_patch(self, *args: object, **kwargs: object) -> None:
        """Bind, when it is let."""
        self.may_bind.wait(60)
        super().arq_apply_patch(*args, **kwargs)


class Executor(concurrent.futures.ThreadPoolExecutor):
    """Threads for bindings, and what they have been given to do."""

    def __init__(self) -> None:
        super().__init__(16)
        self.given: list[concurrent.futures.Future[ty.Any]] = []

    def submit(
        self, *args: ty.Any, **kwargs: ty.Any
    ) -> concurrent.futures.Future[ty.Any]:
        """Do something in a thread."""
        future = super().submit(*args, **kwargs)
        self.given.append(future)
        return future


class Agent:
    """In the place of Cyborg's agent, which writes to the host's sysfs."""

    target = oslo_messaging.Target(version='1.0')
    broken = False

    def create_vgpu_mdev(self, *args: object, **kwargs: object) -> None:
        """Make a mediated device."""

    def remove_vgpu_mdev(self, *args: object, **kwargs: object) -> None:
        """Remove a mediated device."""
        if self.broken:
            raise PermissionError('The mediated device is in use.')


def _serve(topic: str, host: str, endpoint: object) -> None:
    """Serve one of Cyborg's RPC interfaces."""
    rpc.get_server(
        oslo_messaging.Target(topic=topic, server=host),
        [endpoint],
        objects_base.CyborgObjectSerializer(),
    ).start()


class Control:
    """What tests may do; each public method is a request of that name.

    :ivar port: where Cyborg's API is.
    """

    def __init__(self, port: int) -> None:
        self._apps = {
            stock: edge.Edge(Authentication(make({})))
            for stock, make in (
                (False, app.app_factory),
                (True, stock_app.app_factory),
            )
        }
        self._edge = self._apps[False]
        self._server = http_server.HTTPServer(self._edge, port)
        self.port = port
        self._engine = session.engine()
        self._agents: set[str] = set()
        self._executor = Executor()
        bind._executor = self._executor
        Conductor.may_bind.set()
        self._refusals: list[edge.Fault] = []
        sa.event.listen(self._engine, 'before_cursor_execute', self._refuse)

    def reset(self) -> None:
        """Make it as new for a test."""
        Conductor.may_bind.set()
        Agent.broken = False
        self.start()
        self.serve(stock=False)
        for application in self._apps.values():
            application.requests.clear()
            application.faults.clear()
        self._refusals.clear()
        metadata = sa.MetaData()
        metadata.reflect(self._engine)
        with self._engine.begin() as connection:
            for table in reversed(metadata.sorted_tables):
                if table.name != migration.VERSION_TABLE:
                    connection.execute(table.delete())

    def serve(self, stock: bool) -> None:
        """Serve Cyborg without device contexts, or with them."""
        self._edge = self._apps[stock]
        self._server.set_app(self._edge)

    def stop(self) -> None:
        """Refuse connections to the API."""
        if self._server:
            self._server.stop()
            self._server = None

    def start(self) -> None:
        """Serve the API again."""
        if not self._server:
            self._server = http_server.HTTPServer(self._edge, self.port)

    def fault(self, **fields: ty.Any) -> None:
        """Make a fault; see :class:`edge.Fault`."""
        self._edge.faults.append(edge.Fault(**fields))

    def clear_faults(self) -> None:
        """Let all requests pass again, and all writes."""
        self._edge.faults.clear()
        self._refusals.clear()

    def faults_ahead(self) -> list[str]:
        """Return the faults that were not met yet, or are about to kill."""
        return [
            str(fault)
            for fault in (*self._edge.faults, *self._refusals)
            if not fault.met or fault.action.startswith('die')
        ]

    def under_way(self) -> int:
        """Return how many requests and bindings are not done yet."""
        bindings = sum(not future.done() for future in self._executor.given)
        return self._edge.under_way + bindings

    def requests(self) -> list[tuple[str, str, str]]:
        """Return method, path and query of the requests to the API."""
        return list(self._edge.requests)

    def break_agent(self, broken: bool) -> None:
        """Keep the agent from removing mediated devices, or let it."""
        Agent.broken = broken

    def hold_bindings(self, hold: bool) -> None:
        """Keep the conductor from binding, or let it."""
        (Conductor.may_bind.clear if hold else Conductor.may_bind.set)()

    def audit(self, placement: str) -> list[dict[str, ty.Any]]:
        """Look for what disagrees, once, and put it right.

        :param placement: URL of Placement.
        :returns: what was found.
        """
        CONF.set_override('endpoint_override', placement, group='placement')
        found = auditor.run(0, repair=True, tell=print)
        return [audit.as_row(outcome) for outcome in found]

    def refuse_writes(
        self, table: str, skip: int = 0, times: int = 1, kill: bool = False
    ) -> None:
        """Let the database refuse statements that write to a table.

        :param skip: how many pass before the first.
        :param times: how many are refused.
        :param kill: whether Cyborg is killed instead.
        """
        action = 'die' if kill else ''
        self._refusals.append(edge.Fault('', table, action, 0, skip, times))

    def _refuse(
        self, _connection: object, _cursor: object, statement: str, *_: object
    ) -> None:
        words = statement.split()
        verb, where = words[0].upper(), ' '.join(words[1:4])
        if verb not in ('INSERT', 'UPDATE', 'DELETE'):
            return
        for refusal in self._refusals:
            if refusal.hits('', where):
                if refusal.action == 'die':
                    edge.die()
                raise sqlite3.OperationalError('the disk is full')

    def rows(self, table: str) -> list[dict[str, ty.Any]]:
        """Return what is in a table."""
        with self._engine.connect() as connection:
            found = connection.execute(sa.text(f'SELECT * FROM {table}'))  # noqa: S608
            return [dict(row._mapping) for row in found]

    def add_device(
        self, host: str, provider: str, attach_type: str, slots: list[str]
    ) -> None:
        """Store a device as Cyborg's agent reports it.

        :param slots: PCI addresses, or UUIDs of mediated devices.
        """
        if host not in self._agents:
            _serve(constants.AGENT_TOPIC, host, Agent())
            self._agents.add(host)
        with session.writing(context.get_admin_context()) as db:
            device = models.Device(
                uuid=_uuid(),
                type='FPGA',
                vendor='8086',
                model='test',
                hostname=host,
            )
            db.add(device)
            db.flush()
            path = models.ControlpathID(
                uuid=_uuid(),
                device_id=device.id,
                cpid_type='PCI',
                cpid_info='{}',
            )
            deployable = models.Deployable(
                uuid=_uuid(),
                name=provider,
                num_accelerators=len(slots),
                device_id=device.id,
                rp_uuid=provider,
            )
            db.add_all((path, deployable))
            db.flush()
            db.add_all(
                models.AttachHandle(
                    deployable_id=deployable.id,
                    cpid_id=path.id,
                    attach_type=attach_type,
                    **_handle(attach_type, slot),
                )
                for slot in slots
            )


def _uuid() -> str:
    return str(uuid.uuid4())


def _handle(attach_type: str, slot: str) -> dict[str, str]:
    """Return the columns of a slot's attach handle."""
    if attach_type == 'MDEV':
        # Any PCI address: it is that of the card.
        address, handle_id = '0000:81:00.0', slot
    else:
        address, handle_id = slot, _uuid()
    domain, bus, function = address.split(':')
    device, _dot, function = function.partition('.')
    info = {
        'domain': domain,
        'bus': bus,
        'device': device,
        'function': function,
    }
    if attach_type == 'MDEV':
        info['asked_type'] = 'nvidia-11'
    return {'uuid': handle_id, 'attach_info': json.dumps(info)}


class ControlApp:
    """Serves a control over HTTP: ``POST /NAME`` with its arguments."""

    def __init__(self, control: Control) -> None:
        self._control = control

    def __call__(
        self, environ: dict[str, ty.Any], start_response: ty.Any
    ) -> list[bytes]:
        length = int(environ['CONTENT_LENGTH'])
        arguments = json.loads(environ['wsgi.input'].read(length))
        method = getattr(self._control, environ['PATH_INFO'].strip('/'))
        try:
            status, result = http.HTTPStatus.OK, method(**arguments)
        except Exception:  # noqa: BLE001 - it is told to the test
            status = http.HTTPStatus.INTERNAL_SERVER_ERROR
            result = traceback.format_exc()
        start_response(
            f'{status.value} {status.phrase}',
            [('Content-Type', 'application/json')],
        )
        return [json.dumps(result, default=str).encode()]


def _placement(
    _environ: dict[str, ty.Any], start_response: ty.Any
) -> list[bytes]:
    """Say what a client of Placement asks for when it is made.

    Cyborg's conductor tells Placement of devices, which tests do themselves.
    """
    links = [{'rel': 'self', 'href': ''}]
    version = {'id': 'v1.0', 'status': 'CURRENT', 'links': links}
    start_response('200 OK', [('Content-Type', 'application/json')])
    return [json.dumps({'versions': [version]}).encode()]


def _start_cyborg(directory: str, nova: str, log: str) -> None:
    placement = http_server.HTTPServer(_placement).url
    config = pathlib.Path(directory, 'cyborg.conf')
    config.write_text(
        _CONFIG.format(
            directory=directory, nova=nova, placement=placement, log=log
        )
    )
    service.prepare_service(['cyborg', '--config-file', str(config)])
    sqlite.install()
    engine = session.engine()
    models.Base.metadata.create_all(engine)
    migration.upgrade(engine)
    topic = constants.CONDUCTOR_TOPIC
    _serve(topic, 'cyborg', Conductor(topic, 'cyborg'))


def _serve_all(
    directory: str, arguments: argparse.Namespace, ports: dict[str, int]
) -> None:
    """Be Cyborg, until the standard input ends."""
    _start_cyborg(directory, arguments.nova, arguments.log)
    control = Control(ports['api'])
    http_server.HTTPServer(ControlApp(control), ports['control'])
    print(json.dumps(ports), flush=True)
    # Reading would stop green threads; waiting like this does not.
    select.select([sys.stdin], [], [])


def main() -> None:
    """Have a child be Cyborg, and another one after it was killed."""
    parser = argparse.ArgumentParser()
    parser.add_argument('--nova', help="URL of Nova's API")
    parser.add_argument('--log', help='file for the log')
    arguments = parser.parse_args()
    ports = {name: http_server.free_port() for name in ('api', 'control')}
    with tempfile.TemporaryDirectory(prefix='cyborg-') as directory:
        while True:
            # All is imported by now: the next one starts at once.
            child = os.fork()
            if not child:
                _serve_all(directory, arguments, ports)
                # Threads of the message bus and of bindings would be
                # waited for.
                os._exit(0)
            _pid, status = os.waitpid(child, 0)
            killed = os.WIFSIGNALED(status)
            if not killed or not sys.stdin.readline():
                return


if __name__ == '__main__':
    main()

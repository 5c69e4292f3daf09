# SPDX-License-Identifier: Apache-2.0

"""What tests do with the cloud: boot, kill, wait, count."""

import collections.abc
import concurrent.futures
import contextlib
import dataclasses
import time
import typing as ty

from tests.kills import forwarder
from tools.cloud import cloud as cloud_module
from tools.cloud import exception, waiting
from tools.cloud.supervisor import processes
from tools.seldom.chaos.actors import api, audit
from tools.seldom.chaos.damage import count, ledger

_FINAL = (
    'ACTIVE',
    'SHUTOFF',
    'SUSPENDED',
    'ERROR',
    'SHELVED_OFFLOADED',
    'VERIFY_RESIZE',
)
_SECONDS = 120.0
# Longer than anything is waited for in this cloud, twice.
_STUCK_SECONDS = 45.0
_SPRUNG_SECONDS = 60.0
# What comes of a call of its user's: then they try again.
_PATIENCE_SECONDS = 15.0
_ATTACHMENTS = 'os-device-contexts'
# The reconciler's lease (25 s), its interval (10 s) and its grace (15 s), on a
# machine that may be slow.
_HEALED_SECONDS = 50.0 + 30.0
#: ``[nova_cyborg] build_interrupted_after`` of this cloud: longer than any
#: build takes.
INTERRUPTED_SECONDS = 60
# A nova-conductor looks for interrupted builds each 30 s, and follows one that
# was killed after 75 s.
_BUILT_SECONDS = INTERRUPTED_SECONDS + 120.0
# Nothing is under way when the audit runs, but what has just ended.
_GRACE = 2
_CONTEXT = {
    'resources': {'FPGA': 1},
    'delete_on_termination': False,
    'live_migration': 'detach',
}
_FLAVOR = 'm1.tiny'


@dataclasses.dataclass(frozen=True)
class Step:
    """A request of Nova's to Cyborg.

    :ivar method: its method.
    :ivar path: what its path contains, a regular expression.
    :ivar sender: the service that sends it.
    """

    method: str
    path: str
    sender: str


class World:
    """The cloud, seen by who tests it.

    :param cloud: the cloud.
    :param gate: what stands before cyborg-api.
    :ivar healed: seconds until there was no damage, for each time that it was
        waited for.
    """

    def __init__(
        self, cloud: cloud_module.Cloud, gate: forwarder.Forwarder
    ) -> None:
        self._cloud = cloud
        self._gate = gate
        self._names = [each.name for each in cloud.status()]
        self._dead: set[str] = set()
        self._admin = api.User(cloud, 'admin')
        self._notes = ledger.Ledger()
        self.healed: list[float] = []
        self.context_id = str(
            self._ask(
                'accelerator', 'POST', '/device_contexts', json=_CONTEXT
            )['uuid']
        )
        self._notes.kept.add(self.context_id)
        waiting.until('all hosts to be up', self._all_up, _SECONDS)

    def _all_up(self) -> bool:
        path = '/os-services?binary=nova-compute'
        found = self._ask('compute', 'GET', path)['services']
        return all(each['state'] == 'up' for each in found)

    def _ask(
        self, service: str, method: str, path: str, **options: ty.Any
    ) -> ty.Any:
        answer = self._admin.ask(service, method, path, **options)
        assert answer.status_code < 400, answer.text
        return answer.json() if answer.content else None

    # Killing

    @contextlib.contextmanager
    def killing(
        self, step: Step, victim: str, after: bool, *dead: str
    ) -> collections.abc.Iterator[None]:
        """Kill a service when a request comes, and start it again.

        What is done within leads to the request; it is waited for.

        :param step: the request.
        :param victim: the service.
        :param after: whether it is answered before.
        :param dead: programs that were killed before, and stay so.
        """
        trap = self._lay_trap(step, victim, after)
        yield
        assert trap.sprung.wait(_SPRUNG_SECONDS), 'the request has not come'
        self.start_all(*dead)

    def _lay_trap(
        self, step: Step, victim: str, after: bool
    ) -> forwarder.Trap:
        names = self._programs(victim, step.sender)
        trap = forwarder.Trap(
            method=step.method,
            path=step.path,
            after=after,
            muted=victim == 'cyborg-api',
            kill=lambda: self.kill(*names),
        )
        self._gate.set_trap(trap)
        return trap

    def _programs(self, victim: str, sender: str) -> list[str]:
        if victim == 'nova-conductor':
            # Those above the cells send themselves; nova-compute is helped
            # by that of its cell.
            at_work = 'super' if sender == victim else 'cell1'
            victim = f'{victim}-{at_work}'
        return [
            name
            for name in self._names
            if name.startswith(victim) and name not in self._dead
        ]

    def kill(self, *names: str) -> None:
        """Send SIGKILL to programs, at once."""
        self._dead.update(names)
        processes.kill(self._cloud.folder, *names)

    def start_all(self, *but: str) -> None:
        """Start what was killed.

        :param but: what stays dead.
        """
        names = sorted(self._dead - set(but))
        with concurrent.futures.ThreadPoolExecutor() as pool:
            list(pool.map(self._start, names))
        self._dead.difference_update(names)

    def _start(self, name: str) -> None:
        # Until the supervisor has noticed, it takes it to be running.
        self._cloud.kill_service(name)
        self._cloud.start_service(name)

    # Servers

    def post_server(self, with_context: bool = True) -> str:
        """Ask for a server; return its UUID.

        :param with_context: whether it is booted with the device context.
        """
        flavors = self._ask('compute', 'GET', '/flavors')['flavors']
        images = self._ask('image', 'GET', '/v2/images?name=cirros')['images']
        (flavor,) = [each for each in flavors if each['name'] == _FLAVOR]
        body: dict[str, ty.Any] = {
            'server': {
                'name': 'kills',
                'imageRef': images[0]['id'],
                'flavorRef': flavor['id'],
                'networks': 'none',
            },
        }
        if with_context:
            hints = {'device_context_id': self.context_id}
            body['os:scheduler_hints'] = hints
        made = self._ask('compute', 'POST', '/servers', json=body)
        return str(made['server']['id'])

    def show(self, server_id: str) -> dict[str, ty.Any] | None:
        """Show a server; None if there is none."""
        answer = self._admin.ask('compute', 'GET', f'/servers/{server_id}')
        if answer.status_code == 404:
            return None
        found: dict[str, ty.Any] = answer.json()['server']
        return found

    def act(self, server_id: str, action: str, arguments: ty.Any) -> None:
        """Ask for something to be done with a server."""
        path = f'/servers/{server_id}/action'
        self._ask('compute', 'POST', path, json={action: arguments})

    def begin_move(
        self, server_id: str, action: str, arguments: ty.Any = None
    ) -> None:
        """Ask for a server to be moved, again if nova-api refuses it.

        A nova-conductor that was killed before may not have answered it.
        """
        path = f'/servers/{server_id}/action'

        def is_taken() -> bool:
            answer = self._admin.ask(
                'compute', 'POST', path, json={action: arguments}
            )
            return answer.status_code < 400

        waiting.until('the move to be taken', is_taken, _SECONDS)

    def wait_until_idle(
        self,
        server_id: str,
        seconds: float = _STUCK_SECONDS,
        final: tuple[str, ...] = _FINAL,
    ) -> str:
        """Wait until nothing is being done with a server.

        :param final: the statuses that it may have then.
        :returns: its status; ``stuck`` if nothing becomes of it.
        """
        status = 'gone'

        def is_over() -> bool:
            nonlocal status
            server = self.show(server_id)
            status = server['status'] if server else 'gone'
            done = not server or server['OS-EXT-STS:task_state'] is None
            return done and status in (*final, 'gone')

        try:
            waiting.until('the server', is_over, seconds)
        except exception.StepFailed:
            return 'stuck'
        return status

    def wait_until_built(self, server_id: str) -> str:
        """Wait until a build has ended, be it that Nova ends it.

        :returns: the status of the server.
        """
        status = self.wait_until_idle(server_id, _BUILT_SECONDS)
        assert status != 'stuck', self.show(server_id)
        return status

    def boot(self, with_context: bool = True) -> str:
        """Boot a server that runs, with its device; return its UUID."""
        server_id = self.post_server(with_context)
        assert self.wait_until_idle(server_id, _SECONDS) == 'ACTIVE', (
            self.show(server_id)
        )
        if with_context:
            self.assert_runs(server_id)
        return server_id

    def ask_to_attach(self, server_id: str) -> None:
        """Ask for the device context to be attached, whatever is answered."""
        asked = {'device_context_id': self.context_id}
        self._ask_once(
            'POST',
            f'/servers/{server_id}/{_ATTACHMENTS}',
            json={'deviceContextAttachment': asked},
        )

    def ask_to_detach(self, server_id: str) -> None:
        """Ask for the device context to be detached, whatever is answered."""
        path = f'/servers/{server_id}/{_ATTACHMENTS}/{self.context_id}'
        self._ask_once('DELETE', path)

    def _ask_once(self, method: str, path: str, json: ty.Any = None) -> None:
        with contextlib.suppress(api.GaveUp):
            self._admin.ask('compute', method, path, seconds=0, json=json)

    def ask_until(
        self,
        status: str,
        ask: collections.abc.Callable[[str], None],
        server_id: str,
    ) -> None:
        """Ask, again if it takes long, until the context has a status."""

        def has() -> bool:
            return bool(self._context()['status'] == status)

        def is_done() -> bool:
            ask(server_id)
            try:
                waiting.until('it to be done', has, _PATIENCE_SECONDS)
            except exception.StepFailed:
                return False
            return True

        waiting.until(f'the context to be {status}', is_done, _SECONDS)

    def assert_runs(self, server_id: str) -> None:
        """Check that a guest runs with the device that Cyborg gives it."""
        context = self._context()
        assert context['status'] == 'bound', context
        server = self.show(server_id)
        assert server is not None
        host = server['OS-EXT-SRV-ATTR:host']
        assert context['host'] == host, context
        # The host that it was evacuated from has one, too, while it is down.
        guest = self._cloud.folder / 'domains' / host / f'{server_id}.xml'
        alias = f'ua-{context["devices"][0]["arq_id"]}'
        assert alias in guest.read_text()

    def assert_without(self, server_id: str) -> None:
        """Check that the guest of a server has no device."""
        server = self.show(server_id)
        assert server is not None
        host = server['OS-EXT-SRV-ATTR:host']
        guest = self._cloud.folder / 'domains' / host / f'{server_id}.xml'
        assert '<hostdev' not in guest.read_text()

    def _context(self) -> dict[str, ty.Any]:
        path = f'/device_contexts/{self.context_id}'
        found: dict[str, ty.Any] = self._ask('accelerator', 'GET', path)
        return found

    def ask_to_delete(self, server_id: str) -> None:
        """Ask for a server to be deleted."""
        self._ask('compute', 'DELETE', f'/servers/{server_id}')

    def delete(self, server_id: str) -> None:
        """Delete a server, again if it takes long, until it is gone."""

        def gone() -> bool:
            self._admin.ask('compute', 'DELETE', f'/servers/{server_id}')
            return self.wait_until_idle(server_id, 10) == 'gone'

        waiting.until('the server to be gone', gone, _SECONDS)

    def source(self, server_id: str) -> str:
        """Return the nova-compute of a server's host."""
        server = self.show(server_id)
        assert server is not None
        return f'nova-compute-{server["OS-EXT-SRV-ATTR:host"]}'

    def destination(self, server_id: str) -> str:
        """Return the nova-compute that a server is not on."""
        source = self.source(server_id)
        (other,) = (
            name
            for name in self._names
            if name.startswith('nova-compute-') and name != source
        )
        return other

    def force_down(self, program: str, down: bool) -> None:
        """Tell Nova that the host of a nova-compute is down, or up."""
        host = program.removeprefix('nova-compute-')
        path = f'/os-services?binary=nova-compute&host={host}'
        (found,) = self._ask('compute', 'GET', path)['services']
        self._ask(
            'compute',
            'PUT',
            f'/os-services/{found["id"]}',
            json={'forced_down': down},
        )

    # What is to be true

    def assert_healed(self) -> None:
        """Check that the cloud puts right what is wrong, and by itself.

        Within the same time, the audit, which repairs nothing, finds nothing
        either: it knows of allocations of migrations as well.
        """
        end = time.monotonic() + _HEALED_SECONDS
        self.assert_no_damage(_HEALED_SECONDS)
        while True:
            done = audit.look(self._cloud, _GRACE)
            if done.returncode == 0:
                return
            assert time.monotonic() < end, done.stdout

    def assert_no_damage(self, seconds: float = _STUCK_SECONDS) -> None:
        """Check that nothing is lost, leaked or doubled.

        Nova may be tidying up still when a server has its last status.

        :param seconds: how long to wait at most.
        """
        if not self.wait_for_no_damage(seconds):
            counter = count.Count(self._cloud, self._notes)
            raise AssertionError(counter.damage().lines())

    def wait_for_no_damage(self, seconds: float = _HEALED_SECONDS) -> bool:
        """Wait until nothing is lost, leaked or doubled, and tell whether so.

        :param seconds: how long to wait at most.
        """
        counter = count.Count(self._cloud, self._notes)
        start = time.monotonic()
        try:
            waiting.until('no damage', lambda: not counter.damage(), seconds)
        except exception.StepFailed:
            return False
        self.healed.append(time.monotonic() - start)
        return True

    def assert_usable(self) -> None:
        """Check that a new server can have the device context."""
        self.assert_healed()
        server_id = self.boot()
        self.assert_no_damage()
        self.delete(server_id)
        self.assert_no_damage()

    def tidy(self) -> None:
        """Leave the cloud as it was, whatever has happened."""
        self.start_all()
        for host in self._cloud.hosts():
            self.force_down(host, False)
        path = '/servers?all_tenants=true'
        for server in self._ask('compute', 'GET', path)['servers']:
            self.delete(server['id'])
        self.assert_healed()
        self._ask(
            'accelerator', 'DELETE', f'/device_contexts/{self.context_id}'
        )

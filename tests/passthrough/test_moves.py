# SPDX-License-Identifier: Apache-2.0

"""A guest that computes moves to the other host, and computes there."""

import collections.abc
import contextlib
import dataclasses
import typing as ty

import pytest

from tests.e2e import contexts, databases, guest, person, servers, waiting
from tests.passthrough import guests, hypervisors
from tools.cloud import cloud as cloud_module
from tools.seldom.guest import console, watch

Tell = collections.abc.Callable[[str], None]

# The one with one device of each kind: who gets these gets the very ones.
_FEW = 'compute2'
_MANY = 'compute1'
_KINDS = ('edu', 'nvme')
_LIVE = {'os-migrateLive': {'host': None, 'block_migration': 'auto'}}
_RESET = {'os-resetState': {'state': 'active'}}
_HANDLES = {
    'in use': 'SELECT uuid FROM attach_handles WHERE in_use',
    'of accelerator requests': (
        'SELECT handle.uuid FROM extended_accelerator_requests AS arq '
        'JOIN attach_handles AS handle ON handle.id = attach_handle_id'
    ),
}


@dataclasses.dataclass
class Mover:
    """A server with a device of each kind, and what its guest has said.

    :ivar boot: what was said last.
    :ivar known: what all that was said before is called.
    """

    cloud: cloud_module.Cloud
    owner: person.Person
    admin: person.Person
    contexts: list[str]
    id: str = ''
    boot: console.Boot | None = None
    known: set[str] = dataclasses.field(default_factory=set)

    def start(self, host: str) -> None:
        """Boot it on a host, and see that it computes."""
        with _only(self, host):
            self.id = guests.boot(self.owner, *self.contexts)
        self.assert_computes(host)

    def act(self, status: str, **action: ty.Any) -> None:
        """Do something as the administrator, and wait for what it leads to."""
        servers.act(self.admin, self.id, **action)
        servers.wait_status(self.owner, self.id, status)

    def assert_computes(
        self, host: str, leaving: str | None = None, tells: int = 1
    ) -> None:
        """Check that the guest computes with the devices of a host.

        :param leaving: the host that keeps devices for it, if one does.
        :param tells: how often it tells what it has: when it is started, or
            of each device that it is given while it runs.
        """
        self.assert_bound(host, leaving)
        self._wait_told(tells)
        assert self.boot is not None
        slots = guests.check(
            self.cloud, self.owner, self.id, self.boot, *self.contexts
        )
        for kind, slot in zip(_KINDS, slots, strict=True):
            assert slot in hypervisors.devices(host, kind)
            assert hypervisors.driver(self.cloud, host, slot) == 'vfio-pci'

    def assert_bound(self, host: str, leaving: str | None = None) -> None:
        """Check where Nova has the server, and Cyborg the devices."""
        server = servers.show(self.admin, self.id)
        assert server['OS-EXT-SRV-ATTR:host'] == host, server.get('fault')
        wanted = [('active', host)]
        if leaving is not None:
            wanted.append(('leaving', leaving))
        for each in self.contexts:
            waiting.until(
                f'{each} to have the bindings {wanted}',
                lambda c=each: wanted == _bindings(self.owner, c),
            )

    def _wait_told(self, tells: int) -> None:
        watch.until_ready(
            hypervisors.domain(self.cloud, self.id),
            lambda each: each.boot_id not in self.known,
        )

        def has_told() -> bool:
            new = [
                each
                for each in guests.boots(self.owner, self.id)
                if each.ready and each.boot_id not in self.known
            ]
            self.boot = new[-1] if new else None
            return len(new) == tells

        waiting.until(f'the guest to have told {tells} times', has_told)
        self.known |= {
            each.boot_id for each in guests.boots(self.owner, self.id)
        }


@pytest.fixture
def mover(
    cloud: cloud_module.Cloud, demo: person.Person, admin: person.Person
) -> Mover:
    """A server that is not booted yet."""
    return _mover(cloud, demo, admin)


@pytest.fixture
def larger(
    admin: person.Person, afterwards: contextlib.ExitStack
) -> dict[str, str]:
    """What asks for a flavor with more memory, to resize to."""
    # The edu device reaches 28 bits of it.
    fields = {'name': 'm1.larger', 'vcpus': 1, 'ram': 224, 'disk': 1}
    made = admin.compute.post('/flavors', json={'flavor': fields}).json()
    flavor_id = str(made['flavor']['id'])
    afterwards.callback(admin.compute.delete, f'/flavors/{flavor_id}')
    return {'flavorRef': flavor_id}


def _mover(*who: ty.Any) -> Mover:
    _cloud, owner, _admin = who
    return Mover(
        *who,
        [
            contexts.create(
                owner, resources={kind.upper(): 1}, live_migration='detach'
            )
            for kind in _KINDS
        ],
    )


def test_cold_and_confirmed(
    mover: Mover, larger: dict[str, str], tell: Tell
) -> None:
    mover.start(_FEW)
    tell('the guest has computed')
    mover.act('VERIFY_RESIZE', migrate=None)
    mover.assert_computes(_MANY, leaving=_FEW)
    _assert_in_step(mover)
    tell('migrated, and it has computed')
    mover.act('ACTIVE', confirmResize=None)
    mover.assert_bound(_MANY)
    _assert_gone(mover, _FEW)
    _assert_in_step(mover)
    tell('confirmed')
    other = _assert_free(mover, _FEW)
    tell('another guest computes with the devices that it had')
    servers.delete(other.owner, [other.id])

    mover.act('VERIFY_RESIZE', resize=larger)
    mover.assert_computes(_FEW, leaving=_MANY)
    tell('resized, and it has computed')
    mover.act('ACTIVE', confirmResize=None)
    mover.assert_bound(_FEW)
    _assert_gone(mover, _MANY)
    _assert_in_step(mover)
    mover.act('ACTIVE', reboot={'type': 'HARD'})
    mover.assert_computes(_FEW)
    tell('confirmed, rebooted, and it has computed')


@pytest.mark.parametrize('how', ['migrate', 'resize'])
def test_cold_and_reverted(
    mover: Mover, larger: dict[str, str], tell: Tell, how: str
) -> None:
    mover.start(_MANY)
    before = _hostdevs(mover)
    tell('the guest has computed')
    to = larger if how == 'resize' else None
    mover.act('VERIFY_RESIZE', **{how: to})
    mover.assert_computes(_FEW, leaving=_MANY)
    tell(f'{how}: it has computed')
    written = _written(mover, _MANY, before)
    mover.act('ACTIVE', revertResize=None)
    assert _hostdevs(mover) == before
    mover.assert_bound(_MANY)
    _assert_gone(mover, _FEW)
    _assert_in_step(mover)
    # Nova gives a guest no serial port again when it is reverted: that it
    # has started and used its devices is seen from outside.
    _wait_written(mover, _MANY, before, written)
    tell('reverted, and it has written')
    mover.act('ACTIVE', reboot={'type': 'HARD'})
    mover.assert_computes(_MANY)
    assert _hostdevs(mover) == before
    tell('rebooted, and it has computed')
    _assert_free(mover, _FEW)
    tell('another guest computes with the devices that it had')


def test_live_there_and_back(mover: Mover, tell: Tell) -> None:
    mover.start(_FEW)
    kernel = _kernel(mover)
    tell('the guest has computed')
    mover.act('ACTIVE', **_LIVE)
    tell('migrated')
    mover.assert_computes(_MANY, tells=2)
    # It goes on: it was not started.
    assert _kernel(mover) == kernel
    _assert_gone(mover, _FEW)
    _assert_in_step(mover)
    tell('it has computed')
    other = _assert_free(mover, _FEW)
    tell('another guest computes with the devices that it had')
    servers.delete(other.owner, [other.id])

    mover.act('ACTIVE', **_LIVE)
    mover.assert_computes(_FEW, tells=2)
    assert _kernel(mover) == kernel
    tell('migrated back, and it has computed')
    # From what libvirt was given to keep when the guest came.
    mover.act('ACTIVE', reboot={'type': 'SOFT'})
    mover.assert_computes(_FEW)
    assert _kernel(mover) != kernel
    tell('rebooted, and it has computed')


def _fail(mover: Mover) -> None:
    """Migrate the guest to a host that cannot be reached."""
    hypervisors.run(mover.cloud, _MANY, 'ip link set eth1 down')
    try:
        servers.act(mover.admin, mover.id, **_LIVE)
        _wait_error(mover)
    finally:
        hypervisors.run(mover.cloud, _MANY, 'ip link set eth1 up')


def _abort(mover: Mover) -> None:
    """Begin to migrate the guest, so slowly that it can be aborted."""
    speed = ('migrate-setspeed', mover.id)
    hypervisors.ask(mover.cloud, _FEW, *speed, '1')
    servers.act(mover.admin, mover.id, **_LIVE)
    path = f'/servers/{mover.id}/migrations'
    waiting.until(
        'the guest to be on its way',
        lambda: 'Memory processed' in _job(mover),
    )
    [migration] = mover.admin.compute.get(path).json()['migrations']
    assert _hostdevs(mover) == []
    mover.admin.compute.delete(f'{path}/{migration["id"]}')
    _wait_error(mover)
    hypervisors.ask(mover.cloud, _FEW, *speed, '1000')


def _job(mover: Mover) -> str:
    """Return what libvirt says of what is done with the guest."""
    return hypervisors.ask(mover.cloud, _FEW, 'domjobinfo', mover.id)


def _wait_error(mover: Mover) -> None:
    waiting.until(
        # Nova itself puts a server there whose guest could not be migrated.
        'the server to be in ERROR',
        lambda: servers.show(mover.owner, mover.id)['status'] == 'ERROR',
    )


def test_live_when_the_hosts_do_not_reach_each_other(
    mover: Mover, tell: Tell
) -> None:
    mover.start(_FEW)
    kernel = _kernel(mover)
    before = _hostdevs(mover)
    tell('the guest has computed')
    _fail(mover)
    tell('not migrated')
    assert _hostdevs(mover) == before
    mover.assert_computes(_FEW, tells=2)
    assert _kernel(mover) == kernel
    _assert_gone(mover, _MANY)
    _assert_in_step(mover)
    tell('it has computed with the devices that it had')
    mover.act('ACTIVE', **_RESET)
    mover.act('ACTIVE', **_LIVE)
    mover.assert_computes(_MANY, tells=2)
    assert _kernel(mover) == kernel
    tell('migrated, and it has computed')


def test_live_that_is_aborted(mover: Mover, tell: Tell) -> None:
    mover.start(_FEW)
    before = _hostdevs(mover)
    written = _written(mover, _FEW, before)
    tell('the guest has computed')
    _abort(mover)
    tell('not migrated')
    assert _hostdevs(mover) == before
    mover.assert_bound(_FEW)
    _assert_gone(mover, _MANY)
    _assert_in_step(mover)
    # libvirt at the destination has put a console log of its own in the place
    # of the one that the source writes to: the guest is seen from outside.
    _wait_written(mover, _FEW, before, written)
    tell('it has written to the drive that it had')
    mover.act('ACTIVE', **_RESET)
    mover.act('ACTIVE', reboot={'type': 'HARD'})
    mover.assert_computes(_FEW)
    assert _hostdevs(mover) == before
    tell('rebooted, and it has computed')


def _bindings(owner: person.Person, context_id: str) -> list[tuple[str, str]]:
    return sorted(
        (each['state'], each['host'])
        for each in contexts.show(owner, context_id)['bindings']
    )


@contextlib.contextmanager
def _only(mover: Mover, host: str) -> collections.abc.Iterator[None]:
    """Have the scheduler choose one host only."""
    for each in mover.cloud.hosts():
        hypervisors.enable(mover.admin, each, each == host)
    try:
        yield
    finally:
        for each in mover.cloud.hosts():
            hypervisors.enable(mover.admin, each, True)


def _hostdevs(mover: Mover) -> list[guest.Hostdev]:
    """Return the devices of the guest: first edu, then the drive."""
    return guest.in_order(guest.hostdevs(mover.cloud, mover.id))


def _written(mover: Mover, host: str, devices: list[guest.Hostdev]) -> int:
    """Return when the drive of the guest was written to."""
    _edu, drive = devices
    return hypervisors.written(mover.cloud, host, drive.slot)


def _wait_written(
    mover: Mover, host: str, devices: list[guest.Hostdev], before: int
) -> None:
    waiting.until(
        'the guest to have written to its drive',
        lambda: before < _written(mover, host, devices),
    )


def _kernel(mover: Mover) -> str:
    """Return the UUID that the guest's kernel has since its start."""
    assert mover.boot is not None
    return mover.boot.boot_id.partition('/')[0]


def _assert_gone(mover: Mover, host: str) -> None:
    """Check that a host has nothing of the guest, and its devices back."""
    assert mover.id not in hypervisors.guests(mover.cloud, host)
    assert hypervisors.drivers(mover.cloud, host) == hypervisors.host_drivers(
        host
    )


def _assert_free(mover: Mover, host: str) -> Mover:
    """Check that another guest gets and uses the devices of a host.

    :returns: the other server.
    """
    other = _mover(mover.cloud, mover.owner, mover.admin)
    other.start(host)
    _assert_in_step(mover, other)
    return other


def _assert_in_step(*movers: Mover) -> None:
    """Check that exactly the servers' attach handles are in use."""
    shown = [
        contexts.show(each.owner, context_id)
        for each in movers
        for context_id in each.contexts
    ]
    handles = sorted(
        device['attach_handle_id']
        for context in shown
        for binding in context['bindings']
        for device in binding['devices']
    )
    for what, statement in _HANDLES.items():
        found = databases.query(movers[0].cloud, 'cyborg', statement)
        assert sorted(uuid for [uuid] in found) == handles, what

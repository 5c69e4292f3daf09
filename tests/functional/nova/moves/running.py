# SPDX-License-Identifier: Apache-2.0

"""Servers with device contexts that are migrated while they run."""

from tests.functional.nova.moves import moving  # isort: skip - first

import threading
import typing as ty
import urllib.parse

import fixtures
from lxml import etree
from nova.compute import manager
from nova.tests.fixtures import libvirt as fakelibvirt

from tests.functional.nova import base, hotplug

SOURCE, DESTINATION = HOSTS = moving.HOSTS
_SECONDS = 60


class LiveMigrations(fixtures.Fixture):
    """Has Nova's fake libvirt migrate guests; its own always fails.

    :param connection: returns the connection to the libvirt of a host.
    :ivar with_devices: whether devices of a host can be migrated.
    :ivar fails: whether libvirt begins, and fails.
    :ivar aborted: is set if guests are to be migrated until that is aborted;
        else None.
    :ivar held: is set when guests may arrive; else None.
    :ivar sent: the configs that Nova has sent to the destination.
    :ivar under_way: one for each server that the sources migrate now.
    """

    def __init__(self, connection: ty.Callable[[str], ty.Any]) -> None:
        super().__init__()
        self._connection = connection
        self.with_devices = False
        self.fails = False
        self.aborted: threading.Event | None = None
        self.held: threading.Event | None = None
        self.begun = threading.Event()
        self.sent: list[etree._Element] = []
        self.under_way: set[object] = set()

    def _setUp(self) -> None:  # noqa: N802 - the name is fixtures'
        for name, method in {
            'migrateToURI3': self._migrate,
            'abortJob': self._abort,
        }.items():
            self.useFixture(
                fixtures.MonkeyPatch(
                    f'{fakelibvirt.__name__}.Domain.{name}',
                    # A function, to be given the domain.
                    lambda *args, call=method, **kwargs: call(*args, **kwargs),
                )
            )
        # That of Nova 31 to 33 has a job as soon as there is a guest.
        made = fakelibvirt.Domain.__init__
        self.useFixture(
            fixtures.MonkeyPatch(
                f'{fakelibvirt.__name__}.Domain.__init__',
                lambda *args, **kwargs: _make(made, *args, **kwargs),
            )
        )
        stats = fakelibvirt.Domain.jobStats
        self.useFixture(
            fixtures.MonkeyPatch(
                f'{fakelibvirt.__name__}.Domain.jobStats',
                lambda domain, flags=0: _job_stats(stats, domain, flags),
            )
        )
        stock = manager.ComputeManager._do_live_migration
        self.useFixture(
            fixtures.MonkeyPatch(
                f'{manager.__name__}.ComputeManager._do_live_migration',
                lambda *args: self._migrate_server(stock, *args),
            )
        )

    def _migrate_server(
        self, stock: ty.Callable[..., None], *args: ty.Any
    ) -> None:
        me = object()
        self.under_way.add(me)
        try:
            stock(*args)
        finally:
            self.under_way.remove(me)

    def _migrate(
        self, domain: ty.Any, uri: str, params: ty.Any, flags: int
    ) -> None:
        if domain.live and not self.with_devices:
            raise _error('domain has assigned host devices')
        self.sent += [
            etree.fromstring(params[name])
            for name in ('destination_xml', 'persistent_xml')
        ]
        domain._job_type = fakelibvirt.VIR_DOMAIN_JOB_UNBOUNDED
        self.begun.set()
        if self.aborted is not None:
            self.aborted.wait(_SECONDS)
            domain._job_type = fakelibvirt.VIR_DOMAIN_JOB_CANCELLED
            raise _error('migration was canceled by client')
        if self.held is not None:
            self.held.wait(_SECONDS)
        if self.fails:
            # Nova asks until there is no job any more.
            domain._job_type = fakelibvirt.VIR_DOMAIN_JOB_NONE
            raise _error('the network is down')
        destination = self._connection(urllib.parse.urlsplit(uri).hostname)
        destination.defineXML(params['persistent_xml']).createWithFlags(0)
        domain._state = fakelibvirt.VIR_DOMAIN_SHUTOFF
        domain._connection._mark_not_running(domain)
        domain._connection._undefine(domain)
        # Last: Nova asks for it.
        domain.complete_job()

    def _abort(self, _domain: ty.Any) -> None:
        if self.aborted is not None:
            self.aborted.set()


class Guests:
    """Guests of a test whose devices are looked for where the guests are.

    :cvar LIVE_MIGRATION: what all device contexts say.
    """

    LIVE_MIGRATION = 'detach'

    def setUp(self) -> None:
        self.hotplug = hotplug.Hotplug(
            lambda: [each.manager.driver for each in self.computes.values()]
        )
        self.guest_moves = LiveMigrations(self._connection)
        super().setUp()

    def start_compute(self, *args: ty.Any, **kwargs: ty.Any) -> str:
        """Start a compute node, whose guests let go of devices."""
        if not self.computes:
            self.useFixture(self.hotplug)
            self.useFixture(self.guest_moves)
        return super().start_compute(*args, **kwargs)

    def _connection(self, host: str) -> ty.Any:
        return self.computes[host].driver._host.get_connection()

    def create_context(
        self, project: str | None = None, **fields: ty.Any
    ) -> str:
        """Make a device context that says what it is to say."""
        fields.setdefault('live_migration', self.LIVE_MIGRATION)
        return super().create_context(project, **fields)

    def hostdevs(self, server: dict[str, ty.Any]) -> list[base.Hostdev]:
        """Return the devices that a guest has now, or is started with."""
        domains = self.domains(server)
        running = [each for each in domains if each.isActive()]
        return [
            base.Hostdev(
                element.get('type'),
                hotplug.slot_of(element),
                # Nova itself gives none.
                next((a.get('name') for a in element.findall('alias')), None),
            )
            for domain in running or domains
            for element in (domain.live if running else domain.stored)
        ]

    def domains(self, server: dict[str, ty.Any]) -> list[ty.Any]:
        """Return what the hosts that are up have of a guest."""
        return [
            domain
            for host in set(self.computes) - self._down
            for domain in self._connection(host)._vms.values()
            if domain.UUIDString() == server['id']
        ]


class TestCase(Guests, moving.TestCase):
    """Servers that are migrated while they run."""

    def live_migrate(self, host: str | None = None) -> None:
        """Migrate all servers while they run."""
        self.do(
            'os-migrateLive',
            'ACTIVE',
            {'host': host, 'block_migration': 'auto'},
        )

    def assert_moved(self, host: str = DESTINATION) -> None:
        """Check that all guests run on a host, with devices of it."""
        self.assert_on(host)
        for each in self.all:
            (domain,) = self.domains(each.server)
            self.assertEqual(each.devices, len(domain.live))
            # What it is started with, when it is rebooted softly.
            self.assertEqual(
                {hotplug.slot_of(element) for element in domain.stored},
                {hotplug.slot_of(element) for element in domain.live},
            )
        # Nova ends it when the server has its last status already.
        self.wait_for(
            lambda: (
                {each['status'] for each in self.migrations()} == {'completed'}
            )
        )

    def migrations(self) -> list[dict[str, ty.Any]]:
        """Return what Nova says of live migrations."""
        return [
            each
            for each in self.admin_api.get_migrations()
            if each['migration_type'] == 'live-migration'
        ]


def _make(
    made: ty.Callable[..., None],
    domain: ty.Any,
    *args: ty.Any,
    **kwargs: ty.Any,
) -> None:
    """Make a guest with which libvirt does nothing."""
    made(domain, *args, **kwargs)
    domain._job_type = fakelibvirt.VIR_DOMAIN_JOB_NONE


def _job_stats(
    stock: ty.Callable[..., dict[str, ty.Any]], domain: ty.Any, flags: int
) -> dict[str, ty.Any]:
    """Refuse, as libvirt does, to tell of the job of no guest that runs."""
    is_done = domain._job_type != fakelibvirt.VIR_DOMAIN_JOB_NONE
    if not domain.isActive() and not is_done:
        raise _error(
            'Requested operation is not valid: domain is not running',
            fakelibvirt.VIR_ERR_OPERATION_INVALID,
        )
    return stock(domain, flags)


def _error(
    message: str, code: int = fakelibvirt.VIR_ERR_OPERATION_FAILED
) -> Exception:
    error: Exception = fakelibvirt.make_libvirtError(
        fakelibvirt.libvirtError, message, error_code=code
    )
    return error

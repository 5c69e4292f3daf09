# SPDX-License-Identifier: Apache-2.0

"""Base of the tests: real Nova, real Placement, real Cyborg."""

from nova_cyborg.fixture import nova as nova_fixture  # isort: skip - first

import collections.abc
import contextlib
import dataclasses
import itertools
import json
import threading
import time
import typing as ty
import xml.etree.ElementTree as ET
from unittest import mock

import fixtures
import testtools.content
from nova import conf
from nova.api.openstack.compute import servers  # noqa: F401 - for the plugin
from nova.compute import api
from nova.tests.fixtures import libvirt as fakelibvirt
from nova.tests.functional import fixtures as func_fixtures
from nova.tests.functional.libvirt import base
from nova_cyborg.fixture import http_server
from nova_cyborg.nova import client
from nova_cyborg.nova.api import compute_api as hooks_api
from nova_cyborg.nova.api import gate
from nova_cyborg.nova.compute.recovery import unfinished
from placement import deploy

from tests.functional.nova import cyborg, edge

CONF = conf.CONF
# A service that is stopped does so in the background, since 2026.2: at times
# when Nova's fixture has ended that prevents it, and for all later tests.
with contextlib.suppress(ImportError):
    from nova import thread_pool_factory

    thread_pool_factory.shutdown_all_executors = lambda: None
OTHER_PROJECT = 'another-project'
SECONDS = 60
# What the plugin in nova-api looks at.
_IN_API = (
    'create',
    'reboot',
    'start',
    'rebuild',
    'resize',
    'revert_resize',
    'live_migrate',
    'suspend',
    'resume',
)


@dataclasses.dataclass(frozen=True)
class Hostdev:
    """A ``<hostdev>`` of a guest.

    :ivar kind: ``pci`` or ``mdev``.
    :ivar slot: PCI address, or UUID of the mediated device.
    :ivar alias: name of its alias, if it has one.
    """

    kind: str
    slot: str
    alias: str | None


class TestCase(base.ServersTestBase):
    """A cloud with compute nodes, for one test.

    :cvar HOSTS: names of the compute nodes.
    :cvar API_PLUGIN: whether nova-api has the plugin, too.
    :cvar TRIES: how often Nova makes a call that fails each time.
    """

    HOSTS: ty.ClassVar = ('compute1',)
    TRIES = 4
    API_PLUGIN = True
    CAST_AS_CALL = False
    REQUIRES_LOCKING = False
    microversion = 'latest'

    def setUp(self) -> None:
        self.cyborg = cyborg.get()
        self.useFixture(nova_fixture.PluginFixture())
        # Those of an earlier test are gone.
        gate.CONDUCTORS.forget()
        if not self.API_PLUGIN:
            create = api.API.create
            self.useFixture(
                fixtures.MockPatchObject(hooks_api.API, 'create', create)
            )
        super().setUp()
        self.addCleanup(self._finish_conductor)
        # Not a method: Nova's base deletes what a test has before it is over,
        # and what fails in here would end the process, with its other tests.
        self.addOnException(
            lambda _info, log=self.cyborg.log: self.addDetail(
                'cyborg', testtools.content.text_content(log())
            )
        )
        # There are no disks in these tests.
        self.useFixture(
            fixtures.MockPatch(
                'nova.virt.libvirt.driver.LibvirtDriver'
                '._get_instance_disk_info_from_config',
                return_value=[],
            )
        )
        self.flags(arq_binding_timeout=SECONDS)
        self.nova_edge = edge.Edge(self.api_fixture.app())
        self.device_contexts = self.useFixture(
            nova_fixture.DeviceContextsFixture(
                self.nova_edge, self.placement, self.cyborg
            )
        )
        # What is tried again later might be so in the next test.
        self.flags(release_retry_interval=0, group='nova_cyborg')
        self._remember_guests()
        for host in self.HOSTS:
            self.start_compute(host)
        # Nova's helper takes the first of a list, and a test's own flavor
        # has an id by chance, which may come first.
        self.plain_flavor = self.api.get_flavors()[0]['id']

    def _finish_conductor(self) -> None:
        """Let nova-conductor end what it does while others still answer.

        Nova stops its scheduler first, and a call that nobody answers any
        more would hold the test until Nova's long RPC timeout, half an hour.
        """
        self.conductor.rpcserver.stop()
        self.conductor.rpcserver.wait()

    def useFixture(  # noqa: N802 - testtools names it
        self, fixture: fixtures.Fixture
    ) -> fixtures.Fixture:
        """Use a fixture; remember Placement's, as Nova 34 does by itself."""
        used = super().useFixture(fixture)
        if isinstance(used, func_fixtures.PlacementFixture):
            self.placement_fixture = used
        return used

    def serve_placement(self) -> str:
        """Let Cyborg reach Placement; returns its URL.

        What is asked there is in ``placement_requests`` then.
        """
        self.placement_requests: list[str] = []
        application = deploy.loadapp(self.placement_fixture.conf_fixture.conf)

        def admit(
            environ: dict[str, ty.Any], start_response: ty.Any
        ) -> ty.Any:
            self.placement_requests.append(environ['PATH_INFO'])
            environ['HTTP_X_AUTH_TOKEN'] = 'admin'
            return application(environ, start_response)

        server = http_server.HTTPServer(admit)
        self.addCleanup(server.stop)
        return server.url

    def _remember_guests(self) -> None:
        """Keep what libvirt is told, for :meth:`hostdevs`."""
        self.guests: dict[str, list[ET.Element]] = {}
        define = fakelibvirt.Connection.defineXML

        def remember(connection: ty.Any, xml: str) -> ty.Any:
            guest = ET.fromstring(xml)  # noqa: S314 - it is Nova's
            self.guests.setdefault(guest.findtext('uuid'), []).append(guest)
            return define(connection, xml)

        self.useFixture(
            fixtures.MonkeyPatch(
                f'{fakelibvirt.__name__}.Connection.defineXML', remember
            )
        )

    # Devices

    def add_device(
        self, *args: ty.Any, **kwargs: ty.Any
    ) -> nova_fixture.Device:
        """Put a device into a host: into Cyborg's database and Placement."""
        return self.device_contexts.add_device(*args, **kwargs)

    def start_compute_with_mediated_devices(
        self,
        *uuids: str,
        host: str = 'compute1',
        cell_name: str | None = None,
    ) -> None:
        """Start a host with a card that has mediated devices.

        Cyborg's agent has made them when nova-compute looks for them.

        :param uuids: the mediated devices' UUIDs.
        """
        mdevs = {}
        for uuid in uuids:
            name = f'mdev_{uuid.replace("-", "_")}_0000_81_00_0'
            mdevs[name] = fakelibvirt.FakeMdevDevice(
                dev_name=name, type_id='nvidia-11', parent='pci_0000_81_00_0'
            )
        self.start_compute(
            host,
            mdev_info=fakelibvirt.HostMdevDevicesInfo(devices=mdevs),
            cell_name=cell_name,
        )

    def usage(self, device: nova_fixture.Device) -> int:
        """Return how much of a device Placement has allocated."""
        return sum(self._get_provider_usages(device.provider).values())

    def used_slots(self) -> set[str]:
        """Return the slots that Cyborg has given away."""
        used = set()
        for handle in self.cyborg.control('rows', table='attach_handles'):
            info = json.loads(handle['attach_info'])
            address = '{domain}:{bus}:{device}.{function}'.format(**info)
            if handle['in_use']:
                is_mdev = handle['attach_type'] == 'MDEV'
                used.add(handle['uuid'] if is_mdev else address)
        return used

    # Device contexts

    def create_context(
        self, project: str | None = None, **fields: ty.Any
    ) -> str:
        """Make a device context; return its UUID."""
        return self.device_contexts.create_context(
            project or self.api.project_id, **fields
        )

    def update_context(self, uuid: str, **fields: ty.Any) -> None:
        """Change a device context."""
        response = self._contexts('PATCH', f'/{uuid}', fields)
        self.assertEqual(200, response.status_code, response.text)

    def create_profile(self, name: str, group: dict[str, str]) -> None:
        """Make a device profile of one group."""
        response = self.cyborg.api(
            http_server.token('admin', 'admin', 'admin'),
            'POST',
            '/device_profiles',
            [{'name': name, 'groups': [group]}],
        )
        self.assertEqual(201, response.status_code, response.text)

    def get_context(self, uuid: str) -> dict[str, ty.Any] | None:
        """Show a device context; None if there is none."""
        return self.device_contexts.get_context(self.api.project_id, uuid)

    def status(self, uuid: str) -> str | None:
        """Return the status of a device context; None if there is none."""
        found = self.get_context(uuid)
        return found['status'] if found else None

    def _contexts(self, method: str, path: str, body: ty.Any = None) -> ty.Any:
        return self.device_contexts.contexts(
            self.api.project_id, method, path, body
        )

    # Servers

    @contextlib.contextmanager
    def without_api_plugin(self) -> collections.abc.Iterator[None]:
        """Have requests answered as by a nova-api without the plugin."""
        with contextlib.ExitStack() as stack:
            for name in _IN_API:
                stock = getattr(api.API, name)
                stack.enter_context(
                    mock.patch.object(hooks_api.API, name, stock)
                )
            yield

    def post_server(
        self,
        *context_ids: ty.Any,
        count: int | None = None,
        hint: ty.Any = None,
        **fields: ty.Any,
    ) -> dict[str, ty.Any]:
        """Ask for a server with device contexts.

        :param hint: the hint as it is, in the place of a list of UUIDs.
        """
        server = self._build_server(
            flavor_id=self.plain_flavor, networks='none'
        )
        server.update(fields)
        if count:
            server.update(min_count=count, max_count=count)
        body: dict[str, ty.Any] = {'server': server}
        if context_ids or hint is not None:
            hints = {'device_context_id': hint or list(context_ids)}
            body['os:scheduler_hints'] = hints
        return self.api.post_server(body)

    def boot(self, *context_ids: str, **fields: ty.Any) -> dict[str, ty.Any]:
        """Ask for a server with device contexts, and wait for it."""
        return self.wait_for_status(
            self.post_server(*context_ids, **fields), 'ACTIVE'
        )

    def boot_fails(self, *context_ids: str, **fields: ty.Any) -> str:
        """Ask for a server that is not built; return its fault."""
        server = self.post_server(*context_ids, **fields)
        return self.fault_of(server)

    def fault_of(self, server: dict[str, ty.Any]) -> str:
        """Wait until a server has failed; return why."""
        server = self.wait_for_status(server, 'ERROR')
        return self.wait_for(
            lambda: self.api.get_server(server['id']).get('fault')
        )['message']

    def wait_for_status(
        self, server: dict[str, ty.Any], status: str
    ) -> dict[str, ty.Any]:
        """Wait until a server has a status, and nothing is being done."""

        def finished() -> dict[str, ty.Any] | None:
            found = self.api.get_server(server['id'])
            if found['status'] == 'ERROR' != status:
                self.fail(f'server {server["id"]}: {found.get("fault")}')
            done = found['OS-EXT-STS:task_state'] is None or status == 'BUILD'
            return found if found['status'] == status and done else None

        return self.wait_for(finished)

    def act(
        self,
        server: dict[str, ty.Any],
        action: str,
        status: str = 'ACTIVE',
        arguments: dict[str, ty.Any] | None = None,
        api: ty.Any = None,
    ) -> dict[str, ty.Any]:
        """Do something with a server, and wait for its status."""
        (api or self.api).post_server_action(server['id'], {action: arguments})
        return self.wait_for_status(server, status)

    def delete(self, server: dict[str, ty.Any]) -> None:
        """Delete a server, and wait until it is gone."""
        self.api.delete_server(server['id'])
        self._wait_until_deleted(server)

    def hostdevs(self, server: dict[str, ty.Any]) -> list[Hostdev]:
        """Return the devices of a guest, as libvirt was told last."""
        guest = self.guests[server['id']][-1]
        return [_hostdev(element) for element in guest.iter('hostdev')]

    def is_telling(self) -> bool:
        """Tell whether there is something that Cyborg is told later."""
        return any(
            thread.name == unfinished.THREAD
            for thread in threading.enumerate()
        )

    def wait_for(
        self, condition: collections.abc.Callable[[], ty.Any]
    ) -> ty.Any:
        """Wait until a condition is true; return what it is."""
        end = time.monotonic() + SECONDS
        while True:
            found = condition()
            if found:
                return found
            if time.monotonic() > end:
                self.fail(f'{condition} is {found!r} after {SECONDS} s')
            time.sleep(0.2)

    def nova_calls(self) -> list[tuple[str, str]]:
        """Return method and path of Nova's requests to Cyborg so far."""
        return [
            (method, path)
            for method, path, _query in self.cyborg.control('requests')
            # These are the test's own.
            if not path.startswith('/v2/device_contexts')
        ]

    def without_polls(
        self, calls: collections.abc.Iterable[tuple[str, str]]
    ) -> list[tuple[str, str]]:
        """Leave out that nova-compute asks whether something is bound by now.

        It does so once a second where cyborg-conductor binds: mediated
        devices. Other calls that are repeated stay.
        """
        found: list[tuple[str, str]] = []
        for call in calls:
            if [call] != found[-1:] or call != (
                'GET',
                '/v2/accelerator_requests',
            ):
                found.append(call)
        return found

    def ask_again_at_once(self) -> None:
        """Have Nova not pause before it repeats a call."""
        pauses = (0,) * (self.TRIES - 1)
        self.useFixture(fixtures.MockPatchObject(client, '_PAUSES', pauses))

    # What is to be true

    def assert_available(self, *context_ids: str) -> None:
        """Check that device contexts are free, and nothing is left."""
        for context_id in context_ids:
            self.wait_for(lambda c=context_id: self.status(c) == 'available')
        self.assert_nothing_held()

    def assert_nothing_held(self) -> None:
        """Check that no server has anything of Cyborg's or Placement's."""
        for table in (
            'device_allocations',
            'device_context_arqs',
            'extended_accelerator_requests',
        ):
            self.wait_for(
                lambda t=table: not self.cyborg.control('rows', table=t)
            )
        self.wait_for(lambda: not self.hidden_profiles())
        # A binding that Cyborg is still at when its ARQ is deleted has an
        # attach handle for a moment.
        self.wait_for(lambda: not self.used_slots())
        self.wait_for(lambda: not self._allocations())

    def hidden_profiles(self) -> list[dict[str, ty.Any]]:
        """Return the device profiles that stand for device contexts."""
        return [
            row
            for row in self.cyborg.control('rows', table='device_profiles')
            if row['name'].startswith('nova-cyborg-')
        ]

    def _allocations(self) -> dict[str, ty.Any]:
        return {
            consumer: allocation
            for provider in self._get_all_providers()
            for consumer, allocation in self._get_allocations_by_provider_uuid(
                provider['uuid']
            ).items()
        }

    def assert_hostdevs(
        self,
        server: dict[str, ty.Any],
        slots: collections.abc.Iterable[str],
        kind: str = 'pci',
    ) -> None:
        """Check that a guest has slots, each with its request's alias."""
        wanted = {
            device['slot']: f'ua-{device["arq_id"]}'
            for context in self.contexts_of(server)
            for device in context['devices']
        }
        self.assertEqual(set(slots), set(wanted))
        self.assertCountEqual(
            [Hostdev(kind, slot, alias) for slot, alias in wanted.items()],
            self.hostdevs(server),
        )

    def assert_uses_all(self, server: dict[str, ty.Any]) -> None:
        """Check that a guest has all the slots that are given away.

        What a server had on a host that has failed is unbound when the server
        has its last status already.
        """
        self.wait_for(
            lambda: (
                {each.slot for each in self.hostdevs(server)}
                >= self.used_slots()
            )
        )
        self.assert_hostdevs(server, self.used_slots())

    def contexts_of(
        self, server: dict[str, ty.Any]
    ) -> list[dict[str, ty.Any]]:
        """Return the device contexts that a server holds."""
        response = self._contexts('GET', f'?server_id={server["id"]}')
        return response.json()['device_contexts']

    def fail_spawns(
        self, times: int, reason: str = 'no guest today'
    ) -> mock.Mock:
        """Let libvirt refuse to start guests, the first times."""
        create = fakelibvirt.Domain.createWithFlags
        failures = mock.Mock(
            side_effect=itertools.chain(
                [
                    fakelibvirt.make_libvirtError(
                        fakelibvirt.libvirtError,
                        reason,
                        error_code=fakelibvirt.VIR_ERR_OPERATION_FAILED,
                    )
                ]
                * times,
                itertools.repeat(None),
            )
        )

        def start(domain: ty.Any, flags: int) -> ty.Any:
            failures()
            return create(domain, flags)

        self.useFixture(
            fixtures.MonkeyPatch(
                f'{fakelibvirt.__name__}.Domain.createWithFlags', start
            )
        )
        return failures


def _hostdev(element: ET.Element) -> Hostdev:
    alias = element.find('alias')
    name = None if alias is None else alias.get('name')
    address = element.find('source/address')
    if element.get('type') == 'mdev':
        return Hostdev('mdev', address.get('uuid'), name)
    domain, bus, device, function = (
        int(address.get(part), 16)
        for part in ('domain', 'bus', 'slot', 'function')
    )
    slot = f'{domain:04x}:{bus:02x}:{device:02x}.{function:x}'
    return Hostdev('pci', slot, name)

# SPDX-License-Identifier: Apache-2.0

"""Servers that get device contexts while they exist, and lose them."""

from tests.functional.nova import step  # isort: skip - first

import collections.abc
import typing as ty

from lxml import etree
from nova import context as nova_context
from nova import objects
from nova.tests.fixtures import libvirt as fakelibvirt
from nova.tests.functional.api import client
from oslo_utils import uuidutils

from tests.functional.nova import base, hotplug

_PATH = '/servers/{}/os-device-contexts'
_ATTACH = 'attach_device_context'
_DETACH = 'detach_device_context'
_ATTRIBUTES = ['flavor', 'system_metadata', 'device_metadata']


class TestCase(step.TestCase):
    """A server that was booted without device contexts.

    :cvar COMPUTES: names of the compute nodes; each could have all.
    :cvar CELLS: names of the cells of those that are not in the first one.
    :cvar SLOTS: how many slots of each kind each compute node has.
    :cvar BOOTED_WITH: how many device contexts it was booted with, if any.
    :ivar booted: UUIDs of those that it was booted with.
    :ivar pci: UUID of a device context for a PCI device.
    :ivar mdev: UUID of one for a mediated device.
    """

    HOSTS = ()
    COMPUTES: ty.ClassVar = ('compute1',)
    CELLS: ty.ClassVar = {}
    SLOTS = 1
    BOOTED_WITH = 0

    def setUp(self) -> None:
        super().setUp()
        self.flags(
            device_detach_attempts=1, device_detach_timeout=1, group='libvirt'
        )
        self.hotplug = self.useFixture(
            hotplug.Hotplug(
                lambda: [
                    each.manager.driver for each in self.computes.values()
                ]
            )
        )
        for host in self.COMPUTES:
            self._add_host(host)
        self.pci = self.create_context()
        self.mdev = self.create_context(resources={'VGPU': 1})
        self.booted = [self.create_context() for _n in range(self.BOOTED_WITH)]
        self.server = self.boot_first()

    def boot_first(self) -> dict[str, ty.Any]:
        """Boot the server."""
        return self.boot(*self.booted)

    def _add_host(self, host: str) -> None:
        mdevs = [uuidutils.generate_uuid() for _n in range(self.SLOTS)]
        self.start_compute_with_mediated_devices(
            *mdevs, host=host, cell_name=self.CELLS.get(host)
        )
        self.add_device(host, slots=self.SLOTS)
        self.add_device(host, resource_class='VGPU', mdevs=mdevs)

    # What is done

    def post(
        self,
        context_id: str,
        tag: str | None = None,
        server: dict[str, ty.Any] | None = None,
    ) -> dict[str, str]:
        """Ask for a device context to be attached.

        :param server: another one than the server.
        """
        body = {'device_context_id': context_id}
        if tag is not None:
            body['tag'] = tag
        response = self.api.api_post(
            _PATH.format((server or self.server)['id']),
            {'deviceContextAttachment': body},
        )
        found: dict[str, str] = response.body['deviceContextAttachment']
        return found

    def attach(self, context_id: str, tag: str | None = None) -> None:
        """Attach a device context, and wait until that is done."""
        self.post(context_id, tag)
        self.assertEqual('Success', self.outcome(_ATTACH)['result'])

    def attach_fails(self, context_id: str) -> str:
        """Try to attach a device context; return what is said of it."""
        self.post(context_id)
        return self._error(_ATTACH)

    def detach(self, context_id: str) -> None:
        """Detach a device context, and wait until that is done."""
        self.delete_attachment(context_id)
        self.assertEqual('Success', self.outcome(_DETACH)['result'])

    def detach_fails(self, context_id: str) -> str:
        """Try to detach a device context; return what is said of it."""
        self.delete_attachment(context_id)
        return self._error(_DETACH)

    def do(self, action: str, status: str = 'ACTIVE', **more: ty.Any) -> None:
        """Do something with the server, and wait for its status."""
        self.server = self.act(
            self.server, action, status, more or None, self.admin_api
        )

    def delete_attachment(self, context_id: str) -> None:
        """Ask for a device context to be detached."""
        path = _PATH.format(self.server['id'])
        self.api.api_delete(f'{path}/{context_id}')

    def _error(self, action: str) -> str:
        event = self.outcome(action)
        self.assertEqual('Error', event['result'])
        return str(event['details'])

    def outcome(self, action: str) -> dict[str, ty.Any]:
        """Wait until the last action of the server is over; return how."""
        path = f'/servers/{self.server["id"]}/os-instance-actions'

        def find() -> dict[str, ty.Any] | None:
            last = self.admin_api.api_get(path).body['instanceActions'][0]
            self.assertEqual(action, last['action'])
            shown = self.admin_api.api_get(f'{path}/{last["request_id"]}').body
            for event in shown['instanceAction']['events']:
                if event['event'] == f'compute_{action}' and event['result']:
                    return ty.cast(dict[str, ty.Any], event)
            return None

        return ty.cast(dict[str, ty.Any], self.wait_for(find))

    def refused(
        self, call: collections.abc.Callable[..., object], *args: str
    ) -> tuple[int, str]:
        """Ask for something that nova-api refuses; return status and why."""
        error = self.assertRaises(client.OpenStackApiException, call, *args)
        return error.response.status_code, error.response.text

    # What there is

    def domain(self, server_id: str = '') -> ty.Any:
        """Return the guest, one that runs before others."""
        found = [
            domain
            for host in set(self.computes) - self._down
            for domain in self._connection(host)._vms.values()
            if domain.UUIDString() == (server_id or self.server['id'])
        ]
        running = [each for each in found if each.isActive()]
        return next(iter(running or found), None)

    def _connection(self, host: str) -> ty.Any:
        return self.computes[host].driver._host.get_connection()

    def live(self) -> list[base.Hostdev]:
        """Return the devices that the guest has now."""
        return self._of(self.server['id'], 0)

    def stored(self) -> list[base.Hostdev]:
        """Return the devices in what libvirt has stored of the guest."""
        return self._of(self.server['id'], fakelibvirt.VIR_DOMAIN_XML_INACTIVE)

    def _of(self, server_id: str, flags: int) -> list[base.Hostdev]:
        domain = self.domain(server_id)
        if domain is None:
            return []
        return [
            base.Hostdev(
                element.get('type'),
                hotplug.slot_of(element),
                element.find('alias').get('name'),
            )
            for element in etree.fromstring(domain.XMLDesc(flags)).iterfind(
                'devices/hostdev'
            )
        ]

    def hostdevs(self, server: dict[str, ty.Any]) -> list[base.Hostdev]:
        """Return the devices that a guest has."""
        return self._of(server['id'], 0)

    def cell_of(self, server: dict[str, ty.Any]) -> objects.CellMapping:
        """Return the cell of a server."""
        return objects.InstanceMapping.get_by_instance_uuid(
            nova_context.get_admin_context(), server['id']
        ).cell_mapping

    def instance(self) -> objects.Instance:
        """Return what Nova has recorded of the server."""
        with nova_context.target_cell(
            nova_context.get_admin_context(), self.cell_of(self.server)
        ) as context:
            return objects.Instance.get_by_uuid(
                context,
                self.server['id'],
                expected_attrs=[
                    'flavor',
                    'system_metadata',
                    'device_metadata',
                ],
            )

    def hint(self) -> list[str]:
        """Return the device contexts that the server's request names."""
        spec = objects.RequestSpec.get_by_instance_uuid(
            nova_context.get_admin_context(), self.server['id']
        )
        return list((spec.scheduler_hints or {}).get('device_context_id', ()))

    # What is to be true

    def assert_has(self, *context_ids: str) -> None:
        """Check that the server has device contexts, and no others.

        No other server has any.
        """
        slots = {each.slot for each in self.assert_uses(*context_ids)}
        self.wait_for(lambda: self.used_slots() == slots)
        self.assert_in_step(audited=False)

    def assert_uses(self, *context_ids: str) -> list[base.Hostdev]:
        """Check that the server has device contexts, and no others.

        :returns: what its guest has of them.
        """
        wanted = []
        held = {each['uuid']: each for each in self.contexts_of(self.server)}
        self.assertEqual(set(context_ids), set(held))
        for context in held.values():
            self.assertEqual('bound', context['status'])
            wanted += [
                base.Hostdev(
                    device['attach_handle_type'].lower(),
                    device['slot'],
                    f'ua-{device["arq_id"]}',
                )
                for device in context['devices']
            ]
        self.assertCountEqual(wanted, self.live())
        self.assertCountEqual(wanted, self.stored())
        return wanted

    def assert_unmarked(self) -> None:
        """Check that the server has nothing, and Nova knows of nothing."""
        self.assertEqual([], self.contexts_of(self.server))
        self.assertEqual([], self.live() + self.stored())
        instance = self.instance()
        self.assertEqual({}, instance.flavor.extra_specs)
        self.assertNotIn(
            'nova_cyborg_device_contexts', instance.system_metadata
        )

    def assert_as_before(self) -> None:
        """Check that the server has nothing, and never had."""
        self.assert_unmarked()
        for context_id in (self.pci, self.mdev):
            self.assertEqual('available', self.status(context_id))
        for table in (
            'device_allocations',
            'device_bindings',
            'device_context_arqs',
            'extended_accelerator_requests',
        ):
            self.assertEqual([], self.cyborg.control('rows', table=table))
        self.wait_for(lambda: not self.used_slots())
        for device in self.devices:
            self.assertEqual(0, self.usage(device))
        self.assert_in_step(audited=False)

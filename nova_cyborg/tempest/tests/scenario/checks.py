# SPDX-License-Identifier: Apache-2.0

"""What must be true of a server's device contexts, in all services."""

import collections
import typing as ty

from tempest import config
from tempest.lib.common.utils import test_utils

from nova_cyborg.tempest.tests import base

CONF = config.CONF


class ServerChecks(base.BaseDeviceContextTest):
    """Looks at Cyborg and Placement, beside the device contexts' own API."""

    credentials: ty.ClassVar[list[ty.Any]] = ['primary', 'admin']

    @classmethod
    def setup_clients(cls) -> None:
        """Name the clients of the administrator, who sees it all."""
        super().setup_clients()
        ours = cls.os_admin.device_context
        cls.admin_contexts = ours.DeviceContextsClient()
        cls.admin_servers = cls.os_admin.servers_client
        cls.arqs = ours.AcceleratorRequestsClient()
        cls.placement = cls.os_admin.placement_client

    def assert_bound(
        self, server_id: str, *context_ids: str, profile_devices: int = 0
    ) -> list[tuple[str, str]]:
        """Check that a server has its device contexts' devices, and no more.

        :param server_id: the server's UUID.
        :param context_ids: all of its device contexts.
        :param profile_devices: how many it has by the profile of its flavor.
        :returns: the ARQ and the slot of each device of the contexts.
        """
        server = self.admin_servers.show_server(server_id)['server']
        arqs = self.arqs_of(server_id)
        devices = [
            device
            for context_id in context_ids
            for device in self.bound_devices(context_id, server)
        ]
        for device in devices:
            arq = arqs[device['arq_id']]
            self.assertEqual('Bound', arq['state'])
            self.assertEqual(device['host'], arq['hostname'])
            self.assertEqual(
                device['resource_provider_id'], arq['device_rp_uuid']
            )
            self.assertEqual(
                device['attach_handle_info'], arq['attach_handle_info']
            )
        self.assertEqual(len(devices) + profile_devices, len(arqs))
        self._assert_allocated(server_id, arqs)
        slots = [(device['arq_id'], device['slot']) for device in devices]
        self.assertEqual(len(slots), len(dict(slots)))
        self.assertEqual(len(slots), len({slot for _arq, slot in slots}))
        return sorted(slots)

    def bound_devices(
        self, context_id: str, server: dict[str, ty.Any]
    ) -> list[dict[str, ty.Any]]:
        """Check that a device context has its devices where its server is.

        :param context_id: its UUID.
        :param server: the server, as the administrator sees it.
        :returns: the devices.
        """
        context = self.contexts.show_device_context(context_id)
        node = server['OS-EXT-SRV-ATTR:hypervisor_hostname']
        self.assertEqual('bound', context['status'], context)
        self.assertIsNone(context['fault'])
        self.assertEqual(server['id'], context['server_id'])
        self.assertEqual(node, context['host'])
        asked = sum(
            sum(group['resources'].values()) for group in context['groups']
        )
        self.assertEqual(asked, len(context['devices']))
        for device in context['devices']:
            self.assertEqual('Bound', device['state'])
            self.assertEqual(node, device['host'])
            self.assertTrue(device['slot'], device)
        devices: list[dict[str, ty.Any]] = context['devices']
        return devices

    def _assert_allocated(
        self, server_id: str, arqs: dict[str, dict[str, ty.Any]]
    ) -> None:
        """Check that Placement has just what Cyborg has given."""
        bound = collections.Counter(
            arq['device_rp_uuid'] for arq in arqs.values()
        )
        self.assertEqual(dict(bound), self.allocations_of(server_id))

    def arqs_of(self, server_id: str) -> dict[str, dict[str, ty.Any]]:
        """Return Cyborg's accelerator requests of a server.

        :param server_id: the server's UUID.
        :returns: the ARQs by UUID.
        """
        listed = self.arqs.list_accelerator_requests(instance=server_id)
        return {arq['uuid']: arq for arq in listed['arqs']}

    def allocations_of(self, server_id: str) -> dict[str, int]:
        """Return how many accelerators Placement has for a server.

        :param server_id: the server's UUID.
        :returns: the number by the UUID of the device's resource provider.
        """
        listed = self.placement.list_allocations(server_id)['allocations']
        return {
            provider_id: sum(allocation['resources'].values())
            for provider_id, allocation in listed.items()
            # That of the host has the flavor's resources.
            if 'MEMORY_MB' not in allocation['resources']
        }

    def assert_nothing_bound(self, server_id: str) -> None:
        """Check that nothing is, or soon will be, held for a server.

        :param server_id: the server's UUID.
        """

        def held() -> dict[str, ty.Any]:
            contexts = self.admin_contexts.list_device_contexts(
                server_id=server_id, all_projects='true'
            )
            found = {
                'device contexts': contexts['device_contexts'],
                'ARQs': self.arqs_of(server_id),
                'allocations': self.allocations_of(server_id),
            }
            return {what: there for what, there in found.items() if there}

        if not test_utils.call_until_true(
            lambda: not held(),
            CONF.compute.build_timeout,
            CONF.compute.build_interval,
        ):
            self.fail(f'still held for server {server_id}: {held()}')

    def assert_gone(self, server_id: str, *context_ids: str) -> None:
        """Check that a deleted server has left nothing.

        :param server_id: the server's UUID.
        :param context_ids: device contexts that go away with it.
        """
        self.assert_nothing_bound(server_id)
        left = [
            context_id
            for context_id in context_ids
            if not self.contexts.is_resource_deleted(context_id)
        ]
        self.assertEqual([], left)

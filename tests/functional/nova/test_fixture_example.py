# SPDX-License-Identifier: Apache-2.0

from nova_cyborg.fixture import nova as nova_fixture  # isort: skip - first

import fixtures
from nova.tests.functional.libvirt import base


class GuestTest(base.ServersTestBase):
    """What libvirt is told of the devices of a server's device contexts."""

    microversion = 'latest'

    def setUp(self):
        self.useFixture(nova_fixture.PluginFixture())
        super().setUp()
        self.device_contexts = self.useFixture(
            nova_fixture.DeviceContextsFixture(
                self.api_fixture.app(), self.placement
            )
        )
        # There are no disks.
        self.useFixture(
            fixtures.MockPatch(
                'nova.virt.libvirt.driver.LibvirtDriver'
                '._get_instance_disk_info_from_config',
                return_value=[],
            )
        )
        self.start_compute('compute1')

    def test_the_guest_has_the_device(self):
        device = self.device_contexts.add_device('compute1', slots=1)
        project = self.api.project_id
        context = self.device_contexts.create_context(project)

        server = self.api.post_server(
            {
                'server': self._build_server(networks='none'),
                'os:scheduler_hints': {'device_context_id': context},
            }
        )
        self._wait_for_state_change(server, 'ACTIVE')

        shown = self.device_contexts.get_context(project, context)
        self.assertEqual('bound', shown['status'])
        self.assertEqual(server['id'], shown['server_id'])
        self.assertEqual(
            device.provider, shown['devices'][0]['resource_provider_id']
        )
        self.assertEqual(1, self.guest(server).count('<hostdev '))

    def guest(self, server):
        connection = self.computes['compute1'].driver._host.get_connection()
        domain = connection.lookupByUUIDString(server['id'])
        return domain.XMLDesc(0)

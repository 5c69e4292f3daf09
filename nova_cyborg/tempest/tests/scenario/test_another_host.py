# SPDX-License-Identifier: Apache-2.0

"""Servers with device contexts come to another host."""

import typing as ty

import testtools
from tempest import config
from tempest.lib import decorators
from tempest.lib.common.utils import test_utils

from nova_cyborg.tempest.tests.scenario import base

CONF = config.CONF


# One that skips itself later would wait for all others before, to be alone.
@testtools.skipUnless(
    CONF.device_context.host_to_force_down,
    'There is no host to force down ([device_context] host_to_force_down)',
)
# Other tests may have their servers on this host, or need its devices.
@decorators.serial
class AnotherHostTest(base.BaseServerTest):
    """Devices are unbound on the old host, and bound on the new one."""

    # The host can be asked for.
    min_microversion = '2.74'

    @classmethod
    def setup_clients(cls) -> None:
        """Have it all done by the administrator, who can choose hosts."""
        super().setup_clients()
        cls.servers = cls.admin_servers
        cls.contexts = cls.admin_contexts
        cls.services = cls.os_admin.services_client

    def setUp(self) -> None:
        """Boot a server on the host."""
        super().setUp()
        self.host = CONF.device_context.host_to_force_down
        self.context_ids = [self.create_context()['uuid'] for _ in range(2)]
        self.server_id = self.boot(*self.context_ids, host=self.host)
        self.assert_bound(self.server_id, *self.context_ids)
        self.old_arqs = self.arqs_of(self.server_id)

    def _force_down(self) -> None:
        (service,) = self.services.list_services(
            host=self.host, binary='nova-compute'
        )['services']
        self.addCleanup(
            self.services.update_service, service['id'], forced_down=False
        )
        self.services.update_service(service['id'], forced_down=True)

    def _wait_moved(self) -> dict[str, ty.Any]:
        # Nova says that an evacuated server is active, and after that where.
        found: list[dict[str, ty.Any]] = []

        def is_elsewhere() -> bool:
            found.append(self.wait_for(self.server_id, 'ACTIVE'))
            return bool(found[-1]['OS-EXT-SRV-ATTR:host'] != self.host)

        self.assertTrue(
            test_utils.call_until_true(
                is_elsewhere, CONF.compute.build_timeout, 1
            ),
            f'The server stays on {self.host}.',
        )
        return found[-1]

    def _assert_moved(self) -> None:
        server = self._wait_moved()
        self.assertNotIn('fault', server)
        arqs = self.arqs_of(self.server_id)
        self.assertEqual(set(), arqs.keys() & self.old_arqs.keys())
        devices = [
            device['arq_id']
            for context_id in self.context_ids
            for device in self.bound_devices(context_id, server)
        ]
        self.assertEqual(sorted(arqs), sorted(devices))

    def _assert_gone(self) -> None:
        self.delete_server(self.server_id)
        self.assert_gone(self.server_id, *self.context_ids)

    @decorators.idempotent_id('44d72c74-2188-4406-842a-77fcc3d631f8')
    def test_evacuate(self) -> None:
        self._force_down()
        self.servers.evacuate_server(self.server_id)
        self._assert_moved()
        # Nova keeps what is allocated for it on the old host until
        # nova-compute starts there again, or it is deleted.
        self._assert_gone()

    @decorators.idempotent_id('0e8bfd71-18a2-4e02-b47c-056deec0a165')
    @testtools.skipUnless(
        CONF.compute_feature_enabled.shelve, 'Shelve is not available.'
    )
    def test_unshelve(self) -> None:
        self.shelve(self.server_id)
        self._force_down()
        self.servers.unshelve_server(self.server_id)
        self._assert_moved()
        self.assert_bound(self.server_id, *self.context_ids)
        self._assert_gone()

# SPDX-License-Identifier: Apache-2.0

"""Servers keep their device contexts when they move to another host."""

from tests.functional.nova import base  # isort: skip - first

import typing as ty


class MoveTest(base.TestCase):
    """Two compute nodes with the same device."""

    HOSTS = ('compute1', 'compute2')

    def setUp(self) -> None:
        super().setUp()
        devices = [self.add_device(host, slots=1) for host in self.HOSTS]
        self.slots = {device.host: set(device.slots) for device in devices}
        self.context = self.create_context()

    def _assert_moved(self, server: dict[str, ty.Any], host: str) -> None:
        found = self.get_context(self.context)
        self.assertEqual(('bound', host), (found['status'], found['host']))
        self.assert_hostdevs(server, self.slots[host])
        self.assert_uses_all(server)

    def test_shelve_and_unshelve(self) -> None:
        self.flags(shelved_offload_time=0)
        server = self.boot(self.context)
        self.act(server, 'shelve', 'SHELVED_OFFLOADED')
        self.wait_for(lambda: not self.used_slots())
        self.assertEqual('reserved', self.status(self.context))
        self.act(server, 'unshelve')
        self._assert_moved(server, self.get_context(self.context)['host'])

    def test_evacuate(self) -> None:
        server = self.boot(self.context)
        source = self.get_context(self.context)['host']
        (target,) = set(self.HOSTS) - {source}
        self.computes[source].stop()
        service = self.admin_api.get_services(
            host=source, binary='nova-compute'
        )[0]
        self.admin_api.put_service_force_down(service['id'], True)
        self.act(server, 'evacuate', 'SHUTOFF', {}, self.admin_api)
        self._assert_moved(server, target)
        self.delete(server)
        self.assertIsNone(self.status(self.context))
        self.assertEqual(set(), self.used_slots())

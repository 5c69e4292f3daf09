# SPDX-License-Identifier: Apache-2.0

"""Mediated devices are bound to servers, and unbound."""

from tests.functional.nova import step  # isort: skip - first

import typing as ty

from oslo_utils import uuidutils

_ARQS = 'extended_accelerator_requests'


class MediatedDeviceTest(step.TestCase):
    """One compute node, with a card that has a mediated device."""

    HOSTS = ()

    def setUp(self) -> None:
        super().setUp()
        uuid = uuidutils.generate_uuid()
        self.start_compute_with_mediated_devices(uuid)
        self.device = self.add_device(resource_class='VGPU', mdevs=[uuid])

    def _boot(self) -> dict[str, ty.Any]:
        context = self.create_context(resources={'VGPU': 1})
        server = self.boot(context)
        self.assert_hostdevs(server, self.device.slots, kind='mdev')
        return server

    def _delete(self, server: dict[str, ty.Any]) -> None:
        (context,) = self.contexts_of(server)
        self.delete(server)
        self.wait_for(lambda: self.get_context(context['uuid']) is None)

    def test_boot_and_delete(self) -> None:
        server = self._boot()
        self.act(server, 'reboot', arguments={'type': 'HARD'})
        self.assert_hostdevs(server, self.device.slots, kind='mdev')
        self.act(server, 'os-stop', 'SHUTOFF')
        self.act(server, 'os-start')
        self.assert_hostdevs(server, self.device.slots, kind='mdev')
        self._delete(server)
        self.assertEqual(set(), self.used_slots())

        server = self._boot()
        # Now the agent cannot remove it.
        self.cyborg.control('break_agent', broken=True)
        # The server is not held up, and nothing is held for it.
        self._delete(server)
        self.assertEqual([], self.cyborg.control('rows', table=_ARQS))
        # The device is nobody else's until it is removed.
        self.assertEqual(set(self.device.slots), self.used_slots())
        self.cyborg.control('break_agent', broken=False)
        self.assertEqual(['handle-of-no-arq'], self.audit())
        self.assertEqual(set(), self.used_slots())

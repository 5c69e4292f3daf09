# SPDX-License-Identifier: Apache-2.0

"""Placement decides which host a server with device contexts runs on."""

from tests.functional.nova import base  # isort: skip - first

import datetime

import fixtures
from oslo_utils import timeutils


class SchedulingTest(base.TestCase):
    """Two compute nodes."""

    HOSTS = ('compute1', 'compute2')

    def test_only_the_host_with_resources_and_traits_is_chosen(self) -> None:
        self.add_device('compute1')
        self.add_device('compute1', 'PGPU', traits=['CUSTOM_FOO'])
        device = self.add_device('compute2', slots=1, traits=['CUSTOM_FOO'])
        context = self.create_context(required=['FOO'])
        server = self.boot(context)
        self.assertEqual('compute2', self.get_context(context)['host'])
        self.assert_hostdevs(server, device.slots)

    def test_no_host_has_it_all(self) -> None:
        self.add_device('compute1', 'FPGA', traits=['CUSTOM_FOO'])
        self.add_device('compute2', 'PGPU')
        of_two_hosts = [
            self.create_context(resources={name: 1})
            for name in ('FPGA', 'PGPU')
        ]
        without_the_trait = [self.create_context(required=['BAR'])]
        for contexts in (of_two_hosts, without_the_trait):
            fault = self.boot_fails(*contexts)
            self.assertIn('No valid host was found', fault)
            # While the server in error is still there.
            self.assert_available(*contexts)
        for server in self.api.get_servers():
            self.delete(server)
        self.assert_available(*of_two_hosts, *without_the_trait)

    def test_cyborg_is_down_when_the_first_host_has_failed(self) -> None:
        for host in self.HOSTS:
            self.add_device(host)
        context = self.create_context()
        spawns = self.fail_spawns(1)
        self.cyborg.control(
            'fault',
            method='POST',
            path='/begin$',
            action='answer',
            value=503,
        )
        fault = self.boot_fails(context)
        self.assertEqual(1, spawns.call_count)
        self.assertIn('503', fault)
        # Nothing was claimed on the next host, which it will not come to.
        self.assert_available(context)

    def test_a_host_that_has_not_reported_for_minutes(self) -> None:
        """None does in a test, which may take that long."""
        self.add_device('compute1', slots=1)
        later = timeutils.utcnow() + datetime.timedelta(minutes=5)
        self.useFixture(
            fixtures.MockPatchObject(timeutils, 'utcnow', return_value=later)
        )
        self.boot(self.create_context())

    def test_a_device_that_libvirt_does_not_give_away(self) -> None:
        device = self.add_device('compute1', slots=1)
        [slot] = device.slots
        context = self.create_context()
        self.fail_spawns(
            1,
            'internal error: QEMU ended: qemu-system-x86_64: -device {"driver"'
            f':"vfio-pci","host":"{slot}"}}: vfio {slot}: no such host device',
        )
        fault = self.boot_fails(context)
        self.assertIn(
            f'(nova_cyborg.device_not_given compute1/{slot}) The device '
            f'cannot be given to a guest: vfio {slot}: no such host device',
            fault,
        )
        self.assert_available(context)
        self.assertEqual(set(), self.used_slots())

# SPDX-License-Identifier: Apache-2.0

"""Placement decides which host a server with device contexts runs on."""

from tests.functional.nova import base  # isort: skip - first


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

    def test_no_host_with_such_a_device(self) -> None:
        self.add_device('compute1', traits=['CUSTOM_FOO'])
        context = self.create_context(required=['BAR'])
        fault = self.boot_fails(context)
        self.assertIn('No valid host was found', fault)
        self.assert_available(context)

    def test_contexts_that_no_one_host_has(self) -> None:
        self.add_device('compute1', 'FPGA')
        self.add_device('compute2', 'PGPU')
        contexts = [
            self.create_context(resources={name: 1})
            for name in ('FPGA', 'PGPU')
        ]
        self.assertIn('No valid host was found', self.boot_fails(*contexts))
        self.assert_available(*contexts)

    def test_spawn_fails_on_the_first_host(self) -> None:
        devices = [self.add_device(host, slots=1) for host in self.HOSTS]
        context = self.create_context()
        spawns = self.fail_spawns(1)
        server = self.boot(context)
        self.assertEqual(2, spawns.call_count)
        used, unused = sorted(devices, key=self.usage, reverse=True)
        self.assertEqual(0, self.usage(unused))
        self.assert_hostdevs(server, used.slots)
        self.assertEqual(used.host, self.get_context(context)['host'])
        self.assertEqual(set(used.slots), self.used_slots())
        # Delete finds them, too, after the marker went through a reschedule.
        self.delete(server)
        self.assert_nothing_held()

    def test_spawn_fails_on_all_hosts(self) -> None:
        for host in self.HOSTS:
            self.add_device(host)
        context = self.create_context()
        spawns = self.fail_spawns(10)
        fault = self.boot_fails(context)
        self.assertEqual(2, spawns.call_count)
        self.assertIn('Exceeded maximum number of retries', fault)
        # Nova itself does not say why.
        self.assertIn('no guest today', fault)
        self.assert_available(context)

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

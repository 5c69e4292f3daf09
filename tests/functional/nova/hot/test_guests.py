# SPDX-License-Identifier: Apache-2.0

"""Guests that refuse, keep silent, or are not what they should be."""

from tests.functional.nova.hot import plugging  # isort: skip - first

from unittest import mock

from nova.tests.fixtures import libvirt as fakelibvirt

from tests.functional.nova.hot import racing


class AttachTest(plugging.TestCase):
    """A guest does not take a device: all is as it was."""

    def assert_refuses(self, says: str) -> None:
        """Check that nothing is left of an attach, and why it failed."""
        self.assertIn(says, self.attach_fails(self.pci))
        self.assertIn(says, self.get_context(self.pci)['fault'])
        self.assert_as_before()

    def test_it_refuses(self) -> None:
        self.hotplug.refused.update(self.devices[0].slots)
        self.assert_refuses('takes no device today')

    def test_it_has_no_slot_left(self) -> None:
        self.hotplug.ports = 0
        self.assert_refuses('num_pcie_ports')
        self.act(self.server, 'os-stop', 'SHUTOFF')
        self.attach(self.pci)
        self.act(self.server, 'os-start')
        self.assert_has(self.pci)

    def test_it_refuses_the_second_device(self) -> None:
        groups = [{'resources': {'FPGA': 1}}, {'resources': {'VGPU': 1}}]
        both = self.create_context(groups=groups)
        for refused in (self.devices[0].slots, self.devices[1].slots):
            self.hotplug.refused = set(refused)
            self.attach_fails(both)
            self.assert_as_before()
            self.assertEqual('available', self.status(both))
        self.hotplug.refused.clear()
        self.attach(both)
        self.assert_has(both)

    def test_it_is_gone(self) -> None:
        """Nova has not seen yet that there is none."""
        domain = self.domain()
        with mock.patch.dict(domain._connection._vms, clear=True):
            self.assertIn('could not be found', self.attach_fails(self.pci))
            self.assertEqual('available', self.status(self.pci))
        self.assert_as_before()

    def test_it_is_paused_and_refuses_the_second_device(self) -> None:
        groups = [{'resources': {'FPGA': 1}}, {'resources': {'VGPU': 1}}]
        both = self.create_context(groups=groups)
        self.act(self.server, 'pause', 'PAUSED')
        first, second = (set(device.slots) for device in self.devices)
        # A guest that is paused lets go of nothing.
        self.hotplug.refused, self.hotplug.silent = second, first
        self.attach_fails(both)
        self.assertEqual('attaching', self.status(both))
        self.assertEqual(2, len(self.used_slots()))
        self.act(self.server, 'unpause')
        self.hotplug.refused, self.hotplug.silent = set(), set()
        self.attach(both)
        self.assert_has(both)


class DetachTest(racing.TestCase):
    """A server with a PCI device and a mediated device."""

    def setUp(self) -> None:
        super().setUp()
        self.attach(self.pci)
        self.attach(self.mdev)
        self.slots = {each.slot for each in self.live()}

    def _check_kept(self) -> None:
        for context_id in (self.pci, self.mdev):
            why = self.detach_fails(context_id)
            self.assertIn('does not let go', why)
            found = self.get_context(context_id)
            self.assertIn('does not let go', found['fault'])
            self.assert_has(self.pci, self.mdev)

    def _check_detached(self) -> None:
        for context_id in (self.pci, self.mdev):
            self.detach(context_id)
            self.assertIsNone(self.get_context(context_id)['fault'])
        self.assert_as_before()

    def test_it_refuses(self) -> None:
        self.hotplug.kept.update(self.slots)
        self._check_kept()
        self.hotplug.kept.clear()
        self._check_detached()

    def test_it_does_not_answer(self) -> None:
        self.hotplug.silent.update(self.slots)
        self._check_kept()
        self.hotplug.silent.clear()
        self._check_detached()

    def test_its_hypervisor_has_paused_it(self) -> None:
        """As after an I/O error: it is not asked, and Nova knows nothing."""
        self.hotplug.silent.update(self.slots)
        self.domain()._state = fakelibvirt.VIR_DOMAIN_PAUSED
        for context_id in (self.pci, self.mdev):
            self.assertIn('is paused', self.detach_fails(context_id))
            self.assertIn('is paused', self.get_context(context_id)['fault'])
            self.assert_has(self.pci, self.mdev)
        self.assertEqual([], self.hotplug.asked)
        # What it has not is not asked for.
        self.domain().live.clear()
        self._check_detached()

    def test_it_is_paused_as_it_does_not_answer(self) -> None:
        self.flags(device_detach_attempts=60, group='libvirt')
        self.hotplug.silent.update(self.slots)
        self.delete_attachment(self.pci)
        self.wait_for(lambda: self.hotplug.asked)
        self.begin('pause')
        self.assertIn('is paused', str(self.outcomes(racing.DETACH)))
        self.assertLess(len(self.hotplug.asked), 60)
        self.reach('PAUSED')
        self.assert_has(self.pci, self.mdev)
        self.do('unpause')
        self.hotplug.silent.clear()
        self._check_detached()

    def test_it_has_let_go_before(self) -> None:
        self.domain().live.clear()
        self._check_detached()

    def test_only_the_guest_that_runs_has_it(self) -> None:
        self.domain().stored.clear()
        self._check_detached()

    def test_the_aliases_are_missing(self) -> None:
        for element in self.domain().live + self.domain().stored:
            element.remove(element.find('alias'))
        self._check_detached()

    def test_it_keeps_one_of_two(self) -> None:
        self._check_detached()
        groups = [{'resources': {'FPGA': 1}}, {'resources': {'VGPU': 1}}]
        both = self.create_context(groups=groups)
        self.attach(both)
        self.hotplug.kept.update(self.devices[1].slots)
        self.detach_fails(both)
        self.assert_has(both)
        self.hotplug.kept.clear()
        self.detach(both)
        self.assert_as_before()

    def test_it_is_gone(self) -> None:
        """Nova has not seen yet that there is none."""
        connection = self.domain()._connection
        del connection._vms[self.domain().name()]
        self._check_detached()

    def test_a_server_that_is_stopped_has_no_guest(self) -> None:
        self.act(self.server, 'os-stop', 'SHUTOFF')
        connection = self.computes['compute1'].driver._host.get_connection()
        del connection._vms[self.domain().name()]
        self.detach(self.pci)
        self.attach(self.pci)
        self.act(self.server, 'os-start')
        self.assert_has(self.pci, self.mdev)

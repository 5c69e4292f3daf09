# SPDX-License-Identifier: Apache-2.0

"""A guest that is suspended leaves its devices, and gets them back."""

from tests.functional.nova import step  # isort: skip - first

import contextlib
import typing as ty
from unittest import mock

from lxml import etree
from nova.tests.fixtures import libvirt as fakelibvirt
from nova.tests.functional.api import client
from oslo_utils import uuidutils

from tests.functional.nova import base, hotplug


class TestCase(step.TestCase):
    """A server with a PCI device and a mediated device."""

    HOSTS = ()

    def setUp(self) -> None:
        super().setUp()
        mdev = uuidutils.generate_uuid()
        self.hotplug = self.useFixture(
            hotplug.Hotplug(
                lambda: [
                    each.manager.driver for each in self.computes.values()
                ]
            )
        )
        self.start_compute_with_mediated_devices(mdev)
        self.pci = self.add_device(slots=1)
        self.mdev = self.add_device(resource_class='VGPU', mdevs=[mdev])
        contexts = [
            self.create_context(),
            self.create_context(resources={'VGPU': 1}),
        ]
        self.server = self.boot(*contexts)
        self.hostdevs_before = self.live_hostdevs()
        self.assertEqual(2, len(self.hostdevs_before))
        self.handles = self.used_slots()

    def _domain(self) -> ty.Any:
        connection = self.computes['compute1'].driver._host.get_connection()
        return connection.lookupByUUIDString(self.server['id'])

    def live_hostdevs(self) -> set[base.Hostdev]:
        """Return the devices that the guest has now."""
        domain = etree.fromstring(self._domain().XMLDesc(0))
        return {
            base.Hostdev(
                element.get('type'),
                hotplug.slot_of(element),
                element.find('alias').get('name'),
            )
            for element in domain.iterfind('devices/hostdev')
            if self._domain().isActive()
        }

    def suspend(self) -> None:
        """Suspend the server; what it has stays its own."""
        self.act(self.server, 'suspend', 'SUSPENDED')
        self.assertEqual(set(), self.live_hostdevs())
        self.assert_kept()

    def assert_kept(self) -> None:
        """Check that the devices are bound, and nobody else's."""
        self.assertEqual(self.handles, self.used_slots())
        for device in (self.pci, self.mdev):
            self.assertEqual(1, self.usage(device))

    def assert_runs(self) -> None:
        """Check that the guest runs with its devices."""
        self.assertEqual(self.hostdevs_before, self.live_hostdevs())
        self.assert_kept()
        self.assert_in_step()

    def assert_failed(self, action: str) -> None:
        """Wait until an action of the server has failed."""
        self.wait_for(
            lambda: any(
                each['action'] == action and each['message'] == 'Error'
                for each in self.api.get_instance_actions(self.server['id'])
            )
        )

    def saves_fail(self) -> contextlib.AbstractContextManager[object]:
        """Have libvirt save no guest."""
        error = fakelibvirt.make_libvirtError(
            fakelibvirt.libvirtError,
            'no space left',
            error_code=fakelibvirt.VIR_ERR_OPERATION_FAILED,
        )
        return mock.patch.object(
            fakelibvirt.Domain, 'managedSave', autospec=True, side_effect=error
        )

    def reset(self) -> None:
        """Have Nova take the server for one that runs."""
        self.admin_api.post_server_action(
            self.server['id'], {'os-resetState': {'state': 'active'}}
        )

    def reboot_from_error(self) -> None:
        """Reboot the server, which is in error until then."""
        self.api.post_server_action(
            self.server['id'], {'reboot': {'type': 'HARD'}}
        )
        self.wait_for(
            lambda: (
                self.api.get_server(self.server['id'])['status'] == 'ACTIVE'
            )
        )


class SuspendTest(TestCase):
    """All goes well, or nothing has changed."""

    def test_suspend_and_resume(self) -> None:
        self.suspend()
        self.act(self.server, 'resume')
        self.assert_runs()
        # Once more: they are found again.
        self.suspend()
        self.act(self.server, 'resume')
        self.assert_runs()

    def test_devices_without_an_alias(self) -> None:
        # Stock Nova has started the guest.
        for element in self._domain().live:
            element.remove(element.find('alias'))
        self.suspend()
        self.act(self.server, 'resume')
        self.assert_runs()

    def test_what_can_be_done_with_a_suspended_server(self) -> None:
        self.suspend()
        self.act(self.server, 'reboot', arguments={'type': 'HARD'})
        self.assert_runs()

        self.suspend()
        self.delete(self.server)
        self.assert_nothing_held()

    def test_its_nova_compute_is_started_again(self) -> None:
        self.flags(resume_guests_state_on_host_boot=True)
        self.suspend()
        self.restart_compute_service('compute1')
        self.assertEqual(
            'SUSPENDED', self.api.get_server(self.server['id'])['status']
        )
        self.assertEqual(set(), self.live_hostdevs())
        self.act(self.server, 'resume')
        self.assert_runs()

    def test_its_guest_is_lost_with_its_host(self) -> None:
        self.suspend()
        connection = self.computes['compute1'].driver._host.get_connection()
        del connection._vms[self._domain().name()]
        # What was in its memory is lost; it is started anew.
        self.act(self.server, 'resume')
        self.assert_runs()

    def test_a_guest_that_keeps_a_device(self) -> None:
        self.flags(device_detach_attempts=1, group='libvirt')
        self.hotplug.kept.update(self.mdev.slots)
        self.api.post_server_action(self.server['id'], {'suspend': None})
        self.assert_failed('suspend')
        self.wait_for_status(self.server, 'ACTIVE')
        self.assert_runs()

        self.hotplug.kept.clear()
        self.suspend()

    def test_a_guest_that_its_hypervisor_has_paused(self) -> None:
        self._domain()._state = fakelibvirt.VIR_DOMAIN_PAUSED
        self.api.post_server_action(self.server['id'], {'suspend': None})
        self.assert_failed('suspend')
        self.wait_for_status(self.server, 'ACTIVE')
        self.assertEqual([], self.hotplug.asked)
        self.assert_runs()

    def test_a_guest_that_cannot_be_saved(self) -> None:
        with self.saves_fail():
            self.api.post_server_action(self.server['id'], {'suspend': None})
            self.fault_of(self.server)
            self.assert_runs()
            self.reset()
            # Nor does it get back what it has let go of.
            self.hotplug.refused.update(self.handles)
            self.api.post_server_action(self.server['id'], {'suspend': None})
            self.fault_of(self.server)
        self.assertEqual(set(), self.live_hostdevs())
        self.assert_kept()
        self.reboot_from_error()
        self.assert_runs()

    def test_cyborg_does_not_answer(self) -> None:
        self.cyborg.control(
            'fault',
            method='GET',
            path='accelerator_requests',
            action='answer',
            value=503,
        )
        self.api.post_server_action(self.server['id'], {'suspend': None})
        self.assert_failed('suspend')
        self.wait_for_status(self.server, 'ACTIVE')
        self.cyborg.control('clear_faults')
        self.assert_runs()


class ResumeTest(TestCase):
    """A server is not resumed without its devices."""

    def setUp(self) -> None:
        super().setUp()
        self.suspend()

    def _set_missing(self, missing: bool) -> None:
        self.cyborg.control(
            'set_missing', provider=self.pci.provider, missing=missing
        )

    def test_a_missing_device(self) -> None:
        self._set_missing(True)

        error = self.assertRaises(
            client.OpenStackApiException,
            self.api.post_server_action,
            self.server['id'],
            {'resume': None},
        )
        self.assertEqual(409, error.response.status_code)
        self.assertIn(self.pci.slots[0], error.response.text)
        self._assert_stays_suspended()

        with self.without_api_plugin():
            self.api.post_server_action(self.server['id'], {'resume': None})
            self.assert_failed('resume')
        self._assert_stays_suspended()

        self._set_missing(False)
        self.act(self.server, 'resume')
        self.assert_runs()

    def test_a_device_that_the_guest_does_not_take(self) -> None:
        self.hotplug.refused.update(self.mdev.slots)
        self.api.post_server_action(self.server['id'], {'resume': None})
        self.assert_failed('resume')
        self._assert_stays_suspended()

        self.hotplug.refused.clear()
        self.act(self.server, 'resume')
        self.assert_runs()

    def test_a_guest_that_cannot_be_suspended_again(self) -> None:
        self.flags(device_detach_attempts=1, group='libvirt')
        self.hotplug.refused.update(self.mdev.slots)
        self.hotplug.kept.update(self.pci.slots)
        with self.saves_fail():
            self.api.post_server_action(self.server['id'], {'resume': None})
            fault = self.fault_of(self.server)
        self.assertIn(self.mdev.slots[0], fault)
        self.assertIn('takes no device today', fault)
        self.assert_kept()

        self.hotplug.refused.clear()
        self.hotplug.kept.clear()
        self.reboot_from_error()
        self.assert_runs()

    def _assert_stays_suspended(self) -> None:
        self.wait_for_status(self.server, 'SUSPENDED')
        self.assertEqual(set(), self.live_hostdevs())
        self.assert_kept()

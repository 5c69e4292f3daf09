# SPDX-License-Identifier: Apache-2.0

"""Device contexts are attached to servers, and detached."""

from tests.functional.nova.hot import plugging  # isort: skip - first

import typing as ty
from unittest import mock

import oslo_messaging as messaging
from nova import objects
from nova_cyborg.nova.api.attachments import rpcapi
from oslo_db import exception as db_exc


class AttachTest(plugging.TestCase):
    """All goes well."""

    def test_a_server_that_runs(self) -> None:
        shown = self.post(self.pci, 'crypto')
        self.assertEqual(self.pci, shown['device_context_id'])
        self.outcome('attach_device_context')
        self.assert_has(self.pci)
        self.attach(self.mdev)
        self.assert_has(self.pci, self.mdev)
        self.detach(self.pci)
        self.assertEqual('available', self.status(self.pci))
        self.assert_has(self.mdev)
        self.attach(self.pci)
        self.assert_has(self.pci, self.mdev)
        self.detach(self.mdev)
        self.detach(self.pci)
        self.assert_as_before()
        self.assertEqual([], self.hint())

    def test_what_could_not_be_attached_is_not_named(self) -> None:
        several = [
            self.create_context(resources={'FPGA_GZIP': 2}) for _n in range(2)
        ]
        for context_id in several:
            self.attach_fails(context_id)
        self.attach(self.pci)
        self.assertEqual([self.pci], self.hint())

    def test_a_server_that_is_paused(self) -> None:
        self.act(self.server, 'pause', 'PAUSED')
        self.attach(self.pci)
        self.attach(self.mdev)
        self.assert_has(self.pci, self.mdev)
        status, why = self.refused(self.detach, self.pci)
        self.assertEqual(409, status)
        self.assertIn('paused', why)
        self.act(self.server, 'unpause')
        self.detach(self.pci)
        self.detach(self.mdev)
        self.assert_as_before()

    def test_a_server_that_is_stopped(self) -> None:
        self.act(self.server, 'os-stop', 'SHUTOFF')
        self.attach(self.pci)
        self.attach(self.mdev)
        self.assert_has(self.pci, self.mdev)
        self.detach(self.mdev)
        self.assert_has(self.pci)
        self.act(self.server, 'os-start')
        self.assert_has(self.pci)
        self.act(self.server, 'os-stop', 'SHUTOFF')
        self.detach(self.pci)
        self.act(self.server, 'os-start')
        self.assert_as_before()

    def test_what_is_there_already_and_what_is_not(self) -> None:
        status, why = self.refused(self.detach, self.pci)
        self.assertEqual(404, status)
        self.assertIn('not attached', why)
        self.attach(self.pci)
        status, why = self.refused(self.post, self.pci)
        self.assertEqual(409, status)
        self.assertIn('already', why)
        self.assert_has(self.pci)

    def test_no_free_device_on_this_host(self) -> None:
        other = self.create_context()
        self.attach(self.pci)
        self.assertIn('no free device', self.attach_fails(other))
        self.assertEqual('available', self.status(other))
        self.assertIn('no free device', self.get_context(other)['fault'])
        self.assert_has(self.pci)
        self.detach(self.pci)
        self.attach(other)
        self.assertIsNone(self.get_context(other)['fault'])
        self.assert_has(other)


class ManyTest(plugging.TestCase):
    """A server gets several device contexts, one after the other."""

    SLOTS = 8

    def test_eight(self) -> None:
        contexts = [self.create_context() for _n in range(8)]
        for number, context in enumerate(contexts, start=1):
            self.attach(context)
            self.assert_has(*contexts[:number])
        for number, context in enumerate(contexts, start=1):
            self.detach(context)
            if number < len(contexts):
                self.assert_has(*contexts[number:])
        self.assert_as_before()

    def test_more_than_a_server_may_have(self) -> None:
        """It could not be moved: Placement is asked for all then."""
        self.flags(group='nova_cyborg', max_groups_per_server=1)
        self.attach(self.pci)
        status, why = self.refused(self.post, self.mdev)
        self.assertEqual(400, status)
        self.assertIn('1', why)
        self.assertEqual('available', self.status(self.mdev))
        self.assert_has(self.pci)

    def test_nova_compute_cannot_be_told(self) -> None:
        for lost in (
            messaging.MessagingTimeout(),
            messaging.MessageDeliveryFailure('amqp://secret@broker1'),
        ):
            self.assert_says_who_was_not_told(lost)

    def assert_says_who_was_not_told(self, lost: Exception) -> None:
        """Check what a user reads of a message that could not be sent."""
        self.assert_untold(self.post, lost)
        self.assertEqual('available', self.status(self.pci))
        self.attach(self.pci)
        self.assert_untold(self.detach, lost)
        self.assertEqual('bound', self.status(self.pci))
        self.assert_has(self.pci)
        self.detach(self.pci)
        self.assert_as_before()

    def assert_untold(
        self, ask: ty.Callable[..., ty.Any], lost: Exception
    ) -> None:
        """Check that a request is refused whose message is lost."""
        with mock.patch.object(rpcapi, '_router') as router:
            client = router.return_value.client.return_value
            client.prepare.return_value.cast.side_effect = lost
            status, why = self.refused(ask, self.pci)
        self.assertEqual(503, status)
        self.assertIn('Try again later', why)
        fault = self.get_context(self.pci)['fault']
        self.assertIn('could not be told', fault)

    def test_the_database_fails(self) -> None:
        """Its words are not for the project, and may be many."""
        error = db_exc.DBError('mysql://secret@db1 ' + 'x' * 5000)
        with mock.patch.object(objects.RequestSpec, 'save', side_effect=error):
            self.assertEqual(500, self.refused(self.post, self.pci)[0])
        shown = self.get_context(self.pci)
        self.assertEqual('available', shown['status'])
        self.assertEqual('Nova failed (DBError).', shown['fault'])
        self.attach(self.pci)
        self.detach(self.pci)
        self.assert_as_before()

    def test_several_devices_of_one_provider(self) -> None:
        groups = [{'resources': {'FPGA': 2}}, {'resources': {'VGPU': 1}}]
        several = self.create_context(groups=groups)
        self.attach(self.pci)
        self.attach(several)
        self.assertEqual(4, len(self.live()))
        self.assert_has(self.pci, several)
        self.detach(self.pci)
        self.assert_has(several)
        self.detach(several)
        self.assert_as_before()


class BootedWithTest(plugging.TestCase):
    """A server was booted with a device context."""

    SLOTS = 2

    def boot_first(self) -> dict[str, str]:
        self.first = self.create_context()
        return self.boot(self.first)

    def test_it_gets_others_and_loses_the_first(self) -> None:
        self.attach(self.pci)
        self.attach(self.mdev)
        self.assert_has(self.first, self.pci, self.mdev)
        self.detach(self.first)
        self.assertEqual('available', self.status(self.first))
        self.assert_has(self.pci, self.mdev)
        self.detach(self.pci)
        self.detach(self.mdev)
        self.assert_as_before()
        self.assertEqual([], self.hint())


class ProfileTest(plugging.TestCase):
    """A server whose flavor has a device profile, and resources."""

    SLOTS = 3

    def boot_first(self) -> dict[str, str]:
        self.create_profile('fpga', {'resources:FPGA': '1'})
        self.specs = {'accel:device_profile': 'fpga', 'resources:FPGA': '1'}
        flavor = self._create_flavor(extra_spec=self.specs)
        return self.boot(flavorRef=flavor)

    def test_what_the_flavor_asks_for_stays(self) -> None:
        before = self.live()
        self.assertEqual(1, len(before))
        fpga = self.devices[0]
        self.assertEqual(2, self.usage(fpga))
        self.attach(self.pci)
        self.assertEqual(3, self.usage(fpga))
        self.assertEqual(2, len(self.live()))
        self.detach(self.pci)
        self.assertEqual(2, self.usage(fpga))
        self.assertEqual(before, self.live())
        self.assertEqual(self.specs, self.instance().flavor.extra_specs)

# SPDX-License-Identifier: Apache-2.0

"""Guests that let go of a device when nobody waits for it any more."""

import contextlib
import threading
import typing as ty
from unittest import mock

from nova import objects
from nova.virt.libvirt import event
from nova_cyborg.nova.compute.libvirt import removals

from tests.functional.nova import hotplug as fake
from tests.functional.nova.hot import racing, test_tags


class TestCase(racing.TestCase, test_tags.TestCase):
    """A server with two devices, whose guest did not answer at first."""

    def setUp(self) -> None:
        super().setUp()
        self.attach(self.pci, 'crypto')
        self.attach(self.mdev, 'draw')
        self.slots = {
            context_id: self.get_context(context_id)['devices'][0]['slot']
            for context_id in (self.pci, self.mdev)
        }

    def detach_in_vain(self) -> None:
        """Ask a guest that keeps silent for both devices."""
        self.hotplug.silent.update(self.slots.values())
        for context_id in self.slots:
            self.detach_fails(context_id)
        self.hotplug.silent.clear()

    def let_go(self, context_id: str) -> None:
        """Have the guest let go of a device."""
        self.hotplug.let_go(self.domain(), self.slots[context_id])

    def wait_until_seen_to(self) -> None:
        """Wait until nova-compute is done with what it was told of."""
        self.wait_for(
            lambda: (
                removals.THREAD
                not in [thread.name for thread in threading.enumerate()]
            )
        )

    def assert_back(self) -> None:
        """Check that the guest has both devices, and is told where."""
        self.wait_for(lambda: len(self.live()) == 2)
        self.wait_until_seen_to()
        self.assert_has(self.pci, self.mdev)
        self.assert_told('crypto', 'draw')


class LateTest(TestCase):
    """The guest has booted by now, or was reset from within."""

    def test_it_gets_the_device_again(self) -> None:
        self.detach_in_vain()
        for context_id in self.slots:
            with mock.patch.object(fake, '_FIRST_BUS', 9):
                self.let_go(context_id)
                self.assert_back()
        # What it was asked for before is out of the way.
        for context_id in self.slots:
            self.detach(context_id)
        self.assert_as_before()

    def test_it_is_paused_by_then(self) -> None:
        self.detach_in_vain()
        self.do('pause', 'PAUSED')
        self.let_go(self.pci)
        self.assert_back()

    def test_it_lets_go_of_both(self) -> None:
        self.detach_in_vain()
        for context_id in self.slots:
            self.let_go(context_id)
        self.assert_back()

    def test_it_lets_go_of_its_own_accord(self) -> None:
        self.let_go(self.mdev)
        self.assert_back()

    def test_it_does_not_take_it_again(self) -> None:
        self.detach_in_vain()
        self.hotplug.refused.add(self.slots[self.pci])
        self.let_go(self.pci)
        self.wait_for(
            lambda: (
                'takes no device'
                in (self.get_context(self.pci)['fault'] or '')
            )
        )
        self.assertEqual('bound', self.status(self.pci))
        self.assertIsNotNone(self.get_context(self.mdev)['fault'])
        self.hotplug.refused.clear()
        self.do('reboot', type='HARD')
        self.assert_back()

    def test_it_lets_go_again_and_again(self) -> None:
        """A guest can do that as often as it likes."""
        for _n in range(removals.TIMES):
            self.let_go(self.pci)
            self.assert_back()
        self.let_go(self.pci)
        self.wait_for(
            lambda: (
                'has let go of device'
                in (self.get_context(self.pci)['fault'] or '')
            )
        )
        self.wait_until_seen_to()
        self.assertEqual(1, len(self.live()))
        self.assertEqual('bound', self.status(self.pci))
        self.assertIsNone(self.get_context(self.mdev)['fault'])
        self.assert_told('draw')
        # The other device has nothing to do with it.
        self.let_go(self.mdev)
        self.wait_for(lambda: len(self.live()) == 1)
        self.do('reboot', type='HARD')
        self.assert_back()
        self.assertIsNone(self.get_context(self.pci)['fault'])

    def test_cyborg_does_not_answer(self) -> None:
        self.cyborg.control(
            'fault',
            method='GET',
            path='accelerator_requests',
            action='answer',
            value=503,
        )
        with self.assertLogs(removals.LOG, 'ERROR') as logged:
            self.let_go(self.pci)
            self.wait_until_seen_to()
        self.assertIn('Reboot it (hard)', logged.output[0])
        self.cyborg.control('clear_faults')
        self.do('reboot', type='HARD')
        self.assert_back()

    def test_it_comes_as_the_device_context_is_detached(self) -> None:
        """Between nova-api and nova-compute."""
        self.detach_in_vain()
        pause = self.pause(racing.ENDPOINT)
        self.delete_attachment(self.pci)
        pause.reached()
        self.let_go(self.pci)
        self.wait_until_seen_to()
        self.assertEqual(1, len(self.live()))
        pause.go_on()
        self.assertEqual([None], self.outcomes(racing.DETACH))
        self.assertEqual('available', self.status(self.pci))
        self.assert_has(self.mdev)

    def test_it_comes_as_something_else_is_done(self) -> None:
        self.detach_in_vain()
        pause = self.pause(f'{racing.STOCK}.suspend_instance')
        self.begin('suspend')
        pause.reached()
        with self.assertLogs(removals.LOG, 'WARNING') as logged:
            self.let_go(self.pci)
            self.wait_until_seen_to()
        self.assertIn('suspending', logged.output[0])
        self.assertEqual(1, len(self.live()))
        pause.go_on()
        self.reach('SUSPENDED')
        self.do('resume')
        self.assert_back()

    def test_it_comes_after_the_server_is_gone(self) -> None:
        server_id, alias = self.server['id'], self._alias(self.pci)
        self.delete(self.server)
        self._send(alias, server_id)
        self.wait_until_seen_to()
        self.assert_nothing_held()

    def _alias(self, context_id: str) -> str:
        (device,) = self.get_context(context_id)['devices']
        return f'ua-{device["arq_id"]}'

    def _send(self, alias: str, server_id: str) -> None:
        self.computes['compute1'].driver.emit_event(
            event.DeviceRemovedEvent(server_id, alias)
        )


class OthersTest(TestCase):
    """What nothing is to be done for costs nothing."""

    @contextlib.contextmanager
    def _nothing_is_begun(self) -> ty.Iterator[None]:
        before = self.nova_calls()
        with mock.patch.object(
            objects.Instance,
            'get_by_uuid',
            side_effect=AssertionError('the server is read'),
        ):
            yield
            self.wait_until_seen_to()
        self.assertEqual(before, self.nova_calls())

    def test_devices_of_novas(self) -> None:
        driver = self.computes['compute1'].driver
        with self._nothing_is_begun():
            for alias in ('net0', 'virtio-disk0', 'hostdev0', 'ua-crypto'):
                driver.emit_event(
                    event.DeviceRemovedEvent(self.server['id'], alias)
                )
            (device,) = self.get_context(self.pci)['devices']
            driver.emit_event(
                event.DeviceRemovalFailedEvent(
                    self.server['id'], f'ua-{device["arq_id"]}'
                )
            )

    def test_what_is_waited_for(self) -> None:
        with mock.patch.object(
            removals, 'begin', side_effect=AssertionError('it is waited for')
        ):
            for context_id in self.slots:
                self.detach(context_id)
        self.assert_as_before()

    def test_the_event_does_not_wait(self) -> None:
        """Neither for who has the server locked, nor for Cyborg."""
        pause = self.pause(f'{removals.__name__}.put_back')
        self.let_go(self.pci)
        pause.reached()
        self.assertEqual(1, len(self.live()))
        pause.go_on()
        self.assert_back()

# SPDX-License-Identifier: Apache-2.0

"""nova-api has the plugin, and another service of Nova's has it not."""

from tests.functional.nova.hot import racing  # isort: skip - first

import typing as ty

from nova_cyborg.nova.api import gate

from tests.functional.nova import stock

_HOST = 'compute1'
_RPC = 'nova_cyborg.nova.api.attachments.rpcapi'
_CONDUCTOR = 'nova.conductor.manager.ConductorManager'


class TestCase(racing.TestCase):
    """A server; whether it has a device context is up to the test."""

    def assert_unavailable(self, reason: str) -> None:
        """Check that nothing can be begun, and that it is said why."""
        for call in (self.post, self.delete_attachment):
            status, why = self.refused(call, self.pci)
            self.assertEqual(409, status)
            self.assertIn(reason, why)

    def assert_works(self) -> None:
        """Check that a device context can be attached, and detached."""
        self.attach(self.pci)
        self.assert_has(self.pci)
        self.detach(self.pci)
        self.assert_as_before()


class ComputeTest(TestCase):
    """The nova-compute of the server's host is started without it."""

    def _switch_off(self) -> None:
        with stock.StockComputes():
            self.restart_compute_service(_HOST)

    def _switch_on(self) -> None:
        self.restart_compute_service(_HOST)

    def _is_told(self, function: str, call: ty.Any) -> None:
        """Have a stock nova-compute told: nova-api has asked before."""
        pause = self.pause(f'{_RPC}.{function}')
        request = racing.Request(call, self.pci)
        pause.reached()
        self._switch_off()
        pause.go_on()
        self.assertIsNone(request.refusal())

    def test_nothing_is_begun(self) -> None:
        self._switch_off()
        self.assert_unavailable('has no plugin')
        self.assert_as_before()
        self._switch_on()
        self.assert_works()

    def test_a_server_that_has_one(self) -> None:
        """It keeps it, and stock Nova starts its guest without the alias."""
        self.attach(self.pci)
        self._switch_off()
        self.assert_unavailable('has no plugin')
        self.do('reboot', type='HARD')
        (element,) = self.domain().stored
        self.assertIsNone(element.find('alias'))
        self.assertEqual('bound', self.status(self.pci))
        self._switch_on()
        self.detach(self.pci)
        self.assert_as_before()

    def test_it_is_told_to_attach(self) -> None:
        """It does not know what that is, and Nova's action has no end."""
        self._is_told('attach', self.post)
        self.assertEqual('attaching', self.status(self.pci))
        self.assert_unavailable('has no plugin')
        self.assertEqual([], self.live() + self.stored())
        self.assertFalse(self.used_slots())
        self._switch_on()
        self.assert_works()

    def test_it_is_told_to_detach(self) -> None:
        self.attach(self.pci)
        self._is_told('detach', self.delete_attachment)
        self.assertEqual('detaching', self.status(self.pci))
        self.assert_unavailable('has no plugin')
        self.assertEqual(1, len(self.live()))
        self._switch_on()
        self.detach(self.pci)
        self.assert_as_before()

    def test_it_is_told_to_attach_and_the_server_is_deleted(self) -> None:
        """Nova does not know that it has anything; Cyborg finds it out."""
        self._is_told('attach', self.post)
        self.delete(self.server)
        self.reconcile()
        self.wait_for(lambda: self.status(self.pci) in (None, 'available'))
        self.assert_nothing_held()


class ConductorTest(TestCase):
    """One of two nova-conductors has it not: it would move no devices."""

    def test_nothing_is_begun(self) -> None:
        second = self.start_service(
            'conductor', host='second', manager=_CONDUCTOR
        )
        gate.CONDUCTORS.forget()
        self.assert_unavailable('not all nova-conductors')
        self.assert_as_before()
        second.stop()
        (record,) = self.admin_api.get_services(
            host='second', binary='nova-conductor'
        )
        self.admin_api.api_delete(f'/os-services/{record["id"]}')
        gate.CONDUCTORS.forget()
        self.assert_works()

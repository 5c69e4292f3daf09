# SPDX-License-Identifier: Apache-2.0

"""A port or a volume comes or goes while a device context does.

Nova then stores the server as it was when that was asked for.
"""

from tests.functional.nova.hot import racing  # isort: skip - first

import typing as ty
from unittest import mock

from nova import context as nova_context
from nova.tests import fixtures
from nova_cyborg.nova import client, marks

_DRIVER = 'nova.virt.libvirt.driver.LibvirtDriver'
# One of Nova's fixture.
_VOLUME = fixtures.CinderFixture.IMAGE_BACKED_VOL


class TestCase(racing.TestCase):
    """A server whose flavor has an extra spec: Nova stores that each time."""

    def boot_first(self) -> dict[str, ty.Any]:
        """Boot the server."""
        self.specs = {'quota:cpu_shares': '10'}
        flavor = self._create_flavor(extra_spec=self.specs)
        return self.boot(flavorRef=flavor)

    def extra_specs(self) -> dict[str, str]:
        """Return the extra specs of the server's own copy of its flavor."""
        return dict(self.instance().flavor.extra_specs)


class Beside:
    """Something of Nova's own is attached, or detached.

    :cvar COMES: the function in which it is attached: it was told of the
        server, and does not hold Nova's lock of it, which devices wait for.
    :cvar GOES: the one in which it is detached.
    """

    COMES = ''
    GOES = ''

    def _come(self) -> None:
        """Attach it; nova-api may answer before it is there."""
        raise NotImplementedError

    def _go(self) -> None:
        """Detach it; as above."""
        raise NotImplementedError

    def _wait(self, present: bool) -> None:
        """Wait until it is there, or gone."""
        raise NotImplementedError

    def _begin(self, call: ty.Callable[[], None], name: str) -> ty.Any:
        """Begin it, until it comes to a function; return the rest."""
        pause = self.pause(name)
        request = racing.Request(call)
        pause.reached()

        def end() -> None:
            pause.go_on()
            self.assertIsNone(request.refusal())
            self._wait(present=name == self.COMES)

        return end

    def _have(self) -> None:
        self._come()
        self._wait(present=True)

    def test_it_comes(self) -> None:
        end = self._begin(self._come, self.COMES)
        self.attach(self.pci, 'tag1')
        end()
        self._assert_tagged()
        self.assert_has(self.pci)

    def test_it_goes(self) -> None:
        self._have()
        end = self._begin(self._go, self.GOES)
        self.attach(self.pci, 'tag1')
        end()
        self._assert_tagged()
        self.assert_has(self.pci)

    def test_a_server_that_has_no_device(self) -> None:
        """It is not read once more."""
        with mock.patch.object(marks, 'read') as read:
            self._have()
            self._go()
            self._wait(present=False)
        read.assert_not_called()
        self._assert_unmarked()

    def test_it_comes_as_the_last_device_goes(self) -> None:
        self.attach(self.pci, 'tag1')
        end = self._begin(self._come, self.COMES)
        self.detach(self.pci)
        end()
        self._assert_unmarked()

    def test_it_goes_as_the_last_device_goes(self) -> None:
        self._have()
        self.attach(self.pci, 'tag1')
        end = self._begin(self._go, self.GOES)
        self.detach(self.pci)
        end()
        self._assert_unmarked()

    def _assert_tagged(self) -> None:
        self.assertEqual(
            {**self.specs, 'accel:device_profile': 'device-context'},
            self.extra_specs(),
        )
        found = self.instance().device_metadata
        self.assertIn(['tag1'], [each.tags for each in found.devices])

    def _assert_unmarked(self) -> None:
        self.assertEqual(self.specs, self.extra_specs())
        self.assertFalse(marks.bears_any(self.instance()))
        self.assertEqual([], self.live() + self.stored())


class PortTest(Beside, TestCase):
    """A port: nova-api waits until it is there."""

    COMES = f'{_DRIVER}.attach_interface'
    GOES = f'{_DRIVER}.detach_interface'

    def _come(self) -> None:
        network = {'net_id': self.neutron.network_1['id']}
        self.api.attach_interface(
            self.server['id'], {'interfaceAttachment': network}
        )

    def _go(self) -> None:
        # Nova's fixture makes this one.
        self._detach_interface(self.server, self.neutron.port_2['id'])

    def _wait(self, present: bool) -> None:
        """It is over by then."""


class VolumeTest(Beside, TestCase):
    """A volume."""

    COMES = f'{racing.STOCK}.attach_volume'
    GOES = f'{racing.STOCK}.detach_volume'

    def _come(self) -> None:
        attachment = {'volumeId': _VOLUME, 'tag': 'disk1'}
        self.api.post_server_volume(
            self.server['id'], {'volumeAttachment': attachment}
        )

    def _go(self) -> None:
        self.api.delete_server_volume(self.server['id'], _VOLUME)

    def _wait(self, present: bool) -> None:
        event = 'attach' if present else 'detach'
        self.notifier.wait_for_versioned_notifications(
            f'instance.volume_{event}.end'
        )
        held = self.api.get_server_volumes(self.server['id'])
        self.assertEqual(
            [_VOLUME] * present, [each['volumeId'] for each in held]
        )


class KeyTest(TestCase):
    """The flavor has lost the marker, and the key is there."""

    def setUp(self) -> None:
        super().setUp()
        self.attach(self.pci)
        with nova_context.target_cell(
            nova_context.get_admin_context(), self.cell_of(self.server)
        ):
            instance = self.instance()
            instance.flavor = marks.unmarked(instance.flavor)
            instance.flavor.extra_specs['quota:cpu_shares'] = '20'
            instance.save()
        self.assertEqual({'quota:cpu_shares': '20'}, self.extra_specs())

    def test_the_host_is_booted(self) -> None:
        self.flags(resume_guests_state_on_host_boot=True)
        self.domain().destroy()
        self.restart_compute_service('compute1')
        self.wait_for(self.live)
        self.assert_has(self.pci)

    def test_the_server_is_deleted_at_last(self) -> None:
        self.flags(reclaim_instance_interval=1)
        self.api.delete_server(self.server['id'])
        self.wait_for_status(self.server, 'SOFT_DELETED')
        manager = self.computes['compute1'].manager
        # As nova-compute has it for what it does by itself.
        context = client.with_credentials(nova_context.get_admin_context())

        def is_gone() -> bool:
            manager._reclaim_queued_deletes(context)
            return self._server(self.server['id']) is None

        self.wait_for(is_gone)
        self.assert_nothing_held()

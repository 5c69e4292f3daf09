# SPDX-License-Identifier: Apache-2.0

"""Guests read which device has which tag."""

from tests.functional.nova.hot import plugging  # isort: skip - first

import collections.abc
import json
import pathlib
import typing as ty
from unittest import mock

from nova import conf, objects
from nova import context as nova_context
from nova.api.metadata import base as metadata
from nova.virt import configdrive
from nova_cyborg.nova.compute.libvirt import driver

from tests.functional.nova import hotplug
from tests.functional.nova.hot import racing, two_hosts

CONF = conf.CONF


class TestCase(plugging.TestCase):
    """What a server's metadata say is what its guest has."""

    def _told(self) -> list[tuple[str, str, str, list[str]]]:
        """Return what the server's metadata say of devices."""
        found = metadata.get_metadata_by_instance_id(
            self.server['id'], None, nova_context.get_admin_context()
        )
        return _devices(found.lookup('/openstack/latest/meta_data.json'))

    def assert_told(self, *tags: str) -> None:
        """Check that the metadata name the devices with these tags."""
        of_arqs = {
            f'ua-{device["arq_id"]}': context['tag']
            for context in self.contexts_of(self.server)
            for device in context['devices']
        }
        wanted = []
        for element in self.domain().live:
            tag = of_arqs[element.find('alias').get('name')]
            bus = element.find('address').get('bus').removeprefix('0x')
            if tag:
                wanted.append(
                    ('accelerator', 'pci', f'0000:{bus}:00.0', [tag])
                )
        self.assertCountEqual(tags, [each[3][0] for each in wanted])
        self.assertCountEqual(wanted, self._told())


class TagsTest(TestCase):
    """The metadata service, and the config drive, tell of devices."""

    SLOTS = 2

    def boot_first(self) -> dict[str, ty.Any]:
        self.first = self.create_context(tag='first')
        return self.boot(self.first)

    def test_from_boot_to_the_last(self) -> None:
        self.assert_told('first')
        self.attach(self.pci, 'crypto')
        self.assert_told('first', 'crypto')
        self.attach(self.mdev)
        self.assert_told('first', 'crypto')
        self.detach(self.first)
        self.assert_told('crypto')
        self.act(self.server, 'reboot', arguments={'type': 'HARD'})
        self.assert_told('crypto')
        self.act(self.server, 'suspend', 'SUSPENDED')
        self.act(self.server, 'resume')
        self.assert_told('crypto')
        self.detach(self.pci)
        self.detach(self.mdev)
        self.assert_told()
        self.assertIsNone(self.instance().device_metadata)

    def test_a_server_that_is_stopped(self) -> None:
        self.act(self.server, 'os-stop', 'SHUTOFF')
        self.attach(self.pci, 'crypto')
        self.attach(self.mdev, 'draw')
        self.act(self.server, 'os-start')
        self.assert_told('first', 'crypto', 'draw')
        self.act(self.server, 'os-stop', 'SHUTOFF')
        self.detach(self.first)
        self.detach(self.mdev)
        self.act(self.server, 'os-start')
        self.assert_told('crypto')

    def test_a_server_that_is_paused(self) -> None:
        self.act(self.server, 'pause', 'PAUSED')
        self.attach(self.pci, 'crypto')
        self.attach(self.mdev, 'draw')
        self.assert_told('first', 'crypto', 'draw')
        self.act(self.server, 'unpause')
        self.assert_told('first', 'crypto', 'draw')

    def test_a_tag_that_another_has(self) -> None:
        status, why = self.refused(self.post, self.pci, 'first')
        self.assertEqual(409, status)
        self.assertIn('first', why)
        self.assertEqual('available', self.status(self.pci))

    def test_two_of_one_tag_at_boot(self) -> None:
        other = self.create_context(tag='first')
        status, why = self.refused(
            self.post_server, other, self.create_context(tag='first')
        )
        self.assertEqual(409, status)
        self.assertIn('first', why)
        self.assertEqual('available', self.status(other))

    def test_what_fails_there_does_no_harm(self) -> None:
        with mock.patch.object(
            driver.LibvirtDriver,
            'describe_devices',
            side_effect=ValueError('no description today'),
        ):
            self.attach(self.pci, 'crypto')
            self.detach(self.first)
        self.assert_has(self.pci)
        self.cyborg.control(
            'fault', method='GET', path='device_allocations', action='drop'
        )
        self.act(self.server, 'reboot', arguments={'type': 'HARD'})
        self.cyborg.control('clear_faults')
        self.assert_has(self.pci)
        # They come with the accelerator requests, which the guest is made of.
        self.assert_told('crypto')

    def test_cyborg_is_not_asked_when_something_else_comes(self) -> None:
        """Nova looks at all devices, and those of ours are where they were."""
        self.attach(self.pci, 'crypto')
        driver_of_host = self.computes['compute1'].driver
        before = self.nova_calls()
        instance = self.instance()
        found = driver_of_host._build_device_metadata(
            nova_context.get_admin_context(), instance
        )
        self.assertEqual(before, self.nova_calls())
        self.assertCountEqual(
            [['first'], ['crypto']], [each.tags for each in found.devices]
        )


class MeanwhileTest(TestCase, racing.TestCase):
    """The metadata change while something else of it is being changed."""

    SLOTS = 2

    def _tags(self) -> list[list[str]]:
        found = self.instance().device_metadata
        return [each.tags for each in found.devices] if found else []

    def _plug_port(self) -> None:
        """Have the metadata tell of a port, as Nova does."""
        instance = self.instance()
        found = instance.device_metadata
        port = objects.NetworkInterfaceMetadata(
            mac='52:54:00:12:34:56',
            bus=objects.PCIDeviceBus(address='0000:00:0a.0'),
            tags=['wan'],
        )
        instance.device_metadata = objects.InstanceDeviceMetadata(
            devices=[*(found.devices if found else ()), port]
        )
        instance.save()

    def test_a_port_comes_while_a_device_is_bound(self) -> None:
        pause = self.pause(f'{racing.ATTACHMENT}._bind')
        self.post(self.pci, 'crypto')
        pause.reached()
        self._plug_port()
        pause.go_on()
        self.assertEqual([None], self.outcomes(racing.ATTACH))
        self.assertCountEqual([['wan'], ['crypto']], self._tags())

    def test_a_port_comes_while_the_guest_is_waited_for(self) -> None:
        self.attach(self.pci, 'crypto')
        self.attach(self.mdev, 'draw')
        pause = self.pause(f'{racing.DRIVER}.unplug_devices')
        self.delete_attachment(self.pci)
        pause.reached()
        self._plug_port()
        pause.go_on()
        self.assertEqual([None], self.outcomes(racing.DETACH))
        self.assertCountEqual([['wan'], ['draw']], self._tags())

    def test_a_device_comes_while_a_port_is_plugged(self) -> None:
        for context_id, *tags in (
            (self.pci, 'crypto'),
            (self.mdev, 'draw', 'crypto'),
        ):
            # As nova-api has read it, whether it has any device yet.
            instance = self.instance()
            self.attach(context_id, tags[0])
            found = self.computes['compute1'].driver._build_device_metadata(
                nova_context.get_admin_context(), instance
            )
            self.assertCountEqual(
                [[tag] for tag in tags], [each.tags for each in found.devices]
            )

    def test_a_tag_is_changed_and_another_has_it(self) -> None:
        other = self.create_context()
        self.attach(self.pci, 'crypto')
        self.update_context(self.pci, tag='spare')
        self.attach(other, 'crypto')
        self.assert_told('spare', 'crypto')
        self.update_context(other, tag='new')
        self.detach(self.pci)
        self.assert_told('new')


class ConfigDriveTest(TestCase):
    """The config drive tells of what the server is built with."""

    def boot_first(self) -> dict[str, ty.Any]:
        contexts = [
            self.create_context(tag='gzip'),
            self.create_context(resources={'VGPU': 1}, tag='draw'),
        ]
        self.written: list[bytes] = []
        backend = self.computes['compute1'].driver.image_backend
        with (
            mock.patch.object(
                backend, 'by_name', _without_drive(backend.by_name)
            ),
            mock.patch.object(
                configdrive.ConfigDriveBuilder,
                'make_drive',
                # A function, which is bound; Nova's fixture has put a mock
                # there.
                lambda builder, _path: self._note(builder),
            ),
        ):
            return self.boot(*contexts, config_drive=True)

    def _note(self, builder: configdrive.ConfigDriveBuilder) -> None:
        files = dict(builder.mdfiles)
        self.written.append(files['openstack/latest/meta_data.json'])

    def test_it_says_what_the_service_says(self) -> None:
        self.assert_told('gzip', 'draw')
        (text,) = self.written
        self.assertCountEqual(self._told(), _devices(text))


class OtherAddressTest(TestCase, two_hosts.TestCase):
    """A guest has its devices at other addresses than before.

    One that came before them has gone, and left its own address free.
    """

    SLOTS = 3

    def setUp(self) -> None:
        super().setUp()
        first = self.create_context()
        for context_id, tag in (
            (first, 'first'),
            (self.pci, 'crypto'),
            (self.mdev, 'draw'),
        ):
            self.attach(context_id, tag)
        self.detach(first)
        self.assert_told('crypto', 'draw')
        self.before = self._told()

    def assert_elsewhere(self) -> None:
        """Check that the metadata tell of other addresses, the right ones."""
        self.assert_told('crypto', 'draw')
        self.assertNotEqual(self.before, self._told())

    def test_a_guest_that_keeps_one(self) -> None:
        """The other device of the device context is plugged in again."""
        filler = self.create_context()
        self.attach(filler)
        groups = [{'resources': {name: 1}} for name in ('VGPU', 'FPGA')]
        both = self.create_context(groups=groups)
        self.attach(both, 'both')
        self.detach(filler)
        self.before = self._told()
        (kept,) = (
            device['slot']
            for device in self.get_context(both)['devices']
            if device['attach_handle_type'] == 'PCI'
        )
        self.hotplug.kept.add(kept)
        self.detach_fails(both)
        self.assert_told('crypto', 'draw', 'both', 'both')
        self.assertNotEqual(self.before, self._told())

    def test_a_guest_that_is_not_suspended(self) -> None:
        (slot,) = (x['slot'] for x in self.get_context(self.mdev)['devices'])
        self.hotplug.kept.add(slot)
        self.api.post_server_action(self.server['id'], {'suspend': None})
        self.wait_for(lambda: self._said('suspend') == 'Error')
        self.server = self.wait_for_status(self.server, 'ACTIVE')
        self.assert_elsewhere()

    def test_a_guest_that_is_not_migrated(self) -> None:
        self.guest_moves.fails = True
        self.admin_api.post_server_action(
            self.server['id'],
            {'os-migrateLive': {'host': None, 'block_migration': 'auto'}},
        )
        self.wait_for(
            lambda: (
                [each['status'] for each in self.admin_api.get_migrations()]
                in (['failed'], ['error'])
            )
        )
        self.wait_for(lambda: self._told() != self.before)
        self.assert_elsewhere()

    def test_a_move_that_is_reverted(self) -> None:
        self.do('migrate', 'VERIFY_RESIZE')
        self.assert_elsewhere()
        with mock.patch.object(hotplug, '_FIRST_BUS', 9):
            self.do('revertResize')
        self.assert_elsewhere()

    def test_a_guest_that_is_rebooted_softly(self) -> None:
        """It is started as it is stored: with the addresses of before."""
        self.do('suspend', 'SUSPENDED')
        self.do('resume')
        self.assert_elsewhere()
        before = len(self.nova_calls())
        self.do('reboot', type='SOFT')
        self.assert_told('crypto', 'draw')
        self.assertEqual(self.before, self._told())
        # Nova asks before it is rebooted, however it is.
        self.assertEqual(
            [('GET', '/v2/accelerator_requests')], self.nova_calls()[before:]
        )

    def test_rescue_and_unrescue(self) -> None:
        pathlib.Path(CONF.instances_path, self.server['id']).mkdir()
        self.do('rescue', 'RESCUE')
        self.do('unrescue')
        self.assert_told('crypto', 'draw')

    def _said(self, action: str) -> str:
        (last, *_earlier) = self.api.get_instance_actions(self.server['id'])
        self.assertEqual(action, last['action'])
        return str(last['message'])


def _devices(text: bytes | str) -> list[tuple[str, str, str, list[str]]]:
    return [
        (each['type'], each['bus'], each['address'], each['tags'])
        for each in json.loads(text)['devices']
    ]


def _without_drive(
    by_name: collections.abc.Callable[..., ty.Any],
) -> collections.abc.Callable[..., ty.Any]:
    """Have all disks be there but the config drive, as of a new guest."""

    def find(
        instance: ty.Any, name: str, *args: ty.Any, **more: ty.Any
    ) -> ty.Any:
        disk = by_name(instance, name, *args, **more)
        disk.exists.return_value = name != 'disk.config'
        return disk

    return find

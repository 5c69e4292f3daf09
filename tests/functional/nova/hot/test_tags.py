# SPDX-License-Identifier: Apache-2.0

"""Guests read which device has which tag."""

from tests.functional.nova.hot import plugging  # isort: skip - first

import json
import typing as ty
from unittest import mock

from nova import context as nova_context
from nova.api.metadata import base as metadata
from nova_cyborg.nova.compute.libvirt import driver


class TagsTest(plugging.TestCase):
    """The metadata service, and the config drive, tell of devices."""

    SLOTS = 2

    def boot_first(self) -> dict[str, ty.Any]:
        self.first = self.create_context(tag='first')
        return self.boot(self.first)

    def _told(self) -> list[tuple[str, str, str, list[str]]]:
        """Return what the server's metadata say of devices."""
        found = metadata.get_metadata_by_instance_id(
            self.server['id'], None, nova_context.get_admin_context()
        )
        text = found.lookup('/openstack/latest/meta_data.json')
        return [
            (each['type'], each['bus'], each['address'], each['tags'])
            for each in json.loads(text)['devices']
        ]

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
        self.act(self.server, 'os-start')
        self.assert_told('first', 'crypto')

    def test_a_tag_that_another_has(self) -> None:
        status, why = self.refused(self.post, self.pci, 'first')
        self.assertEqual(409, status)
        self.assertIn('first', why)
        self.assertEqual('available', self.status(self.pci))

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

# SPDX-License-Identifier: Apache-2.0

"""Device contexts from Cyborg's device profiles."""

import typing as ty

from tempest.lib import decorators
from tempest.lib.common.utils import data_utils, test_utils

from nova_cyborg.tempest.tests import base

CONF = base.CONF


class DeviceProfilesTest(base.BaseDeviceContextTest):
    """An administrator's device profile, and a member's device contexts."""

    credentials: ty.ClassVar[list[ty.Any]] = ['primary', 'admin']

    @classmethod
    def setup_clients(cls) -> None:
        """Name the client of the administrator."""
        super().setup_clients()
        cls.profiles = cls.os_admin.device_context.DeviceProfilesClient()

    @classmethod
    def resource_setup(cls) -> None:
        """Make the device profile."""
        super().resource_setup()
        cls.name = data_utils.rand_name(
            'profile', prefix=CONF.resource_name_prefix
        )
        cls.profile = cls.profiles.create_device_profile(
            cls.name,
            [
                {
                    'resources:FPGA': '1',
                    'trait:CUSTOM_SOME_FOO_CAPABILITY': 'required',
                    'accel:key1': 'val1',
                },
                {
                    'resources:CUSTOM_FPGA_GZIP': '2',
                    'trait:CUSTOM_SOME_OLD_CAPABILITY': 'forbidden',
                },
            ],
        )
        cls.addClassResourceCleanup(
            test_utils.call_and_ignore_notfound_exc,
            cls.profiles.delete_device_profile,
            cls.profile['uuid'],
        )

    def _assert_copied(self, made: dict[str, ty.Any]) -> None:
        self.assertEqual(self.profile['uuid'], made['device_profile_id'])
        self.assertEqual(
            [
                {
                    'resources': {'FPGA': 1},
                    'required': ['CUSTOM_SOME_FOO_CAPABILITY'],
                    'forbidden': [],
                    'config': {'key1': 'val1'},
                    'tolerated': [],
                },
                {
                    'resources': {'CUSTOM_FPGA_GZIP': 2},
                    'required': [],
                    'forbidden': ['CUSTOM_SOME_OLD_CAPABILITY'],
                    'config': {},
                    'tolerated': [],
                },
            ],
            made['groups'],
        )

    @decorators.idempotent_id('f1c5da64-9f10-4ec7-aab3-3be0d972c5c3')
    def test_by_name(self) -> None:
        self._assert_copied(self.create_context(device_profile=self.name))

    @decorators.idempotent_id('95d89c59-ef59-41db-aea4-0096679fea9e')
    def test_by_uuid(self) -> None:
        profile_id = self.profile['uuid']
        self._assert_copied(self.create_context(device_profile=profile_id))

    @decorators.idempotent_id('67734834-8fc6-4a6e-8a20-d78b2d8f09eb')
    def test_a_profile_that_is_deleted_later(self) -> None:
        name = data_utils.rand_name(
            'profile', prefix=CONF.resource_name_prefix
        )
        profile = self.profiles.create_device_profile(
            name, [{'resources:FPGA': '1'}]
        )
        made = self.create_context(device_profile=name)
        self.profiles.delete_device_profile(profile['uuid'])
        self.assertEqual(made, self.show(made['uuid']))

    @decorators.idempotent_id('cf3b0dc5-dda9-47bc-8fbd-e353100db134')
    def test_profiles_that_device_contexts_have_are_hidden(self) -> None:
        self.create_context()
        listed = self.profiles.list_device_profiles()['device_profiles']
        names = [each['name'] for each in listed]
        self.assertIn(self.name, names)
        hidden = [each for each in names if each.startswith('nova-cyborg-')]
        self.assertEqual([], hidden)

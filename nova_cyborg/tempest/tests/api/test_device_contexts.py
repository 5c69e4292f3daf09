# SPDX-License-Identifier: Apache-2.0

"""Making, seeing, changing and deleting device contexts."""

import typing as ty

from tempest.lib import decorators
from tempest.lib import exceptions as lib_exc

from nova_cyborg.tempest.tests import base


class DeviceContextsTest(base.BaseDeviceContextTest):
    """What a project's member does with its device contexts."""

    @decorators.idempotent_id('8ca6c5dd-7cdf-4933-b4b6-a3bc8beae7d9')
    @decorators.attr(type='smoke')
    def test_create_show_delete(self) -> None:
        made = self.create_context()
        path = f'/device_contexts/{made["uuid"]}'
        self.assertEqual('available', made['status'])
        self.assertTrue(made['delete_on_termination'])
        self.assertEqual('refuse', made['live_migration'])
        self.assertEqual(self.contexts.project_id, made['project_id'])
        self.assertEqual(self.contexts.user_id, made['user_id'])
        self.assertEqual([], made['devices'])
        for field in ('description', 'fault', 'host', 'server_id', 'tag'):
            self.assertIsNone(made[field], field)
        self.assertTrue(made['links'][0]['href'].endswith(path))
        self.assertTrue(made.response['location'].endswith(path))

        self.assertEqual(made, self.show(made['uuid']))
        listed = self.contexts.list_device_contexts(name=made['name'])
        self.assertEqual([made], listed['device_contexts'])

        self.contexts.delete_device_context(made['uuid'])
        self.assertTrue(self.contexts.is_resource_deleted(made['uuid']))
        listed = self.contexts.list_device_contexts(name=made['name'])
        self.assertEqual([], listed['device_contexts'])

    @decorators.idempotent_id('8ec9e190-f018-41bc-beba-86dddc399798')
    def test_create_with_all_fields(self) -> None:
        fields = {
            'name': 'Decompress twice as fast',
            'description': 'What a name does not say.',
            'delete_on_termination': False,
            'live_migration': 'detach',
            'tag': 'decompressor',
        }
        group = {
            'resources': {'CUSTOM_FPGA_GZIP': 2},
            'required': ['CUSTOM_SOME_FOO_CAPABILITY', 'HW_GPU_API_VULKAN'],
            'forbidden': ['CUSTOM_SOME_OLD_CAPABILITY'],
            'config': {'key1': 'val1', 'key2': 'val2'},
            'tolerated': ['ecc-errors'],
        }
        made = self.create_context(**fields, **group)
        self.assertEqual(made, {**made, **fields})
        self.assertEqual([group], made['groups'])

    @decorators.idempotent_id('97170aa1-ef59-45d7-8ee8-6f7cb4536121')
    def test_create_with_short_names(self) -> None:
        made = self.create_context(
            resources={'fpga': 1, 'fpga_gzip': 1},
            required=['some_foo_capability', 'hw_gpu_api_vulkan'],
            forbidden=['Some_Old_Capability'],
        )
        (group,) = made['groups']
        self.assertEqual(
            {'FPGA': 1, 'CUSTOM_FPGA_GZIP': 1}, group['resources']
        )
        self.assertCountEqual(
            ['CUSTOM_SOME_FOO_CAPABILITY', 'HW_GPU_API_VULKAN'],
            group['required'],
        )
        self.assertEqual(['CUSTOM_SOME_OLD_CAPABILITY'], group['forbidden'])

    @decorators.idempotent_id('0d89ce7c-38d2-43c8-8e34-e8b427d5265c')
    def test_create_with_several_groups(self) -> None:
        groups: list[dict[str, ty.Any]] = [
            {'resources': {'FPGA': 1}, 'config': {'key1': 'val1'}},
            {'resources': {'FPGA': 1}, 'required': ['CUSTOM_X']},
            {'resources': {'VGPU': 2}, 'forbidden': ['CUSTOM_X']},
        ]
        empty: dict[str, ty.Any] = {
            'required': [],
            'forbidden': [],
            'config': {},
            'tolerated': [],
        }
        made = self.create_context(groups=groups)
        self.assertEqual(
            [{**empty, **each} for each in groups], made['groups']
        )

    @decorators.idempotent_id('5f0c2f0e-9d1b-4f57-8a5c-6c1e7f3a9b24')
    def test_create_with_alternatives(self) -> None:
        alternatives: list[dict[str, ty.Any]] = [
            {'resources': {'FPGA': 1}, 'config': {'key1': 'val1'}},
            {'resources': {'VGPU': 2}, 'required': ['CUSTOM_X']},
        ]
        empty: dict[str, ty.Any] = {
            'required': [],
            'forbidden': [],
            'config': {},
            'tolerated': [],
        }
        made = self.create_context(groups=[{'first_available': alternatives}])
        shown = [{**empty, **each} for each in alternatives]
        self.assertEqual(
            [{'first_available': shown, 'chosen': None}], made['groups']
        )
        self.assertEqual(made, self.show(made['uuid']))

    @decorators.idempotent_id('ae391fe3-7459-4c03-b4d0-61f70748bf86')
    def test_create_without_a_name(self) -> None:
        made = self.create_context(name=None)
        self.assertIsNone(made['name'])

    @decorators.idempotent_id('913efe65-48bc-4f81-90de-e164e2f0ba0a')
    def test_names_need_not_be_unique(self) -> None:
        first = self.create_context()
        second = self.create_context(name=first['name'])
        self.assertNotEqual(first['uuid'], second['uuid'])
        listed = self.contexts.list_device_contexts(name=first['name'])
        self.assertCountEqual(
            [first['uuid'], second['uuid']],
            [each['uuid'] for each in listed['device_contexts']],
        )

    @decorators.idempotent_id('db78ae64-0fa0-42a3-98f3-adb8c45fff1b')
    def test_update(self) -> None:
        made = self.create_context()
        changes: list[dict[str, ty.Any]] = [
            {'name': 'Another name'},
            {'description': 'Another description.'},
            {'delete_on_termination': False},
            {'live_migration': 'native'},
            {'tag': 'decompressor'},
            {'name': None, 'description': None, 'delete_on_termination': True},
            {'tag': None},
        ]
        expected = made
        for change in changes:
            changed = self.contexts.update_device_context(
                made['uuid'], **change
            )
            self.assertIsNotNone(changed['updated_at'])
            expected = {
                **expected,
                **change,
                'revision': expected['revision'] + 1,
                'updated_at': changed['updated_at'],
            }
            self.assertEqual(expected, changed)
            self.assertEqual(changed, self.show(made['uuid']))

    @decorators.idempotent_id('994d89bd-c21a-47ac-868a-e5309ee4c29d')
    def test_delete_twice(self) -> None:
        made = self.create_context()
        self.contexts.delete_device_context(made['uuid'])
        self.assertRaises(
            lib_exc.NotFound,
            self.contexts.delete_device_context,
            made['uuid'],
        )

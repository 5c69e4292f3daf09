# SPDX-License-Identifier: Apache-2.0

"""Who may do what with device contexts."""

import collections.abc
import typing as ty

from tempest.lib import decorators
from tempest.lib import exceptions as lib_exc

from nova_cyborg.tempest.tests import base

_CHANGES = ({'name': 'other'}, {'delete_on_termination': False})


class RolesTest(base.BaseDeviceContextTest):
    """A member's device context, and people of several roles and projects."""

    credentials: ty.ClassVar[list[ty.Any]] = [
        'primary',
        'project_reader',
        'alt',
        'admin',
    ]

    @classmethod
    def setup_clients(cls) -> None:
        """Name everybody's clients."""
        super().setup_clients()
        cls.reader = cls._client(cls.os_project_reader)
        cls.stranger = cls._client(cls.os_alt)
        cls.admin = cls._client(cls.os_admin)

    @staticmethod
    def _client(manager: ty.Any) -> ty.Any:
        return manager.device_context.DeviceContextsClient()

    def setUp(self) -> None:
        """Make the device context."""
        super().setUp()
        self.context = self.create_context()
        self.context_id = self.context['uuid']

    def _sees(self, client: ty.Any, **parameters: ty.Any) -> bool:
        listed = client.list_device_contexts(
            name=self.context['name'], **parameters
        )
        return self.context in listed['device_contexts']

    def _assert_not_found(
        self, call: collections.abc.Callable[..., object], **kwargs: object
    ) -> None:
        detail = self.assert_refused(
            'device_context.not_found', call, self.context_id, **kwargs
        )
        self.assertIn(self.context_id, detail)

    @decorators.idempotent_id('a8d7f723-f01a-438d-9a69-3d6291607cc7')
    def test_a_reader_sees(self) -> None:
        self.assertEqual(self.contexts.project_id, self.reader.project_id)
        self.assertEqual(
            self.context, self.reader.show_device_context(self.context_id)
        )
        self.assertTrue(self._sees(self.reader))

    @decorators.idempotent_id('10535746-5193-4b3d-86ef-4de7715fb7e8')
    def test_a_reader_changes_nothing(self) -> None:
        refusals = [
            ('create', self.reader.create_device_context, (), {}),
            (
                'update',
                self.reader.update_device_context,
                (self.context_id,),
                _CHANGES[0],
            ),
            (
                'delete',
                self.reader.delete_device_context,
                (self.context_id,),
                {},
            ),
        ]
        for action, call, args, fields in refusals:
            fields = self.one_device() if action == 'create' else fields
            detail = self.assert_refused('forbidden', call, *args, **fields)
            self.assertIn(f'cyborg:device_context:{action}', detail)
        self.assertEqual(self.context, self.show(self.context_id))

    @decorators.idempotent_id('fe711862-a784-477e-865e-b625330db4bb')
    def test_all_projects_are_for_administrators(self) -> None:
        for client in (self.contexts, self.reader, self.stranger):
            self.assertRaises(
                lib_exc.Forbidden, self._sees, client, all_projects='true'
            )
        self.assertTrue(self._sees(self.contexts, all_projects='false'))
        self.assertTrue(self._sees(self.admin, all_projects='true'))
        self.assertFalse(self._sees(self.admin))

    @decorators.idempotent_id('5927cb68-64e7-4719-8825-e5aa04d64927')
    def test_an_administrator_sees_changes_and_deletes(self) -> None:
        self.assertEqual(
            self.context, self.admin.show_device_context(self.context_id)
        )
        for change in _CHANGES:
            changed = self.admin.update_device_context(
                self.context_id, **change
            )
            self.assertEqual(changed, {**changed, **change})
            self.assertEqual(changed, self.show(self.context_id))
        self.admin.delete_device_context(self.context_id)
        self.assertTrue(self.contexts.is_resource_deleted(self.context_id))

    @decorators.idempotent_id('2133110a-ca97-4594-95ae-c0eadf97f4f1')
    def test_another_project_finds_nothing(self) -> None:
        self.assertNotEqual(self.contexts.project_id, self.stranger.project_id)
        self.assertFalse(self._sees(self.stranger))
        self._assert_not_found(self.stranger.show_device_context)
        for change in _CHANGES:
            self._assert_not_found(
                self.stranger.update_device_context, **change
            )
        self._assert_not_found(self.stranger.delete_device_context)
        # Not even as the end of a page.
        self.assert_refused(
            'device_context.not_found',
            self.stranger.list_device_contexts,
            marker=self.context_id,
        )
        self.assertEqual(self.context, self.show(self.context_id))

# SPDX-License-Identifier: Apache-2.0

"""Device contexts that are not there, and routes that are for Nova only."""

import typing as ty
import uuid

from tempest.lib import decorators
from tempest.lib import exceptions as lib_exc

from nova_cyborg.tempest.tests import base


class NotFoundNegativeTest(base.BaseDeviceContextTest):
    """UUIDs that nothing has, and what is no UUID."""

    def _assert_not_found(self, context_id: str) -> None:
        requests = [
            (self.contexts.show_device_context, {}),
            (self.contexts.update_device_context, {'name': 'other'}),
            (self.contexts.delete_device_context, {}),
        ]
        for call, fields in requests:
            detail = self.assert_refused(
                'device_context.not_found', call, context_id, **fields
            )
            self.assertIn(f'Device context {context_id} was not', detail)

    @decorators.idempotent_id('9c216440-17d1-4efd-be0b-faf524a9a65e')
    def test_unknown(self) -> None:
        self._assert_not_found(str(uuid.uuid4()))
        self.assert_refused(
            'device_context.not_found',
            self.contexts.list_device_contexts,
            marker=str(uuid.uuid4()),
        )

    @decorators.idempotent_id('a6f12c7a-22d0-4e50-90a2-67a388f735ef')
    def test_malformed(self) -> None:
        self._assert_not_found('nonsense')

    @decorators.idempotent_id('64698878-9be6-417d-9bd8-50379bb2a332')
    def test_deleted(self) -> None:
        made = self.create_context()
        self.contexts.delete_device_context(made['uuid'])
        self._assert_not_found(made['uuid'])

    @decorators.idempotent_id('fa2110fc-b349-4125-91c5-73629bc324db')
    def test_more_path_than_there_is(self) -> None:
        made = self.create_context()
        self.assertRaises(
            lib_exc.NotFound,
            self.contexts.get,
            f'/device_contexts/{made["uuid"]}/devices',
        )


class ServiceTokenNegativeTest(base.BaseDeviceContextTest):
    """People do not do what is Nova's, whatever their role."""

    credentials: ty.ClassVar[list[ty.Any]] = ['primary', 'admin']

    def setUp(self) -> None:
        """Make a device context to lay hands on."""
        super().setUp()
        self.context = self.create_context()
        self.server_id = str(uuid.uuid4())

    def _assert_refused(self, method: str, *args: object) -> None:
        for manager in (self.os_primary, self.os_admin):
            client = manager.device_context.DeviceAllocationsClient()
            call = getattr(client, method)
            refused = self.assertRaises(
                lib_exc.Forbidden, call, self.server_id, *args
            )
            # The policy may refuse it before the token is looked at.
            self.assertIn(
                refused.resp_body[0]['code'],
                (
                    'nova_cyborg.service_token_required',
                    'nova_cyborg.forbidden',
                ),
            )
        self.assertEqual(self.context, self.show(self.context['uuid']))

    @decorators.idempotent_id('35d39d75-a9a4-4c87-a65b-5d5a02b1fe50')
    def test_show(self) -> None:
        self._assert_refused('show_device_allocation')

    @decorators.idempotent_id('2513bcc6-31e3-4b8a-9599-553525306b2f')
    def test_reserve(self) -> None:
        self._assert_refused('reserve', [self.context['uuid']])

    @decorators.idempotent_id('82435003-cddf-4687-ae8b-3aa335d006c4')
    def test_bind(self) -> None:
        self._assert_refused('bind')

    @decorators.idempotent_id('0258e215-ef3b-4a32-a0e7-9571644e54ff')
    def test_unbind(self) -> None:
        self._assert_refused('unbind')

    @decorators.idempotent_id('e0876bed-d170-4b46-a4ce-92f46405412b')
    def test_release(self) -> None:
        self._assert_refused('release')

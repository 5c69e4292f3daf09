# SPDX-License-Identifier: Apache-2.0

"""Client of ``/v2/device_contexts``."""

import typing as ty

from tempest.lib import exceptions as lib_exc

from nova_cyborg.tempest.services import json_client, schemas

_PATH = '/device_contexts'


class DeviceContextsClient(json_client.JSONClient):
    """What project members do with device contexts."""

    def create_device_context(self, **fields: ty.Any) -> ty.Any:
        """Create a device context.

        :param fields: the fields of the request.
        :returns: the device context.
        """
        return self.call('POST', _PATH, schemas.CREATE, fields)

    def list_device_contexts(self, **parameters: ty.Any) -> ty.Any:
        """List device contexts.

        :param parameters: filters, page and order.
        :returns: ``device_contexts`` and, if the page is full, their links.
        """
        path = json_client.with_query(_PATH, parameters)
        return self.call('GET', path, schemas.LIST)

    def show_device_context(self, context_id: str) -> ty.Any:
        """Show a device context.

        :param context_id: its UUID.
        :returns: the device context.
        """
        return self.call('GET', f'{_PATH}/{context_id}', schemas.SHOW)

    def update_device_context(
        self, context_id: str, **fields: ty.Any
    ) -> ty.Any:
        """Change a device context.

        :param context_id: its UUID.
        :param fields: the fields to change.
        :returns: the device context.
        """
        path = f'{_PATH}/{context_id}'
        return self.call('PATCH', path, schemas.UPDATE, fields)

    def delete_device_context(self, context_id: str) -> ty.Any:
        """Delete a device context.

        :param context_id: its UUID.
        :returns: nothing but the response's headers.
        """
        return self.call('DELETE', f'{_PATH}/{context_id}', schemas.DELETE)

    def is_resource_deleted(self, context_id: str) -> bool:
        """Tell whether there is no such device context any more.

        :param context_id: its UUID.
        :returns: True if it is gone.
        """
        try:
            self.show_device_context(context_id)
        except lib_exc.NotFound:
            return True
        return False

    @property
    def resource_type(self) -> str:
        """What messages call it."""
        return 'device context'

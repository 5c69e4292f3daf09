# SPDX-License-Identifier: Apache-2.0

"""Client of ``/v2/device_allocations``, which is for Nova only."""

import typing as ty

from nova_cyborg.tempest.services import json_client

_PATH = '/device_allocations'
_ANY_BODY = {'type': 'object'}
_SHOW = {'status_code': [200], 'response_body': _ANY_BODY}
_BIND = {'status_code': [202], 'response_body': _ANY_BODY}
_NOTHING = {'status_code': [204]}


class DeviceAllocationsClient(json_client.JSONClient):
    """What Nova does with the device contexts of a server."""

    def show_device_allocation(self, server_id: str) -> ty.Any:
        """Show what a server holds.

        :param server_id: the server's UUID.
        :returns: the allocation.
        """
        return self.call('GET', f'{_PATH}/{server_id}', _SHOW)

    def reserve(self, server_id: str, context_ids: list[str]) -> ty.Any:
        """Reserve device contexts for a server.

        :param server_id: the server's UUID.
        :param context_ids: the device contexts' UUIDs.
        :returns: the allocation.
        """
        body = {'device_contexts': context_ids}
        return self.call('PUT', f'{_PATH}/{server_id}', _SHOW, body)

    def bind(self, server_id: str, **fields: ty.Any) -> ty.Any:
        """Begin to bind a server's device contexts to devices.

        :param server_id: the server's UUID.
        :param fields: the fields of the request.
        :returns: the UUIDs of the accelerator requests.
        """
        return self.call('POST', f'{_PATH}/{server_id}/bind', _BIND, fields)

    def unbind(self, server_id: str) -> ty.Any:
        """Unbind a server's devices.

        :param server_id: the server's UUID.
        :returns: nothing but the response's headers.
        """
        return self.call('POST', f'{_PATH}/{server_id}/unbind', _NOTHING)

    def release(self, server_id: str) -> ty.Any:
        """Release a server's device contexts.

        :param server_id: the server's UUID.
        :returns: nothing but the response's headers.
        """
        return self.call('DELETE', f'{_PATH}/{server_id}', _NOTHING)

# SPDX-License-Identifier: Apache-2.0

"""Client of ``/servers/{server_id}/os-device-contexts``, of Nova's API."""

import typing as ty

from nova_cyborg.tempest.services import json_client

_KEY = 'deviceContextAttachment'
_DEVICE = {
    'type': 'object',
    'properties': {
        'type': {'enum': ['PCI', 'MDEV', 'TEST_PCI', None]},
        'slot': {'type': ['string', 'null']},
        'group': {'type': 'integer', 'minimum': 0},
        'accelerator_request_id': {'type': 'string', 'format': 'uuid'},
    },
    'required': ['type', 'slot', 'group', 'accelerator_request_id'],
}
_ATTACHMENT = {
    'type': 'object',
    'properties': {
        'device_context_id': {'type': 'string', 'format': 'uuid'},
        'server_id': {'type': 'string', 'format': 'uuid'},
        'name': {'type': ['string', 'null']},
        'status': {'type': 'string'},
        'tag': {'type': ['string', 'null']},
        'devices': {'type': 'array', 'items': _DEVICE},
    },
    'required': [
        'device_context_id',
        'server_id',
        'name',
        'status',
        'tag',
        'devices',
    ],
}


def _with_body(
    status: int, key: str, schema: dict[str, ty.Any]
) -> dict[str, ty.Any]:
    return {
        'status_code': [status],
        'response_body': {
            'type': 'object',
            'properties': {key: schema},
            'required': [key],
            'additionalProperties': False,
        },
    }


_LIST = _with_body(200, f'{_KEY}s', {'type': 'array', 'items': _ATTACHMENT})
_SHOW = _with_body(200, _KEY, _ATTACHMENT)
_ATTACH = _with_body(202, _KEY, _ATTACHMENT)
_DETACH = {'status_code': [202]}


class ServerDeviceContextsClient(json_client.JSONClient):
    """What project members do with device contexts of servers."""

    def list_server_device_contexts(self, server_id: str) -> ty.Any:
        """List the device contexts of a server.

        :param server_id: the server's UUID.
        :returns: ``deviceContextAttachments``, a list.
        """
        return self.call('GET', _path(server_id), _LIST)

    def show_server_device_context(
        self, server_id: str, context_id: str
    ) -> ty.Any:
        """Show a device context of a server.

        :param server_id: the server's UUID.
        :param context_id: the device context's UUID.
        :returns: ``deviceContextAttachment``.
        """
        return self.call('GET', f'{_path(server_id)}/{context_id}', _SHOW)

    def attach_device_context(
        self, server_id: str, context_id: str, **fields: ty.Any
    ) -> ty.Any:
        """Begin to attach a device context to a server.

        :param server_id: the server's UUID.
        :param context_id: the device context's UUID.
        :param fields: further fields of the request.
        :returns: ``deviceContextAttachment``.
        """
        body = {_KEY: {'device_context_id': context_id, **fields}}
        return self.call('POST', _path(server_id), _ATTACH, body)

    def detach_device_context(self, server_id: str, context_id: str) -> ty.Any:
        """Begin to detach a device context from a server.

        :param server_id: the server's UUID.
        :param context_id: the device context's UUID.
        :returns: nothing but the response's headers.
        """
        return self.call('DELETE', f'{_path(server_id)}/{context_id}', _DETACH)


def _path(server_id: str) -> str:
    return f'/servers/{server_id}/os-device-contexts'

# SPDX-License-Identifier: Apache-2.0

"""JSON schemas of the bodies and queries of device taints."""

import typing as ty

from nova_cyborg.api import schemas

_UUID = {'type': 'string', 'format': 'uuid'}

CREATE: dict[str, ty.Any] = {
    'type': 'object',
    'properties': {
        'device_uuid': _UUID,
        # What keys there can be is checked where all clients have it checked.
        'key': {'type': 'string'},
        'reason': {
            'type': 'string',
            'minLength': 1,
            'maxLength': 1024,
            'format': schemas.TEXT,
        },
    },
    'required': ['device_uuid', 'key', 'reason'],
    'additionalProperties': False,
}

# Of the query.
LIST: dict[str, ty.Any] = {
    'type': 'object',
    'properties': {
        'device_uuid': _UUID,
        'limit': {'type': 'string', 'format': schemas.NUMBER},
        'marker': _UUID,
    },
    'additionalProperties': False,
}

# SPDX-License-Identifier: Apache-2.0

"""JSON schemas of the bodies and queries of device taints."""

import typing as ty

from nova_cyborg.api import schemas
from nova_cyborg.api.schemas import lists

_UUID = {'type': 'string', 'format': 'uuid'}

CREATE: dict[str, ty.Any] = {
    'type': 'object',
    'properties': {
        'device_uuid': _UUID
        | {'description': 'The device, as in ``GET /v2/devices``.'},
        # What keys there can be is checked where all clients have it checked.
        'key': {
            'type': 'string',
            'description': '1 to 64 small letters and digits, with single '
            'hyphens between them. A device has a key once; ``unhealthy`` is '
            "the agents'.",
        },
        'reason': {
            'type': 'string',
            'minLength': 1,
            'maxLength': 1024,
            'format': schemas.TEXT,
            'description': 'Why.',
        },
    },
    'required': ['device_uuid', 'key', 'reason'],
    'additionalProperties': False,
}

# Of the query.
LIST: dict[str, ty.Any] = {
    'type': 'object',
    'properties': {
        'device_uuid': _UUID | {'description': 'Only those of this device.'},
        'limit': lists.LIMIT,
        'marker': _UUID
        | {'description': 'UUID of the last taint of the page before.'},
    },
    'additionalProperties': False,
}

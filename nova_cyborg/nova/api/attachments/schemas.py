# SPDX-License-Identifier: Apache-2.0

"""JSON schemas of the requests about attached device contexts."""

from __future__ import annotations

import typing as ty

from nova.api.validation import parameter_types

#: What a request's body has.
KEY = 'deviceContextAttachment'

CREATE: dict[str, ty.Any] = {
    'type': 'object',
    'properties': {
        KEY: {
            'type': 'object',
            'properties': {
                'device_context_id': parameter_types.image_id
                | {'description': 'UUID of the device context.'},
                'tag': parameter_types.tag,
            },
            'required': ['device_context_id'],
            'additionalProperties': False,
        },
    },
    'required': [KEY],
    'additionalProperties': False,
}

#: Of the query: there is nothing to say.
QUERY: dict[str, ty.Any] = {
    'type': 'object',
    'properties': {},
    'additionalProperties': False,
}

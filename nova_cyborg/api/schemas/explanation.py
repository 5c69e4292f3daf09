# SPDX-License-Identifier: Apache-2.0

"""JSON schemas of what is to be explained."""

import typing as ty

from nova_cyborg.api import schemas
from nova_cyborg.api.schemas import device_context

_AMOUNT = {'type': 'integer', 'minimum': 0, 'maximum': 2**31 - 1}
# Extra specs of a flavor, or properties of an image.
_SPECS = {
    'type': 'object',
    'maxProperties': 128,
    'additionalProperties': {
        'type': 'string',
        'maxLength': 255,
        'format': schemas.TEXT,
    },
}
_SERVER = {
    # As Nova shows a flavor.
    'flavor': {
        'type': 'object',
        'properties': {
            'vcpus': _AMOUNT,
            'ram': _AMOUNT,
            'disk': _AMOUNT,
            'ephemeral': _AMOUNT,
            'swap': _AMOUNT,
            'extra_specs': _SPECS,
        },
        'additionalProperties': False,
    },
    # As Glance shows the properties of an image.
    'image': _SPECS,
}

#: What there may be beside a device context that there is.
OF_CONTEXT: dict[str, ty.Any] = {
    'type': 'object',
    'properties': _SERVER,
    'additionalProperties': False,
}

#: In the place of a device context, what one would ask for.
OF_GROUPS: dict[str, ty.Any] = {
    'type': 'object',
    'properties': {**device_context.ASKED, **_SERVER},
    'additionalProperties': False,
}

#: What nova-conductor sends.
OF_SERVER: dict[str, ty.Any] = {
    'type': 'object',
    'properties': {
        'query': {
            'type': 'string',
            'minLength': 1,
            'maxLength': 65535,
            'pattern': schemas.PRINTABLE,
        },
        'names_host': {'type': 'boolean'},
        'leaves_host': {'type': 'boolean'},
        # Not with other alternatives, either.
        'no_other': {'type': 'boolean'},
    },
    'required': ['query'],
    'additionalProperties': False,
}

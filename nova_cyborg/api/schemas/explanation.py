# SPDX-License-Identifier: Apache-2.0

"""JSON schemas of what is to be explained."""

import typing as ty

from nova_cyborg.api import schemas
from nova_cyborg.api.schemas import device_context


def _amount(description: str) -> dict[str, ty.Any]:
    return {
        'type': 'integer',
        'minimum': 0,
        'maximum': 2**31 - 1,
        'description': description,
    }


# Extra specs of a flavor, or properties of an image.
_SPECS = {
    'type': 'object',
    'maxProperties': 128,
    # Some of them are sent to Placement.
    'propertyNames': {'maxLength': 255, 'format': schemas.TEXT},
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
            'vcpus': _amount('Virtual CPUs.'),
            'ram': _amount('Memory, in MiB.'),
            'disk': _amount('The root disk, in GiB.'),
            'ephemeral': _amount('The ephemeral disk, in GiB.'),
            'swap': _amount('The swap disk, in MiB.'),
            'extra_specs': _SPECS
            | {'description': 'What else the flavor says, by key.'},
        },
        'additionalProperties': False,
        'description': 'The flavor of the server, as Nova shows one.',
    },
    # As Glance shows the properties of an image.
    'image': _SPECS
    | {
        'description': 'Properties of the image of the server, as Glance '
        'shows them. Those that require traits are looked at.'
    },
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
            'description': 'What Placement was asked for candidates with.',
        },
        'names_host': {
            'type': 'boolean',
            'description': 'Whether a certain host was asked for besides.',
        },
        'leaves_host': {
            'type': 'boolean',
            'description': 'Whether it is to be another host than that of '
            'the server.',
        },
        'no_other': {
            'type': 'boolean',
            'description': 'Whether no other combination of alternatives has '
            'a host, either.',
        },
    },
    'required': ['query'],
    'additionalProperties': False,
}

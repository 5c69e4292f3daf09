# SPDX-License-Identifier: Apache-2.0

"""JSON schemas of what device contexts ask for, in full.

Requests are not checked against them: :mod:`nova_cyborg.language` reads
groups for all clients, and says of what is wrong more than a schema could.
"""

import typing as ty

from nova_cyborg import language, model, names
from nova_cyborg.api import schemas

_NAME_PATTERN = '^[A-Za-z0-9_]+$'
_TRAIT = {
    'type': 'string',
    'minLength': 1,
    'maxLength': names.MAX_NAME_LENGTH,
    'pattern': _NAME_PATTERN,
}
#: Of a taint.
KEY: dict[str, ty.Any] = {
    'type': 'string',
    'minLength': 1,
    'maxLength': names.MAX_TAINT_KEY_LENGTH,
    'pattern': '^[a-z0-9]+(-[a-z0-9]+)*$',
}
RESOURCES: dict[str, ty.Any] = {
    'type': 'object',
    'minProperties': 1,
    'maxProperties': language.MAX_RESOURCE_CLASSES,
    'propertyNames': {
        'minLength': 1,
        'maxLength': names.MAX_NAME_LENGTH,
        'pattern': _NAME_PATTERN,
    },
    'additionalProperties': {
        'type': 'integer',
        'minimum': 1,
        'maximum': model.MAX_AMOUNT,
    },
    'description': 'Amounts by resource class. Names become upper case, and '
    'other than standard ones get ``CUSTOM_`` as a prefix; of the standard '
    'ones there are ``FPGA``, ``PGPU`` and ``VGPU``.',
}
FIELDS: dict[str, dict[str, ty.Any]] = {
    'resources': RESOURCES,
    'required': {
        'type': 'array',
        'maxItems': language.MAX_TRAITS,
        'items': _TRAIT,
        'description': 'Traits that the device must have. Names are completed '
        'like those of resource classes.',
    },
    'forbidden': {
        'type': 'array',
        'maxItems': language.MAX_TRAITS,
        'items': _TRAIT,
        'description': 'Traits that the device must not have, none of which '
        'is required.',
    },
    'config': {
        'type': 'object',
        'maxProperties': language.MAX_CONFIG_KEYS,
        'propertyNames': {
            'minLength': 1,
            'maxLength': language.MAX_CONFIG_KEY_LENGTH,
            'pattern': '^[A-Za-z0-9_.:-]+$',
        },
        'additionalProperties': {
            'type': 'string',
            'maxLength': language.MAX_CONFIG_VALUE_LENGTH,
            'pattern': schemas.PRINTABLE,
        },
        'description': 'What Cyborg hands to the driver of the device.',
    },
    'tolerated': {
        'type': 'array',
        'maxItems': language.MAX_TOLERATED,
        'items': KEY,
        'description': 'Keys of the taints that the device may have.',
    },
}
_GROUP: dict[str, ty.Any] = {
    'title': 'NewGroup',
    'description': 'What is to be found on one device.',
    'type': 'object',
    'properties': FIELDS,
    'required': ['resources'],
    'additionalProperties': False,
}
#: A group of a request, or what else would do in its place.
CHOICE: dict[str, ty.Any] = {
    'title': 'RequestedGroup',
    'description': 'What is to be found on one device, or, with '
    '``first_available``, several such, of which one is chosen.',
    'oneOf': [
        _GROUP,
        {
            'type': 'object',
            'properties': {
                'first_available': {
                    'type': 'array',
                    'minItems': 1,
                    'maxItems': language.MAX_ALTERNATIVES,
                    'items': _GROUP,
                    'description': 'Its alternatives, of which the first one '
                    'that is available is chosen. Those of all groups make '
                    'at most 16 combinations.',
                }
            },
            'required': ['first_available'],
            'additionalProperties': False,
        },
    ],
}
#: What a device context asks for, by the field that says it.
DETAILED: dict[str, dict[str, ty.Any]] = {
    'groups': {
        'type': 'array',
        'minItems': 1,
        'maxItems': language.MAX_GROUPS,
        'items': CHOICE,
        'description': 'Its groups.',
    },
    'device_profile': {
        'type': 'string',
        'minLength': 1,
        'maxLength': 255,
        'pattern': schemas.PRINTABLE,
        'description': 'Name or UUID of a device profile, whose groups are '
        'copied.',
    },
    # The short form, for a context of one group.
    **FIELDS,
}
#: One of them is needed, and only one; beside ``resources``, what else a group
#: has.
FORMS: list[dict[str, ty.Any]] = [
    {'required': [name]} for name in ('resources', 'groups', 'device_profile')
]

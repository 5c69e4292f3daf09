# SPDX-License-Identifier: Apache-2.0

"""JSON schemas of the bodies of device allocations."""

import typing as ty

from nova_cyborg import model
from nova_cyborg.api import schemas
from nova_cyborg.api.schemas import device_context

_UUID = {'type': 'string', 'format': 'uuid'}
_WORD = {
    'type': 'string',
    'minLength': 1,
    'maxLength': 255,
    'pattern': schemas.PRINTABLE,
}
# The name of the flavor's device profile, whatever the flavor says.
_PROFILE = {'type': 'string', 'maxLength': 255}
# What the flavor asks for by itself: amounts by resource class.
_RESOURCES = {
    'type': 'array',
    'items': {
        'type': 'object',
        'additionalProperties': {'type': 'integer', 'minimum': 1},
    },
    'maxItems': 1024,
}
_GENERATION = {'type': 'integer', 'minimum': 0}

_CONTEXTS = {
    'type': 'array',
    'items': _UUID,
    'minItems': 1,
    'maxItems': model.MAX_CONTEXTS,
}

CHECK: dict[str, ty.Any] = {
    'type': 'object',
    'properties': {
        'device_contexts': _CONTEXTS,
        'device_profile': _PROFILE,
        'flavor_resources': _RESOURCES,
    },
    'required': ['device_contexts'],
    'additionalProperties': False,
}

OVERDUE: dict[str, ty.Any] = {
    'type': 'object',
    'properties': {
        'process': _UUID,
        'host': _WORD,
        'seconds': {'type': 'integer', 'minimum': 1, 'maximum': 86_400},
        'marker': {'type': 'integer', 'minimum': 0},
    },
    'required': ['process', 'host', 'seconds', 'marker'],
    'additionalProperties': False,
}

RESERVE: dict[str, ty.Any] = {
    'type': 'object',
    'properties': {
        'device_contexts': _CONTEXTS,
        'device_profile': _PROFILE,
        'flavor_resources': _RESOURCES,
        'caller': _UUID,
    },
    'required': ['device_contexts', 'caller'],
    'additionalProperties': False,
}

BEGIN: dict[str, ty.Any] = {
    'type': 'object',
    'properties': {
        'operation': _WORD,
        'device_profile': _PROFILE,
        'flavor_resources': _RESOURCES,
        'caller': _UUID,
    },
    'required': ['operation', 'caller'],
    'additionalProperties': False,
}

# By the name that a group has in the request to Placement.
_PROVIDERS = {
    'type': 'object',
    'additionalProperties': _UUID,
    'maxProperties': 1024,
}

# Of all that a server holds.
BIND: dict[str, ty.Any] = {
    'type': 'object',
    'properties': {
        'hostname': _WORD,
        'resource_providers': _PROVIDERS,
        'generation': _GENERATION,
        # Nova's, if the server is moved from a node.
        'migration': _UUID,
    },
    'required': ['hostname', 'resource_providers', 'generation'],
    'additionalProperties': False,
}

# Of a device context that is attached.
BIND_ATTACHED: dict[str, ty.Any] = {
    'type': 'object',
    'properties': {
        'hostname': _WORD,
        'resource_providers': _PROVIDERS,
        'device_context': _UUID,
        'caller': _UUID,
    },
    'required': ['hostname', 'resource_providers', 'device_context', 'caller'],
    'additionalProperties': False,
}

ATTACH: dict[str, ty.Any] = {
    'type': 'object',
    'properties': {
        'device_context': _UUID,
        'caller': _UUID,
        'project_id': _WORD,
        'tag': device_context.TAG,
        'device_profile': _PROFILE,
        'flavor_resources': _RESOURCES,
    },
    'required': ['device_context', 'caller', 'project_id'],
    'additionalProperties': False,
}

DETACH: dict[str, ty.Any] = {
    'type': 'object',
    'properties': {'device_context': _UUID, 'caller': _UUID},
    'required': ['device_context', 'caller'],
    'additionalProperties': False,
}

UNPLUG: dict[str, ty.Any] = {
    'type': 'object',
    'properties': {
        'device_context': _UUID,
        'caller': _UUID,
        'resource_providers': {
            'type': 'array',
            'items': _UUID,
            'maxItems': 1024,
        },
    },
    'required': ['device_context', 'caller', 'resource_providers'],
    'additionalProperties': False,
}

# Why it has failed is for the project to read.
_FAULT = {'type': ['string', 'null'], 'maxLength': 4096}

ATTACHED: dict[str, ty.Any] = {
    'type': 'object',
    'properties': {
        'device_context': _UUID,
        'caller': _UUID,
        'fault': _FAULT,
    },
    'required': ['device_context'],
    'additionalProperties': False,
}

DETACHED: dict[str, ty.Any] = {
    **ATTACHED,
    'required': ['device_context', 'caller'],
}

UNBIND: dict[str, ty.Any] = {
    'type': 'object',
    'properties': {
        'generation': _GENERATION,
        'arqs': {
            'type': 'array',
            'items': _UUID,
            'minItems': 1,
            'maxItems': 1024,
        },
        'migration': _UUID,
    },
    'minProperties': 1,
    'maxProperties': 1,
    'additionalProperties': False,
}

OF_MIGRATION: dict[str, ty.Any] = {
    'type': 'object',
    'properties': {'migration': _UUID},
    'required': ['migration'],
    'additionalProperties': False,
}

# Of the query.
RELEASE: dict[str, ty.Any] = {
    'type': 'object',
    # Nova knows that the server is gone, and cannot be asked just then.
    'properties': {'caller': _UUID, 'terminated': {'enum': ['true']}},
    'additionalProperties': False,
}

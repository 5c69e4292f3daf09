# SPDX-License-Identifier: Apache-2.0

"""JSON schemas of the bodies of device allocations."""

import typing as ty

from nova_cyborg import model
from nova_cyborg.api import schemas
from nova_cyborg.api.schemas import device_context

_UUID = {'type': 'string', 'format': 'uuid'}


def _uuid(description: str) -> dict[str, ty.Any]:
    return _UUID | {'description': description}


def _word(description: str) -> dict[str, ty.Any]:
    return {
        'type': 'string',
        'minLength': 1,
        'maxLength': 255,
        'pattern': schemas.PRINTABLE,
        'description': description,
    }


_CONTEXT = _uuid('The device context.')
_CALLER = _uuid('The call; what follows is said with the same one.')
_MIGRATION = _uuid("Nova's migration.")
# Whatever the flavor says.
_PROFILE = {
    'type': 'string',
    'maxLength': 255,
    'description': "The name of the flavor's device profile.",
}
_RESOURCES = {
    'type': 'array',
    'items': {
        'type': 'object',
        'additionalProperties': {'type': 'integer', 'minimum': 1},
    },
    'maxItems': 1024,
    'description': 'What the flavor asks for by itself: amounts by resource '
    'class, an object for each group.',
}
_GENERATION = {
    'type': 'integer',
    'minimum': 0,
    'description': 'The one that the attempt was answered with when it began.',
}

_CONTEXTS = {
    'type': 'array',
    'items': _UUID,
    'minItems': 1,
    'maxItems': model.MAX_CONTEXTS,
    'description': "Device contexts of the token's project, each once.",
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
        'process': _uuid('The process that asks.'),
        'host': _word('The host that it is on.'),
        'seconds': {
            'type': 'integer',
            'minimum': 1,
            'maximum': 86_400,
            'description': 'For how long nothing was changed.',
        },
        'marker': {
            'type': 'integer',
            'minimum': 0,
            'description': 'That of the answer before; 0 for the first ones.',
        },
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
        'caller': _CALLER,
    },
    'required': ['device_contexts', 'caller'],
    'additionalProperties': False,
}

BEGIN: dict[str, ty.Any] = {
    'type': 'object',
    'properties': {
        'operation': _word(
            'Names the operation; the same when a message is delivered twice.'
        ),
        'device_profile': _PROFILE,
        'flavor_resources': _RESOURCES,
        'caller': _CALLER,
    },
    'required': ['operation', 'caller'],
    'additionalProperties': False,
}

# By the name that a group has in the request to Placement.
_PROVIDERS = {
    'type': 'object',
    'additionalProperties': _UUID,
    'maxProperties': 1024,
    'description': 'UUIDs of resource providers by the name of the group, '
    '``device_context_<uuid>_<number of the group>``; if an alternative was '
    'chosen that is not the first, ``_<number of the alternative>`` follows.',
}

# Of all that a server holds.
BIND: dict[str, ty.Any] = {
    'type': 'object',
    'properties': {
        'hostname': _word('The node.'),
        'resource_providers': _PROVIDERS,
        'generation': _GENERATION,
        'migration': _uuid(
            "Nova's migration, if the server is moved from a node. What it "
            'has stays active; the new binding is ``inactive``. Without, the '
            'new one is active, and what the server had is unbound before.'
        ),
    },
    'required': ['hostname', 'resource_providers', 'generation'],
    'additionalProperties': False,
}

# Of a device context that is attached.
BIND_ATTACHED: dict[str, ty.Any] = {
    'type': 'object',
    'properties': {
        'hostname': _word('The node.'),
        'resource_providers': _PROVIDERS,
        'device_context': _CONTEXT,
        'caller': _CALLER,
    },
    'required': ['hostname', 'resource_providers', 'device_context', 'caller'],
    'additionalProperties': False,
}

ATTACH: dict[str, ty.Any] = {
    'type': 'object',
    'properties': {
        'device_context': _CONTEXT,
        'caller': _CALLER,
        'project_id': _word(
            "The server's project, which the device context must be of."
        ),
        'tag': device_context.TAG,
        'device_profile': _PROFILE,
        'flavor_resources': _RESOURCES,
    },
    'required': ['device_context', 'caller', 'project_id'],
    'additionalProperties': False,
}

DETACH: dict[str, ty.Any] = {
    'type': 'object',
    'properties': {'device_context': _CONTEXT, 'caller': _CALLER},
    'required': ['device_context', 'caller'],
    'additionalProperties': False,
}

UNPLUG: dict[str, ty.Any] = {
    'type': 'object',
    'properties': {
        'device_context': _CONTEXT,
        'caller': _CALLER,
        'resource_providers': {
            'type': 'array',
            'items': _UUID,
            'maxItems': 1024,
            'description': 'Resource providers of devices.',
        },
    },
    'required': ['device_context', 'caller', 'resource_providers'],
    'additionalProperties': False,
}

# Why it has failed is for the project to read.
_FAULT = {
    'type': ['string', 'null'],
    'maxLength': model.MAX_FAULT,
    'description': 'Why it has failed, if it has.',
}

ATTACHED: dict[str, ty.Any] = {
    'type': 'object',
    'properties': {
        'device_context': _CONTEXT,
        'caller': _CALLER,
        'fault': _FAULT,
    },
    'required': ['device_context'],
    'additionalProperties': False,
}

DETACHED: dict[str, ty.Any] = {
    **ATTACHED,
    'required': ['device_context', 'caller'],
}

# Of an attempt.
UNBIND: dict[str, ty.Any] = {
    'type': 'object',
    'properties': {
        'generation': _GENERATION,
        'arqs': {
            'type': 'array',
            'items': _UUID,
            'minItems': 1,
            'maxItems': 1024,
            'description': 'ARQs, which stand for the attempt that has made '
            'them: its devices are unbound. ARQs among them that the server '
            'has from a device profile are unbound, too.',
        },
    },
    'minProperties': 1,
    'maxProperties': 1,
    'additionalProperties': False,
}

# Of a host that a migration has tried.
UNBIND_MIGRATION: dict[str, ty.Any] = {
    'type': 'object',
    'properties': {
        'migration': _uuid(
            "Nova's migration: what was bound for it is unbound. Nothing, if "
            'that is what the server uses, and there is nothing to go back to.'
        ),
        'hostname': _word(
            'The node that it was bound on: Nova tries several with one '
            'migration. Without, what was bound last is unbound.'
        ),
    },
    'required': ['migration'],
    'additionalProperties': False,
}

OF_MIGRATION: dict[str, ty.Any] = {
    'type': 'object',
    'properties': {'migration': _MIGRATION},
    'required': ['migration'],
    'additionalProperties': False,
}

# Of the query.
RELEASE: dict[str, ty.Any] = {
    'type': 'object',
    'properties': {
        'caller': _uuid(
            'Release only what this caller has reserved: of a reservation '
            'whose answer got lost.'
        ),
        # Nova knows that the server is gone, and cannot be asked just then.
        'terminated': {
            'enum': ['true'],
            'description': 'Whether Nova is not asked if the server is gone: '
            'nova-api says so of one that it deletes by itself.',
        },
        'kept': {
            'enum': ['true'],
            'description': 'Whether Nova is not asked, and no device context '
            'is deleted: nova-api says so of a server that is gone or was '
            'never built, and holds what another one is to have.',
        },
    },
    'not': {'required': ['kept', 'terminated']},
    'additionalProperties': False,
}

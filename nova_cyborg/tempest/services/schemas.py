# SPDX-License-Identifier: Apache-2.0

"""What device contexts look like, for those who do not know the code.

The tests hold the API to these, so they are written down here again, and not
imported from it.
"""

import typing as ty

_STRING_OR_NULL = {'type': ['string', 'null']}
_UUID = {'type': 'string', 'format': 'uuid'}
_UUID_OR_NULL = {'type': ['string', 'null'], 'format': 'uuid'}
_TRAITS = {'type': 'array', 'items': {'type': 'string'}}
_LINKS = {
    'type': 'array',
    'minItems': 1,
    'maxItems': 1,
    'items': {
        'type': 'object',
        'properties': {
            'rel': {'enum': ['self', 'next']},
            'href': {'type': 'string', 'format': 'uri'},
        },
        'required': ['rel', 'href'],
        'additionalProperties': False,
    },
}


def _object(properties: dict[str, ty.Any]) -> dict[str, ty.Any]:
    return {
        'type': 'object',
        'properties': properties,
        'required': sorted(properties),
        'additionalProperties': False,
    }


_ALTERNATIVE = _object(
    {
        'resources': {
            'type': 'object',
            'minProperties': 1,
            'additionalProperties': {'type': 'integer', 'minimum': 1},
        },
        'required': _TRAITS,
        'forbidden': _TRAITS,
        'config': {
            'type': 'object',
            'additionalProperties': {'type': 'string'},
        },
        'tolerated': {'type': 'array', 'items': {'type': 'string'}},
    }
)

_GROUP = {
    'anyOf': [
        _ALTERNATIVE,
        _object(
            {
                'first_available': {
                    'type': 'array',
                    'minItems': 2,
                    'maxItems': 8,
                    'items': _ALTERNATIVE,
                },
                'chosen': {'type': ['integer', 'null'], 'minimum': 0},
            }
        ),
    ]
}

_DEVICE = _object(
    {
        'arq_id': _UUID,
        'group': {'type': 'integer', 'minimum': 0},
        'alternative': {'type': 'integer', 'minimum': 0},
        'state': {'type': 'string'},
        'host': _STRING_OR_NULL,
        'resource_provider_id': _UUID_OR_NULL,
        'attach_handle_type': {'enum': ['PCI', 'MDEV', 'TEST_PCI', None]},
        'attach_handle_id': _UUID_OR_NULL,
        'attach_handle_info': {'type': 'object'},
        'slot': _STRING_OR_NULL,
        'missing': {'type': 'boolean'},
    }
)

_BINDING = _object(
    {
        'host': {'type': 'string'},
        'state': {'enum': ['active', 'inactive', 'leaving']},
        'devices': {'type': 'array', 'items': _DEVICE},
    }
)

_FIELDS: dict[str, ty.Any] = {
    'uuid': _UUID,
    'name': _STRING_OR_NULL,
    'description': _STRING_OR_NULL,
    'project_id': {'type': 'string'},
    'user_id': {'type': 'string'},
    'status': {
        'enum': [
            'available',
            'reserved',
            'binding',
            'bound',
            'error',
            'attaching',
            'detaching',
        ]
    },
    'fault': _STRING_OR_NULL,
    'delete_on_termination': {'type': 'boolean'},
    'live_migration': {'enum': ['refuse', 'detach', 'native']},
    'tag': _STRING_OR_NULL,
    'tags': {'type': 'array', 'items': {'type': 'string'}},
    'groups': {'type': 'array', 'minItems': 1, 'items': _GROUP},
    'device_profile_id': _UUID_OR_NULL,
    'server_id': _UUID_OR_NULL,
    'host': _STRING_OR_NULL,
    'devices': {'type': 'array', 'items': _DEVICE},
    'bindings': {'type': 'array', 'items': _BINDING},
    'revision': {'type': 'integer', 'minimum': 0},
    'created_at': {'type': 'string', 'format': 'iso8601-date-time'},
    'updated_at': {
        'type': ['string', 'null'],
        'format': 'iso8601-date-time',
    },
    'links': _LINKS,
}
_DEVICE_CONTEXT = _object(_FIELDS)
_WARNINGS = {'type': 'array', 'items': {'type': 'string'}}

CREATE: dict[str, ty.Any] = {
    'status_code': [201],
    'response_body': _object({**_FIELDS, 'warnings': _WARNINGS}),
    'response_header': {
        'type': 'object',
        'properties': {'location': {'type': 'string', 'format': 'uri'}},
        'required': ['location'],
    },
}
SHOW: dict[str, ty.Any] = {
    'status_code': [200],
    'response_body': _DEVICE_CONTEXT,
}
UPDATE = SHOW
DELETE: dict[str, ty.Any] = {'status_code': [204]}
LIST: dict[str, ty.Any] = {
    'status_code': [200],
    'response_body': {
        'type': 'object',
        'properties': {
            'device_contexts': {'type': 'array', 'items': _DEVICE_CONTEXT},
            'device_contexts_links': _LINKS,
        },
        'required': ['device_contexts'],
        'additionalProperties': False,
    },
}

# SPDX-License-Identifier: Apache-2.0

"""JSON schemas of the bodies and queries of device contexts.

They say what shape a request has. What a group may ask for is checked in
one place for all clients, :func:`nova_cyborg.language.parse_groups`; what
:mod:`.groups` says of it is for who writes requests.
"""

import typing as ty

from nova_cyborg import language, model
from nova_cyborg.api import schemas
from nova_cyborg.api.schemas import groups, lists

_NAME = {
    'type': 'string',
    'minLength': 1,
    'maxLength': 255,
    'format': schemas.NAME,
}
#: Of a device context, by which a guest finds its device.
TAG = {
    'type': 'string',
    'minLength': 1,
    'maxLength': 60,
    'format': schemas.TAG,
    'description': 'Its device tag: by which a guest finds its device in its '
    'metadata. No two device contexts of a server have the same.',
}
_FIELDS = {
    'name': _NAME
    | {
        'type': ['string', 'null'],
        'description': 'What people call it; several may have the same name.',
    },
    'description': {
        'type': ['string', 'null'],
        'maxLength': 1024,
        'format': schemas.TEXT,
        'description': 'What people say of it.',
    },
    'delete_on_termination': {
        'type': 'boolean',
        'description': 'Whether it is deleted with its server; true if left '
        'out at create.',
    },
    'live_migration': {
        'enum': list(model.LiveMigration.ALL),
        'description': 'What becomes of its devices when its server is '
        'migrated while it runs: ``refuse`` (the server is not migrated; if '
        'left out at create), ``detach`` or ``native``.',
    },
    'tag': TAG | {'type': ['string', 'null']},
}

#: What a device context asks for, in one of three forms.
ASKED = {
    name: {'type': groups.DETAILED[name]['type']} for name in groups.DETAILED
} | {'device_profile': groups.DETAILED['device_profile']}

CREATE: dict[str, ty.Any] = {
    'type': 'object',
    'properties': {
        **_FIELDS,
        **ASKED,
        'tags': lists.ALL_TAGS,
    },
    'additionalProperties': False,
}

# What each is, :data:`CREATE` says.
CREATE_SEVERAL: dict[str, ty.Any] = {
    'type': 'object',
    'properties': {
        'device_contexts': {
            'type': 'array',
            'minItems': 1,
            'maxItems': language.MAX_AT_ONCE,
            'description': 'What each is to be. All are made, or none.',
        }
    },
    'additionalProperties': False,
}

UPDATE: dict[str, ty.Any] = {
    'type': 'object',
    'properties': _FIELDS,
    'additionalProperties': False,
    'minProperties': 1,
}

# Which ones there are is checked where they are shown.
_CHOSEN = {
    'type': 'string',
    'description': 'Names of fields of device contexts, separated by commas, '
    'as in ``fields=uuid,name``: only these are shown. All if left out.',
}

# Of the query.
SHOW: dict[str, ty.Any] = {
    'type': 'object',
    'properties': {'fields': _CHOSEN},
    'additionalProperties': False,
}

_UUID = {'type': 'string', 'format': 'uuid'}

LIST: dict[str, ty.Any] = {
    'type': 'object',
    'properties': {
        'limit': lists.LIMIT,
        'marker': _UUID
        | {'description': 'UUID of the last one of the page before.'},
        'name': _NAME
        | {
            'description': 'Only those with this name, exactly: case and '
            'accents matter.'
        },
        'server_id': _UUID | {'description': 'Only those of this server.'},
        'tag': TAG
        | {'description': 'Only those with this device tag, exactly.'},
        'status': {
            'enum': list(model.Status.ALL),
            'description': 'Only those in this state.',
        },
        'all_projects': {
            'enum': ['true', 'false', 'True', 'False', '1', '0'],
            'description': 'Whether those of all projects are listed, and '
            'not only those of the project.',
        },
        'fields': _CHOSEN,
        **lists.QUERY,
    },
    'additionalProperties': False,
}

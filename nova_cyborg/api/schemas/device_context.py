# SPDX-License-Identifier: Apache-2.0

"""JSON schemas of the bodies and queries of device contexts.

They say what shape a request has. What a group may ask for is checked in
one place for all clients, :func:`nova_cyborg.language.parse_groups`.
"""

import typing as ty

from nova_cyborg import model
from nova_cyborg.api import schemas
from nova_cyborg.api.schemas import lists

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
}
_FIELDS = {
    'name': _NAME | {'type': ['string', 'null']},
    'description': {
        'type': ['string', 'null'],
        'maxLength': 1024,
        'format': schemas.TEXT,
    },
    'delete_on_termination': {'type': 'boolean'},
    'live_migration': {'enum': list(model.LiveMigration.ALL)},
    'tag': TAG | {'type': ['string', 'null']},
}

#: What a device context asks for, in one of three forms.
ASKED = {
    'groups': {'type': 'array'},
    'device_profile': {
        'type': 'string',
        'minLength': 1,
        'maxLength': 255,
        'pattern': schemas.PRINTABLE,
    },
    # The short form, for a context of one group.
    'resources': {'type': 'object'},
    'required': {'type': 'array'},
    'forbidden': {'type': 'array'},
    'config': {'type': 'object'},
    'tolerated': {'type': 'array'},
}

CREATE: dict[str, ty.Any] = {
    'type': 'object',
    'properties': {
        **_FIELDS,
        **ASKED,
        'tags': lists.ALL_TAGS,
    },
    'additionalProperties': False,
}

#: The most device contexts that are made at once.
MOST = 100
# What each is, :data:`CREATE` says.
CREATE_SEVERAL: dict[str, ty.Any] = {
    'type': 'object',
    'properties': {
        'device_contexts': {
            'type': 'array',
            'minItems': 1,
            'maxItems': MOST,
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
_CHOSEN = {'type': 'string'}

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
        'limit': {'type': 'string', 'format': schemas.NUMBER},
        'marker': _UUID,
        'name': _NAME,
        'server_id': _UUID,
        'tag': TAG,
        'status': {'enum': list(model.Status.ALL)},
        'all_projects': {'enum': ['true', 'false', 'True', 'False', '1', '0']},
        'fields': _CHOSEN,
        **lists.QUERY,
    },
    'additionalProperties': False,
}

# SPDX-License-Identifier: Apache-2.0

"""The JSON schema of the query of a device context's events."""

import typing as ty

from nova_cyborg.api import schemas

LIST: dict[str, ty.Any] = {
    'type': 'object',
    'properties': {
        'limit': {'type': 'string', 'format': schemas.NUMBER},
        'marker': {'type': 'string', 'format': 'uuid'},
        'sort_dir': {'enum': ['asc', 'desc']},
    },
    'additionalProperties': False,
}

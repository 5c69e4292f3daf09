# SPDX-License-Identifier: Apache-2.0

"""The JSON schema of the query of a device context's events."""

import typing as ty

from nova_cyborg.api.schemas import lists

LIST: dict[str, ty.Any] = {
    'type': 'object',
    'properties': {
        'limit': lists.LIMIT,
        'marker': {
            'type': 'string',
            'format': 'uuid',
            'description': 'UUID of the last event of the page before.',
        },
        'sort_dir': {
            'enum': list(lists.SORT_DIRS),
            'description': '``desc``, the newest first (if left out), or '
            '``asc``.',
        },
    },
    'additionalProperties': False,
}

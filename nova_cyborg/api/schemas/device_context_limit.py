# SPDX-License-Identifier: Apache-2.0

"""JSON schema of the query of what projects may have."""

import typing as ty

from nova_cyborg.api import schemas

# As Keystone makes them, or another service that has projects.
_PROJECT = {
    'type': 'string',
    'minLength': 1,
    'maxLength': 255,
    'pattern': schemas.PRINTABLE,
    'description': 'The project, if it is not that of the token.',
}

LIST: dict[str, ty.Any] = {
    'type': 'object',
    'properties': {'project_id': _PROJECT},
    'additionalProperties': False,
}

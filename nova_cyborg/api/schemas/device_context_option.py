# SPDX-License-Identifier: Apache-2.0

"""JSON schema of the query of what device contexts can ask for."""

import typing as ty

# It has no parameters.
LIST: dict[str, ty.Any] = {
    'type': 'object',
    'properties': {},
    'additionalProperties': False,
}

# SPDX-License-Identifier: Apache-2.0

"""JSON schemas of the queries of the reconciler."""

import typing as ty

# Of the query.
GET: dict[str, ty.Any] = {
    'type': 'object',
    'properties': {},
    'additionalProperties': False,
}

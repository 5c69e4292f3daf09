# SPDX-License-Identifier: Apache-2.0

"""Schemas of ours, as the document has them."""

import typing as ty

from nova_cyborg.api import schemas
from nova_cyborg.api.document.operations import Schema

_COMPONENTS = '#/components/schemas/'
# In the place of formats that are sentences: what others can check.
_FORMATS: dict[str, Schema] = {
    schemas.NUMBER: {'type': 'integer', 'minimum': 0, 'maximum': 10**9 - 1},
    schemas.TEXT: {'format': 'text'},
    schemas.NAME: {'format': 'name'},
    schemas.TAG: {'format': 'device-tag', 'pattern': '^[^/,]*$'},
    schemas.CONTEXT_TAG: {'format': 'tag', 'pattern': '^[^_/,][^/,]*$'},
    schemas.TIME: {'format': 'time-or-date'},
}


class Components:
    """The schemas that a document has once, by their titles.

    :ivar schemas: the schemas.
    """

    def __init__(self) -> None:
        self.schemas: dict[str, Schema] = {}

    def of(self, schema: Schema) -> Schema:
        """Write a schema as the document has it.

        :param schema: one of ours.
        :returns: the schema; a reference, if it has a title.
        """
        title = schema.get('title')
        if title is None:
            return self._converted(schema)
        if title not in self.schemas:
            # Before what is in it, which may be longer: in this order.
            self.schemas[title] = {}
            self.schemas[title] |= self._converted(schema)
        return {'$ref': f'{_COMPONENTS}{title}'}

    def _converted(self, schema: Schema) -> Schema:
        found = {key: self._value(key, value) for key, value in schema.items()}
        # Of other languages, which know no \Z.
        if 'pattern' in found:
            found['pattern'] = found['pattern'].replace(r'\Z', '$')
        ours = found.get('format')
        if ours in _FORMATS:
            del found['format']
            found |= _FORMATS[ours]
            said = found.get('description')
            if said and ours != schemas.NUMBER:
                found['description'] = f'{said} A {ours}.'
        return found

    def _value(self, key: str, value: ty.Any) -> ty.Any:
        if key == 'properties':
            return {name: self.of(each) for name, each in value.items()}
        if key == 'oneOf':
            return [self.of(each) for each in value]
        if key in ('items', 'additionalProperties', 'propertyNames'):
            return self.of(value) if isinstance(value, dict) else value
        return value

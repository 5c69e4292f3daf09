# SPDX-License-Identifier: Apache-2.0

"""The document, made of what is declared of each operation."""

import functools
import hashlib
import json
import typing as ty

from nova_cyborg.api import requests
from nova_cyborg.api.document import (
    converting,
    headers,
    nouns,
    paths,
    refusing,
)

#: Of the API of device contexts. The second number rises when something is
#: added; the first one, when something is changed or taken away that clients
#: may rely on. A test keeps what the document of each comes to.
VERSION = '1.0'

_TITLE = 'Device contexts'
_DESCRIPTION = (
    'What nova_cyborg adds to the Accelerator service (Cyborg) of OpenStack. '
    f'A body is JSON in UTF-8 of at most {requests.MAX_BODY_SIZE} bytes, or '
    f'{requests.MAX_SIZE_OF_SEVERAL} if it makes several device contexts, and '
    'no object in it has two fields of one name. Fields and parameters that '
    'are not listed are refused. A parameter is given once. Another method '
    'than those of a path '
    'is answered with 405, `nova_cyborg.method_not_allowed`, and the header '
    '`Allow`; another path with 404, `nova_cyborg.route_not_found`. A path '
    'may end with a slash.'
)


@functools.cache
def text() -> bytes:
    """Write the document; once in a process, as it is the same for all.

    :returns: its JSON.
    """
    return json.dumps(document(), ensure_ascii=False).encode()


@functools.cache
def digest() -> str:
    """Name this version of the document.

    :returns: a word that is another one for each.
    """
    return hashlib.sha256(text()).hexdigest()[:32]


def document() -> dict[str, ty.Any]:
    """Make the document.

    :returns: an object of OpenAPI 3.1.
    """
    components = converting.Components()
    of_all = paths.references(headers.ANSWERED_BY_ALL)
    responses = refusing.common(components, of_all)
    responses['Unauthorized'] = refusing.no_token(
        components, paths.references(headers.UNAUTHENTICATED)
    )
    return {
        'openapi': '3.1.0',
        'info': {
            'title': _TITLE,
            'version': VERSION,
            'description': _DESCRIPTION,
            'license': {'name': 'Apache 2.0', 'identifier': 'Apache-2.0'},
        },
        # From where the document is: wherever Cyborg is mounted.
        'servers': [{'url': '../', 'description': 'This cloud.'}],
        'tags': [
            {'name': name, 'description': description}
            for name, description in nouns.TAGS.items()
        ],
        'paths': paths.paths(components),
        'components': {
            'schemas': components.schemas,
            'responses': responses,
            'headers': headers.ANSWERED,
            'securitySchemes': headers.TOKENS,
        },
    }

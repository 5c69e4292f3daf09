# SPDX-License-Identifier: Apache-2.0

"""Headers of requests and of answers."""

import typing as ty

_VERSION = 'OpenStack-API-Version'
_REQUEST_ID = 'X-Openstack-Request-Id'
_AUTHENTICATE = 'WWW-Authenticate'
IF_MATCH = 'If-Match'
IF_NONE_MATCH = 'If-None-Match'
IDEMPOTENCY_KEY = 'Idempotency-Key'
ETAG = 'ETag'
LOCATION = 'Location'

#: Security schemes: tokens.
TOKENS: dict[str, dict[str, ty.Any]] = {
    'token': {
        'type': 'apiKey',
        'in': 'header',
        'name': 'X-Auth-Token',
        'description': "Keystone's token of the user, for a project.",
    },
    'service_token': {
        'type': 'apiKey',
        'in': 'header',
        'name': 'X-Service-Token',
        'description': "Keystone's token of the service that asks.",
    },
}

#: Of requests.
ASKED: dict[str, dict[str, ty.Any]] = {
    _VERSION: {
        'description': "The version of Cyborg's API, such as ``accelerator "
        '2.0``, or ``accelerator latest``. Versions of other services, '
        'separated by commas, do not matter. Device contexts are the same in '
        'all of them.',
        'schema': {'type': 'string'},
        'example': 'accelerator 2.0',
    },
    IF_MATCH: {
        'description': 'One ETag, such as ``"3"``, several that are separated '
        'by commas, or ``*`` for any: nothing is changed if the revision of '
        'the device context is none of these.',
        'schema': {'type': 'string'},
    },
    IF_NONE_MATCH: {
        'description': 'ETags of the answers that are known: if it is one of '
        'these still, it is not sent again.',
        'schema': {'type': 'string'},
    },
    IDEMPOTENCY_KEY: {
        'description': 'By which the request is known when it is repeated: 1 '
        'to 255 printable ASCII characters without a space, such as a '
        'UUID; kept for 24 hours.',
        'schema': {
            'type': 'string',
            'minLength': 1,
            'maxLength': 255,
            'pattern': '^[!-~]+$',
        },
    },
}
#: Those of :data:`ASKED` that all operations look at.
ASKED_OF_ALL = (_VERSION,)

#: Of answers.
ANSWERED: dict[str, dict[str, ty.Any]] = {
    'Cache-Control': {
        'description': 'Whether the answer may be kept: ``no-store``, as it '
        'is of one project; but for this document.',
        'schema': {'type': 'string'},
        'required': True,
    },
    _REQUEST_ID: {
        'description': 'By which the log of cyborg-api names the request.',
        'schema': {
            'type': 'string',
            'pattern': '^req-[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$',
        },
        'required': True,
    },
    _VERSION: {
        'description': "The version of Cyborg's API that has answered. Not "
        'in answers to what is refused before a version is looked at.',
        'schema': {'type': 'string', 'pattern': r'^accelerator \d+\.\d+$'},
    },
    'OpenStack-API-Minimum-Version': {
        'description': 'The first version that there is.',
        'schema': {'type': 'string', 'pattern': r'^\d+\.\d+$'},
    },
    'OpenStack-API-Maximum-Version': {
        'description': 'The last version that there is.',
        'schema': {'type': 'string', 'pattern': r'^\d+\.\d+$'},
    },
    'Vary': {
        'description': 'Of what headers the answer depends.',
        'schema': {'type': 'string'},
    },
    ETAG: {
        'description': 'The revision of the device context, in double '
        'quotes; of this document, its digest.',
        'schema': {'type': 'string', 'pattern': '^"[0-9a-f]+"$'},
        'required': True,
    },
    LOCATION: {
        'description': 'The URL of what was made.',
        'schema': {'type': 'string', 'format': 'uri'},
        'required': True,
    },
    _AUTHENTICATE: {
        'description': 'Where Keystone is.',
        'schema': {'type': 'string'},
        'required': True,
    },
}
#: Those of :data:`ANSWERED` that all answers have, or may have.
ANSWERED_BY_ALL = tuple(
    name for name in ANSWERED if name not in (ETAG, LOCATION, _AUTHENTICATE)
)
#: Those that Keystone's middleware answers with.
UNAUTHENTICATED = (_AUTHENTICATE, _REQUEST_ID)

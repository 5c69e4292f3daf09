# SPDX-License-Identifier: Apache-2.0

"""Operations on device contexts."""

from nova_cyborg import exception
from nova_cyborg.api.document import headers
from nova_cyborg.api.document.operations import (
    Answer,
    Errors,
    Operation,
    Schema,
)
from nova_cyborg.api.policies import device_context as policies
from nova_cyborg.api.policies import device_context_option as option_policies
from nova_cyborg.api.schemas import device_context as schemas
from nova_cyborg.api.schemas import groups
from nova_cyborg.api.schemas.answers import device_context as answers

_COLLECTION = '/v2/device_contexts'
_MEMBER = _COLLECTION + '/{uuid}'

_CREATE: Schema = {
    **schemas.CREATE,
    'title': 'NewDeviceContext',
    'description': 'What a device context is to be. One of ``groups``, '
    '``device_profile`` and the short form, for one group, is needed, and '
    'only one.',
    'properties': {**schemas.CREATE['properties'], **groups.DETAILED},
    'oneOf': groups.FORMS,
}
_SEVERAL = schemas.CREATE_SEVERAL['properties']['device_contexts']
_CREATE_SEVERAL: Schema = {
    **schemas.CREATE_SEVERAL,
    'title': 'NewDeviceContexts',
    'description': 'What several device contexts are to be.',
    'properties': {'device_contexts': {**_SEVERAL, 'items': _CREATE}},
    'required': ['device_contexts'],
}
# What works on a new one.
_LINKS = {
    f'{verb}_device_context{noun}': '/uuid'
    for verb, noun in (
        ('show', ''),
        ('update', ''),
        ('delete', ''),
        ('explain', ''),
        ('list', '_events'),
        ('list', '_tags'),
        ('replace', '_tags'),
        ('add', '_tag'),
    )
}
_OF_FIELDS: Errors = {
    exception.InvalidRequest: 'there is no such field, parameter or value'
}

OPERATIONS = (
    Operation(
        name='create_device_context',
        method='POST',
        path=_COLLECTION,
        summary='Create a device context, or several',
        policies=(policies.CREATE, option_policies.GET_ALL),
        headers=(headers.IDEMPOTENCY_KEY,),
        body={'oneOf': [_CREATE, _CREATE_SEVERAL]},
        answers=(
            Answer(
                201,
                'The device context; or several, without ``Location`` and '
                '``ETag``, if several were asked for.',
                {'oneOf': [answers.CREATED, answers.CREATED_SEVERAL]},
                maybe=(headers.LOCATION, headers.ETAG),
                links=_LINKS,
            ),
        ),
        errors={
            exception.TooManyDeviceContexts: 'the project has as many device '
            'contexts as it may have (``max_contexts_per_project``)',
            exception.LimitReached: 'or as its limit in Keystone says, if '
            'limits are enforced',
            exception.TooManyIdempotencyKeys: '',
            exception.DeviceProfileNotFound: '',
            exception.IdempotencyKeyReused: 'with another body',
            exception.IdempotencyKeySpent: 'what was made with it is deleted',
            exception.LimitsUnknown: 'Keystone does not answer',
        },
    ),
    Operation(
        name='list_device_contexts',
        method='GET',
        path=_COLLECTION,
        summary='List device contexts',
        policies=(policies.GET_ALL, policies.GET_ALL_PROJECTS),
        query=schemas.LIST,
        answers=(
            Answer(
                200,
                'The device contexts, in full or with the fields that were '
                'wanted.',
                answers.LIST,
            ),
        ),
        errors={
            **_OF_FIELDS,
            exception.DeviceContextNotFound: 'the marker is not among them',
        },
    ),
    Operation(
        name='show_device_context',
        method='GET',
        path=_MEMBER,
        summary='Show a device context',
        policies=(policies.GET_ONE,),
        query=schemas.SHOW,
        answers=(
            Answer(
                200,
                'The device context, in full or with the fields that were '
                'wanted.',
                answers.PART,
                (headers.ETAG,),
            ),
        ),
        errors=_OF_FIELDS,
    ),
    Operation(
        name='update_device_context',
        method='PATCH',
        path=_MEMBER,
        summary='Change a device context',
        description='A server may hold it. Its groups cannot be changed.',
        policies=(policies.UPDATE,),
        headers=(headers.IF_MATCH,),
        body=schemas.UPDATE,
        answers=(
            Answer(200, 'The device context.', answers.SHOWN, (headers.ETAG,)),
        ),
        errors={
            exception.TagInUse: 'the server that holds it has another one '
            'with the tag',
            exception.DeviceContextChanged: '',
        },
    ),
    Operation(
        name='delete_device_context',
        method='DELETE',
        path=_MEMBER,
        summary='Delete a device context',
        policies=(policies.DELETE,),
        headers=(headers.IF_MATCH,),
        answers=(Answer(204, 'The device context is deleted.'),),
        errors={
            exception.DeviceContextInUse: 'a server holds the device context, '
            'and Nova does not say that the server is gone',
            exception.DeviceContextChanged: '',
        },
    ),
)

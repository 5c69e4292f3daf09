# SPDX-License-Identifier: Apache-2.0

"""Operations on the tags by which device contexts are found."""

from nova_cyborg import exception
from nova_cyborg.api.document import headers
from nova_cyborg.api.document.operations import Answer, Errors, Operation
from nova_cyborg.api.policies import device_context_tag as policies
from nova_cyborg.api.schemas import lists as schemas
from nova_cyborg.api.schemas.answers import device_context as answers

_ALL = '/v2/device_contexts/{uuid}/tags'
_ONE = _ALL + '/{tag}'
_NO_TAG: Errors = {exception.ContextTagNotFound: ''}
_CHANGED: Errors = {exception.DeviceContextChanged: ''}
_ETAG = (headers.ETAG,)
_IF_MATCH = (headers.IF_MATCH,)

OPERATIONS = (
    Operation(
        name='list_device_context_tags',
        method='GET',
        path=_ALL,
        summary='List the tags of a device context',
        policies=(policies.GET,),
        answers=(Answer(200, 'Its tags.', answers.TAGS, _ETAG),),
    ),
    Operation(
        name='replace_device_context_tags',
        method='PUT',
        path=_ALL,
        summary='Give a device context other tags',
        policies=(policies.UPDATE,),
        headers=_IF_MATCH,
        body=schemas.TAGS,
        answers=(Answer(200, 'Its tags from now on.', answers.TAGS, _ETAG),),
        errors=_CHANGED,
    ),
    Operation(
        name='remove_device_context_tags',
        method='DELETE',
        path=_ALL,
        summary='Take all tags from a device context',
        policies=(policies.UPDATE,),
        headers=_IF_MATCH,
        answers=(Answer(204, 'It has no tags any more.', headers=_ETAG),),
        errors=_CHANGED,
    ),
    Operation(
        name='find_device_context_tag',
        method='GET',
        path=_ONE,
        summary='Tell whether a device context has a tag',
        policies=(policies.GET,),
        answers=(Answer(204, 'It has the tag.', headers=_ETAG),),
        errors=_NO_TAG,
    ),
    Operation(
        name='add_device_context_tag',
        method='PUT',
        path=_ONE,
        summary='Give a device context one more tag',
        policies=(policies.UPDATE,),
        headers=_IF_MATCH,
        answers=(
            Answer(
                201,
                'It has the tag from now on.',
                headers=(headers.LOCATION, headers.ETAG),
            ),
            Answer(204, 'It has had the tag.', headers=_ETAG),
        ),
        errors={
            **_CHANGED,
            exception.InvalidRequest: 'it is no tag, or would be the 51st',
        },
    ),
    Operation(
        name='remove_device_context_tag',
        method='DELETE',
        path=_ONE,
        summary='Take a tag from a device context',
        policies=(policies.UPDATE,),
        headers=_IF_MATCH,
        answers=(Answer(204, 'It has not the tag any more.', headers=_ETAG),),
        errors={**_NO_TAG, **_CHANGED},
    ),
)

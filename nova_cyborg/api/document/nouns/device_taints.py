# SPDX-License-Identifier: Apache-2.0

"""Operations on the taints of devices."""

from nova_cyborg import exception
from nova_cyborg.api.document.operations import (
    Answer,
    Errors,
    Operation,
    Schema,
)
from nova_cyborg.api.policies import device_taint as policies
from nova_cyborg.api.schemas import device_taint as schemas
from nova_cyborg.api.schemas import groups
from nova_cyborg.api.schemas.answers import device_taint as answers

_COLLECTION = '/v2/device_taints'
_MEMBER = _COLLECTION + '/{uuid}'
_FIELDS = schemas.CREATE['properties']
_CREATE: Schema = {
    **schemas.CREATE,
    'properties': {**_FIELDS, 'key': {**_FIELDS['key'], **groups.KEY}},
}
_UNTOLD: Errors = {
    exception.DeviceTaintUntold: 'Placement does not answer, or refuses; '
    'nothing was changed'
}

OPERATIONS = (
    Operation(
        name='create_device_taint',
        method='POST',
        path=_COLLECTION,
        summary='Taint a device',
        policies=(policies.CREATE,),
        body=_CREATE,
        answers=(
            Answer(
                201,
                'The taint.',
                answers.SHOWN,
                links={
                    'show_device_taint': '/uuid',
                    'delete_device_taint': '/uuid',
                },
            ),
        ),
        errors={
            exception.DeviceNotFound: '',
            exception.DeviceTaintExists: 'the device has one with this key',
            exception.TooManyTaints: 'there are 32 different keys',
            **_UNTOLD,
            exception.PlacementFailed: 'Placement does not answer, or '
            'refuses; nothing was changed',
        },
    ),
    Operation(
        name='list_device_taints',
        method='GET',
        path=_COLLECTION,
        summary='List taints',
        description='In order of their making, 1000 in a page at most.',
        policies=(policies.GET_ALL,),
        query=schemas.LIST,
        answers=(Answer(200, 'The taints.', answers.LIST),),
        errors={exception.DeviceTaintNotFound: 'the marker'},
    ),
    Operation(
        name='show_device_taint',
        method='GET',
        path=_MEMBER,
        summary='Show a taint',
        policies=(policies.GET_ONE,),
        answers=(Answer(200, 'The taint.', answers.SHOWN),),
    ),
    Operation(
        name='delete_device_taint',
        method='DELETE',
        path=_MEMBER,
        summary='Delete a taint',
        policies=(policies.DELETE,),
        answers=(Answer(204, 'Servers get the device again.'),),
        errors={
            exception.DeviceTaintReported: 'it is what the agent says',
            **_UNTOLD,
        },
    ),
)
